"""What an engine needs of a model to decide on a config: its ``config.json``, and a tokenizer.

Looked for on this machine and on the Hugging Face hub; else a common shape stands in, and the answer says
so. Runs in the engine's process, which has ``huggingface_hub`` and ``tokenizers``.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any, NamedTuple

from llmcfg.resolve.kinds import DENSE, kinds
from llmcfg.resolve.question import Model

STAND_IN = DENSE
KIND = "kind:"
"""A model's name of the form ``kind:moe`` is a kind of the table of stand-ins."""

_HUB_SECONDS = 5
_NOTE = "note"
_DESCRIPTIONS = ["*.json", "*.jinja", "*.model", "*.tiktoken"]
_WEIGHTS = ["*.bin.index.json"]


class Provided(NamedTuple):
    """A folder with the model's description; ``note`` says where it comes from, in words.

    ``is_stand_in`` means that it is not the model's own.
    """

    path: str
    note: str
    is_stand_in: bool


def provide(model: Model, folder: Path) -> Provided:
    """Return a description of the model; ``folder`` keeps what is made.

    Raises:
        ValueError: if the given ``config.json`` cannot be read.
    """
    if model.config is None and (Path(model.name) / "config.json").is_file():
        return Provided(model.name, f"{model.name} on this machine", False)
    place = folder / hashlib.sha256(json.dumps(model).encode()).hexdigest()[:16]
    note = place / _NOTE
    if not note.exists():
        found = _make(model, place)
        place.mkdir(exist_ok=True)
        note.write_text(json.dumps(found), encoding="utf-8")
    found = Provided(*json.loads(note.read_text(encoding="utf-8")))
    _names[found.path] = model.name
    return found


_names: dict[str, str] = {}


def with_names(text: str) -> str:
    """Put the names of models into a text of JSON, where it has the folders that stand for them."""
    for path, name in _names.items():
        text = text.replace(json.dumps(path)[1:-1], json.dumps(name)[1:-1])
    return text


def _make(model: Model, place: Path) -> Provided:
    if model.config is not None:
        _describe(place, described(model.config))
        return Provided(str(place), f"{model.config}", False)
    if model.name.startswith(KIND):
        about = kinds()[model.name.removeprefix(KIND)]
        _describe(place, about["config"])
        return Provided(str(place), f"a stand-in: {about['title']}", True)
    downloaded = _from_hub(model.name)
    if downloaded is not None:
        return Provided(downloaded, f"{model.name} on the hub", False)
    about = kinds()[model.kind]
    _describe(place, about["config"])
    why = f"config.json of {model.name} was found neither on this machine nor on a hub"
    return Provided(str(place), f"a stand-in: {about['title']} ({why})", True)


def described(path: str) -> dict[str, Any]:
    """Read a model's ``config.json``.

    Raises:
        ValueError: if it cannot be read, or is none.
    """
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} cannot be read as a model's config.json: {error}") from None
    if not isinstance(data, dict):
        raise ValueError(f"{path} holds no model's config.json: it is not an object")
    return data


def _from_hub(name: str) -> str | None:
    """Download the model's small files, or find them among those downloaded before."""
    from huggingface_hub import snapshot_download

    for offline in (True, False):
        try:
            found = snapshot_download(
                name,
                allow_patterns=_DESCRIPTIONS,
                ignore_patterns=_WEIGHTS,
                local_files_only=offline,
                etag_timeout=_HUB_SECONDS,
                max_workers=2,
            )
        except Exception:  # noqa: S112 - whatever went wrong, the model is not to be had
            continue
        if os.path.isfile(os.path.join(found, "config.json")):
            return str(found)
    return None


def _describe(place: Path, config: dict[str, Any]) -> None:
    """Write a ``config.json`` and a tokenizer of single bytes."""
    place.mkdir(parents=True, exist_ok=True)
    (place / "config.json").write_text(json.dumps(config), encoding="utf-8")
    tokenizer = _tokenizer(place.parent)
    for file in tokenizer.iterdir():
        shutil.copy(file, place / file.name)


def _tokenizer(folder: Path) -> Path:
    place = folder / "tokenizer"
    if not place.exists():
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers

        special = {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>"}
        words = [*special.values(), *sorted(pre_tokenizers.ByteLevel.alphabet())]
        tokenizer = Tokenizer(models.BPE(vocab={word: at for at, word in enumerate(words)}, merges=[]))
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        tokenizer.add_special_tokens(list(special.values()))
        place.mkdir()
        tokenizer.save(str(place / "tokenizer.json"))
        described = {"tokenizer_class": "PreTrainedTokenizerFast", **special}
        (place / "tokenizer_config.json").write_text(json.dumps(described), encoding="utf-8")
    return place
