"""An engine that takes vLLM's parameters and behaves in every way that a real one might."""
