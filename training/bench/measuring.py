"""The measurement of one arm with one seed, within its process: whole dialogues with held-out hotels, and every bad case."""

from pathlib import Path

from training.bench.measures import PolicyFigures, measure
from training.bench.plan import BenchPlan
from training.bench.stages import Stage, adapter_of
from training.objectives.speaker import AsServed, Speaker
from training.starter.progress import Report


def measured(plan: BenchPlan, root: Path, stage: Stage, tell: Report) -> PolicyFigures:
    """The figures. Every arm and seed meets the same hotels; the seed of a training is also that of the sampling."""
    speaker = AsServed(Speaker(adapter=adapter_of(root, stage.arm, stage.seed), seed=stage.seed))
    profile = plan.profile
    return measure(
        speaker,
        dialogues=profile.dialogues,
        seed=profile.seed,
        chinese=profile.chinese,
        case_copies=profile.case_copies,
        progress=tell,
    )
