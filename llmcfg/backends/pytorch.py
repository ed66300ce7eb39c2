"""PyTorch: transformers' ``from_pretrained`` and ``GenerationConfig``, ``torch.compile``, torch's switches.

There is no server, and so no command line: configs are used from Python.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from importlib import import_module
from keyword import iskeyword
from typing import Any, NamedTuple

from llmcfg.backends import Emission
from llmcfg.backends.flags import cannot_carry
from llmcfg.compiled import Compiled
from llmcfg.emit.python_text import Imports, environment, expression
from llmcfg.emit.python_text import document as python_document
from llmcfg.native import NativeObject, construct, instance

_LOAD, _QUANTIZATION, _GENERATE = "from_pretrained", "quantization_config", "GenerationConfig"
_COMPILE, _RUNTIME = "torch.compile", "torch"
_MODEL_CLASS = "transformers.AutoModelForCausalLM"
# Methods whose class is another method's too: it takes them as an argument, or stands for the other.
_METHODS_OF_SHARED_CLASSES = frozenset(("mxfp8",))
# Modules of switches that `import torch` leaves out.
_NOT_IMPORTED = ("utils.serialization.config",)
_LOADER = '''

def load():
    """Load the model with these settings."""
    model = AutoModelForCausalLM.from_pretrained(**load_arguments)
'''


def argv(compiled: Compiled) -> Emission:
    """Refuse: transformers has no command that takes these arguments."""
    return Emission(
        [],
        [cannot_carry("pytorch", ("pytorch",), "PyTorch has no command line; use --format python.")],
    )


def document(compiled: Compiled) -> Emission:
    """Return the native objects as they are: no reader of PyTorch's own stands between."""
    return Emission({**compiled.native, **({"env": compiled.env} if compiled.env else {})}, [])


def script(compiled: Compiled) -> str:
    """Return a file that sets torch's switches and defines the arguments, and ``load()``."""
    imports = Imports()
    imports.name(_MODEL_CLASS)
    native = compiled.native
    switches = list(_switches(native.get(_RUNTIME, {})))
    lines = [_line(switch) for switch in switches]
    if lines:
        lines.append("")
    load = dict(native.get(_LOAD, {}))
    if _QUANTIZATION in native:
        lines.append(f"quantization_config = {expression(_quantization(native), imports)}")
    lines.append(f"load_arguments = {expression(load, imports)}")
    if _QUANTIZATION in native:
        lines.append('load_arguments["quantization_config"] = quantization_config')
    body = _LOADER.rstrip("\n").split("\n")
    if _GENERATE in native:
        imports.name("transformers.GenerationConfig")
        lines.append(f"generation_arguments = {expression(dict(native[_GENERATE]), imports)}")
        lines.append("generation_config = GenerationConfig(**generation_arguments)")
        # The model's own config holds its end-of-sequence and padding ids: add to it, do not replace it.
        body.append("    model.generation_config.update(**generation_arguments)")
    if _COMPILE in native:
        lines.append(f"compile_arguments = {expression(dict(native[_COMPILE]), imports)}")
        body.append("    model.forward = torch.compile(model.forward, **compile_arguments)")
    body.append("    return model")
    needs_torch = _RUNTIME in native or _COMPILE in native
    modules = [*(["import torch"] if needs_torch else []), *_imports(switches)]
    head = [*environment(compiled.env), *modules, *imports.lines(), ""]
    header = f'"""PyTorch, transformers {compiled.version}: compiled by llmcfg."""'
    return python_document(header, [*head, *lines, *body])


def build(compiled: Compiled) -> dict[str, Any]:
    """Construct the config objects, and functions that are called where there is no object.

    ``from_pretrained`` loads the model, ``torch.compile`` takes the function to compile, ``torch``
    sets the process-wide switches.
    """
    native = compiled.native
    built: dict[str, Any] = {}
    load = construct(dict(native.get(_LOAD, {})), instance)
    if _QUANTIZATION in native:
        built[_QUANTIZATION] = load["quantization_config"] = construct(_quantization(native), instance)
    if _GENERATE in native:
        built[_GENERATE] = instance(
            "transformers.GenerationConfig", construct(dict(native[_GENERATE]), instance)
        )
    import torch
    from transformers import AutoModelForCausalLM

    built[_LOAD] = partial(AutoModelForCausalLM.from_pretrained, **load)
    if _COMPILE in native:
        built[_COMPILE] = partial(torch.compile, **native[_COMPILE])
    if _RUNTIME in native:
        built[_RUNTIME] = partial(_apply, native[_RUNTIME])
    return built


