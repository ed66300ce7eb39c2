"""Settings of modules: attributes that a user assigns, and functions that set a switch."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace

import griffe

from llmcfg.audit.facts import Field, NativeObject
from llmcfg.audit.static.objects import Reader
from llmcfg.audit.static.package import tree

_STANDS_FOR_MODULE = ("sys.modules[__name__]", "sys.modules[__name__].__class__")


def module_attributes(reader: Reader, path: str) -> NativeObject:
    """Return the public attributes that a module, and classes used as name spaces in it, assign."""
    module = reader.package.module(path)
    found = dict(_attributes(reader, module, "")) if module else {}
    return NativeObject(path, "module", found)


def _attributes(reader: Reader, owner: griffe.Object, prefix: str) -> Iterator[tuple[str, Field]]:
    inherited = reader.package.bases(owner) if isinstance(owner, griffe.Class) else []
    for holder in [*reversed(inherited), owner]:
        for name, member in holder.members.items():
            if name.startswith("_"):
                continue
            if isinstance(member, griffe.Attribute) and (member.value or member.annotation) is not None:
                yield prefix + name, _attribute(reader, member, holder)
            elif isinstance(member, griffe.Class) and not prefix:
                yield from _attributes(reader, member, f"{name}.")


def _attribute(reader: Reader, member: griffe.Attribute, scope: griffe.Object) -> Field:
    annotation = None if member.annotation is None else str(member.annotation)
    value = None if member.value is None else str(member.value)
    node = ast.parse(value.strip(), mode="eval").body if value else None
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "Config":
        return _configured(reader, annotation, node, scope)
    return replace(reader.field(annotation, value, scope), required=False, of=None)


def _configured(reader: Reader, annotation: str | None, node: ast.Call, scope: griffe.Object) -> Field:
    """Return what ``Config(default=…, alias=…)`` says; an alias has the default of what it stands for."""
    words = {word.arg: word.value for word in node.keywords if word.arg}
    deprecated = isinstance(words.get("deprecated"), ast.Constant)
    alias = words.get("alias")
    if isinstance(alias, ast.Constant):
        path = str(alias.value)
        aimed = reader.package.find(path)
        known = (
            _attribute(reader, aimed, aimed.parent or aimed)
            if isinstance(aimed, griffe.Attribute)
            else Field()
        )
        return replace(known, annotation=annotation, of=path, deprecated=deprecated)
    default = words.get("default", node.args[0] if node.args else None)
    text = None if default is None else ast.unparse(default)
    return replace(reader.field(annotation, text, scope), required=False, deprecated=deprecated, of=None)


def switches(reader: Reader, path: str, functions: str) -> NativeObject:
    """Return the properties that a module offers through its classes, and functions by their names."""
    module = reader.package.module(path)
    found: dict[str, Field] = {}
    if module is not None:
        for prefix, cls in _instances(reader, module):
            found |= {f"{prefix}{key}": _typed(reader, module, key, prefix) for key in _settable(reader, cls)}
            found |= dict(_functions(reader, cls, functions)) if not prefix else {}
        found |= dict(_functions(reader, module, functions))
    return NativeObject(path, "module", dict(sorted(found.items())))


def _typed(reader: Reader, module: griffe.Module, key: str, prefix: str) -> Field:
    """Return what the module's annotation says of a property that stands for the module's attribute."""
    member = None if prefix else module.members.get(key)
    if not isinstance(member, griffe.Attribute) or member.annotation is None:
        return Field()
    fact = reader.field(str(member.annotation), None, module)
    return Field() if fact.objects else replace(fact, required=False)


def _instances(reader: Reader, module: griffe.Module) -> Iterator[tuple[str, griffe.Class]]:
    """Yield the prefix and the class of each object that stands for the module, or in it."""
    for node in tree(module).body:
        if not isinstance(node, (ast.Assign, ast.AnnAssign)) or node.value is None:
            continue
        cls = _class_of(reader, node.value, module)
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            if cls is not None and ast.unparse(target) in _STANDS_FOR_MODULE:
                yield "", cls
            elif cls is not None and isinstance(target, ast.Name) and not target.id.startswith("_"):
                yield f"{target.id}.", cls


def _class_of(reader: Reader, value: ast.expr, scope: griffe.Object) -> griffe.Class | None:
    name = ast.unparse(value.func if isinstance(value, ast.Call) else value)
    found = reader.package.resolve(name, scope) if _is_name(name) else None
    return found if isinstance(found, griffe.Class) else None


def _is_name(text: str) -> bool:
    return all(part.isidentifier() for part in text.split("."))


def _settable(reader: Reader, owner: griffe.Class) -> dict[str, None]:
    """Return the names that can be set on an instance of a class, those of its inner objects dotted."""
    names: dict[str, None] = {}
    for cls in (owner, *reader.package.bases(owner)):
        for node in ast.walk(_body(cls)):
            match node:
                case ast.Assign(targets=[ast.Name(id=key)], value=ast.Call() as call):
                    names |= _described(reader, key, call, cls)
                case ast.FunctionDef(name="__setattr__"):
                    names |= dict.fromkeys(_compared(node))
                case ast.FunctionDef(name=key, decorator_list=[ast.Attribute(attr="setter")]):
                    names[key] = None
    return {name: None for name in names if not name.startswith("_")}


def _body(cls: griffe.Class) -> ast.ClassDef:
    classes = (node for node in ast.walk(tree(cls.module)) if isinstance(node, ast.ClassDef))
    return next(node for node in classes if node.name == cls.name)


def _described(reader: Reader, key: str, call: ast.Call, scope: griffe.Class) -> dict[str, None]:
    """Return a class attribute that is a descriptor with a setter, or what its object lets one set."""
    cls = _class_of(reader, call, scope)
    if cls is None:
        return {}
    setter = next((node for node in _body(cls).body if getattr(node, "name", "") == "__set__"), None)
    if isinstance(setter, ast.FunctionDef):
        refuses = isinstance(setter.body[-1], ast.Raise) or _is_read_only(call)
        return {} if refuses else {key: None}
    return {f"{key}.{name}": None for name in _settable(reader, cls)}


def _is_read_only(call: ast.Call) -> bool:
    """Tell whether a message stands where the setter belongs."""
    return len(call.args) > 1 and isinstance(call.args[1], (ast.Constant, ast.JoinedStr))


def _compared(function: ast.FunctionDef) -> Iterator[str]:
    """Yield the names that ``__setattr__`` itself tells apart with ``==``."""
    for node in ast.walk(function):
        match node:
            case ast.Compare(
                left=ast.Name(id="name"), ops=[ast.Eq()], comparators=[ast.Constant(value=str(key))]
            ):
                yield key


def _functions(reader: Reader, owner: griffe.Object, pattern: str) -> Iterator[tuple[str, Field]]:
    """Yield each function with the facts of its first parameter, and the others as ``function.name``."""
    names = reader.package.names(owner) if isinstance(owner, griffe.Module) else list(owner.members)
    for name in names:
        found = _function(reader, f"{owner.path}.{name}") if re.fullmatch(pattern, name) else None
        if found is None:
            continue
        first, *others = reader.constructed(found, name).fields.items() or [("", Field())]
        yield name, replace(first[1], required=False)
        for key, item in others:
            yield f"{name}.{key}", item


def _function(reader: Reader, path: str) -> griffe.Function | None:
    """Return a function by its path, be it imported, assigned or the constructor of a class."""
    found = reader.package.find(path)
    if isinstance(found, griffe.Attribute) and _is_name(str(found.value)):
        found = reader.package.resolve(str(found.value), found.parent or found)
    made = found.members.get("__init__") if isinstance(found, griffe.Class) else found
    return made if isinstance(made, griffe.Function) else None
