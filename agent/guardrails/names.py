"""Rules about names: the currency, the room and the hotel that a reply speaks of are those of the conversation.

A price in another currency, or for another room, is a false promise even where its digits are right.
"""

import re
from dataclasses import dataclass

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
_NAMED = re.compile(rf"(?:\b{_PROPER}\s+)+?(?P<noun>{_ROOM_NOUN}|{_HOTEL_NOUN})\b")
_LEADING = re.compile(rf"^(?:{_OPENERS}\s+)+")


@dataclass(frozen=True, slots=True)
class WrongName:
    """No other currency, room or hotel than the conversation's."""

    name: str = "wrong_name"
    severity: Severity = Severity.SEVERE

    def check(self, context: TurnContext, reply: Reply) -> list[Violation]:
        """Every amount in a foreign currency, and every room or hotel that the facts do not name."""
        return [*self._currencies(context, reply), *self._names(context, reply)]

    def _currencies(self, context: TurnContext, reply: Reply) -> list[Violation]:
        ours = {facts.currency for facts in context.facts}
        found: list[Violation] = []
        for price in find_prices(reply.text, language=context.language):
            signs = next((shared for sign, shared in _SHARED_SIGNS.items() if sign in price.text), frozenset[str]())
            if price.currency is None or price.currency in ours or ours & signs:
                continue
            message = f'"{price.text.strip()}" is not in {" or ".join(sorted(ours))}, the currency of this room'
            found.append(Violation(rule=self.name, severity=self.severity, message=message, start=price.start, end=price.end))
        return found

    def _names(self, context: TurnContext, reply: Reply) -> list[Violation]:
        heard = said(context, reply)
        quoted = _quoted(heard)
        found: list[Violation] = []
        for hit in _NAMED.finditer(reply.text):
            opener = _LEADING.match(hit.group())
            start = hit.start() + (opener.end() if opener else 0)
            if start >= hit.start("noun") or hit.start("noun") in quoted:
                continue
            message = f'"{reply.text[start : hit.end()]}" is no room or hotel of this conversation'
            found.append(Violation(rule=self.name, severity=self.severity, message=message, start=start, end=hit.end()))
        return found


def _quoted(heard: Said) -> frozenset[int]:
    """Offsets into the reply's text at which a fact (hotel, room, evidence) is quoted."""
    return frozenset(
        heard.origin[at] for at, (folded, masked) in enumerate(zip(heard.folded, heard.masked, strict=True)) if folded != masked
    )
