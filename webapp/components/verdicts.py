"""Guard verdicts for people: the rule in plain words, how bad it is, and the words of the draft that broke it."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Protocol

from db.vocabulary import Severity


class Verdict(Protocol):
    """What a finding of the guard must tell; violations and stored verdicts both do."""

    @property
    def rule(self) -> str:
        """Name of the rule."""
        ...

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        ...

    @property
    def message(self) -> str:
        """One sentence, safe to show."""
        ...

    @property
    def start(self) -> int | None:
        """First character of the offending words, where there are any."""
        ...

    @property
    def end(self) -> int | None:
        """One past their last character."""
        ...


RULE_WORDS = {
    "format_leak": "Not written as a message",
    "internal_words": "An internal word",
    "unknown_number": "A number that nobody gave",
    "price_kind": "Net and selling price mixed up",
    "wrong_name": "Another room, hotel, site or currency",
    "acceptance_on_silence": "Takes silence for a yes",
    "pushing_on": "Pushes on after a good offer",
    "promises": "A promise we may not make",
    "pressure": "Pressure or a threat",
    "invented_facts": "A claim we cannot back",
    "move_mismatch": "Does something else than it says",
    "missing_confirmation": "The confirmation leaves something out",
    "mixed_language": "Two languages in one message",
    "repetition": "Said before in the same words",
    "length": "Too long, or empty",
}
_SEVERITY_WORDS = {Severity.MINOR: "minor", Severity.MAJOR: "important", Severity.SEVERE: "serious"}


def rule_words(rule: str) -> str:
    """A rule's name in plain words."""
    return RULE_WORDS.get(rule, rule.replace("_", " ").capitalize())


def highlight(text: str, verdicts: Iterable[Verdict]) -> str:
    """The text as HTML with the offending spans marked. Overlapping spans are merged; the mark's title names the rules."""
    spans = sorted(
        (max(0, verdict.start), min(len(text), verdict.end), rule_words(verdict.rule))
        for verdict in verdicts
        if verdict.start is not None and verdict.end is not None and verdict.start < verdict.end and verdict.start < len(text)
    )
    parts: list[str] = []
    at = 0
    for start, end, title in _merged(spans):
        parts += [escape(text[at:start]), f'<mark class="p-mark" title="{escape(title)}">{escape(text[start:end])}</mark>']
        at = end
    return "".join(parts) + escape(text[at:])


def verdict_list(verdicts: Sequence[Verdict], text: str) -> str:
    """The findings as an HTML list, the worst first; the empty string where there are none."""
    if not verdicts:
        return ""
    order = [Severity.SEVERE, Severity.MAJOR, Severity.MINOR]
    ranked = sorted(verdicts, key=lambda verdict: order.index(verdict.severity))
    return '<ul class="p-verdicts">' + "".join(_item(verdict, text) for verdict in ranked) + "</ul>"


def _item(verdict: Verdict, text: str) -> str:
    quoted = ""
    if verdict.start is not None and verdict.end is not None and text[verdict.start : verdict.end].strip():
        quoted = f" <q>{escape(text[verdict.start : verdict.end])}</q>"
    return (
        f'<li class="p-{verdict.severity}"><b>{escape(rule_words(verdict.rule))}</b>'
        f'<span class="p-tag">{_SEVERITY_WORDS[verdict.severity]}</span>{quoted}<br>{escape(verdict.message)}</li>'
    )


def _merged(spans: Sequence[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    merged: list[tuple[int, int, str]] = []
    for start, end, title in spans:
        if merged and start < merged[-1][1]:
            first, last, titles = merged[-1]
            both = titles if title in titles else f"{titles}; {title}"
            merged[-1] = (first, max(last, end), both)
        else:
            merged.append((start, end, title))
    return merged
