"""Finding what is wrong with a reply: by the phrasebook's wrong lines, and by comparing the reply with the truth.

Decided here: which fault a reply has and how severe it is. What matches an ordinary line of the phrasebook is not searched for suspicious
words; numbers, dates, terms, rooms and repetitions are checked in every reply.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from agent.domain import AllowedMove, HotelOffer, selling_from_net
from agent.simulation import BDPart, Quality
from agent.simulation.tickets import CITIES, SOURCES
from db.vocabulary import ClarifyTopic, HotelMoveKind, Mood, MoveKind, PriceBasis, Severity
from training.experts import hints
from training.experts.faults import Fault, FaultKind, usual
from training.experts.figures import Amount, find_amounts, find_dates
from training.experts.reading import Piece, Reader, bare, fits, reader, sentences, slotted, stay
from training.experts.truth import Truth

_K = FaultKind
_ANYWHERE_WRONG = frozenset(
    {_K.OVER_PROMISE, _K.INTERNAL_WORDS, _K.INVENTED_FACT, _K.PRESSURE, _K.NET_SELLING_MIXUP, _K.REASONING_LEAK, _K.MIXED_LANGUAGE}
    | {_K.REPROACH}
)
"""Wrong whatever the move is; the other wrong lines are wrong in their place only."""
_REPEATS_TERMS = frozenset({MoveKind.CONFIRM, MoveKind.ACCEPT, MoveKind.CLOSE})
_CURRENCIES = frozenset(city.currency for city in CITIES)
_CENT = Decimal("0.011")
_MOST_NAMED = 2
_TERMS = frozenset({"xroom", "xhotel", "xday", "xfact", "xsource", "net", "selling", "price"})
_SHORT = 4


@dataclass(frozen=True)
class Seen:
    """One reply as an expert looks at it: the truth and the pieces that it was read into."""

    truth: Truth
    pieces: tuple[Piece, ...]

    @cached_property
    def folded(self) -> str:
        """The whole reply, folded and with slots."""
        return hints.plain(slotted(self.truth.text, self.truth.context.facts))

    @cached_property
    def unknown(self) -> tuple[str, ...]:
        """Sentences that are no line of the phrasebook, or a wrong one, folded and with slots."""
        return tuple(
            hints.plain(sentence)
            for piece in self.pieces
            if not piece.known or (piece.line is not None and piece.line.quality is Quality.WRONG)
            for sentence in sentences(piece.text)
        )

    @cached_property
    def amounts(self) -> tuple[Amount, ...]:
        """Numbers in the reply that are of the size of a price, or have a currency beside them; those inside of quoted facts are not."""
        text = self.truth.text
        for fact in self.truth.context.facts:
            for name in (*fact.evidence, fact.hotel_name, fact.room_type):
                text = re.sub(re.escape(name), lambda found: "~" * len(found.group()), text, flags=re.IGNORECASE)
        size = self.truth.fact.current_net
        return tuple(
            amount
            for amount in find_amounts(text)
            if not amount.percent and (amount.currency is not None or size / 3 <= amount.value <= size * 3)
        )

    @property
    def heard_kind(self) -> HotelMoveKind | None:
        """What the hotel truly did."""
        return None if self.truth.heard is None else self.truth.heard.kind

    @property
    def upset(self) -> bool:
        """Whether the hotel was truly angry or complaining."""
        heard = self.truth.heard
        return heard is not None and (heard.kind is HotelMoveKind.UPSET or heard.mood is Mood.ANGRY)


def look(truth: Truth, through: Reader | None = None) -> Seen:
    """Read a reply through the phrasebook (the shipped one where none is given)."""
    heard = None if truth.heard is None else truth.heard.kind
    through = through or reader(truth.context.language)
    return Seen(truth, through.read(truth.text, truth.context.facts, truth.move.kind, heard))


def faults_of(seen: Seen) -> tuple[Fault, ...]:
    """Every fault of the reply, each kind once and at its worst, in the order of ``FaultKind``."""
    worst: dict[FaultKind, Fault] = {}
    for fault in _all(seen):
        known = worst.get(fault.kind)
        if known is None or _RANK[fault.severity] > _RANK[known.severity]:
            worst[fault.kind] = fault
    for kind, hidden in _HIDES.items():
        if kind in worst:
            for other in hidden:
                worst.pop(other, None)
    return tuple(worst[kind] for kind in FaultKind if kind in worst)


_RANK = {Severity.MINOR: 0, Severity.MAJOR: 1, Severity.SEVERE: 2}
# Who pushes on, ends early, leaks or threatens does not confirm at all: the missing terms are then no fault of their own.
_HIDES: dict[FaultKind, tuple[FaultKind, ...]] = {
    _K.PUSHING_ON: (_K.MISSING_TERMS, _K.ONE_ROOM_ONLY),
    _K.MIXED_LANGUAGE: (_K.SKIPPED_GREETING,),
    _K.SILENCE_AS_CONSENT: (_K.MISSING_TERMS, _K.GUESSING),
    _K.REASONING_LEAK: (_K.MISSING_TERMS, _K.SKIPPED_GREETING),
}


def _all(seen: Seen) -> Iterator[Fault]:
    for check in _CHECKS:
        yield from check(seen)


def _wrong_lines(seen: Seen) -> Iterator[Fault]:
    """Pieces that are, or come near to, a wrong line of the phrasebook."""
    for piece in seen.pieces:
        line = piece.line
        if line is None or line.fault is None or not piece.known:
            continue
        kind = FaultKind(line.fault)
        if kind in _ANYWHERE_WRONG or fits(line, seen.truth.move.kind, seen.heard_kind):
            yield usual(kind)


def _suspicious_words(seen: Seen) -> Iterator[Fault]:
    for sentence in seen.unknown:
        for kind, words in hints.ANYWHERE.items():
            if words.search(sentence):
                yield usual(kind)


def _numbers(seen: Seen) -> Iterator[Fault]:
    """Prices that nobody named, prices of the wrong kind, limits of ours, other currencies."""
    truth, context = seen.truth, seen.truth.context
    nets = {terms.net for terms in context.agreed} | {net for _, net in context.asked} | {fact.current_net for fact in context.facts}
    if truth.move.price is not None:
        nets.add(truth.move.price)
    sellings = {selling_from_net(net, fact.commission) for net in nets for fact in context.facts}
    sellings |= {fact.competitor_price for fact in context.facts if fact.competitor_price is not None}
    heard = {amount for _, amount in context.offered} | {offer.amount for offer in (truth.heard.offers if truth.heard else ())}
    limits = {limit for mandate in truth.mandates.values() for limit in (mandate.target, mandate.ceiling)}
    for amount in seen.amounts:
        is_net, is_selling = _among(amount.value, nets), _among(amount.value, sellings)
        if not (is_net or is_selling or _among(amount.value, heard)):
            yield usual(_K.INTERNAL_WORDS if amount.value in limits else _K.INVENTED_FACT)
        elif (
            not _among(amount.value, heard) and is_net != is_selling and amount.basis is (PriceBasis.SELLING if is_net else PriceBasis.NET)
        ):
            yield usual(_K.NET_SELLING_MIXUP)
        ours = (is_net and amount.basis is PriceBasis.NET) or (is_selling and amount.basis is PriceBasis.SELLING)
        if not ours and any(_called_otherwise(amount, offer, truth.move) for offer in (truth.heard.offers if truth.heard else ())):
            yield usual(_K.NET_SELLING_MIXUP)
        if amount.currency in _CURRENCIES and amount.currency != truth.fact.currency:
            yield usual(_K.INVENTED_FACT)
    asks = truth.move.kind is MoveKind.ASK and truth.move.price is not None
    if asks and seen.amounts and not any(_among(amount.value, {truth.move.price}) for amount in seen.amounts if truth.move.price):
        yield Fault(_K.INVENTED_FACT, Severity.MAJOR)


def _called_otherwise(amount: Amount, offer: HotelOffer, move: AllowedMove) -> bool:
    """Whether the hotel's own amount is said back as another kind of price, or as one kind while that is just what has to be asked."""
    if amount.value != offer.amount or amount.basis is PriceBasis.UNKNOWN:
        return False
    if offer.basis is PriceBasis.UNKNOWN:
        return move.topic is ClarifyTopic.NET_OR_SELLING and amount.basis is PriceBasis.NET
    return amount.basis is not offer.basis


