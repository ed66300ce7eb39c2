"""The pipeline: a document in, native configs and every problem of the document out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from llmcfg.catalog import backends
from llmcfg.checking.echoes import told_once, with_written, without_echoes
from llmcfg.checking.rules import broken_rules
from llmcfg.checking.uses import check_uses
from llmcfg.checking.validate import validate
from llmcfg.checking.versions import check_version
from llmcfg.compiled import Compiled
from llmcfg.diagnostics import ERROR, Diagnostic, Place, dotted, has_errors
from llmcfg.document import Document
from llmcfg.gpus import Gpu, UnknownGpu, find
from llmcfg.lower import ENV, lower
from llmcfg.nvml import GpuQueryFailed
from llmcfg.printable import shown

_UNREAD = frozenset(("L005", "L006"))
_MAY_BE_UNREAD = frozenset(("L104", "L110"))
"""What is missing may stand where it could not be read."""
ALL = "all"
AUTO = "auto"


class Request(NamedTuple):
    """What the caller asks for beside the config; None leaves it to the config."""

    backend: str | None = None
    gpu: str | None = None
    version: str | None = None


class Result(NamedTuple):
    """``compiled`` is empty where the config has errors."""

    compiled: list[Compiled]
    diagnostics: list[Diagnostic]


def run(document: Document, request: Request) -> Result:
    """Check the whole document and compile the backends that were asked for."""
    if document.data is None:
        return Result([], placed(list(document.problems), document))
    if not isinstance(document.data, dict):
        return Result([], placed([*document.problems, *_no_mapping(document)], document))
    broken = validate("root", document.data, (), document)
    found = [*document.problems, *broken]
    chosen = choose(document.data, request)
    if not chosen and not _explained(found, document.data):
        found.append(_no_backend())
    gpu = _gpu(document.data, request, found)
    compiled = []
    for backend in backends():
        section = document.data.get(backend)
        if isinstance(section, dict) or backend in chosen:
            data = section if isinstance(section, dict) else {}
            version = (request.version if backend in chosen else None) or backends()[backend]["reference"]
            result = _section(backend, data, document, gpu, version)
            if backend in chosen:
                compiled.append(result)
                found += result.diagnostics
            else:
                found += [item for item in result.diagnostics if item.severity == ERROR]
    if unread := _unread(document):
        later = [item for item in found[len(document.problems) :] if item.code not in _MAY_BE_UNREAD]
        found = [*document.problems, *without_echoes(later, unread, document.data)]
    found = placed(_without_misplaced(found), document)
    if has_errors(found):
        return Result([], found)
    return Result([_with_places(item, found) for item in compiled], found)


def _section(
    backend: str, data: dict[str, Any], document: Document, gpu: Gpu | None, version: str
) -> Compiled:
    refused = validate(backend, data, (backend,), document)
    found = list(refused)
    if version != backends()[backend]["reference"]:
        found += check_version(backend, version, (backend,))
    lowered = lower(backend, data, document.data.get("model"))
    later: list[Diagnostic] = []
    for name, owner, path in lowered.ruled:
        later += broken_rules(backend, name, owner, path, version)
    later += check_uses(backend, lowered.uses, gpu, version)
    kept = without_echoes(later, refused, {backend: data}) if refused else later
    found += told_once([with_written(item, {backend: data}) if item.related else item for item in kept])
    wrong = {item.path for item in refused}
    found += [item for item in lowered.diagnostics if item.path not in wrong]
    found = list(dict.fromkeys(found))
    native: dict[str, dict[str, Any]] = {**lowered.native}
    environment = native.pop(ENV, {})
    return Compiled(backend, version, lowered.model, native, environment, found)


def choose(data: dict[str, Any], request: Request) -> list[str]:
    """Return the backends that are asked for: by the caller, else by the config, else by its sections."""
    present = [backend for backend in backends() if backend in data]
    if request.backend == ALL:
        return present or list(backends())
    if request.backend is not None:
        return [request.backend]
    named = data.get("backend")
    if isinstance(named, str) and named in backends():
        return [named]
    return present


def _no_mapping(document: Document) -> list[Diagnostic]:
    """Say that the whole is no mapping, unless it could not be read as what it is."""
    if _unread(document):
        return []
    text = document.data if isinstance(document.data, str) else ""
    if ": " in text or ":\n" in text:
        hint = "It is one long text: remove the quotes around it, or the | or > before it."
    else:
        hint = "Put a space after the colon." if ":" in text else "Start with `model: …`."
    return [Diagnostic("L007", "the config is not a mapping of keys to values", hint=hint)]


def _unread(document: Document) -> list[Diagnostic]:
    return [item for item in document.problems if item.code in _UNREAD and item.severity == ERROR]


def _without_misplaced(found: list[Diagnostic]) -> list[Diagnostic]:
    """Drop that the model is missing where it stands in the wrong place, which is said there."""
    if not any(item.code == "L101" and item.path[1:] and item.path[-1] == "model" for item in found):
        return found
    return [item for item in found if item.code != "L104" or item.path]


def _explained(found: list[Diagnostic], data: dict[str, Any]) -> bool:
    """Tell whether another mistake is why there is no backend."""
    from llmcfg.checking.suggest import means_backend

    return any(
        item.path == ("backend",)
        or (item.code == "L101" and isinstance(data.get(str(item.path[0])), dict))
        or (item.code in ("L002", "L101") and means_backend(str(item.path[0])))
        for item in found
    )


def _no_backend() -> Diagnostic:
    return Diagnostic(
        "L110",
        "no backend: the config names none and holds no section for one",
        hint=f"Add `backend: vllm`, or a section: {', '.join(backends())}.",
    )


def _gpu(data: dict[str, Any], request: Request, found: list[Diagnostic]) -> Gpu | None:
    name = request.gpu or data.get("gpu")
    if not isinstance(name, str):
        return None
    if name == AUTO and request.gpu is None:
        hint = "Name the GPU, so that the file means the same everywhere; `--gpu auto` asks this machine."
        found.append(Diagnostic("L303", "auto is no name of a GPU", ("gpu",), hint=hint))
        return None
    try:
        return find(name)
    except GpuQueryFailed as failed:
        found.append(Diagnostic("L506", str(failed)))
        return None
    except UnknownGpu as unknown:
        from llmcfg.secrets import hidden

        near = f"Did you mean {unknown.near}? " if unknown.near else ""
        path = () if request.gpu else ("gpu",)
        found.append(
            Diagnostic(
                "L303",
                f"{shown(hidden(unknown.name))} is not in the table of GPUs",
                path,
                hint=f"{near}`llmcfg gpus` lists the names.",
            )
        )
        return None


def placed(found: list[Diagnostic], document: Document) -> list[Diagnostic]:
    """Give each diagnostic its place, and put them in the order of the file."""
    if not found or document.file is None:
        return [_discreet(item) for item in found]
    from llmcfg.checking.presentation import presented

    there = [
        item._replace(
            place=item.place or _place(item, document),
            related=tuple((text, place or _related(text, document)) for text, place in item.related),
        )
        for item in found
    ]
    return [_discreet(item) for item in presented(in_order(there), document)]


def in_order(found: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Return diagnostics in the order of the file, those about the whole first."""
    return sorted(found, key=lambda item: item.place or Place(0, 0))


def _discreet(item: Diagnostic) -> Diagnostic:
    """Hide a secret that sticks to its key, or stands in its place: ``hf_token:hf_…``."""
    from llmcfg.secrets import hidden

    return item._replace(path=tuple(hidden(step) if isinstance(step, str) else step for step in item.path))


def _place(item: Diagnostic, document: Document) -> Place | None:
    """Point at the value where the value is wrong, at the key where the key or its presence is."""
    if item.of_value or item.code in _AT_VALUE:
        return document.value_place(item.path)
    if item.rule is not None and item.path not in document.keys:
        written = (place for text, _ in item.related if (place := _related(text, document)))
        return next(written, None) or document.key_place(item.path)
    return document.key_place(item.path)


_AT_VALUE = frozenset(("L102", "L103", "L105", "L106", "L301", "L302", "L303", "L501"))


def _related(text: str, document: Document) -> Place | None:
    for path in document.keys:
        if dotted(path) == text:
            return document.keys[path]
    return None


def _with_places(compiled: Compiled, found: list[Diagnostic]) -> Compiled:
    if not found:
        return compiled
    others = backends().keys() - {compiled.backend}
    own = [item for item in found if not (item.path and item.path[0] in others)]
    return compiled._replace(diagnostics=own)
