"""Rules about the move that a reply claims: it is allowed, the words carry it out, and a confirmation is complete."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from agent.domain import Reply, TicketFacts, TurnContext, plain, selling_from_net
from agent.guardrails.conduct import asks_something
from agent.guardrails.figures import named_kind
from agent.guardrails.known import known_numbers
from agent.guardrails.rule import Violation
from agent.guardrails.said import Said, fold, said
from agent.prices import NumberKind, NumberMention
from db.vocabulary import ClarifyTopic, MoveKind, PriceBasis, Severity

_TOPIC_WORDS = {
    ClarifyTopic.NET_OR_SELLING: r"(?=[\s\S]*(?:\bnett?o?\b|净价|底价|结算价))(?=[\s\S]*(?:\bsell(?:ing)?\b|\bretail\b|售价|卖价))",
    ClarifyTopic.AMOUNT: r"\b(?:exact|precise|exactly|specific|figure|amount|number|how much|what price|which price|price exactly)\b|"
    r"具体|准确|确切|多少|金额|数字|哪个价",
    ClarifyTopic.WHICH_ROOM: r"\b(?:which|what)\b[^.!?]*\brooms?\b|\brooms? (?:type|do you mean|you mean)\b|\banother room\b|"
    r"哪[个种间][^。？]{0,6}房|哪种房型|哪个房型|其他房型",
    ClarifyTopic.DATES: r"\b(?:dates?|nights?|period|days?|when|from)\b|日期|哪几?天|期间|时间段|整段",
    ClarifyTopic.BREAKFAST: r"\bbreakfast\b|早餐|含早",
    ClarifyTopic.TAX: r"\btax(?:es)?\b|\bservice charge\b|税",
    ClarifyTopic.ROOMS: r"\b(?:how many|number of|what number of)\b[^.!?]*\brooms?\b|几间|多少间|房间数",
    ClarifyTopic.CONDITION: r"\b(?:conditions?|depends?|depend on|tied to|requirements?|apply|applies|restrictions?|terms|minimum|"
    r"only)\b|条件|取决|要求|限制|挂钩|前提",
}  # fmt: skip
_HELLO = re.compile(
    r"\b(?:hello|hi|hey|good (?:day|morning|afternoon|evening)|greetings|dear|welcome|this is|my name|i(?:'m| am)|we are|writing|"
    r"calling)\b|"
    "您好|你好|我是|这里是"
)
_DEMAND = re.compile(
    r"\bdiscounts?\b|\b(?:lower|cheaper|better) (?:the |your )?(?:rates?|prices?|net)\b|\b(?:lower|reduce|cut|drop) (?:the|your)\b|"
    r"\btoo (?:high|expensive)\b|"
    "降价|优惠|太高|便宜"
)
_WHO = re.compile(
    r"\bwho\b|\bwhom\b|\bwhich (?:colleague|person)\b|\b(?:right|best) person\b|\bpoint me\b|\bin charge\b|\bcontact\b|哪位|谁|负责"
)
_SORRY = re.compile(
    r"\b(?:sorry|apologi[sz]e|apolog(?:y|ies)|understand|regret|hear (?:you|that)|our (?:fault|mistake|responsibility)|frustrat\w+|"
    r"upset)\b|抱歉|对不起|道歉|理解|不好意思"
)
_COLLEAGUE = re.compile(r"\b(?:colleagues?|team ?mate|manager|someone|a person|team|specialist)\b|同事|主管|专人|负责人")
_FAREWELL = re.compile(
    r"\b(?:thank(?:s| you)?|appreciate|goodbye|bye|all the best|wish|regards|good day|take care|respect your decision)\b|谢|祝|再见|期待|"
    r"理解|尊重"
)
_NO_PRICE_MOVES = {
    MoveKind.GREET: "a greeting names no price yet",
    MoveKind.PROBE: "a question about the hotel's situation names no price",
    MoveKind.CALM: "an apology asks for nothing and names no price",
    MoveKind.REDIRECT: "a question for the right person names no price",
    MoveKind.ESCALATE: "handing over to a colleague names no price",
}
_PRICED = (NumberKind.AMOUNT, NumberKind.COUNT, NumberKind.OTHER)


@dataclass(frozen=True, slots=True)
class MoveMismatch:
    """The move is one of the allowed, and the words do what the move says."""

    name: str = "move_mismatch"
    severity: Severity = Severity.MAJOR

    def check(self, context: TurnContext, reply: Reply) -> list[Violation]:
        """What the claimed move lacks, and what contradicts it."""
        heard = said(context, reply)
        return [self._violation(message, heard, number) for message, number in self._faults(context, reply, heard)]

    def _violation(self, message: str, heard: Said, number: NumberMention | None) -> Violation:
        if number is None:
            return Violation(rule=self.name, severity=self.severity, message=message)
        start, end = heard.span(number.start, number.end)
        return Violation(
            rule=self.name, severity=self.severity, message=f"{heard.quote(number.start, number.end)}: {message}", start=start, end=end
        )

    def _faults(self, context: TurnContext, reply: Reply, heard: Said) -> Iterator[tuple[str, NumberMention | None]]:
        move = reply.move
        if move not in context.allowed:
            yield f"'{move.key}' is not among the moves of this turn", None
        if not move.may_name_prices:
            yield from ((_NO_PRICE_MOVES[move.kind], number) for number in _prices(context, reply, heard))
        match move.kind:
            case MoveKind.ASK:
                yield from self._ask(context, reply, heard)
            case MoveKind.HOLD | MoveKind.FOLLOW_UP:
                yield from self._other_asks(context, reply, heard, "names another price than the one we stay with")
            case MoveKind.CLARIFY:
                yield from self._clarify(context, reply, heard)
            case MoveKind.GREET:
                if not _HELLO.search(heard.masked):
                    yield "it neither greets nor says who we are", None
                if _DEMAND.search(heard.masked):
                    yield "a greeting asks for no lower price yet", None
            case MoveKind.CALM if _DEMAND.search(heard.masked):
                yield "an apology asks for no lower price", None
            case MoveKind.PROBE if not asks_something(heard.masked):
                yield "it asks nothing about the hotel's situation", None
            case MoveKind.REDIRECT if not _WHO.search(heard.masked):
                yield "it does not ask who decides on prices", None
            case MoveKind.CALM if not _SORRY.search(heard.masked):
                yield "it neither names the feeling nor takes responsibility", None
            case MoveKind.CALM if heard.masked.rstrip().endswith(("?", "？")):
                yield "an apology asks for nothing", None
            case MoveKind.ESCALATE if not _COLLEAGUE.search(heard.masked):
                yield "it does not say that a colleague takes over", None
            case MoveKind.CLOSE:
                if not _FAREWELL.search(heard.masked):
                    yield "it ends without thanks", None
                yield from self._other_asks(context, reply, heard, "a farewell asks for no price")
            case _:
                return

    def _ask(self, context: TurnContext, reply: Reply, heard: Said) -> Iterator[tuple[str, NumberMention | None]]:
        price = reply.move.price
        if price is None:
            return
        named = [number for number in heard.numbers if number.kind in _PRICED and number.value == price]
        if not named:
            yield f"it does not name the price that is asked for, {plain(price)} net", None
        elif not any(named_kind(heard, number) is PriceBasis.NET for number in named):
            yield "it does not say that the price asked for is net", named[0]
        yield from self._other_asks(context, reply, heard, "names another price of ours beside the one that is asked for")

    def _other_asks(self, context: TurnContext, reply: Reply, heard: Said, message: str) -> Iterator[tuple[str, NumberMention | None]]:
        fact = context.fact(reply.move.label)
        public = (
            {fact.current_net, fact.competitor_price} | {amount for _, amount in context.offered} | {terms.net for terms in context.agreed}
        )
        other = {net for _, net in context.asked} - public - {reply.move.price}
        counts = known_numbers(context, reply.move).counts
        for number in heard.numbers:
            if number.kind in _PRICED and number.value in other and number.value not in counts:
                yield message, number

    def _clarify(self, context: TurnContext, reply: Reply, heard: Said) -> Iterator[tuple[str, NumberMention | None]]:
        topic = reply.move.topic
        if topic is not None and not re.search(_TOPIC_WORDS[topic], heard.masked):
            yield f"it does not ask about the open point ({str(topic).replace('_', ' ')})", None
        if not asks_something(heard.masked):
            yield "it asks nothing", None
        yield from self._other_asks(context, reply, heard, "an open question names no price of ours")


def _prices(context: TurnContext, reply: Reply, heard: Said) -> Iterator[NumberMention]:
    counts = known_numbers(context, reply.move).counts
    for number in heard.numbers:
        if number.kind is NumberKind.AMOUNT and number.value not in counts:
            yield number


@dataclass(frozen=True, slots=True)
class MissingConfirmation:
    """What is to be confirmed is repeated in full: room, dates, net price, selling price, start date; and a yes is asked for."""

    name: str = "missing_confirmation"
    severity: Severity = Severity.MAJOR

    def check(self, context: TurnContext, reply: Reply) -> list[Violation]:
        """One violation for each item that is missing."""
        if reply.move.kind not in (MoveKind.CONFIRM, MoveKind.ACCEPT) or reply.move.price is None:
            return []
        heard = said(context, reply)
        fact = context.fact(reply.move.label)
        missing = [item for item, present in self._items(context, reply, heard, fact) if not present]
        return [Violation(rule=self.name, severity=self.severity, message=f"the terms lack {item}") for item in missing]

    def _items(self, context: TurnContext, reply: Reply, heard: Said, fact: TicketFacts) -> Iterator[tuple[str, bool]]:
        price = reply.move.price
        if price is None:
            return
        selling = selling_from_net(price, fact.commission)
        room = " ".join(fold(fact.room_type)[0].split())
        days = [number.day for number in heard.numbers if number.day is not None]
        amounts = [number for number in heard.numbers if number.kind in _PRICED]
        yield f"the room ({fact.room_type})", room in heard.folded
        yield f"the start date ({fact.check_in.isoformat()})", any(day.matches(fact.check_in) for day in days)
        yield f"the last date ({fact.check_out.isoformat()})", any(day.matches(fact.check_out) for day in days)
        yield f"the net price ({plain(price)})", self._named(amounts, price, PriceBasis.NET, heard)
        yield f"the selling price ({plain(selling)})", self._named(amounts, selling, PriceBasis.SELLING, heard)
        yield "a request for a yes", asks_something(heard.masked)

    @staticmethod
    def _named(amounts: list[NumberMention], value: object, basis: PriceBasis, heard: Said) -> bool:
        return any(number.value == value and named_kind(heard, number) is basis for number in amounts)
