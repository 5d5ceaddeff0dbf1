"""What a judgement must be to be saved, how it becomes rows, and when judgements of one item are in dispute.

A dispute of stars: the highest and the lowest differ by more than the queue allows. A dispute of a comparison: somebody prefers the first
reply and somebody the second, and both at least slightly (strength 2).
"""

import math
from collections.abc import Sequence
from dataclasses import fields, replace

from db.models import GoldAnswer, Json, Rating, RatingItem
from db.vocabulary import JudgementKind, Preferred
from training.ratings.errors import JudgementWrong
from training.ratings.views import Gold, Judgement, Tag

OUTCOMES = ("won", "lost", "open")
LONGEST_TEXT = 10_000
"""Characters of a comment, a rewrite, or what decided a dialogue."""
LONGEST_SECONDS = 7 * 86_400.0
"""A longer time is a page left open, not work; it is cut to this."""
EXCELLENT_FROM = 4
"""Fewest stars that an excellent reply may have."""
SLIGHTLY = 2
"""Strength from which a preference counts as one in a dispute."""

_SWAPPED = {Preferred.FIRST: Preferred.SECOND, Preferred.SECOND: Preferred.FIRST, Preferred.TIE: Preferred.TIE}


def checked(kind: JudgementKind, judgement: Judgement) -> Judgement:
    """The judgement as it is stored: texts without blanks around them.

    Raises:
        JudgementWrong: if something is missing, out of range, or has no place in a judgement of this kind.
    """
    cleaned = replace(
        judgement,
        comment=_text(judgement.comment, "the comment"),
        rewrite=_text(judgement.rewrite or "", "the rewrite") or None,
        decided_by=_text(judgement.decided_by, "what decided it"),
        seconds=_seconds(judgement.seconds),
    )
    if kind is JudgementKind.COMPARISON:
        _check_comparison(cleaned)
    else:
        _check_stars(kind, cleaned)
    return cleaned


def swapped(judgement: Judgement) -> Judgement:
    """The same judgement of the two replies in the other order."""
    return replace(judgement, preferred=_SWAPPED[judgement.preferred]) if judgement.preferred is not None else judgement


def said_by(rating: Rating) -> Judgement:
    """What a row, with its ``tags``, says; of a comparison in the item's own order."""
    return Judgement(
        stars=rating.stars,
        excellent=rating.excellent,
        tags=tuple(Tag(tag=tag.tag, severity=tag.severity) for tag in rating.tags),
        comment=rating.comment,
        rewrite=rating.rewrite,
        preferred=rating.preferred,
        strength=rating.strength,
        outcome=rating.outcome,
        decided_by=rating.decided_by,
        seconds=rating.seconds,
    )


def columns_of(judgement: Judgement) -> Json:
    """The judgement as columns of ``Rating``, without its tags."""
    return {field.name: getattr(judgement, field.name) for field in fields(Judgement) if field.name != "tags"}


def in_words(judgement: Judgement) -> Json:
    """The judgement for the audit trail: what was said, and nothing that was left out."""
    said = {name: value for name, value in columns_of(judgement).items() if value not in (None, "", False)}
    return said | ({"tags": {tag.tag: tag.severity for tag in judgement.tags}} if judgement.tags else {})


def subject_of(row: RatingItem | Rating) -> Json:
    """What an item asks about, or a judgement is about, as columns of ``Rating``; an item comes with its ``queue``."""
    is_item = isinstance(row, RatingItem)
    return {
        "kind": row.queue.kind if is_item else row.kind,
        "item_id": row.id if is_item else row.item_id,
        "conversation_id": row.conversation_id,
        "turn_id": row.turn_id,
        "first_draft_id": row.first_draft_id,
        "second_draft_id": row.second_draft_id,
    }


