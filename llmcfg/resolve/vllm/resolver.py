"""Let vLLM's own code resolve a config: construct the objects, and the engine's configuration from them.

No engine is started and no weight is read. Runs in the process of `llmcfg.resolve.worker`.
"""

from __future__ import annotations

import copy
import functools
import gc
import os
import re
import traceback
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from llmcfg.native import construct, instance
from llmcfg.resolve import record
from llmcfg.resolve.models import KIND, STAND_IN, Provided, provide
from llmcfg.resolve.question import Answer, Engine, Model, Question, Refusal, Setup
from llmcfg.resolve.vllm import machine

QUIET = {
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_DO_NOT_TRACK": "1",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
"""Set where the user's environment does not: what vLLM would report, allocate or look for otherwise."""

_folder: list[Path] = []
_caches: list[Any] = []


def prepare(setup: Setup) -> Engine:
    """Import vLLM on the machine, and resolve a plain config once: what is imported lazily is there then.

    Raises:
        ImportError: if vLLM is not installed.
    """
    _folder[:] = [Path(setup.folder)]
    for name, value in {**QUIET, "VLLM_CACHE_ROOT": setup.folder}.items():
        os.environ.setdefault(name, value)
    is_virtual = setup.machine.gpu not in (None, "none")
    if is_virtual:
        machine.pretend(setup.machine, Path(setup.folder), release())
    elif setup.machine.gpu is not None:
        os.environ.setdefault("VLLM_TARGET_DEVICE", "cpu")
    vllm = import_module("vllm")
    _inspect_in_process()
    if is_virtual:
        machine.settle()
    _warm_up()
    _find_caches()
    return _engine(vllm.__version__, is_virtual)


def resolve(question: Question) -> Answer:
    """Return what vLLM makes of the config."""
    from llmcfg.resolve.vllm import choices, held, logs

    said = logs.listen()
    record.forget()
    _forget(question.env)
    os.environ.update(question.env)
    stage, refusal = "nothing", None
    notes: list[str] = []
    objects: dict[str, Any] = {}
    chosen: tuple[Any, ...] = ()
    values: dict[str, Any] = {}
    try:
        native = _with_models(question, notes)
        for reached in _steps(native, objects, question):
            stage = reached
    except (Exception, SystemExit) as error:
        refusal = _refusal(error)
    if "VllmConfig" in objects:
        config = objects["VllmConfig"]
        values = held.held(question.native, objects["EngineArgs"], config, objects.get("SamplingParams"))
        values |= held.held_env(question.env)
    unknown = record.unknown()
    if refusal is not None and refusal.kind == record.Unforeseen.__name__:
        refusal = None
    if refusal is None and question.with_choices and "VllmConfig" in objects:
        chosen = choices.choices(objects["VllmConfig"], objects.get("Built"))
    return Answer(stage, refusal, tuple(said), values, chosen, record.assumed(), unknown, "; ".join(notes))


def _steps(native: dict[str, Any], objects: dict[str, Any], question: Question) -> Iterator[str]:
    usage = import_module("vllm.usage.usage_lib").UsageContext
    context = usage.OPENAI_API_SERVER if question.is_served else usage.LLM_CLASS
    for name, arguments in native.items():
        objects[name] = instance(f"vllm.{name}", construct(dict(arguments), instance))
    yield "constructed"
    objects["VllmConfig"] = objects["EngineArgs"].create_engine_config(context)
    yield "resolved"
    if "SamplingParams" in objects:
        _request(objects["VllmConfig"], objects["SamplingParams"])
    yield "accepted"
    if question.with_choices:
        objects["Built"] = import_module("llmcfg.resolve.vllm.built").build(objects["VllmConfig"])
        yield "built"


def _request(config: Any, params: Any) -> None:
    """Check a request's parameters as a running engine does."""
    processor = import_module("vllm.v1.engine.input_processor").InputProcessor(config)
    processor._validate_params(params, ("generate",))


def _refusal(error: BaseException) -> Refusal:
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if "/vllm/" in frame.filename and "/llmcfg/" not in frame.filename]
    where = f"vllm/{inside[-1].filename.rpartition('/vllm/')[2]}:{inside[-1].name}" if inside else ""
    return Refusal(type(error).__name__, str(error), where)


# --- models -------------------------------------------------------------------------------------------

_DRAFTER = "drafter"


