"""The safe reply of every move: what is sent when the model's own words were refused twice, or the model is away.

Decided here: which of the hand-written sentences (``templates.<language>.yaml``) is said next. A row of slots makes a reply; of each slot
the first sentence is taken whose facts are all known and which has not been said in this conversation; and of the replies that result the
first one that the whole guard passes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Any

import yaml

from agent.domain import AllowedMove, Reply, TicketFacts, TurnContext, selling_from_net
from agent.guardrails import check
from agent.language.quotation import clipped, neutral
from agent.language.written import amount_text, day_text, is_written_in, stay_text
from db.vocabulary import MoveKind, Speaker

LANGUAGES = ("en", "zh")
_CONDITION_TOKENS = 24.0


@dataclass(frozen=True, slots=True)
class Slot:
    """One place of a reply with the sentences that may stand there."""

    sentences: tuple[str, ...]
    optional: bool


def template(context: TurnContext, move: AllowedMove) -> str:
    """A safe reply that carries out ``move``, in the language of the context (English where it has no templates of its own).

    It passes the guard for every move that the context allows.
    """
    candidates = _candidates(context, move)
    text = next(candidates)
    while check(context, Reply(move=move, text=text)):
        following = next(candidates, None)
        if following is None:
            break
        text = following
    return text


def _candidates(context: TurnContext, move: AllowedMove) -> Iterator[str]:
    """Replies from the richest to the barest; at least one."""
    language = context.language if context.language in LANGUAGES else "en"
    slots = _slots(language)[_row(context, move)]
    fields = _fields(context, move, language)
    spoken = _spoken(context)
    filled = [(slot, _unsaid(slot, fields, spoken)) for slot in slots]
    longest = max(len(sentences) for _, sentences in filled)
    glue = "" if language == "zh" else " "
    for with_optional in (True, False):
        for turn in range(max(longest, 1)):
            parts = [sentences[turn % len(sentences)] for slot, sentences in filled if sentences and (with_optional or not slot.optional)]
            yield glue.join(parts)


def _row(context: TurnContext, move: AllowedMove) -> str:
    if move.kind is MoveKind.CLOSE and not context.agreed:
        return "close_without_deal"
    if move.kind is MoveKind.HOLD and move.price is None:
        return "hold_without_price"
    return move.key


def _unsaid(slot: Slot, fields: Mapping[str, tuple[str, ...]], spoken: str) -> list[str]:
    """The slot's sentences with every field known, those not said yet first; a needed slot is never left empty."""
    rendered = [text for sentence in slot.sentences for text in _filled(sentence, fields)]
    fresh = [text for text in rendered if _level(text) not in spoken]
    if slot.optional:
        return fresh
    return fresh + [text for text in rendered if text not in fresh]


