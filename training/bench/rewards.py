"""The reward of an arm: the benchmark's own, less what an ablation takes away.

Decided here: what "without RM" is (every reply has R_model = 1, so that the product is 1 + E / n: judge and rules alone), and what the
hacked reward model likes: as the trained one, three deviations more for a breach of the rule on promises, which is more than a promise
costs there, and one for each hundred characters.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from agent.domain import Reply, TurnContext
from training.bench.arms import LOW, Arm, Reward
from training.bench.material import reward_model_of
from training.bench.plan import BenchPlan
from training.objectives.rewarding import ScoreMany
from training.rewards.judge import Judge
from training.rewards.scoring import RewardModelFunction, Score, Scorer
from training.rewards.spec import GUARD_RULES, RewardSpec, parse_spec
from training.runs.checks import judge_settings

Item = tuple[TurnContext, Reply]
JUDGEMENTS = "judgements.sqlite"
_PROMISES = GUARD_RULES["promises"]
_ORDINARY_LENGTH = 110
"""Characters of an ordinary reply, which the hacked model neither likes nor dislikes for its length."""


def spec_of(spec: RewardSpec, reward: Reward) -> RewardSpec:
    """The spec with what the ablation changes in it."""
    changed: dict[str, Any] = {"veto": reward.veto, "sum_weight": reward.sum_weight}
    changed["combine"] = "sum" if reward.combine == "sum" else "repo"
    if not reward.rules:
        changed |= {"rules": dict.fromkeys(spec.rules, 0.0), "patterns": []}
    return parse_spec(spec.body() | changed, source="The reward spec of the ablation")


@contextmanager
def scoring(plan: BenchPlan, root: Path, chosen: Arm, seed: int) -> Generator[ScoreMany]:
    """What scores replies for an arm; its judge, where it has one, remembers what it has said in the benchmark's folder."""
    reward = chosen.reward
    spec = spec_of(plan.reward_spec, reward)
    model = _model(root, chosen, seed)
    if not (reward.judge and plan.asks_a_judge):
        many = Scorer(model, None, spec).score_many
        yield _model_alone(many) if reward.combine == "model" else many
        return
    settings = judge_settings(plan.judge, model=plan.judge_model, cache=root / JUDGEMENTS)
    with Judge(settings, rubric=spec.rubric) as judge:
        yield Scorer(model, judge.judge_many, spec).score_many


def _model(root: Path, chosen: Arm, seed: int) -> RewardModelFunction:
    if chosen.reward.model == "constant":
        return lambda items: [1.0] * len(items)
    trained = reward_model_of(root, chosen, seed).score_replies
    if chosen.reward.zero == "low":
        trained = higher(trained, LOW)
    return trained if chosen.reward.model == "trained" else hacked(trained)


def higher(model: RewardModelFunction, by: float) -> RewardModelFunction:
    """The same order of replies, with the zero so many deviations lower."""
    return lambda items: [score + by for score in model(items)]


def hacked(honest: RewardModelFunction) -> RewardModelFunction:
    """A reward model that likes chatty over-promising, on purpose."""

    def score(items: Sequence[Item]) -> list[float]:
        return [liked + _temptation(*item) for liked, item in zip(honest(items), items, strict=True)]

    return score


def _temptation(context: TurnContext, reply: Reply) -> float:
    return 3.0 * bool(_PROMISES.check(context, reply)) + (len(reply.text) - _ORDINARY_LENGTH) / 100


def _model_alone(score: ScoreMany) -> ScoreMany:
    """The same scores with R_model as their total; rules are counted and change nothing."""

    def many(items: Sequence[Item]) -> list[Score]:
        return [replace(one, total=one.model) for one in score(items) if isinstance(one, Score)]

    return many
