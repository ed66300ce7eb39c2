"""The entry point, and the one place where exceptions end: exit codes tell whose fault it was."""

from __future__ import annotations

import gc
import os
import sys


def main() -> None:
    """Run the command line and exit.

    A run is short and frees nothing worth freeing: collecting garbage, and tearing the interpreter
    and the validator down at the end, would cost a quarter of its time.
    """
    gc.disable()
    status = run(sys.argv[1:])
    if sys.stderr is not None:
        sys.stderr.flush()
    os._exit(status)


def run(words: list[str]) -> int:
    """Run one command; return the exit status."""
    if sys.stdout is None:
        from llmcfg.cli.files import Closed

        sys.stdout = Closed()
    try:
        status = _dispatch(words)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except Exception as error:
        return _report(error)
    return status


def _dispatch(words: list[str]) -> int:
    from llmcfg.cli import quick

    parsed = None if "_LLMCFG_COMPLETE" in os.environ else quick.parse(words)
    if parsed is not None:
        return quick.call(*parsed)
    from llmcfg.cli.app import application

    try:
        application().main(words, prog_name="llmcfg", standalone_mode=True)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 2
    return 0


def _report(error: Exception) -> int:
    from llmcfg.cli.files import tell
    from llmcfg.errors import UserError
    from llmcfg.printable import one_line

    if isinstance(error, OSError) and error.filename is None:
        error = UserError(f"cannot write the result: {error.strerror}")
    if isinstance(error, UserError):
        tell("".join(f"llmcfg: {one_line(str(reason), 1000)}\n" for reason in error.args))
        return 2
    import traceback

    tell(traceback.format_exc())
    tell("llmcfg: this is a bug in llmcfg; please report it with the lines above\n")
    return 3


if __name__ == "__main__":
    main()
