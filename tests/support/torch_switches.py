"""Set torch's switches for real, each document in a process of its own, and read them back.

Run as a module: documents come in as JSON lines, one line of findings per document goes out. The
engine is imported once, and forked before it has done any work.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

# How to read what a function set; an attribute is read as it was assigned.
READ: dict[str, str] = {
    "set_float32_matmul_precision": "torch.get_float32_matmul_precision()",
    "backends.cuda.enable_flash_sdp": "torch.backends.cuda.flash_sdp_enabled()",
    "backends.cuda.enable_mem_efficient_sdp": "torch.backends.cuda.mem_efficient_sdp_enabled()",
    "backends.cuda.enable_cudnn_sdp": "torch.backends.cuda.cudnn_sdp_enabled()",
    "backends.cuda.enable_math_sdp": "torch.backends.cuda.math_sdp_enabled()",
    "backends.cuda.allow_fp16_bf16_reduction_math_sdp":
        "torch.backends.cuda.fp16_bf16_reduction_math_sdp_allowed()",
    "backends.cuda.preferred_rocm_fa_library": "torch.backends.cuda.preferred_rocm_fa_library()",
    "backends.cuda.preferred_blas_library": "torch.backends.cuda.preferred_blas_library()",
    "backends.cuda.preferred_linalg_library": "torch.backends.cuda.preferred_linalg_library()",
    "nn.attention.activate_flash_attention_impl": "torch.nn.attention.current_flash_attention_impl()",
    "backends.cuda.cublas_workspace_size": "torch.backends.cuda.cublas_workspace_size()",
    "backends.cuda.cublaslt_workspace_size": "torch.backends.cuda.cublaslt_workspace_size()",
    "cuda.set_per_process_memory_fraction": "torch.cuda.get_per_process_memory_fraction()",
    "set_num_threads": "torch.get_num_threads()",
    "set_num_interop_threads": "torch.get_num_interop_threads()",
    "set_flush_denormal": "(torch.tensor([1e-323], dtype=torch.float64) / 1).item() == 0",
    "set_default_device": "torch.get_default_device()",
    "set_grad_enabled": "torch.is_grad_enabled()",
    "manual_seed": "torch.initial_seed()",
    "use_deterministic_algorithms": "torch.are_deterministic_algorithms_enabled()",
    "set_deterministic_debug_mode": "torch.get_deterministic_debug_mode()",
    "compiler.set_stance": "torch._dynamo.eval_frame._stance.stance",
    "compiler.set_stance.force_backend": "torch._dynamo.eval_frame._stance.backend",
    "compiler.set_stance.skip_guard_eval_unsafe": "torch._dynamo.eval_frame._stance.skip_guard_eval_unsafe",
    "compiler.set_default_backend": "torch.compiler.get_default_backend()",
    "compiler.set_enable_guard_collectives": "torch.compiler.set_enable_guard_collectives(True)",  # what was
    "use_deterministic_algorithms.warn_only": "torch.is_deterministic_algorithms_warn_only_enabled()",
    "set_default_dtype": "name(torch.get_default_dtype())",
    "set_default_tensor_type": "torch.tensor([1.0]).type()",
    "set_autocast_enabled": "written[key]",  # for which the next one asks
    "set_autocast_enabled.enabled": "torch.is_autocast_enabled(written.get('set_autocast_enabled', 'cuda'))",
    "set_autocast_dtype": "written[key]",  # for which the next one asks
    "set_autocast_dtype.dtype": "name(torch.get_autocast_dtype(written['set_autocast_dtype']))",
    "set_autocast_cache_enabled": "torch.is_autocast_cache_enabled()",
    "set_warn_always": "torch.is_warn_always_enabled()",
    "backends.mha.set_fastpath_enabled": "torch.backends.mha.get_fastpath_enabled()",
    "jit.enable_onednn_fusion": "torch.jit.onednn_fusion_enabled()",
    "jit.set_fusion_strategy": "[list(pair) for pair in torch._C._jit_set_fusion_strategy([])]",  # what was
    # These attributes tell only half of the pair that they can be set to.
    "backends.cuda.matmul.allow_fp16_reduced_precision_reduction":
        "list(torch._C._get_cublas_allow_fp16_reduced_precision_reduction())",
    "backends.cuda.matmul.allow_bf16_reduced_precision_reduction":
        "list(torch._C._get_cublas_allow_bf16_reduced_precision_reduction())",
}  # fmt: skip


def read(key: str, written: dict[str, Any] | None = None) -> Any:
    import torch

    known = {
        "torch": torch,
        "key": key,
        "written": written or {},
        "name": lambda one: str(one).partition(".")[2],
    }
    value = eval(READ.get(key, f"torch.{key}"), known)  # noqa: S307 - an expression of this table
    return value if isinstance(value, (bool, int, float, list, dict, type(None))) else str(value)


def outcome(document: dict[str, Any], version: str) -> dict[str, Any]:
    """Compile a document, set its switches, and report what torch then says they are."""
    from tests.support.parameters import check

    item = check(document, backend="pytorch", version=version).compiled[0]
    try:
        item.build()["torch"]()
        written = item.native["torch"]
        return {"read": {key: read(key, written) for key in written}}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


def in_a_child(document: dict[str, Any], version: str) -> dict[str, Any]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        with os.fdopen(writing, "w", encoding="utf-8") as file:
            json.dump(outcome(document, version), file)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as file:
        text = file.read()
    _, status = os.waitpid(child, 0)
    return json.loads(text) if text else {"error": f"died: {status}"}


def main(version: str) -> None:
    from importlib import import_module

    for module in ("torch._dynamo", "torch._inductor.config", "transformers.modeling_utils"):
        import_module(module)  # once is enough
    from transformers import AutoModelForCausalLM  # noqa: F401

    for line in sys.stdin:
        print(json.dumps(in_a_child(json.loads(line), version)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
