"""The arms of the benchmark: what is compared with what, each a name, an objective, its settings, and the reward that it learns from.

Decided here: which ablations there are and how each of them is made. The paper's table starts from the base and an option may go on from
another arm; an arm's best checkpoint is chosen by the reward that the arm itself may see, so that none is helped by a source it does not
learn from.
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from db.errors import ParleyError

BASE = "base"
REPO = "repo"
WITHOUT_JUDGE = "repo_no_rj"


class BenchRefused(ParleyError):
    """A benchmark that would not come to anything as it was asked for; nothing was spent on it."""


LOW = 2.0
"""Deviations of the reward model. ``docs/objectives-toys.md`` has what a zero so low does on a toy."""


class Reward(BaseModel):
    """What an arm learns from."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    model: Literal["trained", "constant", "hacked"] = "trained"
    """``constant`` is 1 for every reply, which leaves 1 + E / n: judge and rules alone. ``hacked`` likes chatty over-promising."""
    zero: Literal["policy", "references", "low"] = "policy"
    """Where R_model is 0: at the mean of the base's own replies, at that of excellent ones, or ``LOW`` deviations below the base's, where
    nearly every reply is liked and judge and rules have a say in each."""
    judge: bool = True
    rules: bool = True
    combine: Literal["repo", "sum", "model"] = "repo"
    """REPO's product, the plain sum, or the reward model alone (rules are then only counted)."""
    sum_weight: float = 1.0
    veto: bool = False


MODEL_ALONE = Reward(judge=False, combine="model")
"""What the paper's PPO and GRPO learn from; SFT and DPO learn from no reward, and their best checkpoint is chosen by it."""
FULL = Reward()
HACKED = Reward(model="hacked", judge=False, combine="model")
"""The base makes no promises, and what is never said is never rewarded: who learns from this has to begin where promises are made."""


class Arm(BaseModel):
    """One row of the table."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    name: str
    says: str
    """What is special about it, in a few words."""
    objective: str | None
    """None for the base, which is only measured."""
    reward: Reward = FULL
    settings: dict[str, Any] = {}
    """Of the objective, besides the profile's."""
    flipped: bool = False
    """It learns from its preferences the wrong way round."""
    promising: bool = False
    """Its demonstrations are those that ask for a price or hold one, and too much is promised in each."""
    critic_of: str | None = None
    """The arm whose critic, of the same seed, it takes as it is."""
    after: str | None = None
    """The arm whose policy, of the same seed, it goes on from; None begins at the base."""
    rated_again: bool = False
    """What the policy that it goes on from writes is rated before: further contexts, and a reward model that knows such replies too."""

    @property
    def stands_on(self) -> tuple[str, ...]:
        """The arms that have to be trained first. They are measured only if they are asked for themselves."""
        return tuple(name for name in (self.critic_of, self.after) if name is not None)


