"""``llmcfg audit``: what the schema is held against."""