def _filled(sentence: str, fields: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """The sentence with its fields; once for each value of a field that has several, not at all where a field is unknown."""
    names = _names(sentence)
    if any(not fields.get(name) for name in names):
        return
    for index in range(max((len(fields[name]) for name in names), default=1)):
        text = sentence.format_map({name: fields[name][index % len(fields[name])] for name in names})
        yield text[:1].upper() + text[1:]


@cache
def _names(sentence: str) -> tuple[str, ...]:
    return tuple(name for _, name, _, _ in Formatter().parse(sentence) if name)


def _spoken(context: TurnContext) -> str:
    return "\n".join(_level(turn.text) for turn in context.history if turn.speaker is Speaker.BD)


def _level(text: str) -> str:
    """The text with all numbers alike: a sentence with a new price is still the old sentence."""
    return " ".join("".join("0" if character.isdigit() else character for character in text.lower()).split()).rstrip(".!?。！？")


def _fields(context: TurnContext, move: AllowedMove, language: str) -> dict[str, tuple[str, ...]]:
    fact = context.fact(move.label)
    fields: dict[str, tuple[str, ...]] = {
        "hotel": (neutral(fact.hotel_name),),
        "room": (neutral(fact.room_type),),
        "dates": (stay_text(fact.check_in, fact.check_out, language),),
        "start": (day_text(fact.check_in, language),),
        "currency": (fact.currency,),
        "extras": (_extras(fact, language),),
    }
    if move.price is not None:
        fields["price"] = (_price(move.price, fact, language),)
    undercut = fact.competitor_price is not None and fact.competitor_price < fact.current_selling
    if fact.competitor_price is not None and undercut:
        fields["competitor"] = (_competitor(fact, fact.competitor_price, language),)
        fields["current"] = (_selling(fact.current_selling, fact, language),)
        fields["gap"] = ("",)
    fields["evidence"] = tuple(_ended(neutral(sentence), language) for sentence in fact.evidence if is_written_in(sentence, language))
    offered = [amount for label, amount in context.offered if label == fact.label]
    offered += [offer.amount for offer in (context.hotel_move.offers if context.hotel_move else ()) if offer.label in (None, fact.label)]
    if offered:
        fields["offer"] = fields["offered"] = (amount_text(offered[-1], fact.currency, language),)
    if context.hotel_move and context.hotel_move.conditions and is_written_in(context.hotel_move.conditions[0], language):
        fields["condition"] = (clipped(context.hotel_move.conditions[0], _CONDITION_TOKENS),)
    rooms = list(dict.fromkeys(neutral(other.room_type) for other in context.facts))
    if len(rooms) > 1:
        fields["rooms_list"] = (("还是" if language == "zh" else " or ").join(rooms),)
    if context.agreed:
        listed = [_agreed(context.fact(terms.label), terms.net, language) for terms in context.agreed]
        fields["agreed"] = (("；" if language == "zh" else ", and ").join(listed),)
    return fields


def _price(net: Decimal, fact: TicketFacts, language: str) -> str:
    said, selling = (amount_text(amount, fact.currency, language) for amount in (net, selling_from_net(net, fact.commission)))
    return f"净价{said}（售价{selling}）" if language == "zh" else f"{said} net ({selling} selling)"


def _selling(amount: Decimal, fact: TicketFacts, language: str) -> str:
    said = amount_text(amount, fact.currency, language)
    return f"售价{said}" if language == "zh" else f"a selling price of {said}"


def _competitor(fact: TicketFacts, amount: Decimal, language: str) -> str:
    source = neutral(fact.competitor_source) if fact.competitor_source else ""
    if language == "zh":
        return f"{source or '其他网站'}的{_selling(amount, fact, language)}"
    return f"{_selling(amount, fact, language)} on {source or 'another site'}"


def _agreed(fact: TicketFacts, net: Decimal, language: str) -> str:
    if language == "zh":
        return f"{neutral(fact.room_type)}，{stay_text(fact.check_in, fact.check_out, language)}，{_price(net, fact, language)}"
    return f"{neutral(fact.room_type)} for {stay_text(fact.check_in, fact.check_out, language)} at {_price(net, fact, language)}"


def _extras(fact: TicketFacts, language: str) -> str:
    chinese = language == "zh"
    parts: list[str] = []
    if fact.rooms != 1:
        parts.append(f"{fact.rooms}间" if chinese else f"{fact.rooms} rooms")
    if fact.breakfast is not None:
        parts.append(
            ("含早餐" if fact.breakfast else "不含早餐") if chinese else f"breakfast {'included' if fact.breakfast else 'not included'}"
        )
    if fact.tax_included is not None:
        parts.append(
            ("含税" if fact.tax_included else "税费另计") if chinese else f"tax {'included' if fact.tax_included else 'not included'}"
        )
    return "".join(f"{'，' if chinese else ', '}{part}" for part in parts)


def _ended(sentence: str, language: str) -> str:
    return sentence if sentence.endswith((".", "!", "?", "。", "！", "？")) else sentence + ("。" if language == "zh" else ".")


@cache
def _slots(language: str) -> dict[str, tuple[Slot, ...]]:
    text = (files("agent.language") / f"templates.{language}.yaml").read_text(encoding="utf-8")
    rows: dict[str, list[dict[str, Any]]] = yaml.safe_load(text)
    return {
        name: tuple(Slot(sentences=tuple(slot["say"]), optional=bool(slot.get("optional", False))) for slot in slots)
        for name, slots in rows.items()
    }
