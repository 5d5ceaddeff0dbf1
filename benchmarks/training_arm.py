"""One arm of ``benchmarks.training``, in a process of its own: ``python -m benchmarks.training_arm NAME SETUP_AS_JSON``.

Decided here: what each arm is. It loads everything, says so, and then takes a step for each line ``go`` on its standard input
(``benchmarks.training_gate``). Only the arm's own trainer is imported: TRL's PPO needs a release of TRL that has no place for the others.
"""

import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from benchmarks.training_gate import Enough, gate
from benchmarks.training_setup import Setup, material

REPO, OWN_CRITIC, JUDGED = "REPO", "REPO, critic of its own", "REPO, judge of 200 ms"
GRPO, GRPO_FREE, PPO = "TRL GRPO", "TRL GRPO without KL", "TRL PPO"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """What is trained how."""

    kind: Literal["ours", "grpo", "ppo"]
    settings: Mapping[str, Any]
    """Of our trainer, or those of them that TRL's have too."""
    judged: bool = False


ARMS: dict[str, Arm] = {
    REPO: Arm(kind="ours", settings={}),
    GRPO: Arm(kind="grpo", settings={}),
    GRPO_FREE: Arm(kind="grpo", settings={"beta": 0.0}),
    PPO: Arm(kind="ppo", settings={}),
    # One pass of the critic over a minibatch, as TRL's PPO: four are meant for a head that costs next to nothing.
    OWN_CRITIC: Arm(kind="ours", settings={"critic_trunk": "own", "critic_epochs": 1}),
    JUDGED: Arm(kind="ours", settings={}, judged=True),
}


def run(name: str, setup: Setup) -> None:
    """Until no more steps are wanted."""
    torch.set_num_threads(setup.threads)
    arm, answers = ARMS[name], gate()
    stuff, settings = material(setup, judged=arm.judged), setup.settings(**arm.settings)
    with tempfile.TemporaryDirectory(prefix="parley-benchmark-") as folder, suppress(Enough):
        match arm.kind:
            case "ours":
                from benchmarks.training_ours import repo

                repo(setup, stuff, settings, answers, Path(folder))
            case "grpo":
                from benchmarks.training_trl import grpo

                grpo(setup, stuff, settings, answers, Path(folder))
            case "ppo":
                from benchmarks.training_ppo import ppo

                ppo(setup, stuff, settings, answers, Path(folder))


if __name__ == "__main__":
    run(sys.argv[1], Setup.model_validate_json(sys.argv[2]))
