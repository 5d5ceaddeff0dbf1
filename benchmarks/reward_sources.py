"""Which reward ranks a policy's own replies as the experts do: ``python -m benchmarks.reward_sources BENCH [--arm repo] [--contexts N]``.

A policy of the benchmark in folder BENCH (by default the base) answers contexts of other hotels as it explores in training, four times
each. The benchmark's reward model, the judge and the rules score every reply, and the scores are put together in every way that an arm of
the benchmark learns from. Reported for each: how often it puts the better of two replies to one context first (by the experts' score
without their noise, ``APART`` stars or more), and what the one that it likes best of the four is worth. Intervals are 95 %, drawn over
hotels. All hotels and raters are simulated.
"""

import argparse
import json
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.throwaway import model_server
from db.errors import ParleyError
from training.bench.arms import BASE, arm
from training.bench.material import reward_model_of
from training.bench.stages import adapter_of
from training.experts import judge as true_judgement
from training.objectives.policy import Policy
from training.objectives.rollout import pool, roll_out
from training.objectives.settings import EXPLORING_TEMPERATURE, RunSettings
from training.rewards.enhancement import enhance, linear_sum
from training.rewards.judge import Judge, JudgeSettings
from training.rewards.model import RewardModel
from training.rewards.model.report import ScoredPair, Share, accuracy, between_prompts
from training.rewards.scoring import Score, Scorer
from training.rewards.spec import shipped_spec
from training.snapshots import ContextRow, SimulatedSettings, simulated_rows

