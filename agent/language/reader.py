"""From a hotel's message to a ``HotelMove``.

Words that say plainly what they are decide by rule: amounts come from the price grammar, a yes from ``consent``, silence from the absence
of words, a no, a question or the law from their words. The model says how the message sounds, and what it is where the rules hear nothing
in it. ``read_by_rules`` does without the model altogether and takes over, logged and counted, where the model is away or answers nonsense.
"""

import json
from dataclasses import dataclass
from decimal import Decimal

from pydantic import TypeAdapter, ValidationError

from agent.domain import HotelMove, selling_from_net
from agent.language import signals
from agent.language.client import ModelClient, ModelRefused, ModelUnavailable
from agent.language.consent import LONGEST_CONSENT, is_silence, is_stall, says_no, says_yes
from agent.language.context import ReadContext
from agent.language.fallbacks import Fallback, note
from agent.language.format import READING_SCHEMA
from agent.language.offers import Priced, offers_in
from agent.language.prompts import render_read
from agent.prices import find_numbers
from db.vocabulary import ClarifyTopic, HotelMoveKind, Mood, PriceBasis, Speaker

MOST_TOKENS = 72
"""The longest reading, should every character be a token of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelReading:
    """What the model makes of a message."""

    kind: HotelMoveKind
    mood: Mood
    basis: PriceBasis = PriceBasis.UNKNOWN


_READING = TypeAdapter(ModelReading)
_MAY_BE_GREETING = (HotelMoveKind.INFORM, HotelMoveKind.QUESTION, HotelMoveKind.STALL)
_HEARD_BY_THE_MODEL = (HotelMoveKind.GREETING, HotelMoveKind.QUESTION)
"""What the model may hear in words that the rules take for plain information. Measured (docs/reading.md): on every other kind a small model
is wrong more often than right where no rule speaks, and most of them cost us the conversation."""
_MOODS = (Mood.WARM, Mood.NEUTRAL, Mood.ANXIOUS, Mood.ANNOYED, Mood.ANGRY)


def read(text: str, *, context: ReadContext, client: ModelClient, model: str, seed: int | None = None) -> HotelMove:
    """What the hotel did with this message. Never raises for a model that is away or talks nonsense: then the rules read alone."""
    if is_silence(text):
        return HotelMove(kind=HotelMoveKind.SILENCE)
    try:
        answer = client.complete_json(
            model=model, messages=render_read(context, text), schema=READING_SCHEMA, max_tokens=MOST_TOKENS, temperature=0.0, seed=seed
        )
        raw = _READING.validate_python(json.loads(answer.text))
    except (ModelUnavailable, ModelRefused) as fault:
        note(Fallback.RULES_MODEL_AWAY, reason=type(fault).__name__)
        return read_by_rules(text, context)
    except (json.JSONDecodeError, ValidationError) as fault:
        note(Fallback.RULES_BAD_OUTPUT, reason=type(fault).__name__)
        return read_by_rules(text, context)
    return crosscheck(raw, text, context)


def read_by_rules(text: str, context: ReadContext) -> HotelMove:
    """The whole reading by rules, without a model. Pure."""
    if is_silence(text):
        return HotelMove(kind=HotelMoveKind.SILENCE)
    return crosscheck(reading_by_rules(text, context), text, context)


def reading_by_rules(text: str, context: ReadContext) -> ModelReading:
    """What the rules put in the place of the model's reading."""
    priced = _priced(text, context)
    mood = signals.mood_of(text)
    kind = _kind_by_rules(text, priced, mood)
    opens = not context.asked and not context.offered
    if opens and kind in _MAY_BE_GREETING and (signals.is_greeting(text) or signals.is_right_person(text)):
        kind = HotelMoveKind.GREETING
    return ModelReading(kind=kind, mood=mood)


