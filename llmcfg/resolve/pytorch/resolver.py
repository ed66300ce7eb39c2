"""Let transformers and torch resolve a config: on the meta device, without weights or a forward pass.

Runs in the process of `llmcfg.resolve.worker`. The steps are those of a compiled config's Python file.
"""

from __future__ import annotations

import copy
import os
import sys
import traceback
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from llmcfg.compiled import Compiled
from llmcfg.gpus import CPU, Gpu, find
from llmcfg.resolve import record
from llmcfg.resolve.client import EngineProcess
from llmcfg.resolve.models import provide
from llmcfg.resolve.pytorch import (
    card,
    checkpoint,
    choices,
    compiling,
    generating,
    held,
    kernels,
    launch,
    loading,
    packages,
    said,
    stubs,
    switches,
)
from llmcfg.resolve.pytorch.facts import facts
from llmcfg.resolve.question import (
    Answer,
    Assumption,
    Choice,
    Engine,
    Held,
    Machine,
    Question,
    Refusal,
    Setup,
)

QUIET = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
}
_LOAD, _QUANTIZATION, _GENERATE = "from_pretrained", "quantization_config", "GenerationConfig"
_COMPILE, _RUNTIME = "torch.compile", "torch"
_BATCHING = "continuous_batching_config"
_IMPORTED_LATER = (
    "transformers.models.llama.modeling_llama",
    "transformers.quantizers.auto",
    "transformers.integrations.accelerate",
    "transformers.generation.utils",
    "accelerate",
    "torch._dynamo",
    "torch._inductor.compile_fx",
    "torch._inductor.config",
)
_ENGINE = ("transformers", "torch", "accelerate")


class _World:
    """What the process is: set up once."""

    setup: Setup
    gpu: Gpu | None = None
    packages: packages.Packages | None = None
    caches: list[Any] = []


def prepare(setup: Setup) -> Engine:
    """Import torch and transformers on the machine.

    Raises:
        ImportError: if one of them is not installed.
    """
    _World.setup = setup
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    if setup.machine.gpu is not None:
        _pretend(setup.machine)
    transformers = import_module("transformers")
    import_module("transformers.AutoModelForCausalLM".rpartition(".")[0])
    for module in _IMPORTED_LATER:
        import_module(module)
    stubs.settle()
    _World.caches = packages.caches("transformers")
    return _engine(transformers.__version__)


def _pretend(machine: Machine) -> None:
    """Set the machine up before transformers is imported."""
    import_module("torch")
    gpu = find(machine.gpu or CPU.name)
    if gpu is CPU:
        import_module("torch").cuda.is_available = lambda: False
        return
    _World.gpu = gpu
    card.pretend(gpu, machine.cards)
    _World.packages = packages.Packages(machine.packages)
    packages.pretend(_World.packages)


def resolve(question: Question) -> Answer:
    """Return what transformers and torch make of the config.

    Many variables are read once, at import: with others than this process's, a process of their own answers.
    """
    if any(os.environ.get(name) != value for name, value in question.env.items()):
        return _resolve_elsewhere(question)
    record.forget()
    for cached in _World.caches:
        cached.cache_clear()
    state = _State(question)
    refusal = None
    try:
        state.run()
    except (Exception, SystemExit) as error:
        refusal = _refusal(error, state.listener)
    return Answer(
        state.stage, refusal, tuple(state.listener.close()), state.held, tuple(state.chosen),
        record.assumed(), state.unanswered(), state.note,
    )  # fmt: skip


def _resolve_elsewhere(question: Question) -> Answer:
    os.environ.update(question.env)
    setup = _World.setup
    with EngineProcess(setup.backend, setup.machine, setup.source) as process:
        return process.ask(question)


