"""Characters that look like others, or like nothing, called by name; loaded only where a text holds some."""

from __future__ import annotations

import re
import unicodedata

from llmcfg.diagnostics import Place
from llmcfg.document import lines_of
from llmcfg.printable import INVISIBLE, SPACES

_MEANT = {
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\uff02", '"'),
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\uff07", "'"),
    **dict.fromkeys("\uff1a\ua789\u2236\ufe55", ":"),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212\uff0d", "-"),
    **dict.fromkeys("\uff0c\u3001\ufe50", ","),
    **dict(zip("\uff03\uff3b\uff3d\uff5b\uff5d", "#[]{}", strict=True)),
}
"""What a character is taken for that YAML takes for a letter."""
_LETTERS = str.maketrans(
    "\u0430\u0441\u0501\u0435\u04bb\u0456\u0458\u043a\u043c\u043f\u043e\u0440\u0455\u0442\u0443\u0432\u0445\u043b\u03b1\u03b5\u03b9\u03ba\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7",
    "acdehijkmnopstuvxlaeikvoptux",
)
"""Small letters of the Cyrillic and Greek scripts, and the Latin ones that they look or sound like."""
_MARKS = re.compile(f"[{SPACES}{INVISIBLE}{''.join(_MEANT)}]")
_HIDDEN = re.compile("[\u00ad\u115f\u1160\u180e\u200b\u2060-\u2064\u2800\u3164\uffa0\U000e0000-\U000e007f]")
_SPACE = re.compile(f"[{SPACES}]")
_UNSEEN = re.compile(f"[{SPACES}{INVISIBLE}]")
_NAMES = {"\0": "NUL", "\x1b": "ESCAPE", "\x7f": "DELETE", "\x85": "NEXT LINE", "\ufeff": "BYTE ORDER MARK"}
_MOST_NAMED = 3


def named(character: str) -> str:
    """Call a character by its code point and name."""
    name = _NAMES.get(character) or unicodedata.name(character, "")
    return f"U+{ord(character):04X} {name}".rstrip()


def note(text: str) -> str:
    """Say which characters of a text are not plain ASCII; the first few of them."""
    odd = list(dict.fromkeys(character for character in text if ord(character) > 0x7E))
    more = ", …" if len(odd) > _MOST_NAMED else ""
    return f"It holds {', '.join(map(named, odd[:_MOST_NAMED]))}{more}."


def unseen(text: str) -> str | None:
    """Return the first character of a text that cannot be seen, or looks like a space."""
    found = _UNSEEN.search(text)
    return found[0] if found else None


def hidden(text: str) -> str | None:
    """Return the first character of a value that cannot be seen, and that no script or emoji needs."""
    found = _HIDDEN.search(text)
    return found[0] if found else None


def folded(text: str) -> str:
    """Return what a reader takes a text for: plain letters without accents, nothing that cannot be seen."""
    plain = unicodedata.normalize("NFKD", _UNSEEN.sub("", text)).translate(_LETTERS)
    return "".join(character for character in plain if not unicodedata.combining(character))


def without(character: str, text: str) -> str:
    """Return the text that was meant: a space for what looks like one, nothing for what cannot be seen."""
    return text.replace(character, " " if _SPACE.match(character) else "").strip()


def misread_mark(text: str, first: int, last: int) -> tuple[str, Place, str] | None:
    """Find a character, on the lines from ``first`` to ``last``, that is taken for a mark of YAML.

    Returns the character, its place, and what to write in its place (nothing for an invisible one);
    None where the lines hold no such character outside of quotes and comments.
    """
    lines = lines_of(text)
    for number, line in enumerate(lines[first - 1 : last], first):
        for found in _MARKS.finditer(line):
            before = line[: found.start()]
            if " #" in before or before.count('"') % 2 or before.count("'") % 2:
                break
            return found[0], Place(number, found.start() + 1), _taken_for(found[0])
    return None


def _taken_for(character: str) -> str:
    if character in _MEANT:
        return f"`{_MEANT[character]}`"
    return "a space" if _SPACE.match(character) else ""
