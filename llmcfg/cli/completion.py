"""``llmcfg completion``."""

from __future__ import annotations

from llmcfg.cli.files import put
from llmcfg.errors import UserError


def run(shell: str) -> int:
    """Print the script that makes a shell complete llmcfg's commands and options."""
    from click.shell_completion import get_completion_class

    from llmcfg.cli.app import application

    cls = get_completion_class(shell)
    if cls is None:
        raise UserError(f"no completion for {shell}; there is bash, zsh and fish")
    put(cls(application(), {}, "llmcfg", "_LLMCFG_COMPLETE").source() + "\n")
    return 0
