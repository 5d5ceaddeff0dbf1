"""How good a reply truly is, before any expert's own bias and noise: from 1 to 5.

Decided here: the arithmetic. Each piece of a reply brings the quality of its line, weighed by its part; what no line is near to is worth a
little less than an ordinary reply, by its manner. Then comes what the reply did in its place: whether the reason speaks to this hotel,
whether a question was answered and a feeling named, and what happened in the hotel's mind. Faults set a limit that nothing else lifts.
"""

import re
from dataclasses import dataclass
from itertools import pairwise

from agent.domain import selling_from_net
from agent.simulation import BDPart, BDPhrase, Lever, Quality
from db.vocabulary import HotelMoveKind, Mood, MoveKind, Severity
from training.experts import hints
from training.experts.checks import Seen, faults_of, look
from training.experts.faults import Fault
from training.experts.figures import find_amounts, find_dates
from training.experts.reading import NEAR, Piece, Reader, fits, question_topic
from training.experts.truth import Truth

WORTH = {Quality.EXCELLENT: 4.35, Quality.FINE: 3.4, Quality.CLUMSY: 2.5, Quality.WRONG: 1.85}
UNKNOWN = 2.7
"""What a sentence is worth that no line is near to."""
COURTEOUS = 0.4
"""Added to such a sentence for thanks, a feeling named, or a request that leaves the choice to the hotel."""
DEMANDING = -0.6
"""Added to such a sentence that demands."""
MISPLACED = 0.8
"""Taken off a line that belongs to another move."""
WEIGHTS = {BDPart.BODY: 3.0, BDPart.WHOLE: 3.0, BDPart.REASON: 2.0, BDPart.ACK: 1.5, BDPart.ANSWER: 1.5}
"""Every other part weighs 1."""
GOODWILL = 1.6
"""Stars for a unit of goodwill won or lost."""
PRICE_STEP = 4.0
"""Stars for the share by which the hotel would now take less."""
LIMITS = {Severity.MINOR: 3.0, Severity.MAJOR: 1.9, Severity.SEVERE: 1.5}
FURTHER = 0.25
"""Stars for each fault after the first."""
TAKES_UP = 0.6
"""Stars for own words that take up a word of the hotel's, by their share of the reply."""
LONG = 95
SHORT = 5
"""Words above and below which a reply is too long or too short."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A reply's true score with what it consists of."""

    score: float
    """In [1, 5]."""
    faults: tuple[Fault, ...]
    words: float
    """The mean worth of its pieces."""
    place: float
    """Stars for what it answers and leaves unanswered."""
    effect: float
    """Stars for what happened in the hotel's mind."""


def judge(truth: Truth, through: Reader | None = None) -> Judgement:
    """The true judgement of a reply; ``through`` is the reader of the phrasebook, the shipped one where none is given."""
    seen = look(truth, through)
    faults = faults_of(seen)
    words, place, effect = _words(seen), _place(seen), _effect(truth)
    score = words + place + effect
    if faults:
        score = min(score, min(LIMITS[fault.severity] for fault in faults)) - FURTHER * (len(faults) - 1)
    return Judgement(score=min(max(score, 1.0), 5.0), faults=faults, words=words, place=place, effect=effect)


def true_score(truth: Truth) -> float:
    """What the reply is truly worth, in [1, 5]."""
    return judge(truth).score


def _words(seen: Seen) -> float:
    total = weight = 0.0
    for piece in seen.pieces:
        part = WEIGHTS.get(piece.line.part, 1.0) if piece.line is not None else 2.0
        total += part * _worth(piece, seen)
        weight += part
    return total / weight if weight else 1.0


def _worth(piece: Piece, seen: Seen) -> float:
    line = piece.line
    if line is None:
        return _unknown(piece.text)
    worth = WORTH[line.quality] - (0.0 if _in_place(line, seen) else MISPLACED)
    if piece.known:
        return worth
    # The nearer the line, the more it says about the piece.
    share = (piece.likeness - NEAR) / (100 - NEAR)
    plain = _unknown(piece.text)
    return plain + share * (worth - plain)


def _unknown(text: str) -> float:
    """What a sentence is worth by its manner alone."""
    folded = hints.plain(text)
    if hints.DEMAND.search(folded):
        return UNKNOWN + DEMANDING
    courteous = any(words.search(folded) for words in (hints.THANKS, hints.SORRY, hints.ASKS_KINDLY))
    return UNKNOWN + (COURTEOUS if courteous else 0.0)


