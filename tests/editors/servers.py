"""The language servers that people have: three releases of YAML's, and VS Code's for JSON."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from tests.editors.client import Json, Place, Server
from tests.editors.document import Document, document
from tests.support.node import modules, node


class Kind(NamedTuple):
    """A server: its package, its program, and the language of its files."""

    program: str
    language: str


KINDS = {
    "yaml-1.19.2": Kind("yaml-language-server-1.19/bin/yaml-language-server", "yaml"),
    "yaml-1.25.0": Kind("yaml-language-server-1.25/bin/yaml-language-server", "yaml"),
    "yaml-2.0.0": Kind("yaml-language-server-2.0/bin/yaml-language-server", "yaml"),
    "json": Kind("vscode-langservers-extracted/bin/vscode-json-language-server", "json"),
}
_SETTINGS = {
    "yaml": {"validate": True, "hover": True, "completion": True},
    "json": {"validate": {"enable": True}},
}


class Editor:
    """An editor with one server: it opens configs and returns what a user would see."""

    def __init__(self, kind: str, schema: str) -> None:
        program, self.language = KINDS[kind]
        self.kind = kind
        self.schema = schema
        self.server = Server([node(), str(modules() / program), "--stdio"], _SETTINGS)
        self.opened = 0

    def __enter__(self) -> Editor:
        return self

    def __exit__(self, *_: object) -> None:
        self.server.close()

    @property
    def is_json(self) -> bool:
        """Tell whether the files are JSON."""
        return self.language == "json"

    def open(self, data: Json) -> tuple[str, Document]:
        """Open a config that is given as data."""
        written = document(data, self.schema, self.language)
        return self.open_text(written.text), written

    def open_text(self, text: str, folder: Path = Path("/configs")) -> str:
        """Open a text as if it lay in the folder, and return under which name."""
        self.opened += 1
        uri = (folder / f"{self.opened}.{self.language}").as_uri()
        item = {"uri": uri, "languageId": self.language, "version": 1, "text": text}
        self.server.notify("textDocument/didOpen", {"textDocument": item})
        return uri

    def completions(self, uri: str, place: Place) -> list[Json]:
        """Return what is offered at a place."""
        found = self.server.ask("textDocument/completion", _at(uri, place))
        return list(found["items"] if isinstance(found, dict) else found or [])

    def complete(self, data: Json) -> list[Json]:
        """Return what is offered at the cursor of a config."""
        uri, written = self.open(data)
        return self.completions(uri, written.cursor)

    def hovers(self, uri: str, places: list[Place]) -> list[str]:
        """Return what is shown when the pointer rests on each of the places."""
        asked = [self.server.send("textDocument/hover", _at(uri, place)) for place in places]
        return [_text((self.server.answer(number) or {}).get("contents", "")) for number in asked]

    def problems(self, data: Json) -> tuple[list[Json], Document]:
        """Return what is marked as wrong in a config."""
        uri, written = self.open(data)
        return self.server.diagnostics(uri), written


def _at(uri: str, place: Place) -> Json:
    return {"textDocument": {"uri": uri}, "position": place._asdict()}


def _text(contents: Json) -> str:
    parts = contents if isinstance(contents, list) else [contents]
    return "\n".join(part["value"] if isinstance(part, dict) else part for part in parts)