def _among(value: Decimal, known: Iterable[Decimal | None]) -> bool:
    """Whether an amount is one of these, to the cent or written as a whole number."""
    return any(
        price is not None and (abs(price - value) < _CENT or (value % 1 == 0 and abs(price - value) <= Decimal("0.5"))) for price in known
    )


def _dates(seen: Seen) -> Iterator[Fault]:
    """Days that nobody named."""
    context = seen.truth.context
    known: set[tuple[int, int]] = set()
    for fact in context.facts:
        known |= stay(fact)
        if fact.competitor_seen_on is not None:
            known.add((fact.competitor_seen_on.day, fact.competitor_seen_on.month))
    if context.today is not None:
        known.add((context.today.day, context.today.month))
    said = {(day, month) for turn in context.history for _, _, day, month, _ in find_dates(turn.text)}
    for _, _, day, month, _ in find_dates(seen.truth.text):
        if (day, month) not in known | said:
            yield usual(_K.INVENTED_FACT)


def _sources(seen: Seen) -> Iterator[Fault]:
    """A booking site that the facts do not name."""
    known = " ".join(
        [*(fact.competitor_source or "" for fact in seen.truth.context.facts), *(said.text for said in seen.truth.context.history)]
    )
    text = seen.truth.text.casefold()
    for source in SOURCES:
        if source.casefold() in text and source.casefold() not in known.casefold():
            yield usual(_K.INVENTED_FACT)


