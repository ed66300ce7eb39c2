"""The values of expressions, as far as they can be known without running anything."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable
from typing import Any

import griffe

from llmcfg.audit.static.package import Package, syntax

_OPERATORS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.LShift: operator.lshift,
    ast.Pow: operator.pow,
    ast.BitOr: operator.or_,
}
_COMPARISONS: dict[type, Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Is: operator.eq,
    ast.IsNot: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda item, owner: item in owner,
    ast.NotIn: lambda item, owner: item not in owner,
}
_METHODS = ("get", "lower", "upper", "strip", "split", "copy", "startswith", "endswith")
_ENVIRONMENT = "os.environ"
_LARGEST_EXPONENT = 64
_EMPTY: dict[str, Any] = {"list": [], "dict": {}, "set": [], "tuple": [], "str": "", "int": 0, "bool": False}
_DEEPEST = 30


class UnknownValueError(Exception):
    """The value depends on something that only running the code would tell."""


class Evaluator:
    """Evaluates expressions to JSON data. Sets and tuples become lists, enum members their values.

    The environment is taken as empty: a default is what holds where no variable is set.
    """

    def __init__(self, package: Package) -> None:
        self.package = package
        self._depth = 0
        self._locals: list[dict[str, Any]] = [{}]

    def text(self, expression: str, scope: griffe.Object) -> Any:
        """Return the value of source text.

        Raises:
            UnknownValueError: if it can't be known.
        """
        try:
            return self.node(ast.parse(expression.strip(), mode="eval").body, scope)
        except (SyntaxError, RecursionError) as error:
            raise UnknownValueError(expression) from error

    def node(self, node: ast.expr, scope: griffe.Object) -> Any:
        """Return the value of a syntax node; see `text`."""
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None or self._depth > _DEEPEST:
            raise UnknownValueError(ast.dump(node))
        self._depth += 1
        try:
            return method(node, scope)
        except (TypeError, ValueError, ArithmeticError, LookupError) as error:
            raise UnknownValueError(str(error)) from error
        finally:
            self._depth -= 1

    def _constant(self, node: ast.Constant, _: griffe.Object) -> Any:
        if node.value is None or isinstance(node.value, (str, bool, int, float)):
            return node.value
        raise UnknownValueError(repr(node.value))

    def _list(self, node: ast.List | ast.Tuple | ast.Set, scope: griffe.Object) -> list[Any]:
        return [self.node(item, scope) for item in node.elts]

    _tuple = _set = _list

    def _dict(self, node: ast.Dict, scope: griffe.Object) -> dict[str, Any]:
        pairs = zip(node.keys, node.values, strict=True)
        return {str(self.node(key, scope)): self.node(value, scope) for key, value in pairs if key}

    def _unaryop(self, node: ast.UnaryOp, scope: griffe.Object) -> Any:
        value = self.node(node.operand, scope)
        if isinstance(node.op, ast.USub):
            return -value
        if isinstance(node.op, ast.Not):
            return not value
        raise UnknownValueError(ast.dump(node))

    def _binop(self, node: ast.BinOp, scope: griffe.Object) -> Any:
        calculate = _OPERATORS.get(type(node.op))
        left, right = self.node(node.left, scope), self.node(node.right, scope)
        if calculate is None or (isinstance(node.op, (ast.LShift, ast.Pow)) and right > _LARGEST_EXPONENT):
            raise UnknownValueError(ast.dump(node))
        return calculate(left, right)

    def _boolop(self, node: ast.BoolOp, scope: griffe.Object) -> Any:
        is_and = isinstance(node.op, ast.And)
        for item in node.values[:-1]:
            value = self.node(item, scope)
            if bool(value) is not is_and:
                return value
        return self.node(node.values[-1], scope)

    def _compare(self, node: ast.Compare, scope: griffe.Object) -> bool:
        values = [self.node(item, scope) for item in (node.left, *node.comparators)]
        pairs = zip(node.ops, values, values[1:], strict=False)
        return all(_COMPARISONS[type(sign)](left, right) for sign, left, right in pairs)

    def _ifexp(self, node: ast.IfExp, scope: griffe.Object) -> Any:
        return self.node(node.body if self.node(node.test, scope) else node.orelse, scope)

    def _namedexpr(self, node: ast.NamedExpr, scope: griffe.Object) -> Any:
        self._locals[-1][node.target.id] = value = self.node(node.value, scope)
        return value

    def _name(self, node: ast.Name, scope: griffe.Object) -> Any:
        if node.id in self._locals[-1]:
            return self._locals[-1][node.id]
        return self._referred(node.id, scope)

    def _attribute(self, node: ast.Attribute, scope: griffe.Object) -> Any:
        name = ast.unparse(node)
        if self.package.path_of(name, scope) == _ENVIRONMENT:
            return {}
        if name.endswith((".value", ".name")):
            member = self.package.resolve(name.rpartition(".")[0], scope)
            if member is not None and name.endswith(".name"):
                return member.name
            if member is not None:
                return self._attribute_value(member)
        return self._referred(name, scope)

    def _referred(self, name: str, scope: griffe.Object) -> Any:
        found = self.package.resolve(name, scope)
        if found is None:
            raise UnknownValueError(name)
        return self._attribute_value(found)

    def _attribute_value(self, found: griffe.Object) -> Any:
        if not isinstance(found, griffe.Attribute) or found.value is None:
            raise UnknownValueError(found.path)
        self._locals.append({})
        try:
            return self.text(str(found.value), found.parent or found)
        finally:
            self._locals.pop()

    def _subscript(self, node: ast.Subscript, scope: griffe.Object) -> Any:
        owner = self.node(node.value, scope)
        key = self.node(node.slice, scope)
        return owner[str(key)] if isinstance(owner, dict) else owner[key]

    def _lambda(self, node: ast.Lambda, scope: griffe.Object) -> Any:
        return self.node(node.body, scope)

    def _call(self, node: ast.Call, scope: griffe.Object) -> Any:
        name = ast.unparse(node.func)
        short = name.rpartition(".")[2]
        if short in ("Field", "field"):
            return self.field_default(node, scope)
        if short == "get_field":
            return self._referred(f"{ast.unparse(node.args[0])}.{self.node(node.args[1], scope)}", scope)
        if short == "cast" and len(node.args) == 2:
            return self.node(node.args[1], scope)
        if short in _EMPTY and not node.args and not node.keywords:
            return _EMPTY[short]
        if short in ("list", "tuple", "set", "frozenset", "sorted") and len(node.args) == 1:
            return list(self.node(node.args[0], scope))
        if short in ("float", "int", "str", "bool") and len(node.args) == 1:
            return self._converted(short, self.node(node.args[0], scope))
        if self.package.path_of(name, scope) == "os.getenv":
            return self.node(node.args[1], scope) if len(node.args) > 1 else None
        if isinstance(node.func, ast.Attribute) and short in _METHODS:
            return self._method(node.func, node, scope)
        found = self.package.resolve(name, scope)
        if isinstance(found, griffe.Function):
            return self._returned(found, node, scope)
        return self._instance(name, node, scope)

    def _method(self, function: ast.Attribute, node: ast.Call, scope: griffe.Object) -> Any:
        owner = self.node(function.value, scope)
        if not isinstance(owner, (str, dict, list)):
            raise UnknownValueError(ast.unparse(node))
        method = getattr(owner, function.attr, None)
        if method is None or node.keywords:
            raise UnknownValueError(ast.unparse(node))
        return method(*(self.node(item, scope) for item in node.args))

    def _returned(self, function: griffe.Function, node: ast.Call, scope: griffe.Object) -> Any:
        """Return what a function of the package returns, where it only decides among known values."""
        given = [self.node(item, scope) for item in node.args]
        known = {word.arg: self.node(word.value, scope) for word in node.keywords if word.arg}
        owner = function.parent or function
        for index, parameter in enumerate(function.parameters):
            if index < len(given):
                known[parameter.name] = given[index]
            elif parameter.name not in known and parameter.default is not None:
                known[parameter.name] = self.text(str(parameter.default), owner)
        self._locals.append(known)
        try:
            return self._run(syntax(function).body, function)[0]
        finally:
            self._locals.pop()

    def _run(self, statements: list[ast.stmt], scope: griffe.Object) -> list[Any]:
        """Return the value of the first ``return`` that is reached, in a list that is empty without one."""
        for statement in statements:
            match statement:
                case ast.Return(value=ast.expr() as value):
                    return [self.node(value, scope)]
                case ast.If(test=test, body=body, orelse=orelse):
                    if found := self._run(body if self.node(test, scope) else orelse, scope):
                        return found
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    self._locals[-1][name] = self.node(value, scope)
                case ast.Expr(value=ast.Constant()):
                    continue
                case _:
                    raise UnknownValueError(ast.unparse(statement))
        return []

    def _converted(self, name: str, value: Any) -> Any:
        found = {"float": float, "int": int, "str": str, "bool": bool}[name](value)
        if name == "float" and not math.isfinite(found):
            raise UnknownValueError(f"float({value})")  # infinity and its like are no JSON
        return found

    def _instance(self, name: str, node: ast.Call, scope: griffe.Object) -> Any:
        """Return an object that the package defines as the mapping of its arguments."""
        found = self.package.resolve(name, scope)
        if not isinstance(found, griffe.Class) or node.args:
            raise UnknownValueError(name)
        return {word.arg: self.node(word.value, scope) for word in node.keywords if word.arg}

    def field_default(self, node: ast.Call, scope: griffe.Object) -> Any:
        """Return the default inside ``Field(…)`` or ``field(…)``.

        Raises:
            UnknownValueError: if it has none, or one that can't be known.
        """
        words = {word.arg: word.value for word in node.keywords}
        if node.args and not isinstance(node.args[0], ast.Constant | ast.Name | ast.UnaryOp):
            return self.node(node.args[0], scope)
        if node.args and not (isinstance(node.args[0], ast.Constant) and node.args[0].value is ...):
            return self.node(node.args[0], scope)
        if "default" in words:
            return self.node(words["default"], scope)
        if "default_factory" in words:
            return self._made(words["default_factory"], scope)
        raise UnknownValueError("no default")

    def _made(self, factory: ast.expr, scope: griffe.Object) -> Any:
        if isinstance(factory, ast.Lambda):
            return self.node(factory.body, scope)
        return self._call(ast.Call(func=factory, args=[], keywords=[]), scope)
