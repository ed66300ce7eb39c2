"""What the generated models of ``llmcfg_models`` are made of: JSON Schema's numbers, and unset fields."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    StrictFloat,
    WrapValidator,
)

UNSET: Any = None
"""The default of a field that cannot be null and whose default is the engine's own to work out."""


class Model(BaseModel):
    """An object of the config.

    A field that is not set is left out of the config, and the engine's default applies; the
    defaults shown here are for the reader. Fields whose key is no name of Python have another one
    (``json_`` for ``json``); both are taken.
    """

    model_config = ConfigDict(
        extra="forbid",
        defer_build=True,
        validate_by_alias=True,
        validate_by_name=True,
        protected_namespaces=(),
    )


def _whole(value: Any) -> Any:
    """Take 16 and 16.0 for an integer as JSON Schema does, and neither ``true`` nor ``"16"``."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError("expected an integer")
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _truth(value: Any) -> Any:
    if not isinstance(value, bool):
        raise ValueError("expected true or false")
    return value


def _as_written(value: Any, check: Callable[[Any], Any]) -> Any:
    """Check a number, and leave 1 as 1: pydantic would make it 1.0."""
    check(value)
    return value


def _distinct(items: list[Any] | None) -> list[Any] | None:
    if items and any(item in items[:position] for position, item in enumerate(items)):
        raise ValueError("an item stands twice")
    return items


WHOLE = BeforeValidator(_whole)
TRUTH = BeforeValidator(_truth)
Integer = Annotated[int, WHOLE]
Number = Annotated[
    StrictFloat, WrapValidator(_as_written), PlainSerializer(lambda value: value, return_type=Any)
]
DISTINCT = AfterValidator(_distinct)
