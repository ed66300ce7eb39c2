"""What transformers and torch really hold: the tiny model is loaded, weights and all, and generates for real.

Run as a module, with the model's folder: sections come in as JSON lines, what is held goes out. The engine is
imported once, and forked before it has done any work.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.support.tiny_model import PROMPT

Json = dict[str, Any]


def really_held(section: Json, folder: Path) -> Json:
    """Return what is held by the loaded model, the generation config of a real run, and torch's switches."""
    from llmcfg.backends import module
    from llmcfg.compiled import Compiled
    from llmcfg.lower import lower

    native = dict(lower("pytorch", section, str(folder)).native)
    built = module("pytorch").build(Compiled("pytorch", "", "", native, {}, []))
    if "torch" in built:
        built["torch"]()
    model = built["from_pretrained"]()
    found = {f"from_pretrained.{key}": value for key, value in _loaded(model, native).items()}
    if "GenerationConfig" in built:
        config = _generated(model, built["GenerationConfig"], native["GenerationConfig"], folder)
        found |= {f"GenerationConfig.{key}": getattr(config, key) for key in native["GenerationConfig"]}
    return found | {f"torch.{key}": value for key, value in _switches(native.get("torch", {})).items()}


def _loaded(model: Any, native: Json) -> Json:
    held = {
        "dtype": str(model.dtype).removeprefix("torch."),
        "attn_implementation": model.config._attn_implementation,
        "device": str(model.device),
    }
    return {key: value for key, value in held.items() if key in (*native["from_pretrained"], "device")}


def _generated(model: Any, config: Any, arguments: Json, folder: Path) -> Any:
    """Generate for real; the config is seen by a stopping criterion's preparation, on its last change."""
    from transformers import AutoTokenizer

    seen = []
    prepare = type(model)._get_stopping_criteria

    def watch(self: Any, generation_config: Any, **others: Any) -> Any:
        seen.append(generation_config)
        return prepare(self, generation_config=generation_config, **others)

    type(model)._get_stopping_criteria = watch
    model.generation_config.update(**{name: getattr(config, name) for name in arguments})
    model.generate(**AutoTokenizer.from_pretrained(folder)(PROMPT, return_tensors="pt"))
    return seen[0]


def _switches(settings: Json) -> Json:
    from tests.support.torch_switches import read

    return {name: read(name, settings) for name in settings}


def main(folder: Path) -> None:
    for module in ("transformers.models.llama.modeling_llama", "torch._dynamo", "torch._inductor.config"):
        import_module(module)  # once is enough
    for line in sys.stdin:
        print(json.dumps(_tried(json.loads(line), folder), default=str), flush=True)


def _tried(section: Json, folder: Path) -> Json:
    from tests.support.forked import Crashed, forked

    try:
        found: Json = forked(really_held, section, folder, seconds=60.0)
    except Crashed as crashed:
        return {"crashed": str(crashed)}
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]))
