"""Give a compiled config to vLLM's own code, as far as it goes without starting an engine."""

from __future__ import annotations

import copy
import dataclasses
import enum
import logging
import os
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from llmcfg.audit.solver import Json
from llmcfg.native import construct, instance
from llmcfg.resolve.leaves import leaves
from tests.support.vllm_parser import Member, holds
from tests.support.vllm_steps import REQUESTS, STEPS

CONSTRUCTED, RESOLVED, ACCEPTED = "constructed", "resolved", "accepted"
STANDINS = {
    "some/model": "",
    "yuhuili/EAGLE3-LLaMA3.1-Instruct-8B": "drafter",
    "/etc/vllm/logging.json": "logging.json",
    "/etc/vllm/other.json": "other.json",
    "/opt/vllm/other_reasoning_parser.py": "other.py",
    "/opt/vllm/my_reasoning_parser.py": "parser.py",
}


class Outcome(NamedTuple):
    """How far a config came, why it stopped, what was logged on the way, and what was changed.

    ``kept`` and ``altered`` are dotted paths from the native object: the values that the objects hold as
    they were asked for, and what became of the others.
    """

    stage: str
    error: str
    logs: tuple[str, ...]
    kept: tuple[str, ...]
    altered: dict[str, str]
    effect: Any = None


def replay(native: Json, env: dict[str, str], models: str, kind: str, name: str = "") -> Outcome:
    """Construct, resolve, validate a request where there are sampling parameters, take the step of a rule.

    To be run in a process of its own: environment and logging are changed.
    """
    _stay_offline()
    os.environ.update(env)
    logs = _listen()
    objects: Json = {}
    stage, error, effect = "nothing", "", None
    try:
        native = _local(native, Path(models), kind)
        for reached in _steps(native, objects):
            stage = reached
        effect = _step(name, objects)
    except (Exception, SystemExit) as refusal:
        error = f"{type(refusal).__name__}: {refusal} [{_where(refusal)}]"
    held = {name: snapshot(item) for name, item in objects.items()}
    altered = dict(_alterations(native, held))
    kept = tuple(name for name, _ in _asked(native) if name not in altered)
    return Outcome(stage, error, tuple(logs), kept, altered, effect)


def _steps(native: Json, objects: Json) -> Any:
    built = {}
    for name, arguments in native.items():
        keywords = construct(dict(arguments), instance)
        built[name] = instance(f"vllm.{name}", keywords)
        objects[name] = built[name]
    yield CONSTRUCTED
    objects["VllmConfig"] = built["EngineArgs"].create_engine_config()
    objects["EngineArgs"] = built["EngineArgs"]
    yield RESOLVED
    if "SamplingParams" in built:
        _request(objects["VllmConfig"], built["SamplingParams"])
    yield ACCEPTED


def _step(name: str, objects: Json) -> Any:
    if name in REQUESTS:
        return REQUESTS[name](objects["VllmConfig"], objects["SamplingParams"])
    return STEPS[name](objects["VllmConfig"]) if name in STEPS else None


def _local(data: Any, models: Path, kind: str) -> Any:
    """Replace the names of models by folders on this machine."""
    if isinstance(data, dict):
        copied = copy.copy(data)
        copied.update({key: _local(value, models, kind) for key, value in data.items()})
        return copied
    if isinstance(data, list):
        return [_local(item, models, kind) for item in data]
    if isinstance(data, str) and data in STANDINS:
        return str(models / (STANDINS[data] or kind))
    return data


def _request(config: Any, params: Any) -> None:
    from vllm.v1.engine.input_processor import InputProcessor

    processor = InputProcessor(config)
    processor._validate_params(params, ("generate",))


def _where(refusal: BaseException) -> str:
    frames = traceback.extract_tb(refusal.__traceback__)
    inside = [frame for frame in frames if "/vllm/" in frame.filename]
    frame = (inside or frames)[-1]
    return f"{frame.filename.rpartition('/vllm/')[2]}:{frame.name}"


def _asked(native: Json) -> Iterator[tuple[str, Any]]:
    for name, arguments in native.items():
        for path, value in leaves(arguments):
            if path != ("model",):
                yield ".".join((name, *path)), value


def _alterations(native: Json, held: Json) -> Iterator[tuple[str, str]]:
    for name, asked in _asked(native):
        owner, *path = name.split(".")
        got = [value for place in _places(owner, path, held) if (value := _at(place)) is not _MISSING]
        other = [value for value in got if not _is_opaque(value) and not holds(value, asked)]
        if other:
            yield name, repr(other[0])


_MISSING = object()


def _places(owner: str, path: list[str], held: Json) -> Iterator[tuple[Any, list[str]]]:
    """Yield where a value may stand: its own object, and the resolved config."""
    yield held.get(owner), path
    if owner == "EngineArgs" and "VllmConfig" in held:
        config = held["VllmConfig"]
        yield config, path
        if len(path) == 1:
            for part in config.values():
                yield part, path


def _at(place: tuple[Any, list[str]]) -> Any:
    data, path = place
    for key in path:
        if not isinstance(data, dict) or key not in data:
            return _MISSING
        data = data[key]
    return data


def _is_opaque(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("<")


def _stay_offline() -> None:
    from huggingface_hub import constants

    constants.HF_HUB_OFFLINE = True


def warm_up(models: str, kind: str) -> None:
    """Resolve a model once, so that forked children find its code imported and looked through.

    Resolving sets environment variables, which must not reach the children.
    """
    from vllm import EngineArgs
    from vllm.model_executor.models import registry

    registry._run_in_subprocess = lambda function: function()
    environment = dict(os.environ)
    EngineArgs(model=f"{models}/{kind}").create_engine_config()
    os.environ.clear()
    os.environ.update(environment)


def _listen() -> list[str]:
    """Collect what is logged, whatever becomes of the handlers."""
    import vllm.logger

    for name in ("_print_info_once", "_print_warning_once", "_print_error_once"):
        getattr(vllm.logger, name).cache_clear()
    texts: list[str] = []

    def handle(logger: logging.Logger, record: logging.LogRecord) -> None:
        if logger.name.split(".")[0] in ("vllm", "py"):
            texts.append(f"{record.levelname}: {record.getMessage()}")

    logging.Logger.handle = handle  # type: ignore[assignment, method-assign]
    logging.captureWarnings(True)
    logging.getLogger("vllm").setLevel(logging.INFO)
    return texts


def snapshot(value: Any, depth: int = 8) -> Any:
    """Reduce an object of the engine to plain data; what is neither is told by its type."""
    if isinstance(value, enum.Enum):
        return Member(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if depth == 0:
        return f"<{type(value).__name__}>"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
        return {name: snapshot(getattr(value, name, None), depth - 1) for name in names}
    if hasattr(value, "__struct_fields__"):
        return {name: snapshot(getattr(value, name), depth - 1) for name in value.__struct_fields__}
    if isinstance(value, dict):
        return {str(key): snapshot(item, depth - 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [snapshot(item, depth - 1) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted((snapshot(item, depth - 1) for item in value), key=str)
    return f"<{type(value).__name__}>"
