"""From a section of the config to the engine's own objects, driven by the catalog alone."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from llmcfg.catalog import Facts, backend_catalog, backends, nested_type
from llmcfg.checking.security import check_extra, is_secret
from llmcfg.checking.uses import Use
from llmcfg.diagnostics import INFO, MOST_PROBLEMS, WARNING, Diagnostic, Path, dotted
from llmcfg.document import copied
from llmcfg.native import NativeObject, forget_classes
from llmcfg.plan import plan
from llmcfg.printable import shown

ENV = "env"
_UNKNOWN: Facts = {}
_BEYOND = 2.0**64
_EXTRA_OF_SECTION = 3
"""Keys in the path of a section's ``extra``: the backend, the section, ``extra``."""


class Ruled(NamedTuple):
    """An object that the user wrote, of a type with cross-parameter rules."""

    type: str
    data: dict[str, Any]
    path: Path


class Lowered(NamedTuple):
    """What a section became, and what later stages must look at; ``model`` is what the engine gets."""

    model: Any
    native: dict[str, NativeObject]
    uses: list[Use]
    ruled: list[Ruled]
    diagnostics: list[Diagnostic]


def lower(backend: str, section: dict[str, Any], model: Any) -> Lowered:
    """Lower one backend's section; unknown and misshapen parts, reported before, are passed over.

    Lists and open mappings of the section are shared with the result, not copied.
    """
    receiver = backends()[backend]["model"]
    native: dict[str, NativeObject] = {receiver["object"]: NativeObject()}
    if model is not None:
        native[receiver["object"]][receiver["name"]] = model
    lowering = _Lowering(backend, native, model)
    lowering.object(backend_catalog(backend)["root"], section, (backend,))
    lowering.hand_over()
    environment = native.get(ENV)
    if environment is not None:
        for name, value in list(environment.items()):
            if value is None:
                del environment[name]
            else:
                environment[name] = _environment_text(value)
        lowering.diagnostics += _unusable(environment, (backend, ENV), section[ENV])
    served = native[receiver["object"]].get(receiver["name"])
    return Lowered(served, native, lowering.uses, lowering.ruled, lowering.diagnostics)


def _environment_text(value: Any) -> str:
    """Write a value as an environment variable holds it: true is 1, false is 0."""
    if type(value) is str:
        return value
    return str(int(value)) if type(value) is bool else str(value)


def _unusable(environment: dict[str, Any], path: Path, written: dict[str, Any]) -> list[Diagnostic]:
    """Refuse what no process can have in its environment."""
    found = []
    for name, value in environment.items():
        where = (*path, name) if name in written else (*path, "extra", name)
        if not name or "=" in name or "\0" in name:
            found.append(Diagnostic("L103", f"no environment variable can be called {_told(name)}", where))
        elif "\0" in value:
            found.append(Diagnostic("L103", f"{_told(name)} holds the character NUL", where))
    return found


