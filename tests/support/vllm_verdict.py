"""Whether vLLM did to a config what a rule says it does."""

from __future__ import annotations

import re
from typing import NamedTuple

from tests.support.breaking import hints
from tests.support.rule_judge import Rule
from tests.support.vllm_replay import Outcome

_REFUSAL = re.compile(r"refuse|fails|stops")
_AFFIX = re.compile(r"^(enable|disable|use)_|_size$")


class Verdict(NamedTuple):
    """Whether vLLM does what a rule says, by which evidence."""

    confirmed: bool
    how: str


def judged(rule: Rule, broken: Outcome, mended: Outcome) -> Verdict:
    """Compare what became of a config that breaks the rule with what became of the mended one.

    An error must be refused, in words about the rule's keys. Less than that must be changed, without effect
    or spoken of, or refused if the rule's own words say that it depends. The mended config must be accepted.
    """
    if mended.error:
        return Verdict(False, f"mended refused: {mended.error}; broken: {broken.error or broken.stage}")
    depends = bool(_REFUSAL.search(rule.facts["message"]))
    if rule.facts["severity"] == "error" or (depends and broken.error):
        return _refused(rule, broken)
    if broken.error:
        return Verdict(False, f"refused instead of altered: {broken.error}")
    if broken.effect is False and mended.effect is True:
        return Verdict(True, "without effect")
    return _altered(rule, broken, mended) or _logged(rule, broken, mended) or Verdict(False, "nothing seen")


def _refused(rule: Rule, broken: Outcome) -> Verdict:
    if not broken.error:
        return Verdict(False, "not refused")
    reason = broken.error.partition("[type=")[0]
    keys = {_AFFIX.sub("", key) for key in mentioned(rule)}
    if not _names(reason, keys) and not _says(rule, reason):
        return Verdict(False, f"refused for another reason: {broken.error}")
    return Verdict(True, f"refused after {broken.stage}: {broken.error}")


def _altered(rule: Rule, broken: Outcome, mended: Outcome) -> Verdict | None:
    names = mentioned(rule)
    lost = [name for name in broken.altered if _leaf(name) in names and name in mended.kept]
    return Verdict(True, f"altered {lost[0]} to {broken.altered[lost[0]]}") if lost else None


def _logged(rule: Rule, broken: Outcome, mended: Outcome) -> Verdict | None:
    said = [text for text in broken.logs if text not in mended.logs and _speaks_of(text, rule, broken)]
    return Verdict(True, f"logged {said[0]}") if said else None


def mentioned(rule: Rule) -> set[str]:
    """Return the last words of the keys that a rule speaks of."""
    facts = rule.facts
    paths = [facts["at"], *facts.get("also", ())]
    return {path.rpartition(".")[2] for path in paths}


def _leaf(name: str) -> str:
    return name.rpartition(".")[2]


def _speaks_of(text: str, rule: Rule, broken: Outcome) -> bool:
    """Tell whether a warning names a key of the rule, or a note its first key or one that was changed."""
    if text.startswith("WARNING"):
        return _names(text, mentioned(rule)) or _says(rule, text)
    central = {_leaf(rule.facts["at"]), *map(_leaf, broken.altered)}
    return _names(text, central & mentioned(rule))


def _names(text: str, keys: set[str]) -> bool:
    """Tell whether a text names a key, written as an option, as a flag or as words."""
    flat = _flat(text)
    return any(_flat(key) in flat for key in keys)


def _says(rule: Rule, text: str) -> bool:
    """Tell whether a text holds the words that stand for keys that vLLM does not name."""
    words = hints("vllm")["says"].get(rule.id)
    return bool(words and words in text)


def _flat(text: str) -> str:
    return re.sub(r"[-_ ]", "", text.lower())
