"""Find the files that ship with the package: inside it when installed, in the checkout otherwise."""

from __future__ import annotations

import os

_HERE = os.path.dirname(os.path.abspath(__file__))
_INSTALLED = os.path.join(_HERE, "_data")
_CHECKOUT = os.path.join(os.path.dirname(_HERE), "generated")


def data_path(name: str) -> str:
    """Return the path of a generated file, e.g. ``catalog/vllm.json``."""
    root = _INSTALLED if os.path.isdir(_INSTALLED) else _CHECKOUT
    return os.path.join(root, name)


def data_text(name: str) -> str:
    """Return the text of a generated file."""
    with open(data_path(name), encoding="utf-8") as file:
        return file.read()
