"""torch itself judges the switches and the arguments of torch.compile."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch

from llmcfg.catalog import backends
from llmcfg.diagnostics import has_errors
from tests.support.parameters import Parameter, accepted, check, parameters

pytestmark = pytest.mark.transformers

ROOT = Path(__file__).parents[1]
INSTALLED = backends()["pytorch"]["versions"][0]


def in_section(section: str) -> list[Parameter]:
    return [one for one in parameters("pytorch") if one.path[0] == section and len(one.path) > 1]


# --- switches -----------------------------------------------------------------------------------------

SWITCHES = in_section("runtime")


class Trial(NamedTuple):
    value: Any
    native: dict[str, Any]
    outcome: dict[str, Any]


@pytest.fixture(scope="module")
def trials() -> dict[str, list[Trial]]:
    """Set every accepted value of every switch, each in a process of its own."""
    tried = []
    for parameter in SWITCHES:
        for value, document, _ in accepted(parameter):
            result = check(document, backend="pytorch", version=INSTALLED)
            if not has_errors(result.diagnostics):
                tried.append((parameter.name, value, document, result.compiled[0].native["torch"]))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.support.torch_switches", INSTALLED],
        input="".join(json.dumps(document) + "\n" for _, _, document, _ in tried),
        cwd=ROOT, env=os.environ, capture_output=True, text=True, check=True, timeout=900,
    )  # fmt: skip
    found: dict[str, list[Trial]] = {parameter.name: [] for parameter in SWITCHES}
    for (name, value, _, native), line in zip(tried, done.stdout.splitlines(), strict=True):
        found[name].append(Trial(value, native, json.loads(line)))
    return found


ANY = object()
# What this build of torch refuses, and what it says: (switch, value) or the switch with any value.
REFUSED: dict[tuple[str, Any], str] = {
    ("flash_attention_impl", ANY): "ModuleNotFoundError: No module named 'flash_attn",  # the package
    ("preferred_blas_library", "cublaslt"): "not been compiled with cuBLASLt",
    ("preferred_blas_library", "hipblaslt"): "not been compiled with cuBLASLt",
    ("preferred_linalg_library", "cusolver"): "not been compiled with cuSOLVER",
    ("preferred_linalg_library", "magma"): "not been compiled with MAGMA",
    ("cublas_workspace_size", ANY): "has no attribute '_cuda_setCublasWorkspaceSize'",  # a CUDA build
    ("cublaslt_workspace_size", ANY): "has no attribute '_cuda_setCublasLtWorkspaceSize'",
    ("per_process_memory_fraction", ANY): "not compiled with CUDA",
    ("per_process_memory_fraction_device", ANY): "not compiled with CUDA",
    ("mps_per_process_memory_fraction", ANY): "without MPS backend",
    ("xpu_per_process_memory_fraction", ANY): "not compiled with XPU",
    ("xpu_per_process_memory_fraction_device", ANY): "not compiled with XPU",
    ("cuda_sync_debug_mode", ANY): "not compiled with CUDA",
    ("default_tensor_type", "torch.cuda.FloatTensor"): "not compiled with CUDA",
    ("default_tensor_type", "torch.cuda.DoubleTensor"): "not compiled with CUDA",
    ("default_tensor_type", "torch.cuda.HalfTensor"): "not compiled with CUDA",
    ("default_tensor_type", "torch.cuda.BFloat16Tensor"): "not compiled with CUDA",
    ("tunable_enable", ANY): "has no attribute '_cuda_tunableop_enable'",
    ("tunable_tuning", ANY): "has no attribute '_cuda_tunableop_tuning_enable'",
    ("tunable_record_untuned", ANY): "has no attribute '_cuda_record_untuned_enable'",
    ("tunable_filename", ANY): "has no attribute '_cuda_tunableop_set_filename'",
    ("tunable_filename_insert_device_ordinal", ANY): "has no attribute '_cuda_tunableop_set_filename'",
    ("tunable_max_tuning_duration", ANY): "has no attribute '_cuda_tunableop_set_max_tuning_duration'",
    ("tunable_max_tuning_iterations", ANY): "has no attribute '_cuda_tunableop_set_max_tuning_iterations'",
    ("tunable_rotating_buffer_size", ANY): "has no attribute '_cuda_tunableop_set_rotating_buffer_size'",
    ("tunable_numerical_check", ANY): "has no attribute '_cuda_tunableop_set_numerical_check",
    ("tunable_numerical_check_atol", ANY): "has no attribute '_cuda_tunableop_set_numerical_check",
    ("tunable_numerical_check_rtol", ANY): "has no attribute '_cuda_tunableop_set_numerical_check",
    ("default_device", "cuda"): "not compiled with CUDA",
}
# What reads back under another name: numbers of modes, and members of enums.
READS_AS: dict[tuple[str, Any], Any] = {
    ("allow_fp16_reduced_precision_reduction", True): [True, True],
    ("allow_fp16_reduced_precision_reduction", False): [False, True],  # split-K stays allowed
    ("allow_bf16_reduced_precision_reduction", True): [True, True],
    ("allow_bf16_reduced_precision_reduction", False): [False, True],
    ("preferred_rocm_fa_library", "default"): "_ROCmFABackend.Default",
    ("preferred_rocm_fa_library", "aotriton"): "_ROCmFABackend.AOTriton",
    ("preferred_rocm_fa_library", "ck"): "_ROCmFABackend.Ck",
    ("preferred_blas_library", "default"): "_BlasBackend.Cublas",  # what the default stands for here
    ("preferred_blas_library", "cublas"): "_BlasBackend.Cublas",
    ("preferred_blas_library", "hipblas"): "_BlasBackend.Cublas",  # the same library's name on ROCm
    ("preferred_blas_library", "ck"): "_BlasBackend.Ck",
    ("preferred_linalg_library", "default"): "_LinalgBackend.Default",
    ("deterministic_debug_mode", "default"): 0,
    ("deterministic_debug_mode", "warn"): 1,
    ("deterministic_debug_mode", "error"): 2,
}
# Switches that a build without their device takes, warns about, and drops.
DROPPED = {"mkldnn_allow_tf32": "oneDNN uses TF32 on Intel GPUs only"}


def for_value(table: dict[tuple[str, Any], Any], name: str, value: Any, otherwise: Any = None) -> Any:
    key = str(value) if isinstance(value, (list, dict)) else value
    return table.get((name, ANY), table.get((name, key), otherwise))


@pytest.mark.parametrize("parameter", SWITCHES, ids=lambda parameter: parameter.name)
def test_each_switch_reads_back(parameter: Parameter, trials: dict[str, list[Trial]]) -> None:
    name = str(parameter.path[1])
    assert trials[parameter.name]
    for value, native, outcome in trials[parameter.name]:
        refusal = for_value(REFUSED, name, value)
        if refusal is not None:
            assert refusal in outcome.get("error", ""), (value, outcome)
            continue
        assert "error" not in outcome, (value, outcome)
        for key, written in native.items():
            read = outcome["read"][key]
            if name in DROPPED:
                assert read is None
            else:
                assert read == for_value(READS_AS, name, value, written), (key, written, read)


# --- torch.compile ------------------------------------------------------------------------------------

COMPILE = in_section("compile")
# Backends that cannot compile here, and what they say.
CANNOT_COMPILE: dict[tuple[str, Any], str] = {
    ("backend", "tvm"): "install apache-tvm",
    ("backend", "openxla"): "torch_xla",
    ("backend", "openxla_eval"): "torch_xla",
    # torch 2.13 fails in its own TorchScript compiler, on every function that was tried.
    ("backend", "ts"): "method cannot be used as a value",
    ("backend", "aot_ts"): "method cannot be used as a value",
}


def function(x: torch.Tensor) -> torch.Tensor:
    return torch.sin(x) + x * 2


@pytest.mark.parametrize("parameter", COMPILE, ids=lambda parameter: parameter.name)
@pytest.mark.filterwarnings("ignore")
def test_each_value_compiles_a_function(parameter: Parameter) -> None:
    for value, document, _ in accepted(parameter):
        result = check(document, backend="pytorch", version=INSTALLED)
        if has_errors(result.diagnostics):
            continue
        torch._dynamo.reset()
        torch._dynamo.utils.counters.clear()
        wrapped = result.compiled[0].build()["torch.compile"](function)
        failure = CANNOT_COMPILE.get((str(parameter.path[1]), str(value)))
        if failure is not None:
            with pytest.raises(Exception, match=failure):
                wrapped(torch.ones(8))
            continue
        assert torch.allclose(wrapped(torch.ones(8)), function(torch.ones(8)))
        graphs = torch._dynamo.utils.counters["stats"].get("unique_graphs", 0)
        assert bool(graphs) == ((parameter.path[1], value) != ("disable", True)), value


def test_recompile_limits_are_followed() -> None:
    """With fullgraph, a shape beyond the limit of specialized graphs is an error."""
    section = {"backend": "eager", "dynamic": False, "recompile_limit": 2, "fullgraph": True}
    document = {"model": "some/model", "pytorch": {"compile": section}}
    torch._dynamo.reset()
    result = check(document, backend="pytorch", version=INSTALLED)
    wrapped = result.compiled[0].build()["torch.compile"](function)
    wrapped(torch.ones(2))
    wrapped(torch.ones(3))
    with pytest.raises(Exception, match="fullgraph=True"):
        wrapped(torch.ones(4))