def _language(seen: Seen) -> Iterator[Fault]:
    text = seen.folded
    if hints.OTHER_SCRIPT.search(text):
        yield usual(_K.MIXED_LANGUAGE)
    elif seen.truth.context.language == "zh":
        words = [word for word in re.findall(r"[a-z]{2,}", text) if word not in {"net", "selling"} and not word.startswith("x")]
        if len(words) >= 4:
            yield usual(_K.MIXED_LANGUAGE)
    elif hints.CHINESE.search(text) or len(set(hints.FOREIGN.findall(text))) >= 2:
        yield usual(_K.MIXED_LANGUAGE)


def _pushing(seen: Seen) -> Iterator[Fault]:
    """Less is asked for where the price was good enough or settled."""
    truth = seen.truth
    if truth.move.kind in (MoveKind.ACCEPT, MoveKind.CONFIRM) or (truth.move.kind is MoveKind.CLOSE and truth.context.agreed):
        lower = any(hints.LOWER.search(sentence) for sentence in seen.unknown)
        price = truth.move.price
        below = price is not None and any(
            amount.basis is not PriceBasis.SELLING and amount.value < price * Decimal("0.995") and _is_a_request(seen.truth.text, amount)
            for amount in seen.amounts
        )
        if lower or below:
            yield usual(_K.PUSHING_ON)


def _is_a_request(text: str, amount: Amount) -> bool:
    return re.search(r"\b(?:make it|what about|how about|could|would|can you)\b[^.!?]*$", text[: amount.start], re.IGNORECASE) is not None


def _silence(seen: Seen) -> Iterator[Fault]:
    """No yes was given, yet the talk is treated as settled."""
    heard = seen.truth.heard
    if (heard is not None and heard.says_yes) or seen.truth.move.kind in {*_REPEATS_TERMS, MoveKind.CLARIFY}:
        return
    if any(hints.AGREED_ALREADY.search(sentence) for sentence in seen.unknown):
        yield usual(_K.SILENCE_AS_CONSENT)


def _terms(seen: Seen) -> Iterator[Fault]:
    """A confirmation repeats room, dates, net price, selling price and start."""
    truth = seen.truth
    if truth.move.kind not in (MoveKind.ACCEPT, MoveKind.CONFIRM) or truth.move.price is None:
        return
    fact, text = truth.fact, truth.text.casefold()
    days = {(day, month) for _, _, day, month, _ in find_dates(truth.text)}
    missing = [
        fact.room_type.casefold() not in text and len(truth.context.facts) > 1,
        not any(_among(amount.value, {truth.move.price}) for amount in seen.amounts),
        not any(_among(amount.value, {selling_from_net(truth.move.price, fact.commission)}) for amount in seen.amounts),
        (fact.check_in.day, fact.check_in.month) not in days,
        (fact.check_out.day, fact.check_out.month) not in days,
    ]
    if any(missing):
        yield Fault(_K.MISSING_TERMS, Severity.MAJOR if sum(missing) > 1 else Severity.MINOR)


def _anger(seen: Seen) -> Iterator[Fault]:
    """The price is brought up while the hotel is to be calmed."""
    if seen.truth.move.kind is not MoveKind.CALM and not (seen.upset and seen.truth.move.kind is MoveKind.FOLLOW_UP):
        return
    haggles = any(
        hints.LOWER.search(sentence) or (hints.PRICE.search(sentence) and not hints.LATER.search(sentence)) for sentence in seen.unknown
    )
    dismisses = any(hints.DISMISSES.search(sentence) for sentence in seen.unknown)
    if haggles or dismisses or (seen.truth.move.kind is MoveKind.CALM and seen.amounts):
        yield usual(_K.HAGGLING_WITH_ANGER)


