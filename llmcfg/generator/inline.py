"""Write the helper types of generated models where they are used, so that fields read as plain types.

The code generator names every constrained part of a list or union (``class StopItem(RootModel[str])``);
to a user and to a type checker these are obstacles: a list of texts is no list of ``StopItem``.
"""

from __future__ import annotations

import ast
import copy
from typing import Any

UNSET = "<unset>"
"""The default, in the schema given to the code generator, of what stays unset."""
DISTINCT = "x-distinct"
"""The key, in the same schema, of a list that cannot hold an item twice."""


def inlined(code: str, header: str) -> str:
    """Return the module without helper types, with unset fields as such, below the header."""
    tree = ast.parse(code)
    helpers = dict(helper for node in tree.body if (helper := _helper(node)))
    tree.body = [node for node in tree.body if _helper(node) is None]
    _drop_unused_imports(_Inliner(helpers).visit(tree))
    return f"{header}{ast.unparse(ast.fix_missing_locations(tree))}\n"


def _helper(node: ast.stmt) -> tuple[str, ast.expr] | None:
    """Return the name and the type of a helper: a root model, or an alias."""
    if isinstance(node, ast.ClassDef) and ast.unparse(node.bases[0]).startswith("RootModel"):
        (root,) = (item for item in node.body if isinstance(item, ast.AnnAssign))
        return node.name, root.annotation
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
        return ast.unparse(node.targets[0]), node.value.args[1]
    return None


class _Inliner(ast.NodeTransformer):
    def __init__(self, helpers: dict[str, ast.expr]) -> None:
        self.helpers = helpers

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id not in self.helpers:
            return node
        helper = copy.deepcopy(self.helpers[node.id])
        inner: ast.AST = self.visit(_without(helper, {"description", "json_schema_extra"}))
        return inner

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.Name("UNSET") if node.value == UNSET else node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.body = [
            item for item in node.body if not isinstance(item, ast.Assign)
        ]  # model_config: the base's
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if DISTINCT in ast.unparse(node.annotation):
            text = f"Annotated[{ast.unparse(node.annotation)}, DISTINCT]"
            node.annotation = ast.parse(text, mode="eval").body
        node.annotation = _without(node.annotation, {"validate_default", "json_schema_extra"})
        return self.generic_visit(node)


def _without(node: Any, keywords: set[str]) -> Any:
    """Drop keyword arguments: what the field says itself, or what stands elsewhere now."""
    for call in (item for item in ast.walk(node) if isinstance(item, ast.Call)):
        call.keywords = [keyword for keyword in call.keywords if keyword.arg not in keywords]
    return node


def _drop_unused_imports(tree: ast.Module) -> None:
    """Drop unused names, and the future import: pydantic is faster with types than with texts of them."""
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            node.names = [name for name in node.names if (name.asname or name.name) in used]
    tree.body = [node for node in tree.body if not isinstance(node, ast.ImportFrom) or node.names]
