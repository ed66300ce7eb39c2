"""Annotations: the JSON types that a field takes, its choices, bounds and nested objects."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any

import griffe

from llmcfg.audit.static.package import Package
from llmcfg.audit.static.values import Evaluator, UnknownValueError

_PLAIN: dict[str, tuple[str, ...]] = {
    "str": ("string",),
    "Path": ("string",),
    "PathLike": ("string",),
    "int": ("integer",),
    "float": ("number",),
    "bool": ("boolean",),
    "None": ("null",),
    "NoneType": ("null",),
    "Any": ("any",),
    "object": ("any",),
    "list": ("array",),
    "tuple": ("array",),
    "set": ("array",),
    "frozenset": ("array",),
    "deque": ("array",),
    "Sequence": ("array",),
    "Iterable": ("array",),
    "Collection": ("array",),
    "dict": ("object",),
    "Mapping": ("object",),
    "MutableMapping": ("object",),
    "OrderedDict": ("object",),
    "defaultdict": ("object",),
    "StrictBool": ("boolean",),
    "StrictInt": ("integer",),
    "StrictStr": ("string",),
    "PositiveInt": ("integer",),
    "NonNegativeInt": ("integer",),
    "PositiveFloat": ("number",),
    "NonNegativeFloat": ("number",),
}
_BOUNDED: dict[str, dict[str, float]] = {
    "PositiveInt": {"exclusiveMinimum": 0},
    "PositiveFloat": {"exclusiveMinimum": 0},
    "NonNegativeInt": {"minimum": 0},
    "NonNegativeFloat": {"minimum": 0},
}
_BOUNDS = {
    "gt": "exclusiveMinimum",
    "ge": "minimum",
    "lt": "exclusiveMaximum",
    "le": "maximum",
    "multiple_of": "multipleOf",
    "min_length": "minLength",
    "max_length": "maxLength",
}
_TRANSPARENT = ("Optional", "Union", "Annotated", "Final", "Required", "NotRequired", "SkipValidation")
_ENUM_BASES = ("Enum", "IntEnum", "StrEnum", "Flag", "IntFlag", "EnumMeta")
_ANY_TEXT = ("str", "Any", "object")
_CONTAINERS = ("array", "object")


@dataclass
class Shape:
    """What an annotation lets in. ``foreign`` names types that no file can hold."""

    types: dict[str, None] = field(default_factory=dict)
    choices: dict[Any, None] = field(default_factory=dict)
    bounds: dict[str, float] = field(default_factory=dict)
    objects: dict[str, griffe.Class] = field(default_factory=dict)
    enums: dict[str, griffe.Class] = field(default_factory=dict)
    foreign: dict[str, None] = field(default_factory=dict)
    is_class_variable: bool = False
    is_open: bool = False
    """Whether any text will do, so that choices are only the well-known ones."""

    def add_types(self, *names: str) -> None:
        """Add JSON types."""
        self.types.update(dict.fromkeys(names))


class Annotations:
    """Reads annotations; names are followed to aliases, enums and classes of the package."""

    def __init__(self, package: Package) -> None:
        self.package = package
        self.values = Evaluator(package)

    def read(self, annotation: str, scope: griffe.Object) -> Shape:
        """Return the shape of an annotation that is written in ``scope``."""
        shape = Shape()
        try:
            self._node(ast.parse(annotation.strip(), mode="eval").body, scope, shape)
        except SyntaxError:
            shape.foreign[annotation] = None
        return shape

    def _node(self, node: ast.expr, scope: griffe.Object, shape: Shape) -> None:
        match node:
            case ast.Constant(value=None):
                shape.add_types("null")
            case ast.Constant(value=str(text)):
                self._node(ast.parse(text, mode="eval").body, scope, shape)
            case ast.BinOp(op=ast.BitOr(), left=left, right=right):
                self._node(left, scope, shape)
                self._node(right, scope, shape)
            case ast.Subscript():
                self._subscript(node, scope, shape)
            case ast.Name() | ast.Attribute():
                self._named(ast.unparse(node), scope, shape)
            case _:
                shape.foreign[ast.unparse(node)] = None

    def _subscript(self, node: ast.Subscript, scope: griffe.Object, shape: Shape) -> None:
        name = ast.unparse(node.value)
        short = self.package.meaning(name, scope)[0].rpartition(".")[2]
        inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if short == "Literal":
            self._literal(inner, scope, shape)
        elif short == "ClassVar":
            shape.is_class_variable = True
        elif short in _TRANSPARENT:
            self._transparent(short, inner, scope, shape)
        else:
            self._container(name, inner, scope, shape)

    def _transparent(self, name: str, inner: list[ast.expr], scope: griffe.Object, shape: Shape) -> None:
        if name == "Optional":
            shape.add_types("null")
        for item in inner[:1] if name == "Annotated" else inner:
            self._node(item, scope, shape)
        for item in inner[1:] if name == "Annotated" else ():
            if isinstance(item, ast.Call):
                shape.bounds |= self.bounds(item, scope)

    def _container(self, name: str, inner: list[ast.expr], scope: griffe.Object, shape: Shape) -> None:
        before = len(shape.types)
        self._named(name, scope, shape)
        holds_json = any(kind in _CONTAINERS for kind in list(shape.types)[before:] or shape.types)
        if not holds_json or name == "type":
            return
        for item in inner:
            held = Shape()
            self._node(item, scope, held)
            shape.objects |= held.objects

    def _literal(self, items: list[ast.expr], scope: griffe.Object, shape: Shape) -> None:
        for item in items:
            if self._is_literal(item, scope):
                self._node(item, scope, shape)
                continue
            try:
                value = self.values.node(item, scope)
            except UnknownValueError:
                shape.foreign[ast.unparse(item)] = None
                continue
            shape.add_types(json_type(value))
            if value is not None:
                shape.choices[value] = None

    def _is_literal(self, item: ast.expr, scope: griffe.Object) -> bool:
        """Tell whether an item of a ``Literal[…]`` is another one, in place or by its name."""
        if isinstance(item, ast.Name):
            found = self.package.resolve(item.id, scope)
            return isinstance(found, griffe.Attribute) and str(found.value).startswith("Literal[")
        return isinstance(item, ast.Subscript)

    def _named(self, name: str, scope: griffe.Object, shape: Shape) -> None:
        path, found = self.package.meaning(name, scope)
        short = path.rpartition(".")[2]
        if found is None and short in _PLAIN:
            shape.add_types(*_PLAIN[short])
            shape.bounds |= _BOUNDED.get(short, {})
            shape.is_open |= short in _ANY_TEXT
        elif short.lower() in _PLAIN and found is None:
            shape.add_types(*_PLAIN[short.lower()])
        elif isinstance(found, griffe.Class):
            self._class(found, shape)
        elif isinstance(found, (griffe.Attribute, griffe.TypeAlias)) and found.value is not None:
            self._node(ast.parse(str(found.value), mode="eval").body, found.parent or found, shape)
        else:
            shape.foreign[name] = None

    def _class(self, found: griffe.Class, shape: Shape) -> None:
        if is_enum(found, self.package):
            shape.enums[found.name] = found
            for value in members(found, self.values).values():
                shape.add_types(json_type(value))
                shape.choices[value] = None
        else:
            shape.add_types("object")
            shape.objects[found.name] = found

    def bounds(self, call: ast.Call, scope: griffe.Object) -> dict[str, float]:
        """Return the bounds in the words of a ``Field(…)``."""
        found = {}
        for word in call.keywords:
            if word.arg in _BOUNDS:
                try:
                    found[_BOUNDS[word.arg]] = self.values.node(word.value, scope)
                except UnknownValueError:
                    continue
        return {key: value for key, value in found.items() if value is not None}


def is_enum(found: griffe.Class, package: Package) -> bool:
    """Tell whether a class is an enumeration."""
    for owner in (found, *package.bases(found)):
        if any(str(base).rpartition(".")[2] in _ENUM_BASES for base in owner.bases):
            return True
    return False


def members(found: griffe.Class, values: Evaluator) -> dict[str, Any]:
    """Return the members of an enumeration with their values; the name where the value is no scalar."""
    result: dict[str, Any] = {}
    for name, member in found.members.items():
        if name.startswith("_") or not isinstance(member, griffe.Attribute) or member.value is None:
            continue
        if "class-attribute" not in member.labels:
            continue
        try:
            value = values.text(str(member.value), found)
        except UnknownValueError:
            value = name
        result[name] = name if isinstance(value, (list, dict)) or value is None else value
    return result


def json_type(value: Any) -> str:
    """Return the JSON type of a value."""
    for kind, name in ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string")):
        if isinstance(value, kind):
            return name
    return "null" if value is None else "array" if isinstance(value, list) else "object"
