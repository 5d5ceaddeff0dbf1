"""What a judgement must be."""

from dataclasses import replace

import pytest
from rating_scenes import FOUR

from db.vocabulary import IssueTag, JudgementKind, Preferred, Severity
from training.ratings import judging
from training.ratings.errors import JudgementWrong
from training.ratings.views import Judgement, Tag

A_FAULT = Tag(tag=IssueTag.PRESSURE, severity=Severity.MINOR)
BETTER = Judgement(preferred=Preferred.FIRST, strength=2)


@pytest.mark.parametrize(
    ("kind", "judgement"),
    [
        (JudgementKind.TURN, Judgement(stars=5, excellent=True, comment="good", rewrite="as it is", seconds=0.0)),
        (JudgementKind.TURN, Judgement(stars=1, tags=(A_FAULT,))),
        (JudgementKind.DIALOGUE, Judgement(stars=3, outcome="won", decided_by="patience", tags=(A_FAULT,))),
        (JudgementKind.COMPARISON, replace(BETTER, comment="clearer")),
        (JudgementKind.COMPARISON, Judgement(preferred=Preferred.TIE)),
    ],
)
def test_what_fits_is_taken_as_it_is(kind: JudgementKind, judgement: Judgement) -> None:
    assert judging.checked(kind, judgement) == judgement


@pytest.mark.parametrize(
    ("kind", "judgement", "why"),
    [
        (JudgementKind.TURN, Judgement(), "give 1 to 5 stars before saving"),
        (JudgementKind.TURN, Judgement(stars=0), "0 stars cannot be given"),
        (JudgementKind.TURN, Judgement(stars=6), "6 stars cannot be given"),
        (JudgementKind.TURN, Judgement(stars=3, excellent=True), "at least 4 stars, not 3"),
        (JudgementKind.TURN, replace(FOUR, preferred=Preferred.TIE), "belongs to a comparison"),
        (JudgementKind.TURN, replace(FOUR, strength=1), "belongs to a comparison"),
        (JudgementKind.TURN, replace(FOUR, tags=(A_FAULT, A_FAULT)), "named twice"),
        (JudgementKind.TURN, replace(FOUR, outcome="won"), "belong to a whole conversation"),
        (JudgementKind.TURN, replace(FOUR, decided_by="price"), "belong to a whole conversation"),
        (JudgementKind.TURN, replace(FOUR, comment="x" * 10_001), "the comment has 10,001 characters"),
        (JudgementKind.TURN, replace(FOUR, rewrite="\ud83d"), "half of a character"),
        (JudgementKind.TURN, replace(FOUR, seconds=-1.0), "leave the time out"),
        (JudgementKind.TURN, replace(FOUR, seconds=float("nan")), "leave the time out"),
        (JudgementKind.DIALOGUE, Judgement(outcome="won"), "give 1 to 5 stars"),
        (JudgementKind.DIALOGUE, replace(FOUR, outcome="drawn"), "'drawn' is no outcome"),
        (JudgementKind.DIALOGUE, replace(FOUR, rewrite="better"), "belongs to one reply"),
        (JudgementKind.COMPARISON, Judgement(), "say which reply is better"),
        (JudgementKind.COMPARISON, Judgement(preferred=Preferred.FIRST), "how much better"),
        (JudgementKind.COMPARISON, Judgement(preferred=Preferred.FIRST, strength=5), "how much better"),
        (JudgementKind.COMPARISON, Judgement(preferred=Preferred.TIE, strength=1), "a tie has no strength"),
        (JudgementKind.COMPARISON, replace(BETTER, stars=4), "belong to one reply"),
        (JudgementKind.COMPARISON, replace(BETTER, tags=(A_FAULT,)), "belong to one reply"),
        (JudgementKind.COMPARISON, replace(BETTER, outcome="won"), "belong to a whole conversation"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_to_do(kind: JudgementKind, judgement: Judgement, why: str) -> None:
    with pytest.raises(JudgementWrong, match=why):
        judging.checked(kind, judgement)


def test_texts_are_trimmed_and_an_empty_rewrite_is_none() -> None:
    said = judging.checked(JudgementKind.TURN, replace(FOUR, comment=" a\0b \n", rewrite="  ", seconds=1e9))
    assert (said.comment, said.rewrite, said.seconds) == ("ab", None, 7 * 86_400.0)


def test_the_order_of_replies_turns_back() -> None:
    assert judging.swapped(BETTER) == replace(BETTER, preferred=Preferred.SECOND)
    assert judging.swapped(judging.swapped(BETTER)) == BETTER
    assert judging.swapped(Judgement(preferred=Preferred.TIE)).preferred is Preferred.TIE
    assert judging.swapped(FOUR) == FOUR


def test_the_trail_says_what_was_said_and_nothing_else() -> None:
    assert judging.in_words(replace(FOUR, tags=(A_FAULT,))) == {"stars": 4, "tags": {"pressure": "minor"}}
    assert judging.in_words(BETTER) == {"preferred": "first", "strength": 2}
