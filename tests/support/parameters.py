"""Every parameter of the schema, as ``llmcfg.audit.parameters`` finds it, run through the pipeline."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llmcfg.audit.parameters import (
    ANY_KEY,
    MODEL,
    Parameter,
    Step,
    first_sample,
    is_object,
    kinds,
    parameters,
    partners_of,
    put,
    samples,
)
from llmcfg.catalog import backends, bundle
from llmcfg.checking.versions import in_range
from llmcfg.diagnostics import has_errors
from llmcfg.document import Document
from llmcfg.pipeline import Request, Result, run

__all__ = [
    "ANY_KEY", "MODEL", "Parameter", "Step", "accepted", "check", "every_parameter", "first_sample", "get",
    "is_object", "kinds", "parameters", "partners_of", "put", "release_with", "samples",
]  # fmt: skip


def get(data: Any, path: tuple[Step, ...]) -> Any:
    for step in path:
        data = data[step]
    return data


def every_parameter() -> list[Parameter]:
    return [parameter for backend in backends() for parameter in parameters(backend)]


def check(document: dict[str, Any], **wanted: Any) -> Result:
    """Run the pipeline on a document in memory."""
    return run(Document(document), Request(**wanted))


def release_with(parameter: Parameter, value: Any) -> str:
    """Return the newest audited release that has the parameter, and the value of it."""
    facts = [parameter.schema, bundle()["$defs"][parameter.owner]]
    facts.append(parameter.schema.get("x-values", {}).get(str(value), {}))
    for version in reversed(backends()[parameter.backend]["versions"]):
        if all(in_range(version, about.get("x-since"), about.get("x-until")) for about in facts):
            return version
    raise AssertionError(f"no audited release has {parameter.name}")


def accepted(parameter: Parameter) -> Iterator[tuple[Any, dict[str, Any], Result]]:
    """Yield the values that llmcfg accepts, alone or with the partners that the schema names."""
    for value in samples(parameter.schema):
        for partners in (False, True):
            document = parameter.document(value, partners)
            result = check(document, backend=parameter.backend, version=release_with(parameter, value))
            if not has_errors(result.diagnostics):
                yield value, document, result
                break
