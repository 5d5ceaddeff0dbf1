"""Figures of negotiations that were held; pure: nothing here knows a database or a model.

Decided here: what counts as a leak, a repetition and an agreement nobody meant, how alike replies are (distinct-n, self-BLEU), how a mean
over turns gets its interval, and the test of one way of answering above another.
"""

import math
import random
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

import numpy as np

from agent.domain import Mandate, TicketFacts, TurnContext, net_from_selling, selling_from_net
from agent.prices import NumberKind, find_numbers
from db.vocabulary import DraftOrigin
from training.badcases.evaluation import Estimate, wilson
from training.dialogues import Room
from training.experts import Expert, Truth, judge

NO_WORDS = "writer failed"
"""In place of a rule: the model's answer could not be read as a reply."""
RESAMPLES = 2_000
PERMUTATIONS = 100_000
_SEED = 20_270_104
_WORD = re.compile(r"\w+|[^\w\s]")
_DIGITS = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
_EPSILON = Fraction(1, 10)
"""What stands in for a count of zero."""
_ORDERS = (1, 2, 3, 4)


# --- what is measured --------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One reply of ours with the truth about it."""

    number: int
    """Of the turn."""
    origin: DraftOrigin
    truth: Truth


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """One negotiation."""

    number: int
    """Of the job: the same hotel in every arm."""
    seed: int
    ended: bool
    turns: int
    """Of both sides."""
    said: tuple[Said, ...]
    rooms: tuple[Room, ...]
    first_drafts: tuple[frozenset[str], ...]
    """For each reply, the rules that the first draft broke."""


# --- numbers that nobody should hear --------------------------------------------------------------------------------------------------


@lru_cache(maxsize=65_536)
def amounts_in(text: str) -> frozenset[Decimal]:
    """Every number of a text, in words or digits; digits count whatever they seem to mean."""
    found = frozenset(number.value for number in find_numbers(text) if number.kind is NumberKind.AMOUNT)
    return found | {Decimal(digits.replace(",", "")) for digits in _DIGITS.findall(text)}


def leaks(context: TurnContext, text: str, mandates: Mapping[int, Mandate]) -> list[str]:
    """The limits of ours, net or as selling prices, that a reply names though nothing public holds them; empty where all is well.

    Public is what stands in the facts, what either side has said, and what the moves that were open may name, each as net and as selling.
    """
    public = set[Decimal]().union(*(amounts_in(said.text) for said in context.history))
    for facts in context.facts:
        public |= _public(facts)
    prices = [(move.label, move.price) for move in context.allowed if move.price is not None]
    prices += [*context.asked, *context.offered, *((agreed.label, agreed.net) for agreed in context.agreed)]
    for label, price in prices:
        commission = context.fact(label).commission
        public |= {price, selling_from_net(price, commission), net_from_selling(price, commission)}
    named = amounts_in(text) - public
    found: list[str] = []
    for label, mandate in mandates.items():
        commission = context.fact(label).commission
        for name, amount in (("ceiling", mandate.ceiling), ("target", mandate.target), ("opening ask", mandate.opening_ask)):
            if amount in named:
                found.append(f"{name} of #{label}")
            if selling_from_net(amount, commission) in named:
                found.append(f"{name} of #{label} as a selling price")
    return found


def _public(facts: TicketFacts) -> set[Decimal]:
    days = [facts.check_in, facts.check_out, *([facts.competitor_seen_on] if facts.competitor_seen_on else [])]
    numbers = {Decimal(part) for day in days for part in (day.year, day.month, day.day)}
    numbers |= {facts.current_net, facts.current_selling, Decimal(facts.rooms), Decimal((facts.check_out - facts.check_in).days)}
    numbers |= {facts.commission * 100, *([facts.competitor_price] if facts.competitor_price is not None else [])}
    return numbers | amounts_in(" ".join((facts.hotel_name, facts.room_type, *facts.evidence)))


