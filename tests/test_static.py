"""The static readers, each shown a few lines of a package that exists for the test only."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

pytest.importorskip("griffe")

from llmcfg.audit.extract import extract
from llmcfg.audit.static.package import Package
from llmcfg.audit.static.values import Evaluator, UnknownValueError

KINDS = '''
    """What other modules import."""
    import enum
    import sys
    from typing import Annotated, Literal, TypeAlias

    raise SystemExit("reading must not import")

    Small = Literal["a", "b"]
    Large = Literal[Small, "c", None]
    Listed: TypeAlias = "list[str]"
    Positive = Annotated[int, Field(ge=1)]
    ANSWER = 42
    ON_MAC = sys.platform == "darwin"

    class Color(str, enum.Enum):
        RED = "red"
        BLUE = "blue"

    class Level(enum.IntEnum):
        LOW = 1
        HIGH = 2

    class Pair(enum.Enum):
        BOTH = (1, 2)
        ONE = enum.auto()

    class Inner:
        size: int = Field(default=3, gt=0)
        name: str = "inner"
        nested: "Deep | None" = None

    class Deep:
        depth: int = ANSWER

    def decide(size: int, other: str = "no") -> str:
        if size > 3:
            return "large"
        result = other + "!"
        return result

    def guess() -> int:
        return len(sys.argv)

    def truthy(name: str, default: str = "0") -> bool:
        import os
        return os.getenv(name, default) == "1"

    def rate() -> str:
        return guess()
'''

MODULES = {
    "made_up/__init__.py": "from .inner import *\n",
    "made_up/inner/__init__.py": "from .kinds import Color as Paint, Inner\nfrom . import kinds as kinds\n",
    "made_up/inner/kinds.py": KINDS,
    "made_up/inner/compiled.pyi": "def start(count: int, *, fast: bool = ...) -> None: ...\n",
}
HEAD = """
    import os
    import typing as t
    from dataclasses import dataclass, field
    from typing import Annotated, Any, ClassVar, Literal, Optional, Union
    from made_up import Inner, Paint
    from .inner import kinds
    from .inner.kinds import *

