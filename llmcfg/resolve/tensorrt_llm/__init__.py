"""TensorRT-LLM, which cannot be asked here: the rules of its release 1.2.1, as data.

The table is ``audit/machines/tensorrt_llm.json``: what is set to what, refused or said, and why, step by
step. It is the only home of these facts. What the schema's ``x-rules``, types and bounds refuse is reported
when a config is compiled, before anybody asks here, and is not repeated.
"""