class _Lowering:
    def __init__(self, backend: str, native: dict[str, NativeObject], model: Any) -> None:
        self.backend = backend
        self.types: dict[str, Facts] = backend_catalog(backend)["types"]
        self.native = native
        self.model = model
        self.uses: list[Use] = []
        self.ruled: list[Ruled] = []
        self.diagnostics: list[Diagnostic] = []

    def object(self, name: str, data: dict[str, Any], path: Path) -> NativeObject:
        entry = self.types[name]
        todo = plan(self.backend, name, tuple(data))
        if "when" in entry:
            self.uses.append(Use(name, None, path, None))
        if "rules" in entry:
            self.ruled.append(Ruled(name, data, path))
        for key in todo.uses:
            self.uses.append(Use(name, key, path, data[key]))
        native = NativeObject(entry.get("class"))
        native.update(data)
        for key, facts in todo.numbers:
            value = data[key]
            kind = type(value)
            if kind is int:
                if "floating" in facts:
                    native[key] = float(value)
            elif kind is not str and kind is not bool:
                native[key] = self._value(facts, value, (*path, key))
        for key, facts in todo.special:
            if "name" in facts or "object" in facts or not facts:
                del native[key]
            if facts:
                self._parameter(key, facts, data[key], (*path, key), native)
        extra = data.get("extra")
        if extra and isinstance(extra, dict) and "extra" not in entry["parameters"]:
            self._merge_extra(extra, name, data, native, (*path, "extra"))
        return native

    def _parameter(self, key: str, facts: Facts, value: Any, path: Path, native: dict[str, Any]) -> None:
        if facts.get("form") == "class":
            del native[key]
            return
        lowered = self._value(facts, value, path)
        if "object" not in facts:
            native[facts.get("name", key)] = lowered
        elif lowered and isinstance(lowered, NativeObject):
            self.native.setdefault(facts["object"], NativeObject(lowered.cls, lowered.tag)).update(lowered)

    def _value(self, facts: Facts, value: Any, path: Path) -> Any:
        kind = type(value)
        if kind is int or kind is float:
            return self._number(facts, value, path)
        if isinstance(value, dict):
            name = nested_type(facts, value)
            if name is not None:
                nested = self.object(name, value, path)
                if facts.get("form") == "mapping":
                    forget_classes(nested)
                elif "variants" in facts:
                    nested.tag = self._tag(name, facts["variants"][0])
                return nested
            if facts.get("form") == "integer_keys":
                whole = self._with_whole_numbers(facts.get("inner", _UNKNOWN), value, path)
                return {_integer_key(key): item for key, item in whole.items()}
            if "entries" in facts:
                return {
                    key: self._nested(facts["entries"], item, (*path, key)) for key, item in value.items()
                }
        elif isinstance(value, list) and "items" in facts:
            return [self._nested(facts["items"], item, (*path, i)) for i, item in enumerate(value)]
        if isinstance(value, (dict, list)):
            return self._with_whole_numbers(facts.get("inner", _UNKNOWN), value, path)
        return value

    def _number(self, facts: Facts, value: Any, path: Path) -> Any:
        """Give a number the type that the engine takes."""
        if "floating" in facts and type(value) is int:
            return float(value)
        return self._whole(value, path) if "integral" in facts else value

    def _with_whole_numbers(self, parts: Facts, value: Any, path: Path) -> Any:
        """Copy a value, with whole numbers where the schema has integers inside lists and mappings."""
        if isinstance(value, dict):
            inner = parts.get("entries", _UNKNOWN)
            return {key: self._with_whole_numbers(inner, item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            inner = parts.get("items", _UNKNOWN)
            return [self._with_whole_numbers(inner, item, (*path, i)) for i, item in enumerate(value)]
        return self._whole(value, path) if "integral" in parts else value

    def _whole(self, value: Any, path: Path) -> Any:
        """Turn 16.0, which JSON Schema counts as an integer, into 16."""
        if type(value) is not float or not value.is_integer():
            return value
        if abs(value) >= _BEYOND:
            named = next(step for step in reversed(path) if isinstance(step, str))
            message = f"{named} is {shown(value)}, expected an integer of at most 64 bits"
            self.diagnostics.append(Diagnostic("L105", message, path, hint="Write a smaller number."))
        return int(value)

    def _tag(self, name: str, discriminator: str) -> str:
        facts = self.types[name]["parameters"][discriminator] or _UNKNOWN
        return str(facts.get("name", discriminator))

    def _nested(self, name: str, value: Any, path: Path) -> Any:
        return self.object(name, value, path) if isinstance(value, dict) else value

    def _merge_extra(
        self, extra: dict[str, Any], name: str, data: dict[str, Any], native: dict[str, Any], path: Path
    ) -> None:
        parameters = self.types[name]["parameters"]
        written = {(facts or _UNKNOWN).get("name", key): key for key, facts in parameters.items()}
        for key, value in extra.items():
            where, typed = (*path, key), written.get(key, key)
            self.diagnostics += check_extra(parameters.get(typed), key, value, where)
            if key in native:
                self._overrides((*path[:-1], typed), native[key], value, where)
            elif self._is_model(key, path):
                self._replaces_model(value, where)
            elif key in written or key in parameters:
                self.diagnostics.append(
                    Diagnostic(
                        "L502",
                        f"{shown(key)} is modelled: outside extra it would be checked",
                        where,
                        severity=INFO,
                        hint=_way_to((*path[:-1], typed), typed in data),
                    )
                )
            elif len(extra) <= MOST_PROBLEMS:
                self._hint_at_typo(str(key), name, where)
            native[key] = copied(value)

    def hand_over(self) -> None:
        """Drop an object whose place in another one is taken by ``extra``, which wins."""
        for name, facts in backends()[self.backend].get("handed", {}).items():
            taken = self.native.get(facts["to"], _UNKNOWN)
            if name in self.native and facts["name"] in taken:
                section = self._section_of(facts["to"])
                typed = (self.backend, *facts["section"].split("."))
                where = (self.backend, section, "extra", facts["name"])
                self._overrides(typed, self.native.pop(name), taken[facts["name"]], where)

    def _section_of(self, name: str) -> str:
        sections = self.types[backend_catalog(self.backend)["root"]]["parameters"]
        return str(next(key for key, facts in sections.items() if facts["object"] == name))

    def _is_model(self, key: str, path: Path) -> bool:
        """Tell whether a key of the ``extra`` at the path is the model, which stands at the top."""
        receiver = backends()[self.backend]["model"]
        sections = self.types[backend_catalog(self.backend)["root"]]["parameters"]
        is_receiver = len(path) == _EXTRA_OF_SECTION and sections[path[1]]["object"] == receiver["object"]
        return is_receiver and key == receiver["name"] and self.model is not None

    def _replaces_model(self, value: Any, where: Path) -> None:
        if isinstance(value, str):
            self._overrides(("model",), self.model, value, where)
        else:
            self.diagnostics.append(Diagnostic("L102", f"model is {shown(value)}, expected a text", where))

    def _overrides(self, typed: Path, old: Any, new: Any, where: Path) -> None:
        told = ("***", "***") if is_secret(where) else (_told(new), _told(old))
        self.diagnostics.append(
            Diagnostic(
                "L501",
                f"extra overrides {typed[-1]}: {told[0]} replaces {told[1]}",
                where,
                severity=WARNING,
                hint=f"Keep one of {dotted(typed)} and {dotted(where)}.",
                related=((dotted(typed), None),),
            )
        )

    def _hint_at_typo(self, key: str, name: str, path: Path) -> None:
        near = _near_parameter(self.backend, name, key)
        if near is not None:
            self.diagnostics.append(
                Diagnostic(
                    "L503",
                    f"{_told(key)} is passed on unchecked; {near} is a known key",
                    path,
                    severity=INFO,
                    hint=f"Did you mean {near}?",
                )
            )


def _way_to(typed: Path, is_written: bool) -> str:
    return f"Remove it: {dotted(typed)} is written, too." if is_written else f"Move it to {dotted(typed)}."


def _told(value: Any) -> str:
    """Show a value without what has the shape of a token."""
    if not isinstance(value, str):
        return shown(value)
    from llmcfg.secrets import hidden

    return shown(hidden(value))


@lru_cache(maxsize=1024)
def _near_parameter(backend: str, name: str, key: str) -> str | None:
    from llmcfg.checking.suggest import nearest

    return nearest(key, backend_catalog(backend)["types"][name]["parameters"])


def _integer_key(key: str) -> str | int:
    """YAML keys are texts here; the engine looks token ids and GPU numbers up as integers."""
    return int(key) if key.isascii() and key.isdigit() else key
