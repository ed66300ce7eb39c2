"""Find the files that ship with the package: inside it when installed, in the checkout otherwise."""

from __future__ import annotations

import os

_HERE = os.path.dirname(os.path.abspath(__file__))
_INSTALLED = os.path.join(_HERE, "_data")
_CHECKOUT = os.path.dirname(_HERE)


def data_path(name: str) -> str:
    """Return the path of a generated file, e.g. ``catalog/vllm.json``."""
    return _path("generated", name)


def evidence_path(name: str) -> str:
    """Return the path of a file or folder of evidence, e.g. ``inventory``."""
    return _path("audit", name)


def data_text(name: str) -> str:
    """Return the text of a generated file."""
    with open(data_path(name), encoding="utf-8") as file:
        return file.read()


def _path(folder: str, name: str) -> str:
    if os.path.isdir(_INSTALLED):
        inside = name if folder == "generated" else f"{folder}/{name}"
        return os.path.join(_INSTALLED, inside)
    return os.path.join(_CHECKOUT, folder, name)