def _in_place(line: BDPhrase, seen: Seen) -> bool:
    if not fits(line, seen.truth.move.kind, seen.heard_kind):
        return False
    heard = seen.truth.heard
    # A cheerful word to somebody who is angry is out of place, the other way round it is only odd.
    return line.part is not BDPart.ACK or heard is None or heard.mood in line.moods or heard.mood is not Mood.ANGRY


def _place(seen: Seen) -> float:
    """Stars for answering the question, naming the feeling, giving a reason that speaks to this hotel, and for a bearable length."""
    return _answers(seen) + _takes_up(seen) + _feeling(seen) + _reason(seen) + _length(seen.truth.text)


def _answers(seen: Seen) -> float:
    truth = seen.truth
    if seen.heard_kind is not HotelMoveKind.QUESTION or truth.move.kind not in (MoveKind.ASK, MoveKind.HOLD):
        return 0.0
    topic = question_topic(truth.asked, truth.context.facts, truth.context.language)
    if topic is None:
        return 0.0
    return 0.1 if _answered(topic, seen) else -0.4


def _answered(topic: str, seen: Seen) -> bool:
    truth, text, fact = seen.truth, seen.folded, seen.truth.fact
    match topic:
        case "where":
            return "xsource" in text or fact.competitor_source is None
        case "selling":
            price = truth.move.price
            return price is None or any(abs(a.value - selling_from_net(price, fact.commission)) < 1 for a in find_amounts(truth.text))
        case "basis":
            return re.search(r"\bnet\b|净价", text) is not None
        case "dates":
            return bool(find_dates(truth.text))
        case "room":
            return "xroom" in text
        case "commission":
            return "commission" in text or "佣金" in text
        case "who":
            return re.search(r"\b(?:agency|travel site|contact|team)\b|平台|团队", text) is not None
        case "number":
            return "xamount" in text
        case "why" | "benefit":
            return bool(_arguments(seen))
        case _:
            return True


def _arguments(seen: Seen) -> set[Lever]:
    """The arguments that the reply uses, as far as its lines show them; anything said of the facts is evidence."""
    found = {piece.line.argument for piece in seen.pieces if piece.line is not None and piece.line.argument is not None}
    if "xfact" in seen.folded:
        found.add(Lever.EVIDENCE)
    if "xsource" in seen.folded:
        found.add(Lever.PARITY)
    return found


def _takes_up(seen: Seen) -> float:
    """Lines of the phrasebook are known to fit; own words show it by taking up what the hotel has said."""
    own = [piece.text for piece in seen.pieces if not piece.known]
    if not own or not _content(seen.truth.asked) & _content(" ".join(own)):
        return 0.0
    return TAKES_UP * sum(len(text) for text in own) / sum(len(piece.text) for piece in seen.pieces)


def _content(text: str) -> frozenset[str]:
    """Words that carry something, by their first five letters; of Chinese, pairs of characters."""
    words = {word[:5] for word in re.findall(r"[a-z]{5,}", text.casefold())} - _EVERYWHERE
    chinese = hints.CHINESE.findall(text)
    return frozenset(words | {a + b for a, b in pairwise(chinese)})


_EVERYWHERE = frozenset(
    {"price", "rates", "would", "could", "thank", "there", "about", "which", "xamou", "xroom", "xhote", "pleas", "selli"}
)


def _feeling(seen: Seen) -> float:
    heard = seen.truth.heard
    if heard is None or heard.mood not in (Mood.ANGRY, Mood.ANNOYED, Mood.ANXIOUS) or seen.truth.move.kind is MoveKind.CLOSE:
        return 0.0
    named = hints.SORRY.search(seen.folded) or hints.THANKS.search(seen.folded) or "worr" in seen.folded
    if named:
        return 0.1
    return -0.4 if seen.upset else -0.15


def _reason(seen: Seen) -> float:
    if seen.truth.move.kind not in (MoveKind.ASK, MoveKind.HOLD):
        return 0.0
    arguments = _arguments(seen)
    if not arguments:
        return -0.2
    if arguments & seen.truth.profile.dislikes:
        return -0.2
    return 0.15 if arguments & seen.truth.profile.levers.keys() else 0.0


def _length(text: str) -> float:
    count = len(text.split()) if text.isascii() or " " in text.strip() else len(text) // 2
    return -0.4 if count > LONG else -0.3 if count < SHORT else 0.0


def _effect(truth: Truth) -> float:
    """Stars for goodwill and for the price that the hotel would take now, between -0.6 and +0.4."""
    goodwill = GOODWILL * (truth.after.goodwill - truth.before.goodwill)
    before, after = truth.room(truth.before).willing, truth.room(truth.after).willing
    step = PRICE_STEP * float((before - after) / before)
    return min(max(goodwill + min(max(step, 0.0), 0.2), -0.6), 0.4)
