"""What a simulated hotel makes of the words it is sent: prices, arguments, tone. It never sees which move we meant.

Decided here: what a message amounts to. By which words that is recognised is ``english_cues``' and ``chinese_cues``'; what follows from it
is the hotel's business.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

from agent.domain import TicketFacts
from agent.prices import PriceForm, PriceMention, find_prices
from agent.simulation.chinese_cues import CHINESE
from agent.simulation.cues import Cues
from agent.simulation.english_cues import ENGLISH
from agent.simulation.phrases import Lever
from db.vocabulary import ClarifyTopic, PriceBasis

_SENTENCES = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？；])")
_HAN = re.compile("[\u3400-\u9fff]")
_LATIN_WORD = re.compile(r"[A-Za-z]{2,}")
_LEAST_WORDS = 4
_LEAST_HAN = 10
"""A shorter Chinese sentence is a courtesy."""
_NUMBERS = re.compile(r"\d[\d.,]*")


def skeleton(sentence: str) -> str:
    """A sentence without its numbers, case and punctuation: two sentences with one skeleton are a repetition."""
    bare = re.sub(r"[^\w#\s]", " ", _NUMBERS.sub("#", sentence.casefold()))
    # Chinese is written without spaces: each character counts as a word.
    return " ".join((_HAN.sub(r" \g<0> ", bare) if _HAN.search(bare) else bare).split())


def sentences(text: str) -> list[str]:
    """The sentences of a message."""
    return [part for part in _SENTENCES.split(text.strip()) if part]


def is_chinese(text: str) -> bool:
    """Whether a message is written in Chinese; a Latin name in it, or a Chinese name in an English one, does not count."""
    return len(_HAN.findall(text)) > len(_LATIN_WORD.findall(text))


def arguments_in(text: str) -> frozenset[Lever]:
    """The levers that a message of either side touches by its words, in the language that it is written in."""
    cues = _cues(text)
    folded = text.casefold()
    return frozenset(lever for lever, words in cues.arguments.items() if words.search(folded))


def _cues(text: str) -> Cues:
    return CHINESE if is_chinese(text) else ENGLISH


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One message of ours, as the hotel takes it in."""

    sentences: frozenset[str]
    """Skeletons of the sentences that say something (four words or ten Chinese characters, or more)."""
    label: int | None
    """The room it names, None where it names none or several."""
    net: tuple[Decimal, ...]
    """Net prices requested or repeated, in order; facts about today's or others' prices are not among them."""
    selling: tuple[Decimal, ...]
    quoted_competitor: tuple[Decimal, ...]
    """Prices said to be somebody else's."""
    basis_named: bool
    arguments: frozenset[Lever]
    clarifies: ClarifyTopic | None
    asks: bool
    greets: bool
    thanks: bool
    calms: bool
    ends: bool
    hands_over: bool
    redirects: bool
    asks_for_person: bool
    reminds: bool
    accepts: bool
    confirms: bool
    names_start: bool
    promises: bool
    presses: bool
    internal: bool
    presumes: bool
    brusque: bool


