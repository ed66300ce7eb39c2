"""A config's way through the rules."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from llmcfg.printable import shown
from llmcfg.resolve.tensorrt_llm.conditions import applies
from llmcfg.resolve.tensorrt_llm.operands import value
from llmcfg.resolve.tensorrt_llm.state import State, leaves
from llmcfg.resolve.tensorrt_llm.table import Step, steps

_PATH = re.compile(r"\{([A-Za-z_][\w.]*)\}")
_UNFIT = (LookupError, TypeError, ValueError, ArithmeticError)


class Taken(NamedTuple):
    """A rule that applied: the paths that it changed, and what it says of them."""

    step: Step
    paths: tuple[str, ...]
    text: str


class Course:
    """What the rules made of a config: the state after them, and each rule that applied."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.taken: list[Taken] = []
        self.refused: Taken | None = None
        self.unknown: list[str] = []
        self.unsettled: set[str] = set()

    def run(self) -> Course:
        """Apply the rules in their order, up to the first refusal."""
        for step in steps():
            try:
                if applies(step, self.state):
                    self._take(step)
            except _UNFIT:
                self.unknown.append(f"what {step.id} makes of a value of another type than the engine's")
            if self.refused:
                break
        return self

    def _take(self, step: Step) -> None:
        values = {path: value(operand, self.state) for path, operand in step.effect.get("set", {}).items()}
        changed = tuple(path for path, item in values.items() if self._is_new(path, item))
        text = _PATH.sub(lambda found: shown(self.state.get(found[1])), step.says)
        taken = Taken(step, changed, text)
        for path, item in values.items():
            self.state.put(path, item)
            self.unsettled.discard(path)
        self.unsettled.update(step.effect.get("unsettle", ()))
        self.unknown += step.effect.get("unknown", ())
        self.taken.append(taken)
        if "refuse" in step.effect:
            self.refused = taken

    def _is_new(self, path: str, item: Any) -> bool:
        found = self.state.get(path)
        return found is not item and not (type(found) is type(item) and found == item)

    def asked(self) -> list[str]:
        """Return the paths of the values that were asked for."""
        return [path for name, given in self.state.data["asked"].items() for path in leaves(given, name)]