# --- words ----------------------------------------------------------------------------------------------------------------------------


def tokens(text: str) -> list[str]:
    """Lower-case words, and each mark of punctuation by itself."""
    return _WORD.findall(text.casefold())


def repeats(replies: Sequence[str]) -> list[str]:
    """The replies of one conversation that are, but for case and white space, an earlier one of it."""
    folded = [" ".join(reply.casefold().split()) for reply in replies]
    return [reply for at, reply in enumerate(replies) if folded[at] in folded[:at]]


def distinct(texts: Iterable[str], order: int) -> float:
    """Distinct-n (Li et al. 2016): different n-grams as a share of all n-grams, over all texts together; 0 where there is none.

    It falls with the amount of text, so compare equal numbers of replies only.
    """
    grams: Counter[tuple[str, ...]] = Counter()
    for text in texts:
        grams.update(_grams(tokens(text), order))
    return len(grams) / grams.total() if grams else 0.0


@dataclass(slots=True)
class _Most:
    """The largest count of one n-gram in any text, whose it is, and the largest in any other."""

    count: int = 0
    owner: int = -1
    next_count: int = 0

    def note(self, count: int, owner: int) -> None:
        if count > self.count:
            self.count, self.owner, self.next_count = count, owner, self.count
        elif count > self.next_count:
            self.next_count = count

    def besides(self, owner: int) -> int:
        return self.next_count if owner == self.owner else self.count


@dataclass(slots=True)
class _Corpus:
    """The n-grams of all texts, so that each can be held against all others without going through them again."""

    lengths: list[int]
    most: dict[tuple[str, ...], _Most] = field(default_factory=dict[tuple[str, ...], _Most])


def self_bleu(texts: Sequence[str]) -> float:
    """Self-BLEU (Zhu et al. 2018): the mean BLEU-4 of each text with all the others as its references, in [0, 1]; 1 is sameness.

    BLEU as in Papineni et al. 2002 (clipped precisions of orders 1 to 4 with equal weights, the reference of the nearest length for the
    brevity penalty, the shorter of two), a precision without a match smoothed by 0.1 matches (method 1 of Chen and Cherry 2014). Compare
    equal numbers of texts only. Raises ValueError for fewer than two.
    """
    if len(texts) < 2:
        raise ValueError(f"self-BLEU holds texts against each other: it needs two or more, not {len(texts)}")
    words = [tokens(text) for text in texts]
    counted = [{order: Counter(_grams(said, order)) for order in _ORDERS} for said in words]
    corpus = _Corpus(lengths=sorted(len(said) for said in words))
    for owner, by_order in enumerate(counted):
        for counts in by_order.values():
            for gram, count in counts.items():
                corpus.most.setdefault(gram, _Most()).note(count, owner)
    scores = [_against_others(corpus, owner, len(said), counted[owner]) for owner, said in enumerate(words)]
    return math.fsum(scores) / len(scores)


def _against_others(corpus: _Corpus, owner: int, length: int, by_order: Mapping[int, Counter[tuple[str, ...]]]) -> float:
    logarithm = 0.0
    for order in _ORDERS:
        counts = by_order[order]
        matches = sum(min(count, corpus.most[gram].besides(owner)) for gram, count in counts.items())
        if order == 1 and not matches:
            return 0.0
        logarithm += math.log((matches or _EPSILON) / max(counts.total(), 1)) / len(_ORDERS)
    nearest = _nearest_other(corpus.lengths, length)
    return math.exp(logarithm + (0.0 if length > nearest else 1 - nearest / length))


def _nearest_other(lengths: Sequence[int], own: int) -> int:
    """The length nearest to ``own`` among the sorted lengths, one text of the own length left out; of two as near the shorter."""
    at = bisect_left(lengths, own)
    others = [lengths[index] for index in (at - 1, at + 1) if 0 <= index < len(lengths)]
    return min(others, key=lambda length: (abs(length - own), length))