def _quantization(native: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the quantization config, with its method as an argument where the class needs it."""
    config = native[_QUANTIZATION]
    method = config.get("quant_method")
    if not isinstance(config, NativeObject) or method not in _METHODS_OF_SHARED_CLASSES:
        return config
    told = NativeObject(config.cls)
    told.update(config)
    return told


class _Name(str):
    """The name of an object of torch, such as a type of numbers."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"torch.{self}"


class _Switch(NamedTuple):
    """A function of torch to call, with its further arguments, or an attribute to assign to."""

    name: str
    values: tuple[Any, ...]
    arguments: dict[str, Any]

    @property
    def module(self) -> str | None:
        """The module of the switch, where it is one that ``import torch`` leaves out."""
        found = (name for name in _NOT_IMPORTED if self.name.startswith(f"{name}."))
        return next(found, None)


def _switches(settings: dict[str, Any]) -> Iterator[_Switch]:
    """Yield the switches, each argument with the function that it belongs to."""
    further: dict[str, dict[str, Any]] = {}
    for name, value in settings.items():
        if _form(name) == "argument":
            function, _, argument = name.rpartition(".")
            further.setdefault(function, {})[argument] = _value(name, value)
    for name, value in settings.items():
        if _form(name) != "argument":
            yield _Switch(name, (_value(name, value),), further.pop(name, {}))
    for name, arguments in further.items():
        yield _Switch(name, (), arguments)


def _apply(settings: dict[str, Any]) -> None:
    """Set torch's switches: a function is called with the value, an attribute is assigned."""
    import torch

    for switch in _switches(settings):
        if switch.module is not None:
            import_module(f"torch.{switch.module}")
        owner_path, _, attribute = switch.name.rpartition(".")
        owner: Any = torch
        for part in owner_path.split(".") if owner_path else ():
            owner = getattr(owner, part)
        target = getattr(owner, attribute, None)
        values = [_object(value) for value in switch.values]
        if callable(target):
            target(*values, **{key: _object(value) for key, value in switch.arguments.items()})
        else:
            setattr(owner, attribute, *values)


def _value(name: str, value: Any) -> Any:
    """Return a value as the switch takes it: where it takes an object of torch, the schema has its name."""
    is_name = _about(name).get("class") == "torch.dtype" and isinstance(value, str)
    return _Name(value) if is_name and value.isidentifier() else value


def _object(value: Any) -> Any:
    """Return the object that a name stands for."""
    import torch

    return getattr(torch, value) if isinstance(value, _Name) else value


def _imports(switches: list[_Switch]) -> list[str]:
    """Write the imports of modules that ``import torch`` leaves out."""
    return [f"import torch.{name}" for name in sorted({switch.module or "" for switch in switches} - {""})]


def _line(switch: _Switch) -> str:
    """Write the setting of a switch; a key of ``extra`` that is no path is a literal, never code."""
    name = switch.name
    if not all(part.isidentifier() and not iskeyword(part) for part in name.split(".")):
        return f"setattr(torch, {name!r}, {switch.values[0]!r})"
    if not _is_call(name):
        return f"torch.{name} = {switch.values[0]!r}"
    further = (f"{key}={value!r}" for key, value in switch.arguments.items())
    return f"torch.{name}({', '.join((*map(repr, switch.values), *further))})"


def _is_call(name: str) -> bool:
    """Functions of torch are told by the schema's ``form``; a key of ``extra`` by its verb."""
    form = _form(name)
    if form is not None:
        return form == "call"
    return name.rpartition(".")[2].startswith(("set_", "enable_", "use_"))


def _form(name: str) -> str | None:
    """Return the form of a switch of the schema; None for a key of ``extra``."""
    return _about(name).get("form")


def _about(name: str) -> dict[str, Any]:
    """Return what the schema says about the native side of a switch."""
    from llmcfg.backends.flags import parameters

    about: dict[str, Any] = parameters("PytorchRuntime").get(name, {}).get("x-native", {})
    return about
