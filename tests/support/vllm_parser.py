"""vLLM as a user launches it: its own serve parser, reading words or a YAML file."""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import io
from functools import cache
from pathlib import Path
from typing import Any


class Refused(AssertionError):
    """vLLM's parser exited; the text is what it printed."""


class Member(str):
    """An enum's member, equal to its name and to its value."""

    def __new__(cls, member: enum.Enum) -> Member:
        text = super().__new__(cls, member.name)
        text.value = member.value
        return text

    def __eq__(self, other: object) -> bool:
        return str(self) == other or self.value == other

    __hash__ = str.__hash__


@cache
def _parser() -> Any:
    from vllm.entrypoints.cli.serve import cmd_init
    from vllm.utils.argparse_utils import FlexibleArgumentParser

    parser = FlexibleArgumentParser()
    subparsers = parser.add_subparsers(dest="subparser")
    for command in cmd_init():
        command.subparser_init(subparsers)
    return parser


def serve(words: list[str]) -> Any:
    """Return the EngineArgs that `vllm serve …` would start with; ``words`` follow ``vllm``."""
    from vllm import EngineArgs

    printed = io.StringIO()
    try:
        with contextlib.redirect_stderr(printed), contextlib.redirect_stdout(printed):
            namespace = _parser().parse_args(words)
    except SystemExit:
        raise Refused(printed.getvalue()[-400:]) from None
    if namespace.model_tag is not None:
        namespace.model = namespace.model_tag
    return EngineArgs.from_cli_args(namespace)


def serve_yaml(text: str, folder: Path) -> Any:
    """Return the EngineArgs that `vllm serve --config FILE` would start with."""
    file = folder / "native.yaml"
    file.write_text(text, encoding="utf-8")
    return serve(["serve", "--config", str(file)])


def plain(value: Any) -> Any:
    """Reduce native objects to data that can be compared."""
    if isinstance(value, enum.Enum):
        return Member(value)
    if isinstance(value, Path):
        return str(value)
    if dataclasses.is_dataclass(value):
        fields = [field.name for field in dataclasses.fields(value) if not field.name.startswith("_")]
        return {name: plain(getattr(value, name, None)) for name in fields}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(map(plain, value))
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def holds(native: Any, written: Any) -> bool:
    """Tell whether a native value holds what was written.

    Objects may have more fields, sets another order; one text may stand for a list of one, and a
    number may have been read as text.
    """
    if isinstance(written, dict) and isinstance(native, dict):
        return all(str(key) in native and holds(native[str(key)], item) for key, item in written.items())
    if isinstance(native, list) and not isinstance(written, list):
        written = [written]
    if isinstance(written, list) and not isinstance(native, list):
        native = [native]
    if isinstance(written, list):
        if len(written) != len(native):
            return False
        pairs = zip(native, written, strict=True)
        return all(holds(*pair) for pair in pairs) or sorted(map(str, native)) == sorted(map(str, written))
    if isinstance(native, str) and isinstance(written, (int, str)) and not isinstance(written, bool):
        return native == written or native.lower() == str(written).lower()
    return bool(native == written)