def gold_of(answer: GoldAnswer, judgement: Judgement) -> Gold:
    """What a person is told after judging a turn whose answer is known: right if the stars are in range and no fault was missed."""
    seen = {tag.tag for tag in judgement.tags}
    in_range = judgement.stars is not None and answer.stars_from <= judgement.stars <= answer.stars_to
    return Gold(
        right=in_range and seen.issuperset(answer.tags),
        stars_from=answer.stars_from,
        stars_to=answer.stars_to,
        tags=tuple(answer.tags),
        explanation=answer.explanation,
    )


def in_dispute(kind: JudgementKind, ratings: Sequence[Rating], *, over: int) -> bool:
    """Whether somebody must decide; ``over`` is the largest difference of stars that is still left alone."""
    if kind is JudgementKind.COMPARISON:
        sides = {rating.preferred for rating in ratings if rating.strength is not None and rating.strength >= SLIGHTLY}
        return {Preferred.FIRST, Preferred.SECOND} <= sides
    stars = [rating.stars for rating in ratings if rating.stars is not None]
    return bool(stars) and max(stars) - min(stars) > over


def _check_stars(kind: JudgementKind, judgement: Judgement) -> None:
    if judgement.stars is None:
        raise JudgementWrong("give 1 to 5 stars before saving")
    if judgement.stars not in range(1, 6):
        raise JudgementWrong(f"{judgement.stars} stars cannot be given; give 1 to 5")
    if judgement.excellent and judgement.stars < EXCELLENT_FROM:
        raise JudgementWrong(
            f"an excellent reply has at least {EXCELLENT_FROM} stars, not {judgement.stars}; take the mark away or give more"
        )
    if judgement.preferred is not None or judgement.strength is not None:
        raise JudgementWrong("a preference belongs to a comparison of two replies; rate this with stars")
    seen = [tag.tag for tag in judgement.tags]
    if len(seen) != len(set(seen)):
        raise JudgementWrong("a fault is named twice; name each once, with its worst severity")
    if kind is JudgementKind.TURN:
        if judgement.outcome is not None or judgement.decided_by:
            raise JudgementWrong("an outcome, and what decided it, belong to a whole conversation; leave them out for one reply")
    elif judgement.rewrite is not None:
        raise JudgementWrong("a rewrite belongs to one reply; say in the comment what should have gone differently in the conversation")
    if judgement.outcome is not None and judgement.outcome not in OUTCOMES:
        raise JudgementWrong(f"{judgement.outcome!r} is no outcome; say one of {', '.join(OUTCOMES)}")


def _check_comparison(judgement: Judgement) -> None:
    if judgement.preferred is None:
        raise JudgementWrong("say which reply is better, or that they are equally good, before saving")
    if judgement.preferred is Preferred.TIE and judgement.strength is not None:
        raise JudgementWrong("a tie has no strength; leave it out")
    if judgement.preferred is not Preferred.TIE and judgement.strength not in range(1, 5):
        raise JudgementWrong("say how much better the reply is, from 1 (negligibly) to 4 (much)")
    if judgement.stars is not None or judgement.excellent or judgement.tags or judgement.rewrite is not None:
        raise JudgementWrong("stars, faults and a rewrite belong to one reply; in a comparison say which is better, and why in the comment")
    if judgement.outcome is not None or judgement.decided_by:
        raise JudgementWrong("an outcome, and what decided it, belong to a whole conversation; leave them out for a comparison")


def _text(written: str, what: str) -> str:
    text = written.replace("\0", "").strip()
    if len(text) > LONGEST_TEXT:
        raise JudgementWrong(f"{what} has {len(text):,} characters; shorten it to {LONGEST_TEXT:,}")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise JudgementWrong(f"{what} holds half of a character, which cannot be stored; type it again")
    return text


def _seconds(seconds: float | None) -> float | None:
    if seconds is None:
        return None
    if not math.isfinite(seconds) or seconds < 0:
        raise JudgementWrong(f"{seconds} s cannot be how long it took; leave the time out")
    return min(seconds, LONGEST_SECONDS)
