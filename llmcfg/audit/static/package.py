"""The modules of a Python package, read when they are asked for and never imported."""

from __future__ import annotations

import ast
import re
from collections.abc import Container, Iterator
from functools import lru_cache
from pathlib import Path

import griffe

_MOST_HOPS = 20
_ENDINGS = ("py", "pyi")
"""The stub of a compiled module is read like a module."""


class Package:
    """A package under ``root``; names are followed through its imports, not beyond."""

    def __init__(self, root: Path, name: str) -> None:
        self.root = root
        self.name = name
        self._modules: dict[str, griffe.Module | None] = {}

    def module(self, path: str) -> griffe.Module | None:
        """Return the module of a dotted path, None where there is no such source file."""
        if path not in self._modules:
            file = self._file(path)
            self._modules[path] = None if file is None else self._visit(path, file)
        return self._modules[path]

    def find(self, path: str) -> griffe.Object | None:
        """Return the module, class, function or attribute that a dotted path leads to."""
        return self._trace(path, _MOST_HOPS)[1]

    def resolve(self, name: str, scope: griffe.Object) -> griffe.Object | None:
        """Return what a name, dotted or not, means inside ``scope``."""
        path = self.path_of(name, scope)
        return None if path is None else self.find(path)

    def meaning(self, name: str, scope: griffe.Object) -> tuple[str, griffe.Object | None]:
        """Return what a name means inside ``scope``, and where that is; other packages' paths too."""
        return self._trace(self.path_of(name, scope) or name, _MOST_HOPS)

    def path_of(self, name: str, scope: griffe.Object) -> str | None:
        """Return the dotted path that a name stands for inside ``scope``, following its imports."""
        first, dot, rest = name.partition(".")
        path: str | None
        try:
            path = scope.resolve(first)
        except griffe.NameResolutionError:
            path = self._by_wildcard(first, scope.module) or self._submodule(first, scope.module)
        return None if path is None else path + dot + rest

    def sources(
        self, words: tuple[str, ...], under: str = "", known: Container[str] = ()
    ) -> Iterator[tuple[str, ast.Module]]:
        """Yield the files that hold one of ``words``, but for ``known`` ones, with their dotted paths."""
        top = self.root / (under or self.name).replace(".", "/")
        wanted = re.compile("|".join(map(re.escape, words)))
        for file in sorted(top.rglob("*.py")):
            parts = file.relative_to(self.root).with_suffix("").parts
            path = ".".join(parts).removesuffix(".__init__")
            if path not in known and wanted.search(text := _read(file)):
                yield path, ast.parse(text)

    def _visit(self, path: str, file: Path) -> griffe.Module:
        above, _, name = path.rpartition(".")
        parent = (self.module(above) or griffe.Module(above)) if above else None
        module = griffe.visit(name, filepath=file, code=_read(file), parent=parent)
        for function, signatures in module.overloads.items():
            if function not in module.members:  # A stub has nothing but overloads.
                module.set_member(function, signatures[0])
        return module

    def _file(self, path: str) -> Path | None:
        if path.split(".")[0] != self.name:
            return None
        stem = self.root.joinpath(*path.split("."))
        modules = (stem / "__init__", stem)
        candidates = (file.with_name(f"{file.name}.{end}") for end in _ENDINGS for file in modules)
        return next((file for file in candidates if file.is_file()), None)

    def _trace(self, path: str, hops: int) -> tuple[str, griffe.Object | None]:
        """Follow imports until a path stands for itself, or leads out of the package."""
        module, rest = self._split(path)
        found: griffe.Object | None = module
        for index, name in enumerate(rest):
            member = None if found is None else self._member(found, name)
            if isinstance(member, griffe.Alias) and hops:
                return self._trace(".".join([member.target_path, *rest[index + 1 :]]), hops - 1)
            if member is None or isinstance(member, griffe.Alias):
                return path, None
            found = member
        return path, found

    def _split(self, path: str) -> tuple[griffe.Module | None, list[str]]:
        parts = path.split(".")
        for length in range(len(parts), 0, -1):
            module = self.module(".".join(parts[:length]))
            if module is not None:
                return module, parts[length:]
        return None, []

    def _member(self, owner: griffe.Object, name: str) -> griffe.Object | griffe.Alias | None:
        if name in owner.members:
            return owner.members[name]
        if isinstance(owner, griffe.Module):
            path = self._by_wildcard(name, owner)
            return None if path is None else self.find(path)
        if isinstance(owner, griffe.Class):
            return next((base.members[name] for base in self.bases(owner) if name in base.members), None)
        return None

    def _by_wildcard(self, name: str, module: griffe.Module) -> str | None:
        for member in module.members.values():
            if isinstance(member, griffe.Alias) and member.wildcard:
                source = self.module(member.wildcard)
                if source is not None and name in source.members:
                    return f"{source.path}.{name}"
        return None

    def _submodule(self, name: str, module: griffe.Module) -> str | None:
        """Return the path of a module inside this one: ``from . import name`` makes no member."""
        found = self.module(f"{module.path}.{name}")
        return None if found is None else found.path

    def names(self, module: griffe.Module) -> list[str]:
        """Return the names that a module offers, those of its wildcard imports included."""
        found = dict.fromkeys(module.members)
        for member in module.members.values():
            source = (
                self.module(member.wildcard) if isinstance(member, griffe.Alias) and member.wildcard else None
            )
            found |= dict.fromkeys(name for name in source.members if name[0] != "_") if source else {}
        return list(found)

    def bases(self, owner: griffe.Class) -> list[griffe.Class]:
        """Return the bases that the package itself defines, nearest first, theirs included."""
        found: list[griffe.Class] = []
        for base in owner.bases:
            name = str(base).partition("[")[0]
            inner = self.resolve(name, owner.parent or owner)
            if isinstance(inner, griffe.Class) and inner not in found:
                found += [inner, *(item for item in self.bases(inner) if item not in found)]
        return found


def tree(module: griffe.Module) -> ast.Module:
    """Return the syntax tree of a module."""
    return _parsed(Path(str(module.filepath)))


@lru_cache(maxsize=32)
def _parsed(file: Path) -> ast.Module:
    return ast.parse(_read(file))


def syntax(function: griffe.Function) -> ast.FunctionDef:
    """Return the syntax tree of a function.

    Raises:
        LookupError: if its file has none on its line, as for a function that a class makes.
    """
    for node in ast.walk(tree(function.module)):
        if (
            isinstance(node, ast.FunctionDef)
            and node.name == function.name
            and _first_line(node) == function.lineno
        ):
            return node
    raise LookupError(function.path)


def _first_line(node: ast.FunctionDef) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace")
