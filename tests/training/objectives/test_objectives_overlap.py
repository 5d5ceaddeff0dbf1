"""Rewards are asked for while replies are written and valued, and come out as if they had been asked for in between."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from agent.domain import Reply, TurnContext
from agent.serving.starter import ADAPTER_FOLDER
from tests.training.objectives.learning import SMALL, contexts, scorer, task, tiny
from training.objectives.catalogue import settings_of, train
from training.objectives.policy import Policy
from training.objectives.repo import REPOTrainer
from training.objectives.rewarding import BadReward, ScoreLike, Scoring, rewards
from training.objectives.rollout import pool, roll_out
from training.objectives.settings import PolicySettings

Items = Sequence[tuple[TurnContext, Reply]]
NARROW = PolicySettings(max_tokens=100, temperature=0.3, rollout_width=2)
PATIENCE = 60.0
"""Seconds after which something that waits is taken to wait for ever."""


@pytest.fixture(scope="module")
def policy() -> Policy:
    torch.set_num_threads(1)
    return Policy.load(NARROW, adapter=ADAPTER_FOLDER)


def test_a_set_is_scored_while_the_next_one_is_written(policy: Policy) -> None:
    written = threading.Event()
    in_time: list[bool] = []

    def patient(items: Items) -> Sequence[ScoreLike]:
        in_time.append(written.wait(PATIENCE))
        return scorer()(items)

    with Scoring(patient) as scoring:
        sets: list[list[int]] = []

        def ask(rows: Sequence[int], asked: Sequence[TurnContext], replies: Sequence[Sequence[Reply | None]]) -> None:
            scoring.ask(rows, asked, replies)
            sets.append(list(rows))
            if len(sets) == 2:
                written.set()

        rollout = roll_out(policy, pool(contexts(4), policy, NARROW), range(4), NARROW, copies=2, seed=5, written=ask)
        scoring.rewards(rollout.replies, unreadable=-3.0)
    assert sorted(row for rows in sets for row in rows) == [0, 1, 2, 3]
    assert all(in_time)


def test_what_comes_in_sets_stands_where_it_would_stand_alone(policy: Policy) -> None:
    with Scoring(scorer()) as scoring:
        rollout = roll_out(policy, pool(contexts(5), policy, NARROW), range(5), NARROW, copies=2, seed=5, written=scoring.ask)
        found = scoring.rewards(rollout.replies, unreadable=-3.0)
    alone = rewards(rollout, scorer(), unreadable=-3.0)
    for name in ("model", "functions", "enhanced", "total", "readable", "violated", "judge_missing"):
        torch.testing.assert_close(getattr(found, name), getattr(alone, name), rtol=0, atol=0, equal_nan=True)
    assert len({float(total) for total in alone.total.flatten()}) > 2


def test_rewards_may_come_after_the_values(tmp_path: Path) -> None:
    """The model is called to value the replies only; a reward that waits for that would wait for ever if it were asked for before."""
    seen = threading.Event()

    def patient(items: Items) -> Sequence[ScoreLike]:
        assert seen.wait(PATIENCE), "nothing was valued while the reward was waited for"
        return scorer()(items)

    settings: Any = settings_of("repo", {**SMALL, "steps": 1, "max_tokens": 48})
    policy = Policy.load(settings)
    policy.model.register_forward_pre_hook(lambda *_: seen.set())
    trainer = REPOTrainer.of(task(tmp_path, score=patient), settings, policy)
    trainer.train()
    assert seen.is_set()


def test_when_a_reward_comes_changes_nothing(tmp_path: Path) -> None:
    pauses = iter([0.0, 0.05, 0.0, 0.02] * 100)

    def moody(items: Items) -> Sequence[ScoreLike]:
        threading.Event().wait(next(pauses))
        return scorer()(items)

    settings = settings_of("repo", {**SMALL, "steps": 2, "copies": 2, "max_tokens": 48, "rollout_width": 1})
    steady = train("repo", task(tmp_path / "steady"), settings)
    assert train("repo", task(tmp_path / "moody", score=moody), settings).digest == steady.digest


def test_what_goes_wrong_in_the_background_ends_the_run_with_its_own_words(tmp_path: Path) -> None:
    def short(items: Items) -> Sequence[ScoreLike]:
        return scorer()(items)[1:]

    with pytest.raises(BadReward, match="it must give one for each"):
        train("repo", task(tmp_path, score=short), settings_of("repo", {**SMALL, "max_tokens": 48}))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("rewards")]


def test_the_answers_of_a_random_model_are_never_asked_about(tmp_path: Path) -> None:
    def never(items: Items) -> Sequence[ScoreLike]:
        raise AssertionError("there is nothing to score")

    assert train("repo", task(tmp_path / "run", base=tiny(tmp_path / "tiny"), score=never), settings_of("repo", SMALL)).finished
