"""The process that holds the engine: it imports it once, for one machine, and answers in forked children.

Started by `llmcfg.resolve.client`; speaks over one connection, of which the file descriptor is its argument.
Questions come pickled, since they know the classes of native objects; answers go back as JSON.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Any

from llmcfg.resolve.fork import Died, forked
from llmcfg.resolve.models import with_names
from llmcfg.resolve.question import Answer, Question, Refusal, Setup, as_json, engine_as_json


def main() -> None:
    """Prepare the engine, then answer until the other side closes."""
    connection = Connection(int(sys.argv[1]))
    os.dup2(2, 1)
    setup: Setup = connection.recv()
    if setup.source is not None:
        sys.path.insert(0, setup.source)
    resolver = import_module(setup.resolver or f"llmcfg.resolve.{setup.backend}.resolver")
    try:
        engine = resolver.prepare(setup)
    except ImportError as error:
        _send(connection, {"absent": str(error)})
        return
    gc.disable()  # a collection in a child would copy all memory that it shares with this process
    gc.freeze()
    _send(connection, {"engine": engine_as_json(engine)})
    while True:
        try:
            question, seconds = connection.recv()
        except EOFError:
            return
        connection.send_bytes(_answer(resolver, question, seconds))


def _answer(resolver: Any, question: Question, seconds: float) -> bytes:
    try:
        return forked(lambda: _encoded(resolver.resolve(question)), seconds)
    except Died as died:
        return _encoded(Answer("nothing", Refusal(type(died).__name__, str(died))))


def _encoded(answer: Answer) -> bytes:
    return with_names(json.dumps(as_json(answer), default=str)).encode()


def _send(connection: Connection, data: Any) -> None:
    connection.send_bytes(json.dumps(data).encode())
