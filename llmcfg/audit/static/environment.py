"""Environment variables that a package reads."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import griffe

from llmcfg.audit.facts import Field
from llmcfg.audit.static.annotations import json_type
from llmcfg.audit.static.objects import Reader
from llmcfg.audit.static.package import tree as tree_of
from llmcfg.audit.static.values import UnknownValueError

_READS = re.compile(r"(?:os\.)?(?:getenv|environ\.get|environ\.pop|environ\.setdefault)")
_WORDS = ("environ", "getenv", "env_name_")
_CONFIG_WORDS = ("env_name_default", "env_name_force")


def declared(reader: Reader, path: str, table: str) -> dict[str, Field]:
    """Return the variables of a module that lists them in a mapping and annotates them beside it."""
    module = reader.package.module(path)
    listed = module and module.members.get(table)
    if module is None or not isinstance(listed, griffe.Attribute):
        return {}
    mapping = ast.parse(str(listed.value), mode="eval").body
    if not isinstance(mapping, ast.Dict):
        return {}
    pairs = zip(mapping.keys, mapping.values, strict=True)
    return {
        key.value: _declared(reader, module, key.value, value)
        for key, value in pairs
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    }


def _declared(reader: Reader, module: griffe.Module, name: str, getter: ast.expr) -> Field:
    """Return the type that a variable is annotated with, and the value that its getter has without it."""
    member = module.members.get(name)
    fact = Field(types=["string"])
    if isinstance(member, griffe.Attribute) and member.annotation is not None:
        value = None if member.value is None else str(member.value)
        fact = replace(reader.field(str(member.annotation), value, module), required=False)
    return replace(
        _valued(reader, module, fact, getter), choices=_choices(getter, reader, module) or fact.choices
    )


def _valued(reader: Reader, module: griffe.Module, fact: Field, getter: ast.expr) -> Field:
    source = _without_variable(getter)
    try:
        value = reader.values.node(source, module)
    except UnknownValueError:
        return replace(fact, default=None, has_default=False, expression=ast.unparse(source))
    types = fact.types if fact.annotation or value is None else [json_type(value)]
    return replace(fact, types=types, default=value, has_default=True, expression=None)


def _without_variable(getter: ast.expr) -> ast.expr:
    """Return what a getter evaluates to without its variable; a call that makes it is told."""
    if isinstance(getter, ast.Call):
        named = [word.value for word in getter.keywords if word.arg == "default"]
        return (named or getter.args[1:2] or [getter])[0]
    return getter if isinstance(getter, ast.Lambda) else ast.Call(getter, [], [])


def _choices(getter: ast.expr, reader: Reader, module: griffe.Module) -> list[str]:
    """Return the closed list of values where the getter has one as its third argument."""
    if not isinstance(getter, ast.Call) or "choices" not in ast.unparse(getter.func) or len(getter.args) < 3:
        return []
    try:
        found = reader.values.node(getter.args[2], module)
    except UnknownValueError:
        return []
    return found if isinstance(found, list) else []


def read_anywhere(reader: Reader, pattern: str, under: str = "") -> dict[str, Field]:
    """Return the variables that match ``pattern`` and are read by a constant name in any module.

    A function that reads the variable that its parameter names counts as a way to read one.
    """
    found: dict[str, Field] = {}
    wanted = re.compile(pattern)
    for path, tree, helpers in _modules(reader, under):
        for key, call in _reads(tree, helpers):
            name = _name(key, path, reader)
            if wanted.fullmatch(name) and not (name in found and found[name].has_default):
                found[name] = _fact(call, path, reader)
    return dict(sorted(found.items()))


def twins(reader: Reader, path: str) -> dict[str, str]:
    """Return the variables that only give a setting of a module its default, with that setting."""
    module = reader.package.module(path)
    if module is None:
        return {}
    top = tree_of(module)
    helpers = set(_helpers(top))
    functions = {node.name: node for node in top.body if isinstance(node, ast.FunctionDef)}
    found: dict[str, str] = {}
    for name, value in _assigned(top, ""):
        called = {node.id for node in ast.walk(value) if isinstance(node, ast.Name)}
        for node in (value, *(functions[call] for call in called if call in functions)):
            for key, _ in _reads(node, helpers):
                found.setdefault(_name(key, path, reader), f"{path}.{name}")
    return {name: setting for name, setting in found.items() if name}


def _assigned(owner: ast.Module | ast.ClassDef, prefix: str) -> Iterator[tuple[str, ast.expr]]:
    """Yield the settings that a module, or a class as a name space in it, assigns."""
    for node in owner.body:
        match node:
            case ast.ClassDef(name=name) if not prefix:
                yield from _assigned(node, f"{name}.")
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield prefix + name, value
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield prefix + name, value


def _modules(reader: Reader, under: str) -> Iterator[tuple[str, ast.Module, set[str]]]:
    """Yield the modules that may read variables, and the functions of the package that do it for them."""
    direct = dict(reader.package.sources(_WORDS, under))
    helpers = {name for tree in direct.values() for name in _helpers(tree)}
    others = reader.package.sources(tuple(helpers), under, set(direct)) if helpers else ()
    yield from ((path, tree, helpers) for path, tree in (*direct.items(), *others))


def _name(key: ast.expr, path: str, reader: Reader) -> str:
    """Return the name that a constant holds, be it written in place or beside; empty without one."""
    if isinstance(key, ast.Constant):
        return str(key.value)
    try:
        return str(_value(key, path, reader)) if isinstance(key, (ast.Name, ast.Attribute)) else ""
    except UnknownValueError:
        return ""


def _value(node: ast.expr, path: str, reader: Reader) -> Any:
    module = None if isinstance(node, ast.Constant) else reader.package.module(path)
    if isinstance(node, ast.Constant) and node.value is not ...:
        return node.value
    if module is None:
        raise UnknownValueError(path)
    return reader.values.node(node, module)


def _fact(call: ast.AST, path: str, reader: Reader) -> Field:
    """Return the type and default that the second argument of a read tells."""
    arguments = call.args if isinstance(call, ast.Call) else []
    if len(arguments) < 2:
        return Field(types=["string"])
    try:
        value = _value(arguments[1], path, reader)
    except UnknownValueError:
        return Field(types=["string"], expression=ast.unparse(arguments[1]))
    return Field(
        types=[json_type(value)] if value is not None else ["string"], default=value, has_default=True
    )


def _helpers(tree: ast.Module) -> Iterator[str]:
    """Yield the functions of a module that read the variable that their first parameter names."""
    for function in tree.body:
        if isinstance(function, ast.FunctionDef) and function.args.args:
            first = function.args.args[0].arg
            if any(isinstance(key, ast.Name) and key.id == first for key, _ in _reads(function, set())):
                yield function.name


def _reads(tree: ast.AST, helpers: set[str]) -> Iterator[tuple[ast.expr, ast.AST]]:
    """Yield the expression that names each variable, with the node that reads it."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=function, args=[key, *_]):
                called = ast.unparse(function)
                if _READS.fullmatch(called) or called.rpartition(".")[2] in helpers:
                    yield key, node
            case ast.Subscript(value=ast.Attribute(attr="environ"), slice=key, ctx=ast.Load()):
                yield key, node
            case ast.Compare(left=key, comparators=[ast.Attribute(attr="environ")]):
                yield key, node
            case ast.keyword(arg=word, value=value) if word in _CONFIG_WORDS:
                yield from ((item, node) for item in ast.walk(value) if isinstance(item, ast.Constant))
