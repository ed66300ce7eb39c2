"""Ask the NVIDIA driver, through NVML, which GPU this machine has."""

from __future__ import annotations


class GpuQueryFailed(RuntimeError):
    """NVML is not installed or cannot reach a driver; the message says which."""


def first_gpu_name() -> str:
    """Return the marketing name of GPU 0, as the driver reports it.

    Raises:
        GpuQueryFailed: if nvidia-ml-py is missing, or there is no driver or GPU.
    """
    try:
        import pynvml
    except ImportError:
        raise GpuQueryFailed("asking for the GPU needs nvidia-ml-py: pip install 'llmcfg[gpu]'") from None
    try:
        pynvml.nvmlInit()
        try:
            name = pynvml.nvmlDeviceGetName(pynvml.nvmlDeviceGetHandleByIndex(0))
        finally:
            pynvml.nvmlShutdown()
    except pynvml.NVMLError as error:
        raise GpuQueryFailed(f"NVML finds no GPU here: {error}") from None
    return name.decode() if isinstance(name, bytes) else str(name)