def crosscheck(raw: ModelReading, text: str, context: ReadContext) -> HotelMove:
    """The model's reading, held against the words. Pure.

    No amount is in the result that the price grammar did not find, and no agreement without an explicit yes.
    """
    if is_silence(text):
        return HotelMove(kind=HotelMoveKind.SILENCE)
    mood = max(raw.mood, signals.mood_of(text), key=_MOODS.index) if signals.mood_of(text) in _MOODS[3:] else raw.mood
    priced = _priced(text, context)
    yes = says_yes(text, names=[word for facts in context.facts for word in (facts.room_type, facts.hotel_name, facts.currency)])
    if signals.wants_stop(text):
        return HotelMove(kind=HotelMoveKind.STOP, mood=mood)
    if signals.is_legal(text):
        return HotelMove(kind=HotelMoveKind.LEGAL, mood=mood)
    strings = signals.strings_attached(text, context.fact())
    if yes and ClarifyTopic.ROOMS not in strings.topics and _agrees_to_what_we_said(text, priced, context):
        return HotelMove(kind=HotelMoveKind.AGREE, mood=mood, says_yes=True, stated_basis=priced.stated_basis)
    if not priced.named_amount and signals.is_wrong_person(text):
        return HotelMove(kind=HotelMoveKind.WRONG_PERSON, mood=mood)
    kind = _kind(raw, text, context)
    # A string matters where something hangs on it: a price, or what would have been a yes without it.
    tied = kind is HotelMoveKind.OFFER or raw.kind is HotelMoveKind.AGREE or signals.leans_to_yes(text)
    unclear = list(priced.unclear) + (list(strings.topics) if tied else [])
    if kind is HotelMoveKind.OFFER and not priced.offers and not priced.unclear:
        unclear.append(ClarifyTopic.AMOUNT)
    return HotelMove(
        kind=kind,
        mood=mood,
        offers=priced.offers,
        unclear=tuple(dict.fromkeys(unclear)),
        conditions=strings.conditions if tied else (),
        says_yes=yes,
        stated_basis=priced.stated_basis,
    )


def _priced(text: str, context: ReadContext) -> Priced:
    """The prices of the message; none where it only says that it will look into one."""
    if any(is_stall(sentence) and signals.is_hypothetical(sentence) for sentence in signals.sentences(text[:LONGEST_CONSENT])):
        return Priced()
    return offers_in(text, context)


def _kind(raw: ModelReading, text: str, context: ReadContext) -> HotelMoveKind:
    """What the words say by themselves; where they say nothing, what the model hears in them, as far as it is to be trusted."""
    by_rules = reading_by_rules(text, context).kind
    if by_rules is not HotelMoveKind.INFORM or raw.kind not in _HEARD_BY_THE_MODEL:
        return by_rules
    return raw.kind if raw.kind is not HotelMoveKind.QUESTION or signals.may_ask(text) else by_rules


def _kind_by_rules(text: str, priced: Priced, mood: Mood) -> HotelMoveKind:
    if signals.wants_stop(text):
        return HotelMoveKind.STOP
    if signals.is_legal(text):
        return HotelMoveKind.LEGAL
    if priced.offers or priced.unclear:
        return HotelMoveKind.OFFER
    if signals.ends_talk(text):
        return HotelMoveKind.STOP
    if signals.is_wrong_person(text):
        return HotelMoveKind.WRONG_PERSON
    if mood is Mood.ANGRY:
        return HotelMoveKind.UPSET
    if says_no(text):
        return HotelMoveKind.REFUSE
    if is_stall(text):
        return HotelMoveKind.STALL
    if mood is Mood.ANNOYED:
        return HotelMoveKind.UPSET
    if signals.is_question(text):
        return HotelMoveKind.QUESTION
    if signals.hints_at_discount(text):
        return HotelMoveKind.OFFER
    return HotelMoveKind.GREETING if signals.is_greeting(text) else HotelMoveKind.INFORM


def _agrees_to_what_we_said(text: str, priced: Priced, context: ReadContext) -> bool:
    """True where a price was put to the hotel, and its yes names none or only that one; another price makes it an offer."""
    put = _put_to_hotel(context)
    if not priced.named_amount:
        return bool(put)
    if not priced.offers:
        return False
    return all(offer.label in (None, context.focus) and offer.amount in put for offer in priced.offers)


def _put_to_hotel(context: ReadContext) -> frozenset[Decimal]:
    """The prices that our last message asked for or repeated, as net and as selling.

    Where it names our last ask, that alone was put to the hotel, even if its own price was mentioned beside it.
    """
    facts = context.fact()
    ours = [turn.text for turn in context.history if turn.speaker is Speaker.BD]
    said = {number.value for number in find_numbers(ours[-1])} if ours else set[Decimal]()
    asked = [net for label, net in context.asked if label == context.focus]
    offered = [amount for label, amount in context.offered if label == context.focus]
    last_ask = asked[-1:]
    if not said.intersection(last_ask):
        commission = facts.commission
        theirs = [amount for amount in offered if amount in said or selling_from_net(amount, commission) in said]
        from_selling = [net for net in said for amount in offered if selling_from_net(net, commission) == amount]
        if theirs or from_selling:
            return frozenset({*theirs, *from_selling, *(selling_from_net(net, commission) for net in (*theirs, *from_selling))})
    return frozenset({*last_ask, *(selling_from_net(net, facts.commission) for net in last_ask)})
