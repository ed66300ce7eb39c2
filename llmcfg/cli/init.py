"""``llmcfg init``."""

from __future__ import annotations

import os
import re
import shlex
from importlib import import_module
from pathlib import Path

from llmcfg import __version__
from llmcfg.catalog import backends
from llmcfg.cli.checked import request
from llmcfg.cli.files import deliver, tell
from llmcfg.cli.schema import NAME
from llmcfg.data import data_path, data_text
from llmcfg.editors.changes import Change, mapping
from llmcfg.errors import UserError
from llmcfg.gpus import CPU, Gpu, find
from llmcfg.printable import one_line, printable
from llmcfg.starter.fit import Misfit, Starter, fit
from llmcfg.starter.templates import Template, templates, titles

COPY = f"llmcfg-{__version__}.schema.json"
_PLAIN = re.compile(r"[A-Za-z0-9_./+@~-]+")


def run(
    path: str | None,
    backend: str | None,
    gpu: str | None,
    template: str | None,
    editor: str | None,
    model: str | None,
    copy_schema: bool,
    force: bool,
) -> int:
    """Write a starter config to ``path`` (``llmcfg.yaml``), and what else is asked for."""
    if template == "list":
        deliver(_listing(), None)
        return 0
    path = path or "llmcfg.yaml"
    if model == "":
        raise UserError("--model: a model has a name")
    if path.lower().endswith(".json"):
        raise UserError(f"{one_line(path)} would be JSON, which has no comments; name it .yaml")
    starter = _starter(backend or "vllm", request(None, gpu, None).gpu, template, model)
    if path == "-":
        return _printed(starter, copy_schema, editor)
    files = _files(path, starter, copy_schema, force)
    settings = _settings(path, editor, copy_schema)
    for file, text in files.items():
        deliver(text, file)
    for change in settings:
        _write(change)
    others = [os.path.relpath(change.path) for change in settings if change.text is not None]
    wrote = ", ".join(map(one_line, [path, *(file for file in files if file != path), *others]))
    tell(f"wrote {wrote}; check it with: llmcfg validate {one_line(shlex.quote(path))}\n")
    return max((_left_alone(change) for change in settings), default=0)


def _listing() -> str:
    """Say of each template what it is for, and which backends have it."""
    from llmcfg.report.tables import text_table

    rows = [("template", "backends", "for")]
    rows += [(name, " ".join(names), title) for name, (title, names) in titles().items()]
    return "\n".join([*text_table(rows), ""])


def _starter(backend: str, gpu_name: str | None, name: str | None, model: str | None) -> Starter:
    gpu = find(gpu_name) if gpu_name is not None else None
    usual = next(iter(_fitting(backend, gpu)), None) if gpu is CPU else next(iter(templates(backend)))
    if (name := name or usual) is None:
        able = [other for other in backends() if _fitting(other, gpu)]
        title = backends()[backend]["title"]
        raise UserError(f"{title} has no template for a machine without a GPU; {' and '.join(able)} have one")
    try:
        return fit(_template(backend, name), gpu, model)
    except Misfit as misfit:
        raise UserError(f"{misfit.problem.message}. {_way_out(misfit, backend, gpu)}") from None


def _template(backend: str, name: str) -> Template:
    known = templates(backend)
    if name in known:
        return known[name]
    listed = "; `llmcfg init --template list` tells what they are for"
    if name in titles():
        raise UserError(f"--template {name} is not for {backend}, which has {', '.join(known)}{listed}")
    from llmcfg.checking.suggest import nearest

    near = nearest(name, known)
    question = f"; did you mean {near}?" if near else ""
    raise UserError(f"--template {one_line(name, 40)} is none of {', '.join(known)}{question}{listed}")


def _fitting(backend: str, gpu: Gpu | None) -> list[str]:
    """Return the names of the templates that suit the GPU."""

    def suits(template: Template) -> bool:
        try:
            fit(template, gpu, None)
        except Misfit:
            return False
        return True

    return [name for name, template in templates(backend).items() if suits(template)]


def _way_out(misfit: Misfit, backend: str, gpu: Gpu | None) -> str:
    hint = f"{misfit.problem.hint} " if misfit.problem.hint else ""
    others = _fitting(backend, gpu)
    if not others:
        return f"{hint}No template for {backend} suits it."
    return f"{hint}Templates that suit it: {', '.join(others)}."


def _printed(starter: Starter, copy_schema: bool, editor: str | None) -> int:
    from llmcfg.starter.text import starter_text

    for option, given in (("--copy-schema", copy_schema), ("--editor", editor not in (None, "none"))):
        if given:
            raise UserError(f"{option} needs a file to stand beside")
    deliver(starter_text(starter, _reference(data_path(NAME))), None)
    return 0


def _files(path: str, starter: Starter, copy_schema: bool, force: bool) -> dict[str, str]:
    """Return the files to write, by path: the copy of the schema first, since the config names it."""
    from llmcfg.starter.text import starter_text

    if os.path.isdir(path):
        raise UserError(f"{one_line(path)} is a folder; name the file to write")
    if os.path.lexists(path) and not force:
        raise UserError(f"{one_line(path)} exists; --force overwrites it")
    if not copy_schema:
        return {path: starter_text(starter, _reference(data_path(NAME)))}
    copy = os.path.join(os.path.dirname(path), COPY)
    text = data_text(NAME)
    if os.path.lexists(copy) and not force and not _holds(copy, text):
        raise UserError(f"{one_line(copy)} exists and is another schema; --force overwrites it")
    return {copy: text, path: starter_text(starter, COPY)}


def _holds(path: str, text: str) -> bool:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read() == text
    except (OSError, ValueError):
        return False


def _reference(path: str) -> str:
    """Return the schema's path as a modeline takes it: a space in it would end the path."""
    return path if _PLAIN.fullmatch(path) else Path(path).as_uri()


def _settings(path: str, editor: str | None, copy_schema: bool) -> list[Change]:
    """Return the changes to the editor's settings in the folder where the editor is opened."""
    if editor in (None, "none"):
        return []
    config = os.path.abspath(path)
    folder = os.getcwd() if _is_below(config, os.getcwd()) else os.path.dirname(config)
    schema = os.path.join(os.path.dirname(config), COPY) if copy_schema else data_path(NAME)
    module = import_module(f"llmcfg.editors.{editor}")
    named = module.named(schema, folder if copy_schema else None)
    try:
        return list(module.changes(mapping(folder, named, config)))
    except OSError as error:
        where = one_line(str(error.filename))
        raise UserError(f"cannot read {where}: {error.strerror or error}") from None


def _is_below(path: str, folder: str) -> bool:
    return path.startswith(os.path.join(folder, ""))


def _write(change: Change) -> None:
    if change.text is None:
        return
    try:
        os.makedirs(os.path.dirname(change.path), exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot write {one_line(change.path)}: {error.strerror or error}") from None
    deliver(change.text, change.path)


def _left_alone(change: Change) -> int:
    """Say what to add by hand to a file that could not be added to safely; return the exit status."""
    if change.text is not None:
        return 0
    advice = "\n".join(map(printable, change.advice.split("\n")))
    tell(f"llmcfg: {one_line(os.path.relpath(change.path))} is left as it is: {advice}\n")
    return 2
