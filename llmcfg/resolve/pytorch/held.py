"""What transformers and torch hold of the values that they were given."""

from __future__ import annotations

from typing import Any

from llmcfg.resolve.leaves import leaves
from llmcfg.resolve.pytorch import switches
from llmcfg.resolve.pytorch.compiling import Compilation
from llmcfg.resolve.pytorch.loading import Loaded, device_name, place_of
from llmcfg.resolve.pytorch.plain import NOTHING, at, plain
from llmcfg.resolve.question import Held, Json
from llmcfg.resolve.record import Unforeseen

Path = tuple[str, ...]

# Where the loaded model keeps an argument of from_pretrained.
OF_THE_MODEL: dict[str, Path] = {
    "dtype": ("dtype",),
    "attn_implementation": ("config", "_attn_implementation"),
    "experts_implementation": ("config", "_experts_implementation"),
    "use_kernels": ("use_kernels",),
    "kernel_config": ("kernel_config",),
    "distributed_config": ("config", "distributed_config"),
    "tp_plan": ("config", "distributed_config", "tp_plan"),
    "tp_size": ("config", "distributed_config", "tp_size"),
    "fusion_config": ("config", "fusion_config"),
}
# Which step sets them.
OF_A_STEP = {"use_kernels": "set_use_kernels", "kernel_config": "set_use_kernels"}
# What dynamo calls an argument of torch.compile.
OF_DYNAMO = {
    "fullgraph": "nopython",
    "dynamic": "dynamic",
    "disable": "disable",
    "recompile_limit": "recompile_limit",
    "isolate_recompiles": "isolate_recompiles",
}
STRATEGIES = ("auto", "balanced", "balanced_low_0", "sequential")


def of_model(arguments: Json, loaded: Loaded) -> dict[str, Held]:
    """Return what became of the arguments of ``from_pretrained``."""
    found = {}
    for path, asked in leaves(arguments):
        if path[0] == "device_map":
            item = _placed(path[1:], asked, loaded)
        elif path[0] in OF_THE_MODEL and OF_A_STEP.get(path[0]) not in loaded.skipped:
            place = (*OF_THE_MODEL[path[0]], *path[1:])
            item = _held("model", place, asked, loaded.model)
        else:
            continue
        if item is not None:
            found[".".join(("from_pretrained", *path))] = item
    return found


def of_object(name: str, arguments: Json, owner: Any, shown: str) -> dict[str, Held]:
    """Return what became of the arguments of an object that keeps them under their own names."""
    items = ((path, _held(shown, path, asked, owner)) for path, asked in leaves(arguments))
    return {".".join((name, *path)): item for path, item in items if item is not None}


def of_compile(arguments: Json, compilation: Compilation) -> dict[str, Held]:
    """Return what became of the arguments of ``torch.compile``."""
    found = {}
    for name, asked in arguments.items():
        if name in OF_DYNAMO and OF_DYNAMO[name] in compilation.arguments:
            value = plain(compilation.arguments[OF_DYNAMO[name]])
            found[f"torch.compile.{name}"] = Held(f"torch._dynamo.optimize.{OF_DYNAMO[name]}", value)
        elif name == "backend" and isinstance(asked, str):
            backend = compilation.backend
            value = getattr(backend, "compiler_name", None) or asked
            found["torch.compile.backend"] = Held(f"{type(backend).__name__}.compiler_name", value)
        elif name == "mode" and _is_mode(asked, arguments.get("dynamic"), compilation):
            found["torch.compile.mode"] = Held(f"{type(compilation.backend).__name__}.config", asked)
        elif name == "name" and hasattr(compilation.backend, "name"):
            backend = compilation.backend
            found["torch.compile.name"] = Held(f"{type(backend).__name__}.name", backend.name)
        elif name == "options" and isinstance(asked, dict):
            for key in asked:
                value = plain(compilation.settings.get(key.replace("-", "_"), NOTHING))
                if value is not NOTHING:
                    found[f"torch.compile.options.{key}"] = Held(f"inductor.{key}", value)
    return found


def _is_mode(mode: Any, dynamic: Any, compilation: Compilation) -> bool:
    """Tell whether the settings of inductor are those of a mode."""
    from torch._inductor import list_mode_options

    if getattr(compilation.backend, "compiler_name", None) != "inductor" or not isinstance(mode, str):
        return False
    wanted = list_mode_options(mode, dynamic)
    return all(compilation.settings.get(key, NOTHING) == value for key, value in wanted.items())


def of_switches(settings: Json) -> tuple[dict[str, Held], list[str]]:
    """Return what torch's switches are now, and those that torch could not tell here."""
    found, untold = {}, []
    for name in settings:
        told, error = _told(name, settings)
        if error:
            untold.append(f"torch.{name}, read back: {error}")
        elif told is not None and (value := _as_asked(told[1], settings[name])) is not NOTHING:
            found[f"torch.{name}"] = Held(told[0], value)
    return found, untold


def _told(name: str, settings: Json) -> tuple[Any, str]:
    try:
        return switches.read(name, settings), ""
    except Unforeseen:
        return None, ""
    except Exception as error:
        return None, str(error).partition("\n")[0]


def _placed(path: Path, asked: Any, loaded: Loaded) -> Held | None:
    """Tell where weights went: a strategy was followed, a device was taken or not."""
    if loaded.device_map is None:
        return None
    if path:
        module = ".".join(path)
        got = device_name(place_of(module, loaded.device_map))
        return Held(f"device_map[{module!r}]", asked if _is_same_device(asked, got) else got)
    devices = {device_name(device) for device in loaded.device_map.values()}
    if asked in STRATEGIES or all(_is_same_device(asked, device) for device in devices):
        return Held("device_map", asked)
    return Held("device_map", {key: device_name(item) for key, item in loaded.device_map.items()})


def _is_same_device(asked: Any, got: str) -> bool:
    wanted = device_name(asked)
    return wanted == got or (wanted == "cuda" and got == "cuda:0")


def _held(shown: str, path: Path, asked: Any, owner: Any) -> Held | None:
    value = _as_asked(at(owner, path), asked)
    return None if value is NOTHING else Held(".".join((shown, *path)), value)


def _as_asked(value: Any, asked: Any) -> Any:
    """Return the value as plain data, in the asked form where that means the same."""
    if value is NOTHING:
        return NOTHING
    found = plain(value)
    listed = found if isinstance(found, list) else [found]
    if isinstance(asked, (list, tuple)) and listed == plain(asked):
        return asked
    if isinstance(found, list) and isinstance(asked, bool) and found and all(one is asked for one in found):
        return asked
    if type(found) is not type(asked) and isinstance(found, (int, float)) and found == asked:
        return asked
    return found
