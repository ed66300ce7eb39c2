"""Hold what parameters and values need against the GPU that the config will run on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llmcfg.catalog import Facts, index
from llmcfg.diagnostics import ERROR, WARNING, Diagnostic, Path
from llmcfg.gpus import Gpu


def check_requirements(
    requires: list[Facts], what: str, path: Path, gpu: Gpu, values: dict[str, Facts]
) -> Iterator[Diagnostic]:
    """Judge alternatives in order: the first that the GPU meets decides.

    ``values`` are the parameter's values with requirements: the hint names those that this GPU meets.
    """
    for requirement in requires:
        if meets(requirement, gpu):
            if requirement.get("level") == "emulated":
                yield Diagnostic(
                    "L302",
                    f"{what} takes a slower path on {gpu.title}",
                    path,
                    severity=WARNING,
                    hint=requirement["note"],
                )
            return
    needs = "; or ".join(_need(requirement) for requirement in requires)
    hint = f"{gpu.title} {_has(gpu)}."
    if others := usable(values, gpu):
        hint += f" It takes {', '.join(others[:12])}."
    yield Diagnostic("L301", f"{what} needs {needs}", path, severity=ERROR, hint=hint)


def meets(requirement: Facts, gpu: Gpu) -> bool:
    """Tell whether the GPU is of a platform and an architecture that the requirement names.

    Packages, model kinds and GPU counts are not known here and do not decide.
    """
    platform = "cpu" if gpu.name == "none" else "cuda"
    platforms = requirement.get("platform")
    if platforms is not None and platform not in platforms:
        return False
    arch = requirement.get("arch")
    if arch is None:
        return True
    if platform == "cpu":
        return platforms is not None
    if isinstance(arch, str):
        return gpu.capability >= _capability(arch)
    return any(_is(gpu, name) for name in arch)


def usable(values: dict[str, Any], gpu: Gpu) -> list[str]:
    """Return the values with requirements that the GPU meets."""
    return [
        value
        for value, facts in values.items()
        if "requires" in facts and any(meets(item, gpu) for item in facts["requires"])
    ]


def _is(gpu: Gpu, name: str) -> bool:
    return gpu.capability == _capability(name) if name.startswith("sm") else gpu.architecture == name


def _capability(name: str) -> tuple[int, int]:
    if name.startswith("sm"):
        return int(name[2:-1]), int(name[-1])
    major, minor = index()["gpus"]["architectures"][name]["capability"].split(".")
    return int(major), int(minor)


def _has(gpu: Gpu) -> str:
    if gpu.name == "none":
        return "has no CUDA device"
    return f"is {gpu.architecture}, compute capability {gpu.capability[0]}.{gpu.capability[1]}"


def _need(requirement: Facts) -> str:
    words = []
    if "arch" in requirement:
        arch = requirement["arch"]
        words.append(
            _architecture(arch) + " or newer"
            if isinstance(arch, str)
            else " or ".join(map(_architecture, arch))
        )
    if "platform" in requirement:
        words.append(f"the platform {' or '.join(requirement['platform'])}")
    return " on ".join(words) or "other hardware"


def _architecture(name: str) -> str:
    major, minor = _capability(name)
    number = f"compute capability {major}.{minor}"
    return number if name.startswith("sm") else f"{name.capitalize()} ({number})"
