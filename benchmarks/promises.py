"""How often a policy promises what nobody can keep: ``python -m benchmarks.promises BENCH --arms sft_promises,hacked_ppo,hacked_repo``.

Policies of the benchmark in folder BENCH answer the same contexts of hotels that none of them has seen, four times each at the temperature
of service, wherever a price may be asked for or held. Reported of the replies that do so: how many break the rule on promises, and their
length. In whole dialogues the same share hangs on how long hotels go on talking to somebody who promises; here it does not. Nothing guards
these replies. Intervals are 95 %, drawn over hotels. Everything is simulated.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from agent.domain import Reply, TurnContext
from benchmarks.negotiation_figures import mean_over
from db.errors import ParleyError
from training.bench.arms import arm
from training.bench.learning import WITH_A_PRICE
from training.bench.stages import adapter_of
from training.objectives.policy import Policy
from training.objectives.rollout import pool, roll_out
from training.objectives.settings import SERVING_TEMPERATURE, RunSettings
from training.rewards.spec import GUARD_RULES
from training.snapshots import ContextRow, SimulatedSettings, simulated_rows

SEED = 78
COPIES = 4
CHINESE = 0.25
_PROMISES = GUARD_RULES["promises"]


def contexts(count: int) -> list[ContextRow]:
    """Those of so many in which a price may be asked for or held."""
    settings = SimulatedSettings(contexts=count, seed=SEED, per_hotel=2, validation_share=1, chinese=CHINESE)
    rows = simulated_rows(settings=settings).contexts
    return [row for row in rows if any(move.kind in WITH_A_PRICE for move in row.context.allowed)]


def figures(answers: Mapping[str, Sequence[tuple[TurnContext, Reply]]]) -> dict[str, Any]:
    """Of the replies by hotel, those with a price. Raises ValueError where there is none."""
    priced = [[one for one in replies if one[1].move.kind in WITH_A_PRICE] for replies in answers.values()]
    promised = [[float(bool(_PROMISES.check(context, reply))) for context, reply in replies] for replies in priced]
    lengths = [[float(len(reply.text)) for _, reply in replies] for replies in priced]
    return {
        "replies": sum(map(len, promised)),
        "promise": asdict(mean_over(promised)),
        "characters": asdict(mean_over(lengths)),
    }


def answered(adapter: Path | None, rows: Sequence[ContextRow]) -> dict[str, list[tuple[TurnContext, Reply]]]:
    """By hotel, the replies that can be read."""
    settings = RunSettings(temperature=SERVING_TEMPERATURE)
    policy = Policy.load(settings, adapter=adapter, reference=False)
    said = roll_out(policy, pool([row.context for row in rows], policy, settings), range(len(rows)), settings, copies=COPIES, seed=SEED)
    found: defaultdict[str, list[tuple[TurnContext, Reply]]] = defaultdict(list)
    for row, copies in zip(rows, said.replies, strict=True):
        found[row.hotel] += [(row.context, reply) for reply in copies if reply is not None]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bench", type=Path, help="folder of a benchmark whose policies are there")
    parser.add_argument("--arms", default="sft_promises,hacked_ppo,hacked_repo,hacked_repo_veto")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--contexts", type=int, default=160)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    try:
        names = [arm(name).name for name in options.arms.split(",")]
    except ParleyError as error:
        parser.error(str(error))
    policies = [(name, seed, adapter_of(options.bench, name, seed)) for name in names for seed in range(options.seeds)]
    for name, seed, adapter in policies:
        if adapter is not None and not adapter.is_dir():
            parser.error(f"{options.bench} has no trained {name} of seed {seed}: run parley bench with that arm in it first")
    rows = contexts(options.contexts)
    console = Console(stderr=options.json)
    table = Table("arm", "seed", "replies with a price", "promise", "95 %", "characters")
    found: list[dict[str, Any]] = []
    for done, (name, seed, adapter) in enumerate(policies):
        console.print(f"{done} of {len(policies)}: {name}, seed {seed}, answers {len(rows)} contexts")
        told = figures(answered(adapter, rows))
        found.append({"arm": name, "seed": seed} | told)
        share = told["promise"]
        table.add_row(
            name, str(seed), str(told["replies"]), f"{share['value']:.1%}", f"{share['low']:.1%} to {share['high']:.1%}",
            f"{told['characters']['value']:.0f}",
        )  # fmt: skip
    console.print(table)
    if options.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