def _wrong_person(seen: Seen) -> Iterator[Fault]:
    if seen.truth.move.kind is not MoveKind.REDIRECT:
        return
    asks_on = any(hints.LOWER.search(sentence) or hints.NEEDS_NO_BOSS.search(sentence) for sentence in seen.unknown)
    if asks_on or not hints.WHO.search(seen.folded):
        yield usual(_K.IGNORING_WRONG_PERSON)


def _open_point(seen: Seen) -> Iterator[Fault]:
    if seen.truth.move.kind is not MoveKind.CLARIFY:
        return
    if not hints.ASKS.search(seen.folded) or any(hints.ASSUMES.search(s) and not hints.ASKS.search(s) for s in seen.unknown):
        yield usual(_K.GUESSING)


def _greeting(seen: Seen) -> Iterator[Fault]:
    truth = seen.truth
    if hints.GREETING.search(seen.folded):
        return
    first = not truth.ours and not any(piece.known and piece.line is not None and piece.line.part is BDPart.HELLO for piece in seen.pieces)
    early = truth.move.kind in (MoveKind.GREET, MoveKind.PROBE)
    if first or (early and any(hints.DEMAND.search(sentence) for sentence in seen.unknown)):
        yield usual(_K.SKIPPED_GREETING)


def _repetition(seen: Seen) -> Iterator[Fault]:
    """A sentence, or the whole reply, that was said before with other numbers at most."""
    truth = seen.truth
    earlier = {bare(sentence) for text in truth.ours for sentence in sentences(slotted(text, truth.context.facts))}
    said = [bare(sentence) for sentence in sentences(slotted(truth.text, truth.context.facts))]
    if truth.move.kind in _REPEATS_TERMS:
        # Terms may be said again, the same words around them may not.
        said = [sentence for sentence in said if "xamount" not in sentence and "xday" not in sentence]
    again = sum(sentence in earlier for sentence in said if _says_something(sentence))
    if truth.text.strip() in {text.strip() for text in truth.ours} or again > 1:
        yield usual(_K.ROBOTIC_REPETITION)
    elif again:
        yield Fault(_K.ROBOTIC_REPETITION, Severity.MINOR)
    if _within(seen, said) or any(hints.ROBOTIC.search(sentence) for sentence in seen.unknown):
        yield usual(_K.ROBOTIC_REPETITION)


def _says_something(sentence: str) -> bool:
    """Whether a sentence is long enough for its repetition to be noticed; Chinese has no spaces to count."""
    return len(sentence.split()) > _SHORT or len(hints.CHINESE.findall(sentence)) > 2 * _SHORT


def _within(seen: Seen, said: Sequence[str]) -> bool:
    """Whether a reply repeats itself: a sentence, four words in a row, or a price three times."""
    if seen.truth.move.kind in _REPEATS_TERMS:
        return len(said) != len(set(said))
    words = bare(" ".join(seen.unknown)).split()
    runs = [run for run in zip(words, words[1:], words[2:], words[3:], strict=False) if not _TERMS & set(run)]
    return (
        len(said) != len(set(said))
        or len(runs) != len(set(runs))
        or any(count > _MOST_NAMED for count in Counter((amount.value, amount.basis) for amount in seen.amounts).values())
    )


def _rooms(seen: Seen) -> Iterator[Fault]:
    """The talk is ended, or its result told, with a room forgotten."""
    truth = seen.truth
    if len(truth.context.facts) < 2:
        return
    text = truth.text.casefold()
    named = {fact.label for fact in truth.context.facts if fact.room_type.casefold() in text}
    forgets = any(hints.FORGETS.search(sentence) for sentence in seen.unknown)
    if truth.move.kind is MoveKind.CLOSE:
        agreed = {terms.label for terms in truth.context.agreed}
        if forgets or (seen.amounts and named & agreed and agreed - named):
            yield usual(_K.ONE_ROOM_ONLY)
        return
    waiting = {room.label for room in truth.before.rooms if not room.settled} - {truth.fact.label}
    ends = any(hints.DONE.search(sentence) for sentence in seen.unknown)
    confirming = truth.move.kind in (MoveKind.ACCEPT, MoveKind.CONFIRM)
    if waiting and (forgets or (ends and (named if confirming else truth.move.kind is not MoveKind.ESCALATE))):
        yield usual(_K.ONE_ROOM_ONLY)


_CHECKS: tuple[Callable[[Seen], Iterator[Fault]], ...] = (
    _wrong_lines, _suspicious_words, _numbers, _dates, _sources, _language, _pushing, _silence, _terms, _anger, _wrong_person, _open_point,
    _greeting, _repetition, _rooms,
)  # fmt: skip
