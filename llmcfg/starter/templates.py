"""The templates of starter configs, as ``schema/starters.json`` has them.

A setting stands ``at`` a path of the backend's section and has a ``value``; or ``first_of``, of which the
first that draws no error and no warning on the GPU is written; or ``by_memory``, of which the highest step
counts that the memory reaches, in GiB over all cards. An ``optional`` one is left out where none will do;
``why`` becomes a comment beside it. ``x-requires`` says, as in the dialect, what a template is for.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any, NamedTuple

from llmcfg.catalog import Facts
from llmcfg.data import data_text

Path = tuple[str, ...]


class Setting(NamedTuple):
    """One parameter of a template, by its path from the backend's section.

    ``choices`` are its values in order of preference; where none of them suits the GPU an ``optional``
    one is left out.
    """

    path: Path
    choices: tuple[Any, ...]
    optional: bool
    why: str | None


class Template(NamedTuple):
    """What a starter config for one backend is made from; ``gpus`` is how many cards it takes."""

    name: str
    title: str
    backend: str
    requires: list[Facts]
    gpus: int
    facts: Facts

    def model(self, memory: float) -> str:
        """Return the model that suits this much memory, in GiB over all cards."""
        return str(_fitting(_table()["models"][self.facts["models"]], memory))

    def settings(self, memory: float) -> list[Setting]:
        """Return the parameters, with the values that suit this much memory."""
        return [_setting(facts, memory) for facts in self.facts["settings"]]


@cache
def _table() -> Facts:
    loaded: Facts = json.loads(data_text("starters.json"))
    return loaded


def titles() -> dict[str, tuple[str, list[str]]]:
    """Return what each template is for, and the backends that have it."""
    return {name: (facts["title"], list(facts["backends"])) for name, facts in _table()["templates"].items()}


def templates(backend: str) -> dict[str, Template]:
    """Return the templates of a backend, by name."""
    return {
        name: _template(name, backend, facts)
        for name, facts in _table()["templates"].items()
        if backend in facts["backends"]
    }


def _template(name: str, backend: str, facts: Facts) -> Template:
    own = facts["backends"][backend]
    return Template(name, facts["title"], backend, [own["x-requires"]], facts.get("gpus", 1), own)


def _setting(facts: Facts, memory: float) -> Setting:
    choices = facts["first_of"] if "first_of" in facts else [_value(facts, memory)]
    return Setting(
        tuple(facts["at"].split(".")), tuple(choices), facts.get("optional", False), facts.get("why")
    )


def _value(facts: Facts, memory: float) -> Any:
    return facts["value"] if "value" in facts else _fitting(facts, memory)


def _fitting(facts: Facts, memory: float) -> Any:
    """Return the value of the highest step that the memory reaches."""
    steps = {float(step): value for step, value in facts["by_memory"].items()}
    return steps[max(step for step in steps if step <= memory)]