SEED = 77
COPIES = 4
APART = 0.3
CHINESE = 0.25
RESAMPLES = 1000
REWARDS: Mapping[str, Callable[[Score], float]] = {
    "RM alone (ppo, grpo)": lambda score: score.model,
    "RJ alone": lambda score: score.judge or 0.0,
    "REPO's product": lambda score: score.total,
    "REPO, zero 1 lower": lambda score: enhance(score.model + 1, score.judge, score.functions),
    "REPO, zero 2 lower": lambda score: enhance(score.model + 2, score.judge, score.functions),
    "REPO, zero 4 lower": lambda score: enhance(score.model + 4, score.judge, score.functions),
    "without RM": lambda score: enhance(1.0, score.judge, score.functions),
    "without RJ": lambda score: enhance(score.model, None, score.functions),
    "without RF": lambda score: enhance(score.model, score.judge, 0.0),
    "sum, x 0.1": lambda score: linear_sum(score.model, score.judge, score.functions, weight=0.1),
    "sum, x 1": lambda score: linear_sum(score.model, score.judge, score.functions),
    "sum, x 10": lambda score: linear_sum(score.model, score.judge, score.functions, weight=10.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A reply with its scores and what it is worth."""

    row: ContextRow
    score: Score
    worth: float
    """Stars, by the experts' true score."""


def answered(adapter: Path | None, rows: Sequence[ContextRow], model: RewardModel, judge: Judge) -> list[list[Answer]]:
    """By context, the replies that can be read."""
    settings = RunSettings(temperature=EXPLORING_TEMPERATURE)
    policy = Policy.load(settings, adapter=adapter, reference=False)
    said = roll_out(policy, pool([row.context for row in rows], policy, settings), range(len(rows)), settings, copies=COPIES, seed=SEED)
    items = [(row, reply) for row, copies in zip(rows, said.replies, strict=True) for reply in copies if reply is not None]
    scorer = Scorer(model.score_replies, judge.judge_many, shipped_spec())
    scores = scorer.score_many([(row.context, reply) for row, reply in items])
    found: defaultdict[str, list[Answer]] = defaultdict(list)
    for (row, reply), score in zip(items, scores, strict=True):
        found[row.id].append(Answer(row=row, score=score, worth=true_judgement(row.truth(reply)).score))
    return list(found.values())


def pairs(groups: Sequence[Sequence[Answer]], reward: Callable[[Score], float]) -> Iterator[ScoredPair]:
    """Of replies to one context that are ``APART``."""
    for group in groups:
        for one, other in combinations(group, 2):
            better, worse = (one, other) if one.worth > other.worth else (other, one)
            if better.worth - worse.worth >= APART:
                gap = reward(better.score) - reward(worse.score)
                context = better.row.context
                yield ScoredPair(better="", worse="", gap=gap, source="", hotel=better.row.hotel, language=context.language)


def liked_best(groups: Sequence[Sequence[Answer]], reward: Callable[[Score], float]) -> Share:
    """Stars of the reply that the reward likes best of a context's; of several the mean."""
    by_hotel: defaultdict[str, list[float]] = defaultdict(list)
    for group in groups:
        rewards = [reward(answer.score) for answer in group]
        best = [answer.worth for answer, value in zip(group, rewards, strict=True) if value == max(rewards)]
        by_hotel[group[0].row.hotel].append(float(np.mean(best)))
    sums, sizes = (np.array([of(stars) for stars in by_hotel.values()]) for of in (sum, len))
    drawn = np.random.default_rng(0).integers(0, len(sums), (RESAMPLES, len(sums)))
    low, high = np.quantile(sums[drawn].sum(1) / sizes[drawn].sum(1), (0.025, 0.975))
    return Share(value=float(sums.sum() / sizes.sum()), low=float(low), high=float(high), n=int(sizes.sum()))


def measure(adapter: Path | None, contexts: int, model: RewardModel, judge: Judge) -> dict[str, Any]:
    settings = SimulatedSettings(contexts=contexts, seed=SEED, per_hotel=2, validation_share=1, chinese=CHINESE)
    groups = answered(adapter, simulated_rows(settings=settings).contexts, model, judge)
    every = [answer for group in groups for answer in group]
    found: dict[str, Any] = {
        "contexts": len(groups), "replies": len(every),
        "stars": float(np.mean([answer.worth for answer in every])),
        "best": float(np.mean([max(answer.worth for answer in group) for group in groups])),
        "liked": float(np.mean([answer.score.model > 0 for answer in every])),
        "between_contexts": between_prompts([[answer.score.model for answer in group] for group in groups]),
        "rewards": {},
    }  # fmt: skip
    for label, reward in REWARDS.items():
        told = list(pairs(groups, reward))
        by_language = {
            code: accuracy(some).model_dump() for code in ("en", "zh") if (some := [one for one in told if one.language == code])
        }
        found["rewards"][label] = {
            "accuracy": accuracy(told).model_dump(), "by_language": by_language, "liked_best": liked_best(groups, reward).model_dump(),
        }  # fmt: skip
    return found


def show(console: Console, found: Mapping[str, Any]) -> None:
    replies, contexts, liked, between = (found[name] for name in ("replies", "contexts", "liked", "between_contexts"))
    console.print(
        f"{replies} replies of {found['policy']} to {contexts} contexts, {found['stars']:.2f} stars on the mean, the best of each "
        f"{found['best']:.2f} (simulated). R_model likes {liked:.0%}; {between:.0%} of its variance lies between contexts."
    )
    table = Table("reward", "pairs", "the better one first", "95 %", "English", "Chinese", "its favourite, stars", "95 %")
    for label, told in found["rewards"].items():
        share, best = told["accuracy"], told["liked_best"]
        languages = [f"{told['by_language'][code]['value']:.1%}" if code in told["by_language"] else "" for code in ("en", "zh")]
        table.add_row(
            label, str(share["n"]), f"{share['value']:.1%}", f"{share['low']:.1%} to {share['high']:.1%}", *languages,
            f"{best['value']:.2f}", f"{best['low']:.2f} to {best['high']:.2f}",
        )  # fmt: skip
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bench", type=Path, help="folder of a benchmark whose reward model and policies are there")
    parser.add_argument("--arm", default=BASE)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--contexts", type=int, default=160)
    parser.add_argument("--url", help="a server that serves the shipped weights under their names; without it one is started")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    try:
        adapter = adapter_of(options.bench, arm(options.arm).name, options.seed)
        model = reward_model_of(options.bench, arm(BASE), options.seed)
    except ParleyError as error:
        parser.error(str(error))
    if adapter is not None and not adapter.is_dir():
        parser.error(f"{options.bench} has no trained {options.arm} of seed {options.seed}: run parley bench with that arm in it first")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = options.url or stack.enter_context(model_server(folder))
        judge = stack.enter_context(Judge(JudgeSettings(base_url=url, timeout_s=300.0, cache=folder / "cache.db")))
        judge.probe()
        found = {"policy": options.arm, "seed": options.seed} | measure(adapter, options.contexts, model, judge)
    show(Console(stderr=options.json), found)
    if options.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
