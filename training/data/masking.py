"""Personal data of hotels' people in free text: names, e-mail addresses and phone numbers become ``[name]``, ``[email]`` and ``[phone]``.

Two rules: what stands in the contacts is found in every form that people write it in; and whatever looks like an address or a phone number
goes too, whoever's it is. Prices and dates stay. A name that stands in no contact row is not recognised.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from agent.domain import TurnContext, Utterance
from db.models import Contact

_EMAIL = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")
_NUMBER = re.compile(r"(?<![\w.,])\+?\(?\d[\d ()./-]{5,}\d(?![\w]|[.,]\d)")
_DATE = re.compile(r"\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./]\d{2,4}")
_GROUPED = re.compile(r"\d{1,3}(?:[. ]000|\.\d{3})+")
"""Thousands set apart: an amount."""
_CALLING = re.compile(
    r"(?:tel|phone|call|mobile|cell|whats\s?app|wechat|viber|fax|reach|ring|电话|手机|微信|致电)\W*(?:\w+\W+){0,3}$", re.IGNORECASE
)
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_TITLES = r"(?=经理|先生|女士|小姐|总监|主任|老师|总)"
_PARTICLES = frozenset({"mr", "mrs", "ms", "dr", "de", "da", "do", "la", "van", "von", "der", "den"})
_ALSO_WORDS = frozenset(
    {
        "april", "art", "august", "bill", "bishop", "dawn", "dean", "ernest", "frank", "grace", "hope", "jack", "joy", "june", "king",
        "long", "mark", "max", "may", "miles", "page", "pat", "price", "ray", "rich", "rod", "rooms", "rose", "sue", "summer", "sunny",
        "will", "young",
    }
)  # fmt: skip
"""Names that are words as well: taken for a name only with a capital letter, and not beside a number ("3 May")."""


@dataclass(frozen=True, slots=True)
class Mask:
    """Hides the personal data of some people, and whatever looks like an address or a phone number."""

    known: tuple[tuple[re.Pattern[str], str], ...] = ()

    @classmethod
    def of(cls, contacts: Iterable[Contact]) -> "Mask":
        """For the people of a hotel."""
        known: list[tuple[re.Pattern[str], str]] = []
        for contact in contacts:
            if contact.email:
                known.append((re.compile(re.escape(contact.email), re.IGNORECASE), "[email]"))
            if contact.phone and (digits := re.sub(r"\D", "", contact.phone)):
                known.append((_phone(digits), "[phone]"))
        for contact in contacts:
            known.extend((pattern, "[name]") for pattern in _names(contact.name))
        return cls(tuple(known))

    def __call__(self, text: str) -> str:
        """The text without them."""
        for pattern, word in self.known:
            text = pattern.sub(word, text)
        return without_addresses(text)

    def context(self, context: TurnContext) -> TurnContext:
        """A turn's context without them; whatever the facts of the tickets say in fields of their own stays."""
        reading = context.hotel_move
        return replace(
            context,
            history=tuple(Utterance(said.speaker, self(said.text)) for said in context.history),
            facts=tuple(replace(facts, evidence=tuple(map(self, facts.evidence))) for facts in context.facts),
            hotel_move=replace(reading, conditions=tuple(map(self, reading.conditions))) if reading is not None else None,
        )


def without_addresses(text: str) -> str:
    """The text without e-mail addresses and phone numbers, whoever's. Doing it twice changes nothing."""
    return _NUMBER.sub(_number, _EMAIL.sub("[email]", text))


def _number(found: re.Match[str]) -> str:
    """A phone number has nine digits or more that are neither dates nor amounts; after a word of calling, or a plus, seven are enough."""
    candidate = found[0]
    rest = _GROUPED.sub("", _DATE.sub("", candidate))
    digits = sum(character.isdigit() for character in rest)
    called = candidate.startswith("+") or _CALLING.search(found.string[max(0, found.start() - 40) : found.start()]) is not None
    return "[phone]" if digits >= (7 if called else 9) else candidate


def _phone(digits: str) -> re.Pattern[str]:
    # The country's prefix is often left out: the last eight digits tell a number apart.
    tail = digits[-8:]
    return re.compile(r"(?<![\d.,])(?:[+(]?\d[\d ()./-]*?)??" + r"[ ()./-]*".join(tail) + r"(?![\d])")


def _names(name: str) -> list[re.Pattern[str]]:
    """The whole name, then its parts: longer ones first, since they hold the shorter."""
    whole = " ".join(name.split())
    if not whole:
        return []
    if _CHINESE.search(whole):
        patterns = [re.compile(re.escape(whole))]
        return patterns + ([re.compile(re.escape(whole[0]) + _TITLES)] if len(whole) > 1 else [])
    parts = [part for part in re.split(r"[\s.,]+", whole) if len(part) > 1 and part.lower() not in _PARTICLES]
    found = [_word(r"\s+".join(map(re.escape, whole.split())), re.IGNORECASE)] if " " in whole else []
    for part in sorted(parts, key=len, reverse=True):
        if part.lower() in _ALSO_WORDS:
            found.append(re.compile(rf"(?<![\w{{])(?<!\d )(?<!\d){re.escape(part.capitalize())}(?![\w}}])(?! \d)"))
        else:
            found.append(_word(re.escape(part), re.IGNORECASE))
    return found


def _word(pattern: str, flags: re.RegexFlag) -> re.Pattern[str]:
    # A blank such as {net} is no name, even where somebody is called Net.
    return re.compile(rf"(?<![\w{{]){pattern}(?![\w}}])", flags)
