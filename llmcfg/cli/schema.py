"""``llmcfg schema``."""

from __future__ import annotations

from llmcfg.cli.checked import report, request
from llmcfg.cli.files import deliver, put
from llmcfg.data import data_path, data_text
from llmcfg.document import Document
from llmcfg.errors import UserError

NAME = "llmcfg.schema.json"


def run(
    backend: str | None, backend_version: str | None, output: str | None, path: bool, of_reports: bool
) -> int:
    """Print the editor schema: whole, for one backend, or for one release of it; or that of reports."""
    if of_reports and (backend or backend_version or path):
        raise UserError("--report is the one schema of all reports; it goes with --output alone")
    if of_reports:
        from llmcfg.report.as_json import schema

        deliver(schema(), output)
        return 0
    if path and (backend or backend_version or output):
        raise UserError("--path is where the whole schema is installed; it goes without other options")
    if path:
        put(f"{data_path(NAME)}\n")
        return 0
    if backend is None and backend_version is not None:
        raise UserError("--backend-version is the version of one backend; name it with --backend")
    deliver(data_text(NAME) if backend is None else _edition(backend, backend_version), output)
    return 0


def _edition(backend: str, version: str | None) -> str:
    from llmcfg.editions import edition
    from llmcfg.editor_schema import written

    request(backend, None, version)
    if version is not None:
        from llmcfg.checking.versions import check_version

        report(Document(None, "--backend-version"), list(check_version(backend, version, ())))
    return written(edition(backend, version))
