"""RRM's pairs and their domain trap: a foreign reply is only called wrong where it must be, and ties only like with like."""

from collections import Counter
from collections.abc import Sequence
from datetime import date

import pytest
from reward_rows import emitted

from agent.language.format import move_and_words
from agent.language.prompts import render_write
from agent.simulation import converse
from training.rewards.model import PreferencesUnusable
from training.rewards.model.comparisons import Compared, Comparison, Prompt
from training.rewards.model.rrm import NEUTRAL, NON_CONTEXTUAL, allowed_moves, augment, is_clean, is_specific

CONTEXTS = [(seed, exchange) for seed in range(12) for exchange in converse(seed, today=date(2027, 3, 1), quality="fine").exchanges]


def prompt_in(place: int) -> Prompt:
    return tuple((message["role"], message["content"]) for message in render_write(CONTEXTS[place][1].context))


def group(place: int) -> Compared:
    seed, exchange = CONTEXTS[place]
    move = exchange.reply.move.key
    replies = [emitted(f"Thanks. {{net}} net for the {{room}}, turn {place}?", move), emitted(f"{{net}} net, now. Turn {place}.", move)]
    return Compared(prompt=prompt_in(place), replies=replies, comparisons=[Comparison(0, 1, 1.0, "comparison", f"hotel-{seed}")])


GROUPS = [group(place) for place in range(len(CONTEXTS))]


def undecided(groups: Sequence[Compared]) -> list[list[float]]:
    return [[0.0] * len(one.replies) for one in groups]


def test_that_the_moves_of_every_prompt_are_found() -> None:
    for place, (_, exchange) in enumerate(CONTEXTS):
        assert allowed_moves(prompt_in(place)) == {move.key for move in exchange.context.allowed}


def test_that_a_foreign_prompt_is_refused() -> None:
    with pytest.raises(PreferencesUnusable, match="list the allowed moves"):
        allowed_moves((("user", "Write something."),))


def test_that_foreign_replies_make_moves_that_are_not_allowed_and_are_specific() -> None:
    widened, counts = augment(GROUPS, seed=1, score=undecided, gap=0.0)
    own = {reply: place for place, one in enumerate(GROUPS) for reply in one.replies}
    foreign = 0
    for place, one in enumerate(widened):
        for pair in one.comparisons:
            if pair.source == NON_CONTEXTUAL:
                foreign += 1
                drawn = one.replies[pair.worse]
                assert own[one.replies[pair.better]] == place
                assert pair.wanted == 1
                assert move_and_words(drawn)[0] not in allowed_moves(one.prompt)
                assert is_specific(drawn)
                assert CONTEXTS[own[drawn]][0] != CONTEXTS[place][0], "of another hotel"
    assert foreign == counts[NON_CONTEXTUAL] == counts[f"{NON_CONTEXTUAL}, kept"] > len(GROUPS)


def test_that_a_prompt_gets_the_papers_fourteen_pairs() -> None:
    widened, _ = augment(GROUPS, seed=1, score=undecided, gap=0.0)
    kinds = Counter(tuple(sorted(Counter(pair.source for pair in one.comparisons).items())) for one in widened)
    assert kinds.most_common(1)[0][0] == (("comparison", 1), (NEUTRAL, 6), (NON_CONTEXTUAL, 8))


def leaking(reply: str) -> str:
    return emitted("Our target price is {net} net.", move_and_words(reply)[0])


def test_that_ties_are_of_like_with_like() -> None:
    spoilt = [
        Compared(
            prompt=one.prompt,
            replies=[one.replies[0], leaking(one.replies[1]) if seed % 2 else one.replies[1]],
            comparisons=one.comparisons,
        )
        for one, (seed, _) in zip(GROUPS, CONTEXTS, strict=True)
    ]
    widened, _ = augment(spoilt, seed=1, score=undecided, gap=0.0)
    ties = [(one.replies[pair.better], one.replies[pair.worse]) for one in widened for pair in one.comparisons if pair.source == NEUTRAL]
    assert ties
    assert all(is_clean(first) == is_clean(second) for first, second in ties)
    assert any(not is_clean(first) for first, _ in ties)


def test_that_only_pairs_which_the_first_model_has_wrong_are_kept() -> None:
    def knows(groups: Sequence[Compared]) -> list[list[float]]:
        mine = {reply for one in GROUPS for reply in one.replies}
        return [[9.0 if place < 2 and reply in mine else 0.0 for place, reply in enumerate(one.replies)] for one in groups]

    widened, counts = augment(GROUPS, seed=1, score=knows, gap=0.2)
    assert counts[NON_CONTEXTUAL] > 0
    assert counts[f"{NON_CONTEXTUAL}, kept"] == 0
    assert counts[f"{NEUTRAL}, kept"] == 0, "a tie that is predicted as one teaches nothing"
    assert [one.replies for one in widened] == [one.replies for one in GROUPS], "replies that nothing compares are dropped"
    assert [one.comparisons for one in widened] == [one.comparisons for one in GROUPS]


def test_that_the_same_seed_draws_the_same() -> None:
    assert augment(GROUPS, seed=2, score=undecided, gap=0.0) == augment(GROUPS, seed=2, score=undecided, gap=0.0)
    assert augment(GROUPS, seed=2, score=undecided, gap=0.0) != augment(GROUPS, seed=3, score=undecided, gap=0.0)


@pytest.mark.parametrize(
    ("text", "specific", "clean"),
    [
        ("Understood, thank you.", False, True),
        ("Would {net} net work for you?", True, True),
        ("For the {room} then.", True, True),
        ("Hello {hotel}!", False, True),
        ("We hope for 420.", True, True),
        ("Our target price is {net} net.", True, False),
        ("We guarantee you more bookings.", False, False),
    ],
)
def test_what_is_specific_and_what_is_clean(text: str, specific: bool, clean: bool) -> None:
    assert is_specific(emitted(text)) is specific
    assert is_clean(emitted(text)) is clean
