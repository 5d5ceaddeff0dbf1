"""Dialogues that the policy holds itself, as something to learn from."""

import dataclasses
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator

from agent.domain import TurnContext
from agent.serving.starter import ADAPTER_FOLDER
from tests.training.objectives.learning import SMALL, contexts, scorer, task, tiny
from training.dialogues import meet
from training.objectives.catalogue import settings_of, train
from training.objectives.environment import Dialogues
from training.objectives.metrics import MetricsLog
from training.objectives.policy import Policy, PolicyError
from training.objectives.rewarding import Scoring
from training.objectives.rollout import Rollout
from training.objectives.running import STOP
from training.objectives.settings import PolicySettings, SettingsError
from training.objectives.valuing import Valuing

HOTELS = [3, 6]
"""With one room each, whose dialogues are short."""
SETTINGS = PolicySettings(
    environment="dialogues", prompts=2, copies=1, minibatches=2, max_tokens=100, temperature=0.3, outcome_weight=2.0, advantage="gae"
)
RUN: dict[str, Any] = {**SMALL, "environment": "dialogues", "steps": 2, "prompts": 2, "copies": 1, "hotels": 3}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def policy() -> Policy:
    torch.set_num_threads(1)
    return Policy.load(SETTINGS, adapter=ADAPTER_FOLDER)


@pytest.fixture(scope="module")
def asked() -> list[tuple[int, TurnContext]]:
    return []


@pytest.fixture(scope="module")
def rollout(policy: Policy, asked: list[tuple[int, TurnContext]]) -> Rollout:
    def written(rows: Any, those: Any, replies: Any) -> None:
        asked.extend(zip(rows, those, strict=True))

    return Dialogues(policy, SETTINGS).roll_out(HOTELS, step=0, seed=5, written=written)


def dialogues_in(rollout: Rollout) -> list[list[int]]:
    """Which rows are the turns of each dialogue: a dialogue's next context begins with all that was said in the one before."""
    found: list[list[int]] = []
    for row, context in enumerate(rollout.contexts):
        for rows in found:
            before = rollout.contexts[rows[-1]].history
            if len(context.history) > len(before) and context.facts == rollout.contexts[rows[-1]].facts:
                reply = rollout.replies[rows[-1]][0]
                if context.history[: len(before)] == before and (reply is None or context.history[len(before)].text == reply.text):
                    rows.append(row)
                    break
        else:
            found.append([row])
    return found


def test_each_turn_is_a_context_with_one_reply(rollout: Rollout) -> None:
    assert len(rollout.contexts) % 2 == 0
    assert len(rollout.contexts) == len(rollout.prompts) == len(rollout.samples.ids) == len(rollout.replies)
    assert all(len(copies) == 1 for copies in rollout.replies)
    assert sum(not context.history for context in rollout.contexts) == len(HOTELS)
    met = {meet(number, SETTINGS.seed, held_out=False).facts[0].hotel_name for number in HOTELS}
    assert {context.facts[0].hotel_name for context in rollout.contexts} == met


def test_replies_are_told_of_at_their_rows(rollout: Rollout, asked: list[tuple[int, TurnContext]]) -> None:
    placed = dict(asked)
    assert [placed[row] for row in range(len(rollout.contexts))] == list(rollout.contexts)


def test_a_turn_is_paid_less_the_more_turns_follow(rollout: Rollout) -> None:
    assert rollout.outcomes is not None
    talks = dialogues_in(rollout)
    assert len(talks) == len(HOTELS)
    for rows in talks:
        paid = [rollout.outcomes[row][0] for row in rows]
        for earlier, later in pairwise(paid):
            assert earlier == pytest.approx(SETTINGS.outcome_discount * later)


def test_the_outcome_is_paid_on_top_of_the_reward_of_the_reply(policy: Policy, rollout: Rollout) -> None:
    # Where replies are compared, what each is worth stands in the batch as it is.
    valuing = Valuing(policy, SETTINGS.model_copy(update={"loss": "sppo", "beta": 0.0}), None, Accelerator(cpu=True))
    with Scoring(scorer()) as scoring:
        scoring.ask(range(len(rollout.replies)), rollout.contexts, rollout.replies)
        scored = scoring.rewards(rollout.replies, unreadable=-3.0)
    paid = valuing.batch(rollout, valuing.look(rollout), scored, torch.Generator())[0]["worth"]
    torch.testing.assert_close(paid, scored.total + torch.tensor(rollout.outcomes))


def test_the_same_seed_holds_the_same_dialogues(policy: Policy, rollout: Rollout) -> None:
    def unheard(*_: object) -> None: ...

    again = Dialogues(policy, SETTINGS).roll_out(HOTELS, step=0, seed=5, written=unheard)
    assert dataclasses.replace(again, seconds=0.0) == dataclasses.replace(rollout, seconds=0.0)


def test_every_dialogue_with_a_hotel_goes_its_own_way(base: Path) -> None:
    settings = SETTINGS.model_copy(update={"copies": 2, "max_tokens": 6})
    rollout = Dialogues(Policy.load(settings, base=base), settings).roll_out([3], step=0, seed=5, written=lambda *_: None)
    first, second = (rollout.samples.ids[row] for row in range(2))
    assert rollout.contexts[0] == rollout.contexts[1]
    assert first != second


def test_a_run_in_dialogues_needs_no_snapshot_and_tells_what_they_came_to(base: Path, tmp_path: Path) -> None:
    train("ppo", task(tmp_path / "run", base=base, contexts=()), settings_of("ppo", {**RUN, "steps": 1}))
    told = MetricsLog(tmp_path / "run").read()[0]
    assert told["dialogue/turns"] >= 2
    assert 0 <= told["dialogue/agreed_share"] <= 1
    assert {"dialogue/outcome", "dialogue/captured", "value/loss"} <= told.keys()
    with pytest.raises(PolicyError, match="no contexts"):
        train("ppo", task(tmp_path / "none", base=base, contexts=()), settings_of("ppo", {**RUN, "environment": "contexts"}))


def test_a_run_in_dialogues_that_was_stopped_gives_the_same_adapter_when_it_is_resumed(base: Path, tmp_path: Path) -> None:
    settings = settings_of("repo", RUN)
    whole = train("repo", task(tmp_path / "whole", base=base), settings)
    (tmp_path / "cut").mkdir()
    stop = tmp_path / "cut" / STOP
    stop.touch()
    assert not train("repo", task(tmp_path / "cut", base=base), settings).finished
    stop.unlink()
    outcome = train("repo", task(tmp_path / "cut", base=base), settings, resume=True)
    assert outcome.finished
    assert outcome.digest == whole.digest


@pytest.mark.parametrize("options", [{"advantage": "group"}, {"loss": "p3o"}])
def test_replies_that_have_nothing_to_be_compared_with_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="nothing to compare it with"):
        settings_of("repo", {**RUN, "copies": 2, **options})


def test_a_prompt_that_does_not_fit_the_window_is_refused(base: Path, tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="window is 1024"):
        train("repo", task(tmp_path, base=base, contexts=contexts(1)), settings_of("repo", {**RUN, "max_tokens": 1000}))
