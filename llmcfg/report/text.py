"""Diagnostics as lines: ``FILE:LINE:COLUMN: error[L103] message``, with hint, notes and excerpts below."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from llmcfg.diagnostics import Diagnostic, Place
from llmcfg.printable import one_line
from llmcfg.report.checked import SEVERITIES, Checked
from llmcfg.report.look import Look

_MOST_NOTES = 20


def text_report(checked: Checked, look: Look) -> Iterator[str]:
    """Yield the lines of one file, a line or more for each diagnostic."""
    excerpts = _Excerpts(checked, look) if look.excerpts and checked.diagnostics else None
    file = one_line(checked.file, 4000)
    for item in checked.diagnostics:
        place = f"{file}{_position(item.place)}:"
        kind = look.paint(f"{item.severity}[{item.code}]", item.severity)
        rule = f" [{item.rule}]" if item.rule else ""
        yield f"{look.paint(place, 'strong')} {kind} {one_line(item.message, 600)}{rule}\n"
        if excerpts and item.place:
            yield from excerpts.of(item.place, item.severity)
        if item.hint:
            yield f"  {look.paint('hint:', 'hint')} {one_line(item.hint, 1000)}\n"
        for text, other in notes(item):
            place = f"{file}{_position(other)}:"
            yield f"  {look.paint('note:', 'note')} {look.paint(place, 'strong')} {one_line(text)}\n"
            if excerpts:
                yield from excerpts.of(other, "note")


def notes(item: Diagnostic) -> list[tuple[str, Place]]:
    """Return the other places that take part, where the file has them."""
    return [(text, place) for text, place in item.related if place][:_MOST_NOTES]


def summary(files: int, affected: int, counts: Mapping[str, int], look: Look) -> str:
    """Return the last line of a run that found something: counts on a terminal, else that all is well."""
    of = f"{files} file{'s' if files != 1 else ''}"
    if not look.excerpts:
        return f"{of} checked: no errors\n"
    told = [_counted(counts[severity], severity) for severity in SEVERITIES if counts[severity]]
    worst = next(severity for severity in SEVERITIES if counts[severity])
    found = look.paint(", ".join(told), worst)
    return f"{found} in {of}\n" if affected == files else f"{found} in {affected} of {of}\n"


def _counted(number: int, severity: str) -> str:
    return f"{number} {severity}{'s' if number != 1 and severity != 'info' else ''}"


def _position(place: Place | None) -> str:
    return f":{place.line}:{place.column}" if place else ""


class _Excerpts:
    """The excerpts of one file, whose tokens are looked for once; secrets are not shown."""

    def __init__(self, checked: Checked, look: Look) -> None:
        from llmcfg.reading.extent import Source
        from llmcfg.secrets import masked_text

        self._shown = Source(masked_text(checked.document))
        self._look = look
        places = [item.place for item in checked.diagnostics if item.place]
        places += [place for item in checked.diagnostics for _, place in notes(item)]
        self._ends = Source(checked.document.text).ends(places)

    def of(self, place: Place, style: str) -> Iterator[str]:
        from llmcfg.report.excerpt import excerpt

        line = self._shown.line(place.line)
        for text in excerpt(line, place, self._ends[place], self._look, style):
            yield f"{text}\n"