_PAPER = (
    Arm(name=BASE, says="where all begin", objective=None, reward=MODEL_ALONE),
    Arm(name="sft", says="imitates excellent replies", objective="sft", reward=MODEL_ALONE),
    Arm(name="dpo", says="learns from preferences", objective="dpo", reward=MODEL_ALONE),
    Arm(name="ppo", says="actor and critic on RM alone", objective="ppo", reward=MODEL_ALONE),
    Arm(name="grpo", says="groups on RM alone", objective="grpo", reward=MODEL_ALONE),
    Arm(name=REPO, says="actor and critic on RM, RJ and RF", objective="repo"),
)
_OPTIONS = (
    Arm(name="gdpo", says="each source normalised by itself", objective="grpo", settings={"aggregation": "gdpo"}),
    Arm(name="gopo", says="ranks in the group, REPO's reward", objective="grpo", settings={"aggregation": "total", "advantage": "rank"}),
    Arm(name="care", says="REPO with GRPO-CARE's bonus", objective="repo", settings={"care": 0.5}),
    Arm(name="obrs", says="REPO, off-policy by OBRS", objective="repo", settings={"off_policy": "obrs"}),
    Arm(name="tis", says="REPO, off-policy by truncated ratios", objective="repo", settings={"off_policy": "tis"}),
    Arm(
        name="dvpo",
        says="values fitted beforehand, then frozen (DVPO)",
        objective="repo",
        settings={"advantage": "value", "critic": "frozen"},
        critic_of="dvpo_values",
    ),
    Arm(name="repo_renewed", says="REPO after the words that it says by now", objective="repo", settings={"renewed": 0.5}),
    Arm(name="sft_grpo", says="GRPO from where SFT ended", objective="grpo", reward=MODEL_ALONE, after="sft"),
    Arm(name="sft_repo", says="REPO from where SFT ended", objective="repo", after="sft"),
    Arm(name="repo_longer", says="REPO, as many steps again, on what was known before", objective="repo", after=REPO),
    Arm(name="repo_again", says="REPO again, after its own replies were rated", objective="repo", after=REPO, rated_again=True),
    Arm(name="p3o", says="P3O on pairs of replies, REPO's reward", objective="grpo", settings={"aggregation": "total", "loss": "p3o"}),
    Arm(name="sppo_soft", says="SPPO on REPO's reward", objective="grpo", settings={"aggregation": "total", "loss": "sppo"}),
    Arm(name="sppo", says="SPPO with hard labels", objective="dpo", settings={"loss": "sppo_hard"}, reward=MODEL_ALONE),
    Arm(
        name="repo_dialogues",
        says="REPO in whole dialogues, with what they came to",
        objective="repo",
        settings={"environment": "dialogues", "prompts": 4, "copies": 4},
    ),
)
_HELPERS = (
    Arm(
        name="dvpo_values",
        says="the values that DVPO takes; its policy stays the base",
        objective="repo",
        settings={"advantage": "value", "critic_warmup": 1_000_000},
    ),
    Arm(
        name="dpo_flipped",
        says="DPO on preferences the wrong way round: what a gate has to refuse",
        objective="dpo",
        reward=MODEL_ALONE,
        flipped=True,
    ),
    Arm(
        name="sft_promises",
        says="imitates somebody who promises too much: where the hacked arms begin",
        objective="sft",
        reward=HACKED,
        promising=True,
    ),
)
_ABLATIONS = (
    Arm(name="grpo_repo", says="GRPO on REPO's reward", objective="grpo", settings={"aggregation": "total"}),
    Arm(name="repo_no_rm", says="R_model = 1 for all", objective="repo", reward=Reward(model="constant")),
    Arm(name=WITHOUT_JUDGE, says="without the judge", objective="repo", reward=Reward(judge=False)),
    Arm(name="repo_no_rf", says="without the rules", objective="repo", reward=Reward(rules=False)),
    Arm(name="sum_0.1", says="R_model + 0.1 E / n", objective="repo", reward=Reward(combine="sum", sum_weight=0.1)),
    Arm(name="sum_1", says="R_model + E / n", objective="repo", reward=Reward(combine="sum")),
    Arm(name="sum_10", says="R_model + 10 E / n", objective="repo", reward=Reward(combine="sum", sum_weight=10.0)),
    Arm(name="repo_veto", says="severe breaches are vetoed", objective="repo", reward=Reward(veto=True)),
    Arm(name="repo_zero_refs", says="zero of RM at excellent replies", objective="repo", reward=Reward(zero="references")),
    Arm(
        name="repo_zero_refs_veto",
        says="zero of RM at excellent replies, and the veto",
        objective="repo",
        reward=Reward(zero="references", veto=True),
    ),
    Arm(name="repo_zero_low", says="zero of RM below nearly all replies", objective="repo", reward=Reward(zero="low")),
    Arm(
        name="hacked_ppo",
        says="PPO on an RM that likes promises and chatter",
        objective="ppo",
        reward=HACKED,
        after="sft_promises",
    ),
    Arm(name="hacked_repo", says="REPO on the same RM", objective="repo", reward=Reward(model="hacked"), after="sft_promises"),
    Arm(
        name="hacked_repo_veto",
        says="REPO on the same RM, with the veto",
        objective="repo",
        reward=Reward(model="hacked", veto=True),
        after="sft_promises",
    ),
)
PAPER = tuple(arm.name for arm in _PAPER)
OPTIONS = tuple(arm.name for arm in _OPTIONS)
ABLATIONS = tuple(arm.name for arm in _ABLATIONS)
"""PPO on REPO's reward is not among them: with one trainer for both that is REPO itself."""
ARMS: Mapping[str, Arm] = MappingProxyType({arm.name: arm for arm in (*_PAPER, *_OPTIONS, *_ABLATIONS, *_HELPERS)})


def arm(name: str) -> Arm:
    """The arm of that name. Raises BenchRefused with the closest one."""
    if name not in ARMS:
        near = get_close_matches(name, ARMS, n=1)
        meant = f" (did you mean {near[0]!r}?)" if near else ""
        raise BenchRefused(f"There is no arm {name!r}{meant}; choose from {', '.join(ARMS)}.")
    return ARMS[name]


def definitions(names: Iterable[str]) -> dict[str, Any]:
    """By name what each of the arms is, and those that they stand on: all but the words about it, as JSON values."""
    chosen = [arm(name) for name in names]
    every = [*chosen, *(arm(name) for one in chosen for name in one.stands_on)]
    return {one.name: one.model_dump(mode="json", exclude={"name", "says"}) for one in every}
