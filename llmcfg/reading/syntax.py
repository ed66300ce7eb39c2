"""What libyaml says of text that is not YAML, in our words; loaded only when there is something to say."""

from __future__ import annotations

from typing import Any

from llmcfg.diagnostics import Diagnostic, Place
from llmcfg.document import place_of
from llmcfg.printable import printable
from llmcfg.reading.culprits import culprit

_ESCAPE = ("unknown escape in a double-quoted text", "Use single quotes for a text with backslashes.")
_NO_DIRECTIVE = "Remove this line; a text that starts with % needs quotes."
_TAB = ("a tab cannot indent a line", "Indent with spaces.")
_FRIENDLIER = {
    "mapping values are not allowed in this context": (
        "a mapping is not allowed here",
        "Check the indentation, and quote a text that holds ': '.",
    ),
    "block sequence entries are not allowed in this context": (
        "a list is not allowed here",
        "Put each `- item` on its own line, or write [a, b]; quote a text that starts with '- '.",
    ),
    "mapping keys are not allowed in this context": (
        "a key is not allowed here",
        "Quote a text that starts with '? '.",
    ),
    "found character that cannot start any token": (
        "a value cannot start with this character",
        "Quote a text that starts with @, ` or %.",
    ),
    "found a tab character that violates indentation": _TAB,
    "found unknown escape character": _ESCAPE,
    "did not find expected hexdecimal number": _ESCAPE,
    "found invalid Unicode character escape code": (
        "the escape stands for no character",
        "Write the character itself.",
    ),
    "did not find expected alphabetic or numeric character": (
        "an anchor or alias without a name",
        "Quote a text that starts with & or *.",
    ),
    "did not find expected node content": (
        "a value is expected here",
        "Check the brackets and commas, here and above.",
    ),
    "did not find expected '-' indicator": (
        "a list item is expected here",
        "Check the indentation: keys cannot stand beside the items of a list.",
    ),
    "found unexpected ':'": ("a colon is not allowed here", "Put a space after the colon of a key."),
    "could not find expected ':'": (
        "a key without a colon",
        "Write `key: value`, with a space after the colon.",
    ),
    "did not find expected key": (
        "a key is expected here",
        "Check the indentation and the quotes, of this line and of those above.",
    ),
    "did not find expected <document start>": (
        "something stands after the end of the document",
        "Check the indentation: the rest of the file must belong to the same mapping.",
    ),
    "found incompatible YAML document": ("the file asks for another YAML than 1.2", _NO_DIRECTIVE),
    "found unknown directive name": ("there is no such directive", _NO_DIRECTIVE),
    "could not find expected directive name": ("a directive without a name", _NO_DIRECTIVE),
    "did not find expected version number": ("a %YAML line without a version", _NO_DIRECTIVE),
    "found extremely long version number": ("a %YAML line without a version", _NO_DIRECTIVE),
    "found duplicate %YAML directive": ("a second %YAML line", "Remove it."),
    "found duplicate %TAG directive": ("the same tag handle again", "Remove it: tags are not supported."),
    "found undefined tag handle": ("an unknown tag", "Remove the tag; quote a text that starts with !."),
    "did not find expected tag URI": ("a tag without a name", "Quote a text that starts with !."),
    "found an indentation indicator equal to 0": ("an indentation of 0", "Write | or > alone."),
    "did not find expected comment or line break": (
        "a text block starts on its own line",
        "Put the text below | or >, indented; quote a text that starts with | or >.",
    ),
    "found a tab character where an indentation space is expected": _TAB,
}

_OTHER_VERSION = "found incompatible YAML document"
_DIRECTIVES = frozenset(
    (_OTHER_VERSION, "found unknown directive name", "could not find expected directive name")
)
_LONGEST_KEY = 1024
_BEFORE_KEYS = " \t,{}[]"
_UNCLOSED = {
    "did not find expected ',' or ']'": ("list", "`,` or `]`"),
    "did not find expected ',' or '}'": ("mapping", "`,` or `}`"),
}


def syntax_problem(error: Any, text: str) -> Diagnostic:
    """Say in our words what libyaml says, and point at what is open where the text ends too early."""
    problem = error.problem or error.context
    mark = error.problem_mark or error.context_mark
    ended = not text[mark.index :].strip()
    if problem == "found unexpected end of stream":
        return _unreadable("the quote is never closed", error.context_mark or mark, "Close the quote.")
    if not text.isascii() and (found := _misread(text, mark)):
        return found
    if found := _long_key(text, mark) or culprit(error, text):
        return found
    if problem in _UNCLOSED:
        what, missing = _UNCLOSED[problem]
        start = error.context_mark
        if ended:
            return _unreadable(f"the {what} is never closed", start, f"Add the missing {missing}.")
        opened = f"The {what} that starts at line {start.line + 1}, column {start.column + 1} is still open."
        return _unreadable(f"{missing} is expected here", mark, opened)
    if found := _at_mark(problem, text[mark.index : mark.index + 1], mark):
        return found
    if text[mark.index : mark.index + 1] == "\t" and problem == "found character that cannot start any token":
        return _unreadable(_TAB[0], mark, _TAB[1])
    message, hint = _FRIENDLIER.get(problem, (printable(problem, 120), None))
    if ended:
        return Diagnostic("L003", message, hint=hint, place=place_of(text.rstrip()))
    return _unreadable(message, mark, hint)


def _at_mark(problem: str, character: str, mark: Any) -> Diagnostic | None:
    """Say what is wrong with a character that stands where none of its kind can."""
    if problem == "did not find expected node content" and character and character in "]}":
        hint = f"Check the brackets, here and above; quote a text that starts with {character}."
        return _unreadable(f"no value starts with {character}", mark, hint)
    if problem == "did not find expected key" and character and character in "&*!":
        hint = "A value takes one anchor, and no tag; quote a text that starts with &, * or !."
        return _unreadable(f"{character} is not allowed here", mark, hint)
    if problem in _DIRECTIVES:
        code = "L005" if problem == _OTHER_VERSION else "L003"
        message, hint = _FRIENDLIER[problem]
        return Diagnostic(code, message, hint=hint, place=Place(mark.line + 1, 1))
    return None


def _long_key(text: str, mark: Any) -> Diagnostic | None:
    """Look for a key that is longer than libyaml takes one."""
    if text[mark.index : mark.index + 1] != ":":
        return None
    line = text[: mark.index].rpartition("\n")[2].rstrip()
    if line[-1:] in ("'", '"'):
        start = line.rfind(line[-1], 0, -1)
    else:
        start = 1 + max(line.rfind(separator) for separator in _BEFORE_KEYS)
    if len(line) - start < _LONGEST_KEY:
        return None
    message, hint = f"a key of more than {_LONGEST_KEY} characters", "Shorten it; YAML takes no longer keys."
    return Diagnostic("L003", message, hint=hint, place=Place(mark.line + 1, start + 1))


def _misread(text: str, mark: Any) -> Diagnostic | None:
    """Look for the cause in a character, there or one line above, that only looks like a mark of YAML."""
    from llmcfg.reading.lookalikes import misread_mark, named

    found = misread_mark(text, max(mark.line, 1), mark.line + 1)
    if found is None:
        return None
    character, place, meant = found
    hint = f"Write {meant}; quote a text that holds the character." if meant else "Remove it."
    return Diagnostic("L003", f"{named(character)} is a letter to YAML", hint=hint, place=place)


def _unreadable(message: str, mark: Any, hint: str | None) -> Diagnostic:
    return Diagnostic("L003", message, hint=hint, place=Place(mark.line + 1, mark.column + 1))
