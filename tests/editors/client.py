"""A client of language servers, as small as an editor can be: it opens texts and asks at places."""

from __future__ import annotations

import itertools
import json
import queue
import subprocess
import threading
from typing import IO, Any, NamedTuple

Json = Any
TIMEOUT = 60


class Place(NamedTuple):
    """A place in a text: line and character, both from 0, as the protocol counts them."""

    line: int
    character: int


class Server:
    """A running language server; the settings are what an editor's user would have set, which is nothing."""

    def __init__(self, command: list[str], settings: Json) -> None:
        self.settings = settings
        self.language = ""
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.incoming: queue.Queue[Json] = queue.Queue()
        self.answers: dict[int, Json] = {}
        self.published: dict[str, list[Json]] = {}
        self.ids = itertools.count(1)
        threading.Thread(target=self._read, daemon=True).start()
        self.capabilities = self.ask("initialize", INITIALIZE)["capabilities"]
        self.notify("initialized", {})
        self.notify("workspace/didChangeConfiguration", {"settings": settings})

    def close(self) -> None:
        """End the server."""
        self.process.kill()
        self.process.communicate()

    def ask(self, method: str, params: Json) -> Json:
        """Return the server's answer to one question."""
        return self.answer(self.send(method, params))

    def send(self, method: str, params: Json) -> int:
        """Ask, and return the number under which the answer will come."""
        number = next(self.ids)
        self._write({"id": number, "method": method, "params": params})
        return number

    def notify(self, method: str, params: Json) -> None:
        """Tell the server something."""
        self._write({"method": method, "params": params})

    def answer(self, number: int) -> Json:
        """Wait for an answer."""
        while number not in self.answers:
            self._handle(self.incoming.get(timeout=TIMEOUT))
        message = self.answers.pop(number)
        if "error" in message:
            raise RuntimeError(message["error"])
        return message["result"]

    def diagnostics(self, uri: str) -> list[Json]:
        """Wait for what the server has to say of a text."""
        while uri not in self.published:
            self._handle(self.incoming.get(timeout=TIMEOUT))
        return self.published[uri]

    def _handle(self, message: Json) -> None:
        if "method" not in message:
            self.answers[message["id"]] = message
        elif message["method"] == "textDocument/publishDiagnostics":
            self.published[message["params"]["uri"]] = message["params"]["diagnostics"]
        elif "id" in message:
            self._write({"id": message["id"], "result": self._reply(message)})

    def _reply(self, message: Json) -> Json:
        if message["method"] == "workspace/configuration":
            return [self.settings.get(item.get("section")) for item in message["params"]["items"]]
        return None

    def _write(self, message: Json) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self.process.stdin.flush()

    def _read(self) -> None:
        assert self.process.stdout
        while (message := _message(self.process.stdout)) is not None:
            self.incoming.put(message)


def _message(stream: IO[bytes]) -> Json:
    length = 0
    while line := stream.readline().strip():
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return json.loads(stream.read(length)) if length else None


INITIALIZE = {
    "processId": None,
    "rootUri": None,
    "capabilities": {
        "workspace": {"configuration": True, "workspaceFolders": True},
        "textDocument": {
            "completion": {
                "completionItem": {
                    "snippetSupport": True,
                    "documentationFormat": ["markdown", "plaintext"],
                    "deprecatedSupport": True,
                    "tagSupport": {"valueSet": [1]},
                }
            },
            "hover": {"contentFormat": ["markdown", "plaintext"]},
            "publishDiagnostics": {"relatedInformation": True},
        },
    },
    "initializationOptions": {"provideFormatter": False},
}
