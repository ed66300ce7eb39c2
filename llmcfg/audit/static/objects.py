"""Classes and functions of the source code, as native objects with their fields."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

import griffe

from llmcfg.audit.facts import Field, NativeObject
from llmcfg.audit.static.annotations import Annotations, Shape, is_enum, json_type, members
from llmcfg.audit.static.keywords import keywords
from llmcfg.audit.static.package import Package, syntax
from llmcfg.audit.static.values import Evaluator, UnknownValueError

_VALIDATORS = ("field_validator", "model_validator", "validator", "root_validator")


class Reader:
    """Reads objects of a package."""

    def __init__(self, package: Package) -> None:
        self.package = package
        self.annotations = Annotations(package)
        self.values = Evaluator(package)
        self.enums: dict[str, dict[str, Any]] = {}

    def declared(self, owner: griffe.Class) -> NativeObject:
        """Return a class whose fields are its annotated attributes, inherited ones included."""
        found: dict[str, Field] = {}
        validators: dict[str, list[str]] = {}
        for cls in reversed([owner, *self.package.bases(owner)]):
            for name, member in cls.members.items():
                if is_field(name, member) and (item := self._field(member, cls)):
                    found[name] = item
                if isinstance(member, griffe.Function):
                    validators |= {f"{cls.name}.{name}": fields for fields in _validated(member)}
        bases = [base.name for base in self.package.bases(owner)]
        return NativeObject(owner.path, self._kind(owner), found, self._extra(owner), validators, bases)

    def constructed(self, function: griffe.Function, path: str, skip: tuple[str, ...] = ()) -> NativeObject:
        """Return a function, or a class with its ``__init__``, whose parameters are the fields."""
        found: dict[str, Field] = {}
        for parameter in function.parameters:
            if parameter.kind is griffe.ParameterKind.var_keyword:
                found |= self.taken(function, (parameter.name,))
            elif parameter.kind is not griffe.ParameterKind.var_positional:
                found[parameter.name] = self.parameter(parameter, function)
        found = self._fixed(function) | found
        hidden = ("self", "cls", *skip)
        return NativeObject(
            path, "call", {key: found[key] for key in found if key not in hidden and key[0] != "_"}
        )

    def taken(self, function: griffe.Function, mappings: tuple[str, ...]) -> dict[str, Field]:
        """Return what a function takes out of mappings, such as its ``**kwargs``."""
        scope = function.parent or function
        return keywords(syntax(function), mappings, lambda node: self.values.node(node, scope))

    def _fixed(self, function: griffe.Function) -> dict[str, Field]:
        """Return the attributes that a constructor sets to a member of an enumeration."""
        found = {}
        for node in syntax(function).body if function.name == "__init__" else ():
            match node:
                case ast.Assign(
                    targets=[ast.Attribute(value=ast.Name(id="self"), attr=name)],
                    value=ast.Attribute(value=enumeration) as member,
                ):
                    owner = self.package.resolve(ast.unparse(enumeration), function)
                    if isinstance(owner, griffe.Class) and is_enum(owner, self.package):
                        value = self.values.node(member, function)
                        found[name] = Field(types=[json_type(value)], choices=[value], status="fixed")
        return found

    def parameter(self, parameter: griffe.Parameter, function: griffe.Function) -> Field:
        """Return the facts of one parameter of a function."""
        annotation = None if parameter.annotation is None else str(parameter.annotation)
        default = None if parameter.default is None else str(parameter.default)
        return self.field(annotation, default, function.parent or function)

    def field(self, annotation: str | None, value: str | None, scope: griffe.Object) -> Field:
        """Return the facts of an annotated name with its default, both as source text."""
        shape = self.annotations.read(annotation, scope) if annotation else Shape()
        self.enums |= {name: members(cls, self.values) for name, cls in shape.enums.items()}
        call = _field_call(value)
        bounds = shape.bounds | (self.annotations.bounds(call, scope) if call else {})
        handed_to = self._handed_to(value, scope)
        status, deprecated = _marks(call)
        return Field(
            annotation=annotation,
            types=sorted(shape.types),
            choices=list(shape.choices),
            enums=sorted(shape.enums),
            is_open=shape.is_open and bool(shape.choices),
            bounds=bounds or self._bounds_of(handed_to, value, scope),
            objects=sorted(shape.objects),
            foreign=sorted(shape.foreign),
            status=status,
            deprecated=deprecated,
            of=handed_to,
            **self._default(value, call, scope),
        )

    def reachable(self, owner: griffe.Class, seen: dict[str, NativeObject]) -> Iterator[griffe.Class]:
        """Yield the classes that the fields of a class hold, and theirs, each once."""
        for cls in [owner, *self.package.bases(owner)]:
            for name, member in cls.members.items():
                if not is_field(name, member) or not isinstance(member, griffe.Attribute):
                    continue
                for inner in self.annotations.read(str(member.annotation), cls).objects.values():
                    if inner.name not in seen:
                        yield inner

    def _field(self, member: griffe.Object | griffe.Alias, cls: griffe.Class) -> Field | None:
        if not isinstance(member, griffe.Attribute):
            return None
        value = None if member.value is None else str(member.value)
        call = _field_call(value)
        if self.annotations.read(str(member.annotation), cls).is_class_variable or _is_internal(call):
            return None
        return self.field(str(member.annotation), value, cls)

    def _default(self, value: str | None, call: ast.Call | None, scope: griffe.Object) -> dict[str, Any]:
        if value is None or (call is not None and _is_required(call)):
            return {"required": True}
        try:
            known = self.values.text(value, scope)
        except UnknownValueError:
            return {"expression": value}
        return {"default": known, "has_default": True}

    def _handed_to(self, value: str | None, scope: griffe.Object) -> str | None:
        """Return ``Class.field`` where a default is taken from the field of another class."""
        if value is None:
            return None
        name = _owner_and_name(value)
        owner = self.package.resolve(name.rpartition(".")[0], scope) if name else None
        if name is None or not isinstance(owner, griffe.Class) or is_enum(owner, self.package):
            return None
        return f"{owner.name}.{name.rpartition('.')[2]}"

    def _bounds_of(self, handed_to: str | None, value: str | None, scope: griffe.Object) -> dict[str, float]:
        """Return the bounds of the inner field that a parameter is handed to."""
        if handed_to is None or value is None:
            return {}
        name = _owner_and_name(value)
        inner = self.package.resolve(name, scope) if name else None
        if not isinstance(inner, griffe.Attribute) or inner.value is None:
            return {}
        call = _field_call(str(inner.value))
        return self.annotations.bounds(call, inner.parent or inner) if call else {}

    def _kind(self, owner: griffe.Class) -> str:
        bases = {str(base) for cls in (owner, *self.package.bases(owner)) for base in cls.bases}
        for word, kind in (("BaseModel", "pydantic"), ("Struct", "msgspec"), ("TypedDict", "mapping")):
            if any(base.rpartition(".")[2] == word for base in bases):
                return kind
        return "dataclass" if owner.decorators else "class"

    def _extra(self, owner: griffe.Class) -> str | None:
        """Return what a pydantic class does with unknown keys, where it says so."""
        for cls in (owner, *self.package.bases(owner)):
            settings = cls.members.get("model_config")
            sources = [str(settings.value)] if isinstance(settings, griffe.Attribute) else []
            for text in sources + [str(item.value) for item in cls.decorators]:
                for mode in ("forbid", "ignore", "allow"):
                    if f"extra='{mode}'" in text.replace('"', "'"):
                        return mode
        return None


def is_field(name: str, member: griffe.Object | griffe.Alias) -> bool:
    """Tell whether a member of a class is an annotated, public attribute."""
    return (
        isinstance(member, griffe.Attribute)
        and not name.startswith("_")
        and member.annotation is not None
        and "instance-attribute" in member.labels  # a ``ClassVar`` lacks it
        and "property" not in member.labels
        and name != "model_config"
    )


def _owner_and_name(value: str) -> str | None:
    """Return ``Class.field`` as the source spells it, also from ``get_field(Class, "field")``."""
    node = ast.parse(value.strip(), mode="eval").body
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "get_field":
        return f"{ast.unparse(node.args[0])}.{ast.literal_eval(node.args[1])}"
    return ast.unparse(node) if isinstance(node, ast.Attribute) else None


def _field_call(value: str | None) -> ast.Call | None:
    if value is None:
        return None
    node = ast.parse(value.strip(), mode="eval").body
    if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in ("Field", "field"):
        return node
    return None


def _is_internal(call: ast.Call | None) -> bool:
    """Tell whether a field is set by the class itself."""
    words = {word.arg: word.value for word in call.keywords} if call else {}
    init = words.get("init")
    return isinstance(init, ast.Constant) and init.value is False


def _is_required(call: ast.Call) -> bool:
    has_default = any(word.arg in ("default", "default_factory") for word in call.keywords)
    first = call.args[0] if call.args else None
    if isinstance(first, ast.Constant) and first.value is ...:
        return True
    return first is None and not has_default


def _marks(call: ast.Call | None) -> tuple[str | None, bool]:
    words = {word.arg: word.value for word in call.keywords} if call else {}
    status, deprecated = words.get("status"), words.get("deprecated")
    named = status.value if isinstance(status, ast.Constant) and isinstance(status.value, str) else None
    is_deprecated = isinstance(deprecated, ast.Constant) and bool(deprecated.value)
    return named, is_deprecated or named == "deprecated"


def _validated(function: griffe.Function) -> Iterator[list[str]]:
    """Yield the fields that a function validates; an empty list where it is the whole object."""
    for decorator in function.decorators:
        node = ast.parse(str(decorator.value), mode="eval").body
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in _VALIDATORS:
            yield [
                item.value
                for item in node.args
                if isinstance(item, ast.Constant) and isinstance(item.value, str)
            ]