"""


def read(folder: Path, source: str, *steps: dict[str, Any], within: tuple[str, ...] = ()) -> Any:
    """Return the inventory that steps make of a module `made_up.asked`, which holds the source."""
    for name, text in (MODULES | {"made_up/asked.py": HEAD + source}).items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text), encoding="utf-8")
    return extract("vllm", "made-up", "1", folder, {"steps": list(steps), "within": within}, {})


def facts(folder: Path, source: str, **step: Any) -> dict[str, Any]:
    """Return the fields of the object that one step reads."""
    (item,) = read(folder, source, {"object": "asked", **step}).objects.values()
    return {key: without_annotation(field.to_json()) for key, field in item.fields.items()}


def without_annotation(found: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if key != "annotation"}


# --- fields of classes --------------------------------------------------------------------------------

NO_DEFAULT = {"required": True}
FIELDS: dict[str, dict[str, Any]] = {
    "x: int": {"types": ["integer"], **NO_DEFAULT},
    "x: bool = True": {"types": ["boolean"], "default": True},
    "x: Optional[str] = None": {"types": ["null", "string"], "default": None},
    "x: Union[int, float, None] = 1": {"types": ["integer", "null", "number"], "default": 1},
    "x: 'dict[str, Any] | None' = None": {"types": ["null", "object"], "default": None},
    "x: t.Sequence[int] = (1, 2)": {"types": ["array"], "default": [1, 2]},
    "x: kinds.Listed = field(default_factory=list)": {"types": ["array"], "default": []},
    "x: t.Callable[[int], str] = print": {"foreign": ["t.Callable"], "expression": "print"},
    "x: Literal['a', 1] = 'a'": {"types": ["integer", "string"], "choices": ["a", 1], "default": "a"},
    "x: kinds.Large = None": {"types": ["null", "string"], "choices": ["a", "b", "c"], "default": None},
    "x: Small = 'b'": {"types": ["string"], "choices": ["a", "b"], "default": "b"},
    "x: Paint = Paint.BLUE": {
        "types": ["string"], "choices": ["red", "blue"], "enums": ["Color"], "default": "blue",
    },
    "x: Level = kinds.Level.HIGH.value": {
        "types": ["integer"], "choices": [1, 2], "enums": ["Level"], "default": 2,
    },
    "x: Pair | None = None": {
        "types": ["null", "string"], "choices": ["BOTH", "ONE"], "enums": ["Pair"], "default": None,
    },
    "x: Inner = Field(default_factory=Inner)": {"types": ["object"], "objects": ["Inner"], "default": {}},
    "x: Inner = field(default_factory=lambda: Inner(size=4))": {
        "types": ["object"], "objects": ["Inner"], "default": {"size": 4},
    },
    "x: list[Inner] | None = None": {"types": ["array", "null"], "objects": ["Inner"], "default": None},
    "x: float = Field(0.5, gt=0, le=1)": {
        "types": ["number"], "bounds": {"exclusiveMinimum": 0, "maximum": 1}, "default": 0.5,
    },
    "x: Annotated[int, Field(ge=1, multiple_of=2)] = 2": {
        "types": ["integer"], "bounds": {"minimum": 1, "multipleOf": 2}, "default": 2,
    },
    "x: Positive = 1": {"types": ["integer"], "bounds": {"minimum": 1}, "default": 1},
    "x: PositiveInt = 1": {"types": ["integer"], "bounds": {"exclusiveMinimum": 0}, "default": 1},
    "x: int = Field(...)": {"types": ["integer"], **NO_DEFAULT},
    "x: int = Field(ge=2)": {"types": ["integer"], "bounds": {"minimum": 2}, **NO_DEFAULT},
    "x: int = Inner.size": {
        "types": ["integer"], "bounds": {"exclusiveMinimum": 0}, "default": 3, "of": "Inner.size",
    },
    "x: str = get_field(Inner, 'name')": {"types": ["string"], "default": "inner", "of": "Inner.name"},
    "x: int = ANSWER * 2": {"types": ["integer"], "default": 84},
    "x: str = kinds.decide(9)": {"types": ["string"], "default": "large"},
    "x: bool = kinds.ON_MAC": {"types": ["boolean"], "expression": "kinds.ON_MAC"},
    "x: int = Field(1, deprecated=True)": {"types": ["integer"], "default": 1, "deprecated": True},
    "x: int = Field(1, status='beta')": {"types": ["integer"], "default": 1, "status": "beta"},
    "x: type[Inner] | str = 'a'": {"types": ["string"], "foreign": ["type"], "default": "a"},
}  # fmt: skip


@pytest.mark.parametrize("declaration", FIELDS)
def test_a_field(declaration: str, tmp_path: Path) -> None:
    source = f"@dataclass\nclass Asked:\n    {declaration}\n"
    found = facts(tmp_path, indented(source), read="fields", paths=["made_up.asked.Asked"])
    assert found == {"x": FIELDS[declaration]}


def indented(source: str) -> str:
    return "".join(f"    {line}\n" for line in source.splitlines())


NO_FIELDS = (
    "_x: int = 1",
    "x = 1",
    "x: ClassVar[int] = 1",
    "x: int = field(init=False, default=1)",
    "model_config: dict = {}",
    "@property\n    def x(self) -> int: ...",
)


@pytest.mark.parametrize("declaration", NO_FIELDS)
def test_what_is_no_field(declaration: str, tmp_path: Path) -> None:
    source = indented(f"@dataclass\nclass Asked:\n    y: int\n    {declaration}\n")
    assert set(facts(tmp_path, source, read="fields", paths=["made_up.asked.Asked"])) == {"y"}


def test_fields_are_inherited_and_overridden(tmp_path: Path) -> None:
    source = indented("class Asked(kinds.Inner):\n    size: int = 8\n")
    found = facts(tmp_path, source, read="fields", paths=["made_up.asked.Asked"])
    assert {key: field["default"] for key, field in found.items()} == {
        "size": 8,
        "name": "inner",
        "nested": None,
    }


def test_nested_classes_are_followed_inside_the_named_modules(tmp_path: Path) -> None:
    source = indented("class Asked:\n    inner: Inner\n")
    step = {"object": "Asked", "read": "fields", "paths": ["made_up.asked.Asked"]}
    assert set(read(tmp_path, source, step, within=("made_up.inner",)).objects) == {"Asked", "Inner", "Deep"}
    assert set(read(tmp_path, source, step).objects) == {"Asked"}


def test_the_first_path_that_is_there_is_read(tmp_path: Path) -> None:
    found = facts(tmp_path, "", read="fields", paths=["made_up.gone.Inner", "made_up.Inner"])
    assert set(found) == {"size", "name", "nested"}


def test_what_is_gone_is_noted(tmp_path: Path) -> None:
    step = {"object": "Gone", "read": "fields", "paths": ["made_up.Gone"]}
    assert read(tmp_path, "", step).notes == {"not_found": ["Gone"]}
    assert read(tmp_path, "", step | {"optional": True}).notes == {}


# --- parameters and keywords --------------------------------------------------------------------------

FUNCTION = """
    class Asked:
        def __init__(self, model: str, size: int = 3, *args, **kwargs):
            self.method = kinds.Color.RED
            self.size = size
            self.top = kwargs.pop("top", ANSWER)
            self.level = kwargs.get("level")
            if "flag" in kwargs:
                self.flag = kwargs.pop("flag")
            for name in ["old", "older"]:
                _ = kwargs.pop(name, None)
            kwargs.pop("_hidden", None)
            words = {key: kwargs.pop(key) for key in ("first", "second")}
            self.foreign = other.pop("foreign", None)
