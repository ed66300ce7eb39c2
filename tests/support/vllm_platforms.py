"""What the source text of vLLM's platforms names: read, not imported, since each needs its own machine."""

from __future__ import annotations

import ast
import importlib.util
import os
from functools import cache
from pathlib import Path

from tests.support.vllm_cards import SOURCE

# Where a platform chooses its attention backends.
_CHOICE = {
    "cuda": ("_get_backend_priorities",),
    "rocm": ("_get_backend_priorities", "get_attn_backend_cls"),
    "xpu": ("get_attn_backend_cls",),
    "cpu": ("get_attn_backend_cls",),
}


def quantization_methods(platform: str) -> set[str]:
    """Return the methods that a platform lists as supported."""
    for node in ast.walk(_tree(platform)):
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "supported_quantization":
            return set(ast.literal_eval(node.value)) if node.value else set()
    raise LookupError(platform)


def attention_backends(platform: str) -> set[str]:
    """Return the backends that a platform's code names where it chooses one."""
    return {
        name.attr
        for node in ast.walk(_tree(platform))
        if isinstance(node, ast.FunctionDef) and node.name in _CHOICE[platform]
        for name in ast.walk(node)
        if isinstance(name, ast.Attribute) and ast.unparse(name.value) == "AttentionBackendEnum"
    }


@cache
def _tree(platform: str) -> ast.Module:
    return ast.parse((package() / "platforms" / f"{platform}.py").read_text(encoding="utf-8"))


def package() -> Path:
    """Return the folder of vLLM, or of the release whose sources are asked."""
    if source := os.environ.get(SOURCE):
        return Path(source, "vllm")
    spec = importlib.util.find_spec("vllm")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent
