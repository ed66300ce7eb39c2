"""One question of an audit: a value of a parameter, in the smallest config that can hold it."""

from __future__ import annotations

import hashlib
import json
from typing import Any, NamedTuple

from llmcfg.audit.parameters import Json

_LONGEST = 80


class Trial(NamedTuple):
    """A value to try; ``before`` is the same config without it.

    ``role`` is that of `llmcfg.audit.values.Value`, or ``baseline`` for a config with nothing but the
    model. ``kinds`` are the kinds of models that will do, the plainest first; ``lacks`` is the kind that
    it would need and that there is none of. ``is_open``: the value leaves the decision to the engine.
    ``default`` is the engine's own value, where the schema knows it. ``with_layers``: what the value does to
    the layers of a model is asked as well. ``is_stored``: the model's own
    checkpoint is in the format that the value names, so that the value is there even if it is not written.
    """

    id: str
    backend: str
    parameter: str
    value: Any
    role: str
    document: Json
    before: Json
    kinds: tuple[str, ...]
    lacks: str | None = None
    is_open: bool = False
    default: tuple[Any, ...] = ()
    is_stored: bool = False
    with_layers: bool = True


def trial_id(parameter: str, value: Any) -> str:
    """Return a name for a value of a parameter that stays the same: ``vllm.engine.dtype=float16``.

    Texts are written bare unless they could be read as something else; what is long is cut, and ends in a
    hash of the whole.
    """
    text = value if isinstance(value, str) and not _is_json(value) else _written(value)
    if len(text) > _LONGEST or not text.isprintable():
        digest = hashlib.sha256(text.encode()).hexdigest()[:8]
        text = f"{''.join(filter(str.isprintable, text))[: _LONGEST // 2]}~{digest}"
    return f"{parameter}={text}"


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return not text
    return True