def hear(text: str, facts: tuple[TicketFacts, ...], *, focus: int) -> Heard:
    """Take in a message about these tickets; ``focus`` is the label that an unnamed room stands for."""
    folded = text.casefold()
    cues = _cues(text)
    named = [fact.label for fact in facts if fact.room_type.casefold() in folded]
    label = named[0] if len(named) == 1 else None
    fact = next(fact for fact in facts if fact.label == (label or focus))
    net, selling, competitor = _sorted_prices(text, fact, facts, cues)
    source = (fact.competitor_source or "").casefold()
    arguments = set(arguments_in(text))
    if competitor or (source and source in folded):
        arguments.add(Lever.PARITY)
    asks = bool(cues.asks.search(folded))
    clarifies = next((topic for topic, words in cues.topics.items() if words.search(folded)), None) if asks and not net else None
    least = _LEAST_HAN if cues is CHINESE else _LEAST_WORDS
    said = frozenset(key for sentence in sentences(text) if len((key := skeleton(sentence)).split()) >= least)
    return Heard(
        sentences=said,
        label=label,
        net=net,
        selling=selling,
        quoted_competitor=competitor,
        basis_named=cues.names_net.search(folded) is not None,
        arguments=frozenset(arguments),
        clarifies=clarifies,
        asks=asks,
        greets=bool(cues.greets.search(folded)),
        thanks=bool(cues.thanks.search(folded)),
        calms=bool(cues.calms.search(folded)),
        ends=bool(cues.ends.search(folded)) and not asks,
        hands_over=bool(cues.hands_over.search(folded)) and not asks and not net,
        redirects=bool(cues.redirects.search(folded)) and not net,
        asks_for_person=bool(cues.right_person.search(folded)),
        reminds=bool(cues.reminds.search(folded)),
        accepts=bool(cues.accepts.search(folded)),
        confirms=bool(cues.confirms.search(folded)) and bool(net) and (bool(selling) or bool(cues.asks_for_yes.search(folded))),
        names_start=bool(cues.starts.search(folded)),
        promises=bool(cues.promises.search(folded)),
        presses=bool(cues.presses.search(folded)),
        internal=bool(cues.internal.search(folded)),
        presumes=bool(cues.presumes.search(folded)),
        brusque=bool(cues.brusque.search(folded)),
    )


def _sorted_prices(
    text: str, fact: TicketFacts, facts: tuple[TicketFacts, ...], cues: Cues
) -> tuple[tuple[Decimal, ...], tuple[Decimal, ...], tuple[Decimal, ...]]:
    """The absolute prices of a message as (requested net, selling, somebody else's)."""
    if not any(character.isdigit() for character in text):
        return (), (), ()
    known_selling = {known.current_selling for known in facts} | {known.competitor_price for known in facts}
    net: list[Decimal] = []
    selling: list[Decimal] = []
    competitor: list[Decimal] = []
    for mention in find_prices(text, scale=fact.current_net):
        value = mention.value
        # "Up to 430" is a range with one bound: that bound is what is asked for.
        if mention.form not in (PriceForm.ABSOLUTE, PriceForm.RANGE) or value is None:
            continue
        if _is_echo(text, mention, cues):
            continue
        if _is_elsewhere(text, mention, fact):
            competitor.append(value)
        elif (kind := _kind_beside(text, mention, cues)) is PriceBasis.SELLING or (kind is PriceBasis.UNKNOWN and value in known_selling):
            selling.append(value)
        elif fact.current_net / 3 <= value <= fact.current_net * 2:
            net.append(value)
    return tuple(net), tuple(selling), tuple(competitor)


def _kind_beside(text: str, mention: PriceMention, cues: Cues) -> PriceBasis:
    """The kind that stands right beside the amount, else the one that the whole clause speaks of."""
    found = cues.kind_after.match(text[mention.end : mention.end + 14].casefold()) or cues.kind_before.search(_before(text, mention))
    return mention.basis if found is None else PriceBasis.NET if found["net"] else PriceBasis.SELLING


def _is_echo(text: str, mention: PriceMention, cues: Cues) -> bool:
    """ "I have noted your 430": the hotel's own number, said back."""
    return cues.echoed.search(_before(text, mention)) is not None and cues.kind_after.match(text[mention.end :].casefold()) is None


def _before(text: str, mention: PriceMention) -> str:
    return text[max(0, mention.start - 40) : mention.start].casefold()


def _is_elsewhere(text: str, mention: PriceMention, fact: TicketFacts) -> bool:
    if fact.competitor_source is None or mention.basis is PriceBasis.NET:
        return False
    if mention.value == fact.competitor_price:
        return True
    around = text[max(0, mention.start - 50) : mention.end + 50].casefold()
    return fact.competitor_source.casefold() in around and mention.value != fact.current_selling
