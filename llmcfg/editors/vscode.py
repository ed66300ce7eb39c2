"""VS Code: the schema for YAML and JSON configs, the extension that reads it, and a task that validates."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from llmcfg.editors.changes import Change, Mapping, is_own, present
from llmcfg.editors.jsonc import Unmergeable, added, appended, parse, replaced

EXTENSION = "redhat.vscode-yaml"
TASK: dict[str, Any] = {
    "label": "llmcfg: validate",
    "type": "process",
    "command": "llmcfg",
    "args": ["validate", "--color", "never", "${file}"],
    "presentation": {"reveal": "silent"},
    "problemMatcher": {
        "owner": "llmcfg",
        "fileLocation": ["autoDetect", "${workspaceFolder}"],
        "pattern": {
            "regexp": r"^(.+?):(\d+):(\d+): (error|warning|info)\[(L\d+)\] (.*)$",
            "file": 1,
            "line": 2,
            "column": 3,
            "severity": 4,
            "code": 5,
            "message": 6,
        },
    },
}


def named(schema: str, folder: str | None) -> str:
    """Return the path of the schema as the settings name it: from the folder, or as a URI."""
    if folder is None:
        return Path(schema).as_uri()
    return f"./{Path(os.path.relpath(schema, folder)).as_posix()}"


def changes(wanted: Mapping) -> Iterator[Change]:
    """Yield the files under ``.vscode`` that have to change."""
    edits: dict[str, Callable[[str, Mapping], str]] = {
        "settings.json": _settings,
        "extensions.json": _extensions,
        "tasks.json": _tasks,
    }
    for name, edit in edits.items():
        path = os.path.join(wanted.folder, ".vscode", name)
        try:
            before = present(wanted.folder, ".vscode", name)
            text = edit(before or "{}\n", wanted)
            if text != before:
                yield Change(path, text)
        except Unmergeable as reason:
            yield Change(path, None, f"{reason}; add to it: {edit('{}', wanted)}")


def _settings(text: str, wanted: Mapping) -> str:
    yaml = tuple(pattern for pattern in wanted.patterns if not pattern.endswith(".json"))
    text = _yaml_schemas(text, wanted.schema, yaml)
    files = tuple(pattern for pattern in wanted.patterns if pattern.endswith(".json"))
    return _json_schemas(text, wanted.schema, files)


def _yaml_schemas(text: str, schema: str, patterns: tuple[str, ...]) -> str:
    node = _member(text, "yaml.schemas", {})
    if schema not in node.value:
        outdated = [span for key, span in node.keys.items() if is_own(key)]
        if not outdated:
            return added(text, ("yaml.schemas", schema), list(patterns))
        text = replaced(text, outdated[0], schema)
        node = _member(text, "yaml.schemas", {})
    listed = node.value[schema]
    for pattern in patterns:
        if pattern not in listed:
            text = appended(text, ("yaml.schemas", schema), pattern)
    return text


def _json_schemas(text: str, schema: str, patterns: tuple[str, ...]) -> str:
    for item in _member(text, "json.schemas", []).inside.values():
        if isinstance(item.value, dict) and is_own(str(item.value.get("url"))):
            url = item.inside["url"]
            return text if url.value == schema else replaced(text, (url.start, url.end), schema)
    return appended(text, ("json.schemas",), {"fileMatch": list(patterns), "url": schema})


def _extensions(text: str, wanted: Mapping) -> str:
    listed = _member(text, "recommendations", []).value + _member(text, "unwantedRecommendations", []).value
    return text if EXTENSION in listed else appended(text, ("recommendations",), EXTENSION)


def _tasks(text: str, wanted: Mapping) -> str:
    tasks = _member(text, "tasks", []).value
    if any(isinstance(task, dict) and task.get("label") == TASK["label"] for task in tasks):
        return text
    text = appended(text, ("tasks",), TASK)
    return text if "version" in parse(text).value else added(text, ("version",), "2.0.0")


def _member(text: str, key: str, otherwise: Any) -> Any:
    """Return the node of a key of the root, which must be of the same kind as ``otherwise``."""
    root = parse(text)
    if not isinstance(root.value, dict):
        raise Unmergeable("it is no object")
    node = root.inside.get(key) or parse(json.dumps(otherwise))
    if not isinstance(node.value, type(otherwise)):
        raise Unmergeable(f"{key} is something else than expected")
    return node
