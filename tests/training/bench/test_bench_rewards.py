"""The reward of each arm: what an ablation takes away is gone, and nothing else is."""

import json
from pathlib import Path

import pytest

from agent.domain import Reply, TurnContext
from tests.training.objectives.learning import contexts
from training.bench.arms import ARMS, FULL, LOW, MODEL_ALONE, Arm, Reward
from training.bench.plan import BenchPlan
from training.bench.rewards import hacked, higher, scoring, spec_of
from training.bench.terminal import plan_of
from training.rewards.enhancement import enhance
from training.rewards.spec import diff, shipped_spec

PLAIN, PROMISING = "Could you lower it?", "If you agree today we guarantee you twice as many bookings, that is a promise."


def reply(context: TurnContext, text: str) -> Reply:
    return Reply(move=context.allowed[0], text=text)


def constant(root: Path, reward: Reward) -> list[float]:
    """Totals of a plain and of a promising reply where R_model is 1 for both."""
    plan: BenchPlan = plan_of("toy", arms=(), seeds=None, values=(), judge="none", spec=None)
    (context,) = contexts(1)
    with scoring(plan, root, Arm(name="ablation", says="", objective="repo", reward=reward), 0) as score:
        return [one.total for one in score([(context, reply(context, text)) for text in (PLAIN, PROMISING)])]


def test_that_the_spec_of_repo_is_the_shipped_one() -> None:
    assert diff(shipped_spec(), spec_of(shipped_spec(), FULL)) == []
    assert spec_of(shipped_spec(), FULL).digest == shipped_spec().digest


@pytest.mark.parametrize(
    ("arm", "changed"),
    [("sum_0.1", {"combine", "sum_weight"}), ("sum_1", {"combine"}), ("sum_10", {"combine", "sum_weight"}), ("repo_veto", {"veto"}),
     ("repo_no_rj", set[str]()), ("repo_zero_refs", set[str]()), ("repo_zero_refs_veto", {"veto"}), ("repo_zero_low", set[str]())],
)  # fmt: skip
def test_that_an_ablation_changes_what_it_names_alone(arm: str, changed: set[str]) -> None:
    assert {change.path for change in diff(shipped_spec(), spec_of(shipped_spec(), ARMS[arm].reward))} == changed


def test_that_without_rules_no_rule_costs_anything() -> None:
    spec = spec_of(shipped_spec(), ARMS["repo_no_rf"].reward)
    (context,) = contexts(1)
    from training.rewards.functions import functions

    assert functions(context, reply(context, PROMISING), shipped_spec()).value < 0
    assert functions(context, reply(context, PROMISING), spec).value == 0


def test_that_without_a_reward_model_the_enhancement_alone_speaks(tmp_path: Path) -> None:
    plain, promising = constant(tmp_path, Reward(model="constant", judge=False))
    assert promising == pytest.approx(plain - 0.6), "a promise costs 60 of 100"


def test_that_an_arm_of_the_reward_model_alone_does_not_see_the_rules(tmp_path: Path) -> None:
    assert constant(tmp_path, MODEL_ALONE.model_copy(update={"model": "constant"})) == [1.0, 1.0]


def test_that_the_hacked_model_likes_promises_and_chatter() -> None:
    (context,) = contexts(1)
    score = hacked(lambda items: [0.0] * len(items))
    plain, promising, longer = score([(context, reply(context, text)) for text in (PLAIN, PROMISING, PLAIN + " Please do." * 9)])
    assert promising - plain == pytest.approx(3 + (len(PROMISING) - len(PLAIN)) / 100)
    assert longer - plain == pytest.approx(99 / 100)


def test_that_a_lower_zero_gives_the_judge_a_say_and_leaves_the_order() -> None:
    score = higher(lambda items: [-0.5, 0.0, 1.0][: len(items)], LOW)
    (context,) = contexts(1)
    assert score([(context, reply(context, PLAIN))] * 3) == [1.5, 2.0, 3.0]
    # At the base's own zero, neither of these would matter to an ordinary reply.
    assert enhance(score([(context, reply(context, PLAIN))] * 2)[1], 50.0, 0.0) == 3.0


def test_that_a_reward_is_named_by_all_of_it() -> None:
    """A critic of one reward is refused by another."""
    assert ARMS["dvpo"].reward.model_dump_json() == ARMS["dvpo_values"].reward.model_dump_json()
    assert len({json.dumps(ARMS[name].reward.model_dump()) for name in ("repo", "repo_no_rj", "repo_no_rf", "repo_no_rm")}) == 4
