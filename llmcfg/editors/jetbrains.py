"""JetBrains' IDEs: the mapping of the schema in the project's ``.idea`` folder."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import quoteattr

from llmcfg.editors.changes import Change, Mapping, present
from llmcfg.editors.jsonc import Unmergeable

NAME = "llmcfg"
_COMPONENT = "JsonSchemaMappingsProjectConfiguration"
_EMPTY = f"""\
<?xml version="1.0" encoding="UTF-8"?>
<project version="4">
  <component name="{_COMPONENT}">
    <state>
      <map>
      </map>
    </state>
  </component>
</project>
"""
_ENTRY = re.compile(rf'[ \t]*<entry key="{NAME}">.*?</entry>\r?\n?', re.DOTALL)
_MAP = re.compile(
    rf'(<component name="{_COMPONENT}">\s*<state>\s*)(?:<map\s*/>|<map>(.*?)([ \t]*)</map>)', re.DOTALL
)


def named(schema: str, folder: str | None) -> str:
    """Return the path of the schema as the IDE names it: from the project's folder, or absolute."""
    return Path(schema if folder is None else os.path.relpath(schema, folder)).as_posix()


def changes(wanted: Mapping) -> Iterator[Change]:
    """Yield ``.idea/jsonSchemas.xml``, if it has to change."""
    path = os.path.join(wanted.folder, ".idea", "jsonSchemas.xml")
    try:
        before = present(wanted.folder, ".idea", "jsonSchemas.xml")
        after = _merged(before or _EMPTY, _entry(wanted))
    except Unmergeable as reason:
        yield Change(path, None, f"{reason}; add to its <map>:\n{_entry(wanted)}")
        return
    if after != before:
        yield Change(path, after)


def _merged(text: str, entry: str) -> str:
    """Put the entry into the map, in place of one of the same name."""
    match = _MAP.search(text)
    if match is None or len(_MAP.findall(text)) > 1 or "<!--" in text:
        raise Unmergeable("it does not look as the IDE writes it")
    ending = "\r\n" if "\r\n" in text else "\n"
    others = _ENTRY.sub("", match[2] or ending)
    inside = f"{others.rstrip(' ')}{entry.replace(chr(10), ending)}{match[3] or '      '}"
    return f"{text[: match.start()]}{match[1]}<map>{inside}</map>{text[match.end() :]}"


def _entry(wanted: Mapping) -> str:
    items = [
        f"""\
                  <Item>
                    <option name="pattern" value="true" />
                    <option name="path" value={quoteattr(pattern)} />
                    <option name="mappingKind" value="Pattern" />
                  </Item>
"""
        for pattern in sorted(wanted.patterns, key=str.lower)
    ]
    return f"""\
        <entry key="{NAME}">
          <value>
            <SchemaInfo>
              <option name="name" value="{NAME}" />
              <option name="relativePathToSchema" value={quoteattr(wanted.schema)} />
              <option name="schemaVersion" value="JSON Schema version 7" />
              <option name="patterns">
                <list>
{"".join(items)}                </list>
              </option>
            </SchemaInfo>
          </value>
        </entry>
"""
