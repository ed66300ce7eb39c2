"""The door to static extraction, which needs griffe."""

from __future__ import annotations

from collections.abc import Callable

from llmcfg.audit.facts import Inventory
from llmcfg.errors import UserError


def require() -> Callable[..., Inventory]:
    """Return the function that reads sources.

    Raises:
        UserError: if griffe is not installed.
    """
    try:
        from llmcfg.audit.extract import extract
    except ImportError as error:
        raise UserError(
            f"reading an engine's sources needs {error.name}: pip install 'llmcfg[audit]'"
        ) from None
    return extract
