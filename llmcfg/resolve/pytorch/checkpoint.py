"""A quantized checkpoint in place of a stand-in: some methods only load what was quantized before."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from llmcfg.resolve.pytorch.plain import NOTHING, plain


def quantized(place: str, config: Any, folder: Path) -> str | None:
    """Return a copy of a model's description, quantized with this config; None where none is needed."""
    from transformers.quantizers.auto import AUTO_QUANTIZER_MAPPING

    method = plain(getattr(config, "quant_method", None))
    quantizer = AUTO_QUANTIZER_MAPPING.get(method)
    if quantizer is None or not quantizer.requires_calibration:
        return None
    copied = folder / f"{Path(place).name}-{method}"
    shutil.copytree(place, copied, dirs_exist_ok=True)
    described = json.loads((copied / "config.json").read_text(encoding="utf-8"))
    settings = plain(config)
    described["quantization_config"] = {"quant_method": method, **({} if settings is NOTHING else settings)}
    (copied / "config.json").write_text(json.dumps(described), encoding="utf-8")
    return str(copied)