"""


def test_parameters_and_what_is_taken_out_of_keywords(tmp_path: Path) -> None:
    assert facts(tmp_path, FUNCTION, read="parameters", paths=["made_up.asked.Asked"]) == {
        "method": {"types": ["string"], "choices": ["red"], "status": "fixed"},
        "model": {"types": ["string"], "required": True},
        "size": {"types": ["integer"], "default": 3},
        "top": {"default": 42},
        "level": {},
        "flag": {},
        "old": {"default": None, "status": "tolerated"},
        "older": {"default": None, "status": "tolerated"},
        "first": {},
        "second": {},
    }


def test_keywords_of_another_mapping(tmp_path: Path) -> None:
    path = "made_up.asked.Asked.__init__"
    found = facts(tmp_path, FUNCTION, read="keywords", paths=[path], mappings=["other"])
    assert found == {"foreign": {"default": None}}


def test_every_class_below_a_base(tmp_path: Path) -> None:
    source = """
    class Base: ...
    class One(Base):
        def __init__(self, bits: int = 4): ...
    class Two(One): ...
    class Other: ...
    """
    inventory = read(tmp_path, source, {"read": "subclasses", "paths": ["made_up.asked"], "base": "Base"})
    assert {name: list(item.fields) for name, item in inventory.objects.items()} == {
        "One": ["bits"],
        "Two": ["bits"],
    }


# --- environment variables ----------------------------------------------------------------------------

VARIABLES = """
    NAME = "BY_CONSTANT"
    OTHER: int = 5
    FLAG: bool = False

    environment = {
        "OTHER": lambda: int(os.getenv("OTHER", "7")),
        "FLAG": lambda: os.environ.get("FLAG", "1").lower() in ("1", "true"),
        "PLACE": lambda: os.path.expanduser(os.getenv("PLACE", "~")),
        "CHOSEN": with_choices("CHOSEN", "b", ["a", "b"]),
        "UNSET": kinds.truthy,
    }

    def somewhere():
        os.environ["WRITTEN"] = "1"
        os.environ["READ"]
        os.getenv(NAME, "x")
        os.environ.get("lower")
        kinds.truthy("BY_HELPER", "1")
        value = Config(default=True, env_name_default=["LISTED", "LISTED_TOO"])
        return "TESTED" in os.environ
"""


def test_a_table_of_variables_tells_their_values(tmp_path: Path) -> None:
    found = facts(tmp_path, VARIABLES, read="environment table", paths=["made_up.asked"], table="environment")
    assert found == {
        "OTHER": {"types": ["integer"], "default": 7},
        "FLAG": {"types": ["boolean"], "default": True},
        "PLACE": {"types": ["string"], "expression": "lambda: os.path.expanduser(os.getenv('PLACE', '~'))"},
        "CHOSEN": {"types": ["string"], "choices": ["a", "b"], "default": "b"},
        "UNSET": {"types": ["string"], "expression": "kinds.truthy()"},
    }


def test_variables_that_are_read_anywhere(tmp_path: Path) -> None:
    found = facts(tmp_path, VARIABLES, read="environment", names="[A-Z_]+")
    assert found == {
        "BY_CONSTANT": {"types": ["string"], "default": "x"},
        "BY_HELPER": {"types": ["string"], "default": "1"},
        "FLAG": {"types": ["string"], "default": "1"},
        "LISTED": {"types": ["string"]},
        "LISTED_TOO": {"types": ["string"]},
        "OTHER": {"types": ["string"], "default": "7"},
        "PLACE": {"types": ["string"], "default": "~"},
        "READ": {"types": ["string"]},
        "TESTED": {"types": ["string"]},
    }


# --- modules with settings ----------------------------------------------------------------------------

SETTINGS = """
    level: int = 3
    cache: bool = Config(default=True, env_name_default="CACHE")
    limit: int = Config(alias="made_up.asked.level")
    fast = os.environ.get("FAST", "0") == "1"
    _hidden = 1

    class triton:
        graphs: Literal["on", "off"] = "on"

    def function(): ...