class _State:
    """How far the engine came with a question, and what it made of it until then."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.listener = said.Listener()
        self.stage = "nothing"
        self.note = ""
        self.is_stand_in = False
        self.held: dict[str, Held] = {}
        self.chosen: list[Choice] = []
        self.unknown: list[str] = []
        self.probed: set[str] = set()
        self.loaded: loading.Loaded | None = None

    def run(self) -> None:
        """Take the steps; raises what the engine raises."""
        native = self._native()
        self.held |= {
            f"env.{name}": Held(f"os.environ.{name}", os.environ[name]) for name in self.question.env
        }
        if _RUNTIME in native:
            self._switch(native[_RUNTIME])
        built = self._build({name: item for name, item in native.items() if name != _RUNTIME})
        self.stage = "constructed"
        self._load(built, native)
        self.stage = "resolved"
        if _COMPILE in native:
            self._compile(built[_COMPILE], native[_COMPILE])
        self._generate(built.get(_GENERATE), native.get(_GENERATE, {}))
        self.stage = "accepted"

    def unanswered(self) -> tuple[str, ...]:
        """Return what nobody here can answer, and the config depends on."""
        asked = (name for name in record.unknown() if name not in self.probed)
        return (*asked, *self.unknown)

    def _native(self) -> dict[str, Any]:
        """Return the native config with a folder in place of the model's name."""
        provided = provide(self.question.model, Path(_World.setup.folder))
        self.note = provided.note
        self.is_stand_in = provided.is_stand_in
        self.listener.names[provided.path] = self.question.model.name
        native = {name: copy.copy(arguments) for name, arguments in self.question.native.items()}
        load = native.setdefault(_LOAD, {})
        load.update(pretrained_model_name_or_path=provided.path, local_files_only=True)
        setattr(import_module("huggingface_hub.constants"), "HF_HUB_OFFLINE", True)  # noqa: B010 - not typed
        return native

    def _switch(self, settings: dict[str, Any]) -> None:
        for group in switches.groups(settings):
            try:
                switches.apply(group)
            except record.Unforeseen:
                continue
            except (AttributeError, AssertionError, RuntimeError) as error:
                if _World.gpu is None or not card.is_lacking(next(iter(group))):
                    raise
                record.unforeseen(f"torch.{next(iter(group))}: the torch that is here has no CUDA ({error})")
        found, untold = held.of_switches(settings)
        self.held |= found
        self.unknown += untold

    def _build(self, native: dict[str, Any]) -> dict[str, Any]:
        from llmcfg.backends import module

        compiled = Compiled("pytorch", "", self.question.model.name, native, {}, [])
        built: dict[str, Any] = module("pytorch").build(compiled)
        for name in (_QUANTIZATION, _GENERATE):
            if name in built:
                self.held |= held.of_object(name, native[name], built[name], name)
        return built

    def _load(self, built: dict[str, Any], native: dict[str, Any]) -> None:
        partial = built[_LOAD]
        if self.is_stand_in and _QUANTIZATION in built:
            self._quantize(built[_QUANTIZATION], partial.keywords)
        if launch.is_distributed(partial.keywords):
            with self.listener.muted():
                launch.pretend(_World.setup.machine.cards)
        loaded = loading.load(partial.func, partial.keywords, _World.packages)
        self.loaded = loaded
        self.held |= held.of_model(self.question.native.get(_LOAD, {}), loaded)
        if loaded.quantizer is not None and _QUANTIZATION in native:
            config = loaded.quantizer.quantization_config
            self.held |= held.of_object(
                _QUANTIZATION, native[_QUANTIZATION], config, "hf_quantizer.quantization_config"
            )
        if _World.gpu is not None:
            kernels.check(loaded.model.config._attn_implementation, _World.gpu)
        if self.question.with_choices:
            self._look_around(loaded)

    def _look_around(self, loaded: loading.Loaded) -> None:
        """Note what was chosen with the model; asking for the alternatives leaves no trace."""
        with self.listener.muted():
            memory = int(_World.gpu.memory * card.GIB) if _World.gpu else None
            before = set(record.unknown())
            self.chosen += choices.of_model(loaded, memory)
            self.probed = set(record.unknown()) - before  # asked for the alternatives only

    def _quantize(self, config: Any, arguments: dict[str, Any]) -> None:
        """Let the stand-in be quantized where the method only takes such checkpoints."""
        found = checkpoint.quantized(
            arguments["pretrained_model_name_or_path"], config, Path(_World.setup.folder)
        )
        if found is not None:
            arguments["pretrained_model_name_or_path"] = found
            self.listener.names[found] = self.question.model.name
            self.note += ", taken as quantized with the method"

    def _compile(self, compiler: Any, arguments: dict[str, Any]) -> None:
        assert self.loaded is not None  # noqa: S101 - the step before
        compilation = compiling.compile_model(compiler, self.loaded.model.forward)
        if compilation is not None:
            self.held |= held.of_compile(arguments, compilation)
            self.chosen += choices.of_compilation(compilation)

    def _generate(self, config: Any, arguments: dict[str, Any]) -> None:
        assert self.loaded is not None  # noqa: S101 - the step before
        model = self.loaded.model
        if not model.can_generate():
            return
        if config is not None:
            given = {name: getattr(config, name) for name in arguments}
            model.generation_config.update(**given)
            self.held |= held.of_object(_GENERATE, arguments, model.generation_config, "generation_config")
        generation = generating.generate(self.loaded)
        self.held |= held.of_object(_GENERATE, arguments, generation.config, "generation_config")
        batching = generating.batch(self.loaded)
        if batching is not None:
            self.held |= held.of_object(
                f"{_GENERATE}.{_BATCHING}", arguments[_BATCHING], batching, f"manager.{_BATCHING}"
            )
            self.chosen += choices.of_batching(self.loaded, batching)
        self.chosen += choices.of_generation(generation)


def _refusal(error: BaseException, listener: said.Listener) -> Refusal | None:
    """Return why the engine goes no further; None where nobody knows whether it would."""
    if _is_unforeseen(error):
        return None
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if any(f"/{name}/" in frame.filename for name in _ENGINE)]
    where = f"{said.place(inside[-1].filename, 0).rpartition(':')[0]}:{inside[-1].name}" if inside else ""
    return Refusal(type(error).__name__, listener.named(str(error)), where)


def _is_unforeseen(error: BaseException | None) -> bool:
    """Tell whether an error came from a question that could not be answered."""
    if _World.packages and _World.packages.missing and "'_OpNamespace'" in str(error):
        record.unforeseen(f"operators of a package that is not installed here: {error}")
        return True
    while error is not None:
        if isinstance(error, record.Unforeseen):
            return True
        error = error.__cause__ or error.__context__
    return False


def _engine(release: str) -> Engine:
    torch = sys.modules["torch"]
    names = {name: _version(name) for name in ("torch", "accelerate")}
    if _World.gpu is not None:
        count = _World.setup.machine.cards
        device = f"{count} x {_World.gpu.title}"
        assumed = Assumption("the packages of the machine", _installed(), facts("packages")["source"])
        return Engine("transformers", release, "virtual cuda", device, names, (assumed,), record.unknown())
    has_gpu = torch.cuda.is_available()
    device = torch.cuda.get_device_name() if has_gpu else "CPU"
    return Engine("transformers", release, "cuda" if has_gpu else "cpu", device, names)


def _installed() -> list[str]:
    return _World.packages.installed() if _World.packages else []


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