def _with_models(question: Question, notes: list[str]) -> dict[str, Any]:
    """Return the native config with folders in place of the names of models."""
    native = copy.deepcopy(question.native)
    arguments = native.setdefault("EngineArgs", {})
    provided = _provided(question.model, notes)
    arguments["model"] = provided.path
    arguments.setdefault("served_model_name", question.model.name)
    for holder, key, model in (*_same_model(arguments, question.model), *_drafters(arguments)):
        holder[key] = _provided(model, notes).path
    _stay_offline()
    return native


Named = tuple[dict[str, Any], str, Model]
"""A model that a config names: the mapping, the key, and what is known of it."""


def _same_model(arguments: dict[str, Any], served: Model) -> Iterator[Named]:
    """Yield where another repository is named for a part of the served model."""
    kind = served.name.removeprefix(KIND) if served.name.startswith(KIND) else served.kind
    for key in ("tokenizer", "hf_config_path"):
        if isinstance(name := arguments.get(key), str):
            yield arguments, key, Model(name, kind=kind)


def _drafters(arguments: dict[str, Any]) -> Iterator[Named]:
    """Yield where a draft model is named: there may also be a class, or the name of a method."""
    inner = arguments.get("speculative_config")
    inner = inner if isinstance(inner, dict) else {}
    method = arguments.get("spec_method") or inner.get("method")
    for holder, key in ((inner, "model"), (arguments, "spec_model")):
        if isinstance(name := holder.get(key), str) and _is_model(name, method):
            yield holder, key, Model(name, kind=_DRAFTER)


def _is_model(name: str, method: Any) -> bool:
    """Tell a draft model from what vLLM takes for a class of the user's, or for a method."""
    if method is None:
        is_class = "." in name and all(part.isidentifier() for part in name.split("."))
        return not is_class and name not in ("ngram", "[ngram]")
    return bool(method != "custom_class")


def _provided(model: Model, notes: list[str]) -> Provided:
    provided = provide(model, _folder[0])
    notes.append(provided.note)
    return provided


def _stay_offline() -> None:
    hub: Any = import_module("huggingface_hub.constants")
    hub.HF_HUB_OFFLINE = True


# --- the process ----------------------------------------------------------------------------------------


def _engine(release: str, is_virtual: bool) -> Engine:
    platform = import_module("vllm.platforms").current_platform
    name = f"virtual {platform.device_name}" if is_virtual else platform.device_name
    device = platform.get_device_name() if platform.device_name != "cpu" else "CPU"
    packages = {package: _distributed(package) for package in ("torch", "transformers")}
    number = release.partition("+")[0]
    return Engine("vllm", number, name, device, packages, record.assumed(), record.unknown())


def release() -> str:
    """Return the release of vLLM that would be imported.

    Raises:
        ImportError: if there is none.
    """
    spec = find_spec("vllm")
    if spec is None or spec.origin is None:
        raise ImportError("vLLM is not installed")
    text = (Path(spec.origin).parent / "_version.py").read_text(encoding="utf-8")
    found = re.search(r"^__version__ = .*?'([0-9][^+']*)", text, re.MULTILINE)
    if found is None:
        raise ImportError("vLLM does not tell its version")
    return found.group(1)


def _distributed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _inspect_in_process() -> None:
    """Look through a model's class here: each answer has a process of its own already."""
    registry: Any = import_module("vllm.model_executor.models.registry")
    registry._run_in_subprocess = lambda function: function()


def _warm_up() -> None:
    """Resolve the stand-in once; what that changes in the environment must not reach the answers."""
    environment = dict(os.environ)
    place = provide(Model(f"{KIND}{STAND_IN}"), _folder[0]).path
    built = import_module("vllm").EngineArgs(model=place)
    config = built.create_engine_config()
    import_module("llmcfg.resolve.vllm.held").held({"EngineArgs": {"model": place}}, built, config)
    import_module("llmcfg.resolve.vllm.choices").choices(config)
    import_module("llmcfg.resolve.vllm.built").warm_up(config)
    import_module("vllm.model_executor.layers.quantization").get_quantization_config("fp8")
    os.environ.clear()
    os.environ.update(environment)


def _find_caches() -> None:
    """Remember vLLM's cached functions: what they keep may depend on the environment."""
    _caches[:] = [
        item
        for item in gc.get_objects()
        if type(item) is functools._lru_cache_wrapper
        and str(getattr(item, "__module__", "")).startswith("vllm.")
    ]


def _forget(env: dict[str, str]) -> None:
    for cached in _caches if env else ():
        cached.cache_clear()
