"""The stages of a benchmark: what has to be done, in which folder, and what has to be there first.

Decided here: that a stage is one process with one folder, whole once READY stands in it, and that nothing else remembers how far a
benchmark has come.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from training.bench.arms import BASE, Arm, arm
from training.bench.profiles import Profile

READY = "READY"


class Work(StrEnum):
    """What a stage does."""

    MATERIAL = "material"
    REWARD_MODEL = "reward-model"
    TRAINING = "training"
    FIGURES = "figures"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One piece of work."""

    work: Work
    arm: str = ""
    """Empty for what all arms share."""
    seed: int = 0
    needs: tuple[str, ...] = ()
    """Names of the stages whose results it reads."""

    @property
    def name(self) -> str:
        """Its folder within the benchmark's, too."""
        return f"arms/{self.arm}/seed-{self.seed}/{self.work}" if self.arm else str(self.work)

    @property
    def title(self) -> str:
        """For people."""
        return f"{self.arm} {self.seed}: {self.work}" if self.arm else str(self.work)

    @property
    def asks_the_judge(self) -> bool:
        """Whether it needs an answering judge, where the benchmark has one."""
        return self.work is Work.TRAINING and arm(self.arm).reward.judge

    def folder(self, root: Path) -> Path:
        """Where its result stands."""
        return root / self.name

    def is_done(self, root: Path) -> bool:
        """Whether its result is whole."""
        return (self.folder(root) / READY).is_file()


def stages(profile: Profile) -> tuple[Stage, ...]:
    """Everything that there is to do, in an order in which it can be done; trainings of one seed before those of the next."""
    shared = (Stage(work=Work.MATERIAL), Stage(work=Work.REWARD_MODEL, needs=(Work.MATERIAL,)))
    before = dict.fromkeys(other for name in profile.arms for other in arm(name).stands_on if other not in profile.arms)
    found: list[Stage] = []
    for seed in range(profile.seeds):
        for name in (*before, *profile.arms):
            found += [] if name == BASE else [*_second_round(name, seed), _training(name, seed)]
        found += [_measurement(name, seed) for name in profile.arms]
    # What all wait for comes first; the arm that takes longest (it asks the judge) before the others, so that no core waits at the end.
    return (*shared, *sorted(found, key=lambda stage: (stage.seed, not stage.asks_the_judge)))


def _second_round(name: str, seed: int) -> tuple[Stage, ...]:
    """What an arm's own material and reward model ask for, where it has them."""
    if not arm(name).rated_again:
        return ()
    before, own = arm(name).after, of(name, seed, Work.MATERIAL)
    assert before is not None, "it is the replies of an earlier policy that are rated again"
    return (
        Stage(work=Work.MATERIAL, arm=name, seed=seed, needs=(of(before, seed, Work.TRAINING),)),
        Stage(work=Work.REWARD_MODEL, arm=name, seed=seed, needs=(Work.MATERIAL, own)),
    )


def _training(name: str, seed: int) -> Stage:
    before = (of(other, seed, Work.TRAINING) for other in arm(name).stands_on)
    own = (stage.name for stage in _second_round(name, seed))
    return Stage(work=Work.TRAINING, arm=name, seed=seed, needs=(Work.MATERIAL, Work.REWARD_MODEL, *before, *own))


def _measurement(name: str, seed: int) -> Stage:
    return Stage(work=Work.FIGURES, arm=name, seed=seed, needs=() if name == BASE else (of(name, seed, Work.TRAINING),))


def of(name: str, seed: int, work: Work) -> str:
    """The name of an arm's stage."""
    return Stage(work=work, arm=name, seed=seed).name


def adapter_of(root: Path, name: str, seed: int) -> Path | None:
    """Where the weights of a trained arm stand; None for the base, which has none of its own."""
    return None if name == BASE else root / of(name, seed, Work.TRAINING) / "adapter"


def material_folders(root: Path, chosen: Arm | None, seed: int) -> tuple[Path, ...]:
    """Where what an arm learns from stands: what all arms share, then its own."""
    own = (root / of(chosen.name, seed, Work.MATERIAL),) if chosen is not None and chosen.rated_again else ()
    return (root / Work.MATERIAL, *own)


def reward_model_folder(root: Path, chosen: Arm, seed: int) -> Path:
    """Where the reward model of an arm stands: the one that all arms share, or its own."""
    return root / (of(chosen.name, seed, Work.REWARD_MODEL) if chosen.rated_again else Work.REWARD_MODEL)


def startable(todo: Sequence[Stage], done: AbstractSet[str], running: AbstractSet[str]) -> Stage | None:
    """The first stage that can begin now."""
    return next((stage for stage in todo if stage.name not in done | running and done >= set(stage.needs)), None)
