"""vLLM really started, behind the same questions and answers as `llmcfg resolve`."""