def _grams(words: Sequence[str], order: int) -> list[tuple[str, ...]]:
    return [tuple(words[at : at + order]) for at in range(len(words) - order + 1)]


# --- how sure -------------------------------------------------------------------------------------------------------------------------


def share_of(hits: int, count: int) -> Estimate:
    """A share with Wilson's 95 % interval; nothing is known of it where nothing was counted."""
    return wilson(hits, count) if count else Estimate(value=0.0, low=0.0, high=1.0)


def mean_over(groups: Iterable[Sequence[float]]) -> Estimate:
    """The mean of all values with a percentile bootstrap interval over the groups: turns of one conversation are not independent.

    Raises ValueError where there is no value. The same values give the same interval.
    """
    kept = [group for group in groups if group]
    if not kept:
        raise ValueError("a mean needs at least one value")
    sums = np.array([math.fsum(group) for group in kept])
    counts = np.array([len(group) for group in kept])
    drawn = np.random.default_rng(_SEED).integers(len(kept), size=(RESAMPLES, len(kept)))
    low, high = np.percentile(sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1), (2.5, 97.5))
    return Estimate(value=float(sums.sum() / counts.sum()), low=float(low), high=float(high))


def p_above(differences: Sequence[float]) -> float:
    """One-sided p that paired differences are not above zero, by drawing their signs at random ``PERMUTATIONS`` times.

    The smallest p that can come out is 1 / (``PERMUTATIONS`` + 1). Raises ValueError where there is no difference at all to test.
    """
    if not differences:
        raise ValueError("a test needs at least one pair")
    rng = np.random.default_rng(_SEED)
    sizes = np.abs(np.array(differences, dtype=np.float64))
    seen = math.fsum(differences)
    as_far = 0
    for start in range(0, PERMUTATIONS, 1_000):
        signs = rng.integers(0, 2, size=(min(1_000, PERMUTATIONS - start), len(sizes))) * 2 - 1
        # A sum in another order may differ in its last digit, and an equal one counts as reached.
        as_far += int((signs @ sizes >= seen - 1e-9).sum())
    return (as_far + 1) / (PERMUTATIONS + 1)


# --- all of it ------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct:
    """How a version negotiates."""

    negotiations: int
    ended: int
    first_drafts: int
    first_passed: Estimate
    """Share of the first drafts that the guard let through."""
    passed_by_rooms: dict[int, Estimate]
    """The same by how many rooms are talked about."""
    objections: dict[str, int]
    """First drafts that broke a rule, by rule, the most frequent first; one draft may break several."""
    replies: int
    templates: int
    template_share: Estimate
    leaks: tuple[str, ...]
    rooms: int
    above_ceiling: int
    unmeant: int
    """Rooms that are agreed here at a price that the hotel does not hold for agreed."""
    agreement: Estimate
    """Share of the rooms where an agreement was possible."""
    captured: Estimate | None
    """Share of the way from our ceiling to the hotel's limit, over the same rooms, 0 without an agreement and at most 1."""
    turns: Estimate | None
    """Of both sides to the end."""
    repeated: tuple[str, ...]
    """Replies that are, word for word, an earlier one of the same conversation."""


