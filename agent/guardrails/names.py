"""Rules about names: the currency, the room and the hotel that a reply speaks of are those of the conversation.

A price in another currency, or for another room, is a false promise even where its digits are right.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from agent.domain import Reply, TurnContext
from agent.guardrails.rule import Violation
from agent.guardrails.said import Said, said
from agent.prices import find_prices
from db.vocabulary import Severity

_SHARED_SIGNS = {"¥": frozenset({"JPY", "CNY"}), "￥": frozenset({"JPY", "CNY"}), "£": frozenset({"GBP", "EGP", "LBP"})}
_ROOM_NOUN = (
    r"(?:Rooms?|Doubles?|Twins?|Kings?|Queens?|Singles?|Triples?|Quads?|Suites?|Studios?|Apartments?|Penthouses?|Villas?|Bungalows?|Lofts?)"
)
_HOTEL_NOUN = r"(?:Hotel|Inn|Lodge|Residences?|Resort|Hostel|Motel|Plaza|Palace|House|Court)"
_PROPER = r"[A-Z][\w'’&-]*"
# Words that are capital at the start of a sentence only, and say nothing about which room or hotel is meant.
_OPENERS = (
    r"(?:The|A|An|Our|Your|This|That|These|For|From|To|At|In|On|Of|And|So|Or|If|Is|Are|As|By|With|About|Regarding|Could|Would|Can|May|"
    r"Will|Shall|Should|Do|Does|Dear|Hello|Hi|Good|Thanks?|Thank|We|I|It|My|Please|Just|Then|Both|Every|Each|No|Yes|One|Two|Any|Which)"
)
_NAMED = re.compile(rf"(?:\b{_PROPER}\s+)+?(?P<noun>(?P<room>{_ROOM_NOUN}(?:\s+{_ROOM_NOUN})*)|{_HOTEL_NOUN})\b")
_CALLED_HOTEL = re.compile(r"\b(?P<noun>Hotel)\s+(?!(?:Team|Manager|Partners?)\b)[A-Z][\w'’-]+")
_SOURCE = re.compile(
    r"(?<=[\d])\s+(?:on|at)\s+(?P<name>(?!(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|Mon|Tue|Wed|Thu|Fri|Sat|Sun|[A-Z]{3}\b))"
    r"[A-Z][\w.&-]*\w(?:\s[A-Z][\w.&-]*\w)?)"
)
_LEADING = re.compile(rf"^(?:{_OPENERS}\s+)+")


class Thing(StrEnum):
    """What was called by a wrong name."""

    CURRENCY = "currency"
    ROOM = "room"
    HOTEL = "hotel"
    SOURCE = "source"
    """The site on which a price was seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Misnomer:
    """One wrong name; ``start`` and ``end`` are offsets into the reply's text."""

    thing: Thing
    start: int
    end: int
    amount: Decimal | None = None
    """What was said to be in the wrong currency."""


def misnomers(context: TurnContext, reply: Reply) -> list[Misnomer]:
    """Every amount in a foreign currency, and every room or hotel that the facts do not name, in the order of the text."""
    found = [*_currencies(context, reply), *_names(context, reply)]
    return sorted(found, key=lambda misnomer: misnomer.start)


def _currencies(context: TurnContext, reply: Reply) -> Iterator[Misnomer]:
    ours = {facts.currency for facts in context.facts}
    for price in find_prices(reply.text, language=context.language):
        signs = next((shared for sign, shared in _SHARED_SIGNS.items() if sign in price.text), frozenset[str]())
        if price.currency is not None and price.currency not in ours and not ours & signs:
            yield Misnomer(thing=Thing.CURRENCY, start=price.start, end=price.end, amount=price.value)


def _names(context: TurnContext, reply: Reply) -> Iterator[Misnomer]:
    quoted = _quoted(said(context, reply))
    for hit in _NAMED.finditer(reply.text):
        opener = _LEADING.match(hit.group())
        start = hit.start() + (opener.end() if opener else 0)
        if start < hit.start("noun") and hit.start("noun") not in quoted:
            yield Misnomer(thing=Thing.ROOM if hit["room"] else Thing.HOTEL, start=start, end=hit.end())
    for pattern, thing, name in ((_CALLED_HOTEL, Thing.HOTEL, "noun"), (_SOURCE, Thing.SOURCE, "name")):
        for hit in pattern.finditer(reply.text):
            if hit.start(name) not in quoted:
                yield Misnomer(thing=thing, start=hit.start(name), end=hit.end())


def _quoted(heard: Said) -> frozenset[int]:
    """Offsets into the reply's text at which a fact (hotel, room, evidence) is quoted."""
    return frozenset(
        heard.origin[at] for at, (folded, masked) in enumerate(zip(heard.folded, heard.masked, strict=True)) if folded != masked
    )


@dataclass(frozen=True, slots=True)
class WrongName:
    """No other currency, room or hotel than the conversation's."""

    name: str = "wrong_name"
    severity: Severity = Severity.SEVERE

    def check(self, context: TurnContext, reply: Reply) -> list[Violation]:
        """Every wrong name, quoted."""
        currency = " or ".join(sorted({facts.currency for facts in context.facts}))
        messages = {
            Thing.CURRENCY: f"is not in {currency}, the currency of this room",
            Thing.ROOM: "is no room of this conversation",
            Thing.HOTEL: "is not the hotel of this conversation",
            Thing.SOURCE: "is named nowhere in the facts as the source of a price",
        }
        return [
            Violation(
                rule=self.name,
                severity=self.severity,
                message=f'"{reply.text[wrong.start : wrong.end].strip()}" {messages[wrong.thing]}',
                start=wrong.start,
                end=wrong.end,
            )
            for wrong in misnomers(context, reply)
        ]
