"""Hold what parameters and values need against the GPU that the config will run on."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from llmcfg.catalog import Facts, index
from llmcfg.diagnostics import ERROR, WARNING, Diagnostic, Path
from llmcfg.gpus import CPU, Gpu, table

_MOST_LISTED = 12


def check_requirements(
    requires: list[Facts], what: str, path: Path, gpu: Gpu, others: Callable[[], list[str]] = list
) -> Iterator[Diagnostic]:
    """Judge alternatives in order: the first that the GPU meets decides.

    ``others`` gives the parameter's values that this GPU takes, for the hint.
    """
    for requirement in requires:
        if meets(requirement, gpu):
            if found := _REMARKS.get(requirement.get("level", "native")):
                code, words = found
                yield Diagnostic(
                    code,
                    f"{what} {words} {_where(gpu)}",
                    path,
                    severity=WARNING,
                    hint=_sentence(requirement["note"]),
                )
            return
    yield Diagnostic(
        "L301",
        f"{what} {_wanting(requires)}",
        path,
        severity=ERROR,
        hint=f"{_present(gpu)} {_ways_out(requires, others())}".rstrip(),
    )


_REMARKS = {"emulated": ("L302", "takes a slower path"), "ignored": ("L304", "has no effect")}


def _present(gpu: Gpu) -> str:
    """Say what there is."""
    if gpu is CPU:
        return "There is no GPU."
    return f"{gpu.title} is {_architecture(gpu.architecture, gpu.capability)} with {gpu.memory:g} GiB."


def _ways_out(requires: list[Facts], values: list[str]) -> str:
    """Say which values the GPU takes; where the parameter has none, which GPUs take it."""
    words = "What works there" if values else "GPUs that would do"
    listed = values or [gpu.name for gpu in table() if _takes(requires, gpu)]
    more = ", …" if len(listed) > _MOST_LISTED else "."
    return f"{words}: {', '.join(listed[:_MOST_LISTED])}{more}" if listed else "Leave it out there."


def _where(gpu: Gpu) -> str:
    return "without a GPU" if gpu is CPU else f"on {gpu.title}"


def _sentence(note: str) -> str:
    return f"{note[:1].upper()}{note[1:].rstrip('.')}."


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


def usable(choices: list[str], values: dict[str, Facts], gpu: Gpu) -> list[str]:
    """Return the choices that need nothing, or nothing that the GPU lacks."""
    return [choice for choice in choices if _takes(values.get(choice, {}).get("requires"), gpu)]


def _takes(requires: list[Facts] | None, gpu: Gpu) -> bool:
    if requires is None:
        return True
    first = next((requirement for requirement in requires if meets(requirement, gpu)), {"level": "ignored"})
    return first.get("level") != "ignored"


def _is(gpu: Gpu, name: str) -> bool:
    return gpu.capability == _capability(name) if name.startswith("sm") else gpu.architecture == name


def _capability(name: str) -> tuple[int, int]:
    if name.startswith("sm"):
        return int(name[2:-1]), int(name[-1])
    major, minor = index()["gpus"]["architectures"][name]["capability"].split(".")
    return int(major), int(minor)


def _wanting(requires: list[Facts]) -> str:
    effective = [item for item in requires if item.get("level") != "ignored"]
    return f"needs {_needs(effective)}" if effective else "works on no device"


def _needs(requires: list[Facts]) -> str:
    """Say what NVIDIA hardware would do; other platforms only where none would."""
    relevant = [item for item in requires if "cuda" in item.get("platform", ("cuda",))]
    if not relevant:
        platforms = {platform: None for item in requires for platform in item["platform"]}
        return f"the platform {' or '.join(platforms)}"
    if not all("arch" in item for item in relevant):
        return "an NVIDIA GPU"
    oldest = sorted((item["arch"] for item in relevant if isinstance(item["arch"], str)), key=_capability)[:1]
    exact = {name for item in relevant if isinstance(item["arch"], list) for name in item["arch"]}
    oldest = [_without_gap(name, exact) for name in oldest]
    older = [name for name in exact if not oldest or _capability(name) < _capability(oldest[0])]
    words = [_architecture(name) for name in sorted(older, key=_capability)]
    words += [f"{_architecture(name)} or newer" for name in oldest]
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _without_gap(oldest: str, exact: set[str]) -> str:
    """Return the architecture from which on all would do: Ampere, or Ada and newer, is Ampere and newer."""
    names = sorted(index()["gpus"]["architectures"], key=_capability)
    position = names.index(oldest) if oldest in names else 0
    while position and names[position - 1] in exact:
        position -= 1
    return names[position] if oldest in names else oldest


def _architecture(name: str, capability: tuple[int, int] | None = None) -> str:
    major, minor = capability or _capability(name)
    number = f"compute capability {major}.{minor}"
    return number if name.startswith("sm") else f"{name.capitalize()} ({number})"