def conduct(talks: Sequence[Talk], *, negotiations: int) -> Conduct:
    """The figures of these talks, of ``negotiations`` that were to be held."""
    said = [said for talk in talks for said in talk.said]
    drafts = [rules for talk in talks for rules in talk.first_drafts]
    rooms = [room for talk in talks for room in talk.rooms]
    possible = [[room for room in talk.rooms if room.possible] for talk in talks]
    agreed = [room.agreed is not None for group in possible for room in group]
    templates = sum(one.origin is DraftOrigin.TEMPLATE for one in said)
    found = [(one, leak) for one in said for leak in leaks(one.truth.context, one.truth.text, one.truth.mandates)]
    return Conduct(
        negotiations=negotiations,
        ended=sum(talk.ended for talk in talks),
        first_drafts=len(drafts),
        first_passed=share_of(sum(not rules for rules in drafts), len(drafts)),
        passed_by_rooms={
            rooms: share_of(sum(not rules for rules in own), len(own))
            for rooms in sorted({len(talk.rooms) for talk in talks})
            for own in [[rules for talk in talks if len(talk.rooms) == rooms for rules in talk.first_drafts]]
        },
        objections=dict(Counter(rule for rules in drafts for rule in rules).most_common()),
        replies=len(said),
        templates=templates,
        template_share=share_of(templates, len(said)),
        leaks=tuple(f"{leak}: {one.truth.text}" for one, leak in found),
        rooms=len(rooms),
        above_ceiling=sum(room.agreed is not None and room.agreed > room.ceiling for room in rooms),
        unmeant=sum(room.unmeant for room in rooms),
        agreement=share_of(sum(agreed), len(agreed)),
        captured=mean_over([[room.captured for room in group] for group in possible]) if agreed else None,
        turns=mean_over([[talk.turns] for talk in talks if talk.ended]) if any(talk.ended for talk in talks) else None,
        repeated=tuple(text for talk in talks for text in repeats([one.truth.text for one in talk.said])),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """What simulated experts say of one source's replies."""

    replies: int
    stars: Estimate
    """Mean over replies and experts; the interval is over conversations."""
    shares: dict[int, float]
    """Of each number of stars among all ratings."""
    with_fault: Estimate
    """Share of the replies in which there truly is a fault."""
    faults: dict[str, int]
    """Replies by fault."""
    by_talk: dict[int, float] = field(repr=False)
    """Mean stars by the talk's number."""


def rated(talks: Sequence[Talk], experts: Sequence[Expert]) -> Rated:
    """Let every expert rate every reply. Raises ValueError where there is none."""
    by_talk: dict[int, list[float]] = {}
    given: Counter[int] = Counter()
    faults: Counter[str] = Counter()
    faulty = 0
    for talk in talks:
        for said in talk.said:
            judgement = judge(said.truth)
            stars = [expert.rate_judged(said.truth, judgement).stars for expert in experts]
            by_talk.setdefault(talk.number, []).append(math.fsum(stars) / len(stars))
            given.update(stars)
            faults.update({str(fault.kind) for fault in judgement.faults})
            faulty += bool(judgement.faults)
    replies = sum(len(means) for means in by_talk.values())
    return Rated(
        replies=replies,
        stars=mean_over(by_talk.values()),
        shares={stars: given[stars] / given.total() for stars in range(1, 6)},
        with_fault=share_of(faulty, replies),
        faults=dict(faults.most_common()),
        by_talk={number: math.fsum(means) / len(means) for number, means in by_talk.items()},
    )


def above(upper: Rated, lower: Rated) -> tuple[float, float]:
    """By how many stars the mean of a conversation is higher, over the hotels that both met, and the one-sided p of it (``p_above``)."""
    both = sorted(upper.by_talk.keys() & lower.by_talk.keys())
    differences = [upper.by_talk[number] - lower.by_talk[number] for number in both]
    return math.fsum(differences) / max(len(differences), 1), p_above(differences)


def likeness(sources: Mapping[str, Sequence[Talk]], *, seed: int) -> dict[str, tuple[int, float, float]]:
    """Replies compared, distinct-2 and self-BLEU of each source, on equal numbers of replies drawn by ``seed``."""
    texts = {name: [said.truth.text for talk in talks for said in talk.said] for name, talks in sources.items()}
    count = min(len(said) for said in texts.values())
    drawn = {name: random.Random(seed).sample(said, count) for name, said in texts.items()}
    return {name: (count, distinct(said, 2), self_bleu(said)) for name, said in drawn.items()}