"""


def test_settings_of_a_module(tmp_path: Path) -> None:
    (item,) = read(tmp_path, SETTINGS, {"read": "module", "paths": ["made_up.asked"]}).objects.values()
    assert {key: without_annotation(field.to_json()) for key, field in item.fields.items()} == {
        "level": {"types": ["integer"], "default": 3},
        "cache": {"types": ["boolean"], "default": True},
        "limit": {"types": ["integer"], "default": 3, "of": "made_up.asked.level"},
        "fast": {"default": False},
        "triton.graphs": {"types": ["string"], "choices": ["on", "off"], "default": "on"},
    }


SWITCHES = """
    import sys
    from .inner.compiled import start as set_start

    class Prop:
        def __init__(self, getter, setter): ...
        def __set__(self, obj, value):
            self.setter(value)

    class ReadOnly:
        def __set__(self, obj, value):
            raise RuntimeError("no")

    class Part:
        def __setattr__(self, name, value):
            if name == "precision":
                return set_it(value)
            elif name in ("backend", "op"):
                return super().__setattr__(name, value)

    class Module(ModuleType):
        enabled = Prop(get_it, set_it)
        size = Prop(get_it, "size can't be set")
        supported = ReadOnly()
        conv = Part()

        @property
        def fill(self): ...

        @fill.setter
        def fill(self, value): ...

        def enable_all(self, value: bool): ...

    sys.modules[__name__] = Module(sys.modules[__name__], __name__)
    matmul = Part()
    enabled: bool

    def set_flag(value: bool, *, warn: bool = False): ...
    def get_flag(): ...
    set_alias = set_flag
"""


def test_switches_of_a_module(tmp_path: Path) -> None:
    step = {"read": "switches", "paths": ["made_up.asked"], "functions": "(set|enable)_.*"}
    (item,) = read(tmp_path, SWITCHES, step).objects.values()
    assert {key: field.types for key, field in item.fields.items()} == {
        "conv.precision": [],
        "enable_all": ["boolean"],
        "enabled": ["boolean"],
        "fill": [],
        "matmul.precision": [],
        "set_alias": ["boolean"],
        "set_alias.warn": ["boolean"],
        "set_flag": ["boolean"],
        "set_flag.warn": ["boolean"],
        "set_start": ["integer"],
        "set_start.fast": ["boolean"],
    }


# --- values -------------------------------------------------------------------------------------------

VALUES: dict[str, Any] = {
    "-3": -3,
    "1 << 10": 1024,
    "not False": True,
    "{'a': (1, {2})}": {"a": [1, [2]]},
    "[1, 2][1]": 2,
    "None or 'b'": "b",
    "1 if ANSWER == 42 else 2": 1,
    "0 < ANSWER < 50": True,
    "'x' in os.environ": False,
    "os.environ.get('X', 'Y').lower()": "y",
    "os.getenv('X')": None,
    "int('7')": 7,
    "float('0.5')": 0.5,
    "cast(int, 3)": 3,
    "kinds.decide(1)": "no!",
    "kinds.decide(size=1, other='yes')": "yes!",
    "kinds.truthy('X', default='1')": UnknownValueError,
    "float('inf')": UnknownValueError,
    "1 << 9999": UnknownValueError,
    "kinds.guess()": UnknownValueError,
    "kinds.rate()": UnknownValueError,
    "kinds.Pair.ONE": UnknownValueError,
    "nowhere": UnknownValueError,
    "n if (n := ANSWER) > 3 else 0": 42,
    "1 / 0": UnknownValueError,
    "3j": UnknownValueError,
    "open('file')": UnknownValueError,
}


@pytest.mark.parametrize("expression", VALUES)
def test_a_value(expression: str, tmp_path: Path) -> None:
    read(tmp_path, "")
    package = Package(tmp_path, "made_up")
    scope = package.module("made_up.asked")
    assert scope is not None
    if VALUES[expression] is UnknownValueError:
        with pytest.raises(UnknownValueError):
            Evaluator(package).text(expression, scope)
    else:
        found = Evaluator(package).text(expression, scope)
        assert (found, type(found)) == (VALUES[expression], type(VALUES[expression]))
