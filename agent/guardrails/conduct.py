"""Rules of a fair negotiation: no agreement that nobody gave, no haggling over an offer that is good enough."""

import re
from dataclasses import dataclass

from agent.domain import Reply, TurnContext
from agent.guardrails.figures import named_kind
from agent.guardrails.known import known_numbers
from agent.guardrails.rule import Violation
from agent.guardrails.said import fold, said
from agent.guardrails.wording import breaches, wording
from agent.prices import NumberKind
from db.vocabulary import HotelMoveKind, MoveKind, PriceBasis, Severity

_CLAIMS = (
    wording(r"\btake it that you agree\b", "claims an agreement that the hotel has not given: ask for it instead"),
    wording(
        r"\b(?:thank(?:s| you)|thanks so much|grateful|glad|happy|pleased|great)\b[^.!?]{0,25}\b(?:agree(?:d|ing|s|ment)?|accept(?:ed|"
        r"ing|ance)|confirm(?:ed|ing|ation)|"
        r"approv(?:ed|ing|al)|your yes)\b"
        r"|\b(?:we|you|both|sides)(?:'ve| have| both)? (?:all )?(?:agreed|settled|accepted|confirmed|approved)\b|\bas (?:we )?agreed\b|"
        r"\bit'?s a deal\b|\bwe have a deal\b|"
        r"\bdeal(?: is)? (?:done|closed|sealed)\b|\b(?:consider|take) (?:it|this|that) (?:as )?(?:done|agreed|confirmed|settled|a yes|"
        r"your agreement)\b|"
        r"\b(?:is|are) (?:now )?(?:agreed|settled|confirmed|final)\b|\bi(?:'ve| have) (?:put|loaded|entered|"
        r"set|updated) the (?:new )?(?:rate|price)\b|\b(?:silence|no (?:answer|reply|response)) (?:is|means|counts|as) (?:a )?(?:yes|"
        r"agreement|"
        r"consent)\b|"
        r"\bwe(?:'ll| will) (?:go ahead|update|load|change|publish|activate|proceed)\b",
        "claims an agreement that the hotel has not given: ask for it instead",
        unless_denied=True,
        unless_asked=True,
    ),
    wording(
        "(?:感谢|谢谢|很高兴)[^。！？]{0,8}(?:同意|接受|确认|答应)|(?:我们|双方|您)(?:已经?|都)(?:同意|谈定|谈妥|达成一致|确认|接受|"
        "说好)|已经?(?:成交|谈定|谈妥|达成协议)|"
        "(?:就|那就)(?:这么|这样)?(?:定|说定)了|成交|(?:视为|算|当作?)(?:同意|确认|默认)|默认同意",
        "claims an agreement that the hotel has not given: ask for it instead",
        unless_denied=True,
        unless_asked=True,
    ),
)


@dataclass(frozen=True, slots=True)
class AcceptanceOnSilence:
    """Nothing is called agreed unless the hotel has said an explicit yes, now or earlier."""

    name: str = "acceptance_on_silence"
    severity: Severity = Severity.SEVERE

    def check(self, context: TurnContext, reply: Reply) -> list[Violation]:
        """Every claim of an agreement that does not exist."""
        said_yes = context.hotel_move is not None and context.hotel_move.says_yes and context.hotel_move.kind is HotelMoveKind.AGREE
        if said_yes or (context.agreed and reply.move.kind is MoveKind.CLOSE):
            return []
        heard = said(context, reply)
        found = breaches(self.name, self.severity, _CLAIMS, heard)
        silent = context.hotel_move is not None and context.hotel_move.kind in (HotelMoveKind.SILENCE, HotelMoveKind.STALL)
        if not context.agreed:
            return found
        # What was agreed earlier may be called so; after silence only where its room is named beside it.
        rooms = [fold(context.fact(terms.label).room_type)[0] for terms in context.agreed if terms.label != context.focus]
        return [violation for violation in found if silent and not any(room in heard.folded for room in rooms)]


_PUSHES = (
    wording(
        r"\b(?:go|come|get|bring (?:it|this|that)) (?:a (?:bit|little) )?(?:down|lower|further)\b|\b(?:a (?:bit|little|touch)|even|"
        r"slightly|somewhat) (?:lower|less|better|cheaper|more off)\b|"
        r"\b(?:further|additional|extra|another|bigger|one more) (?:discount|reduction|cut|round|push)\b|\b(?:lower|reduce|cut|drop|"
        r"improve|sharpen) (?:it|this|that|the (?:price|rate)|your (?:price|rate|offer))\b|"
        r"\b(?:meet us (?:halfway|in the middle)|split the difference|any (?:chance|room) (?:of|for|to)|reconsider|do better|best price|"
        r"better (?:price|rate|offer|deal))\b|"
        r"\bbut (?:we|i) (?:need|hope|hoped|want|wanted|would|were)\b|\bstill (?:too )?(?:high|hoping|like to ask)\b",
        "goes on haggling although the offer is good enough: take it and thank",
        unless_denied=True,
    ),
    wording(
        "再(?:低|降|便宜|优惠|让|少)|(?:更|稍微?|略)(?:低|便宜|优惠)(?:一?点|一些|些)?|还能(?:低|降|便宜|优惠|少)|"
        "能不能[^。！？]{0,8}(?:低|降|便宜|少)|(?:降|减|让)一?点|折中|各让一步|太高|偏高",
        "goes on haggling although the offer is good enough: take it and thank",
        unless_denied=True,
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PushingOn:
    """Once an offer is to be accepted, confirmed or closed, nothing more is asked for."""

    name: str = "pushing_on"
    severity: Severity = Severity.SEVERE

    def check(self, context: TurnContext, reply: Reply) -> list[Violation]:
        """Every word of haggling, and every other price of ours, in a reply that accepts, confirms or closes."""
        only_accept = bool(context.allowed) and all(move.kind in (MoveKind.ACCEPT, MoveKind.CONFIRM) for move in context.allowed)
        if reply.move.kind not in (MoveKind.ACCEPT, MoveKind.CONFIRM, MoveKind.CLOSE) and not only_accept:
            return []
        heard = said(context, reply)
        found = breaches(self.name, self.severity, _PUSHES, heard)
        price = reply.move.price
        if price is None:
            return found
        known = known_numbers(context, reply.move)
        agreed = {terms.net for terms in context.agreed}
        facts = {fact.current_net for fact in context.facts}
        other_asks = {net for _, net in context.asked} - {price} - agreed - facts
        for number in heard.numbers:
            is_price = number.kind in (NumberKind.AMOUNT, NumberKind.COUNT, NumberKind.OTHER) and number.value not in known.counts
            if is_price and number.value in other_asks and named_kind(heard, number) is not PriceBasis.SELLING:
                start, end = heard.span(number.start, number.end)
                message = f"{heard.quote(number.start, number.end)} is another price than the one to be settled: name only that one"
                found.append(Violation(rule=self.name, severity=self.severity, message=message, start=start, end=end))
        return found


_QUESTION_ZH = re.compile("吗|呢|请问|哪|谁|几|多少|什么|怎么|是否|能否|可否|请您|烦请|您看|想了解|想确认|想请教")


def asks_something(text: str) -> bool:
    """True where the folded text asks or requests something."""
    return (
        "?" in text
        or "？" in text
        or bool(_QUESTION_ZH.search(text))
        or bool(re.search(r"\b(?:please|let me know|tell (?:me|us))\b", text))
    )
