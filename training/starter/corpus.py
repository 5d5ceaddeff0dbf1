"""Self-play in bulk: many negotiations on all cores, turned into the samples of the corpus.

Decided here: how the jobs are mixed. Kinds of hotel messages and moves of ours that are rare in talk are shown more often, so that the
model does not live off the frequent ones.
"""

import itertools
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from agent.simulation.phrases import Language
from training.starter.judging import JudgeExercise
from training.starter.samples import Job, Sample
from training.starter.selfplay import QUALITIES, Exercise, ReadExercise, WriteExercise, play

SHARES = {Job.READ: 0.6, Job.WRITE: 1.0, Job.REWRITE: 0.12, Job.JUDGE: 0.25}
"""Samples of each job to one reading that was played, at most. Words decide most readings (``agent.language.reader``); to write is the
model's."""
RAREST_SHARE = 0.5
"""Kinds of messages and moves rarer than this share of the average are repeated until they come close to it, six times at most."""
_CHUNK = 25
_Job = tuple[int, int, bool, tuple[str, ...], bool, float]
"""First seed, how many, whether held out, how our side speaks, whether it is drilled, and the share in Chinese."""
_WORTH_A_POOL = 4
"""Fewer chunks are played faster than processes start."""


def play_many(
    first_seed: int,
    count: int,
    *,
    held_out: bool,
    threads: int,
    report: Callable[[int], None],
    qualities: Sequence[str] = QUALITIES,
    drill: bool = False,
    chinese: float = 0.0,
) -> list[Exercise]:
    """The exercises of ``count`` negotiations with consecutive seeds; the result does not depend on ``threads``.

    ``chinese`` is the share of negotiations that are held in Chinese, the others are held in English.
    """
    starts = range(first_seed, first_seed + count, _CHUNK)
    jobs = [(start, min(_CHUNK, first_seed + count - start), held_out, tuple(qualities), drill, chinese) for start in starts]
    exercises: list[Exercise] = []
    done = 0
    for chunk, (_, size, *_) in zip(_results(jobs, threads), jobs, strict=True):
        exercises.extend(chunk)
        done += size
        report(done)
    return exercises


def _results(jobs: Sequence[_Job], threads: int) -> Iterator[list[Exercise]]:
    if threads == 1 or len(jobs) <= _WORTH_A_POOL:
        yield from map(_play_chunk, jobs)
        return
    with ProcessPoolExecutor(threads, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_play_chunk, jobs)


def _play_chunk(job: _Job) -> list[Exercise]:
    first, count, held_out, qualities, drill, chinese = job
    return [
        exercise
        for seed in range(first, first + count)
        for exercise in play(seed, held_out=held_out, qualities=qualities, drill=drill, language=_language(seed, chinese))
    ]


def _language(seed: int, chinese: float) -> Language:
    return "zh" if random.Random(f"language/{seed}").random() < chinese else "en"


def mixed(exercises: Sequence[Exercise], *, seed: int) -> list[Sample]:
    """The training samples in random order, rare kinds of hotel messages and rare moves repeated."""
    rng = random.Random(seed)
    by_job: defaultdict[Job, defaultdict[str, list[Sample]]] = defaultdict(lambda: defaultdict(list))
    for exercise in exercises:
        match exercise:
            case ReadExercise():
                kind = str(exercise.truth.kind)
            case JudgeExercise():
                kind = str(exercise.quality)
            case WriteExercise():
                kind = exercise.reply.move.key
        sample = exercise.sample()
        by_job[sample.job][f"{exercise.context.language} {kind}"].append(sample)
    levelled = {job: list(_levelled(by_job[job])) for job in Job}
    samples: list[Sample] = []
    for job, share in SHARES.items():
        most = round(share * len(levelled[Job.READ]))
        samples += rng.sample(levelled[job], min(most, len(levelled[job])))
    rng.shuffle(samples)
    return samples


def _levelled(by_kind: Mapping[str, Sequence[Sample]]) -> Iterator[Sample]:
    floor = RAREST_SHARE * sum(map(len, by_kind.values())) / max(1, len(by_kind))
    for kind in sorted(by_kind):
        times = min(6, max(1, round(floor / len(by_kind[kind]))))
        yield from itertools.chain.from_iterable(itertools.repeat(by_kind[kind], times))


def counts(samples: Sequence[Sample]) -> dict[str, int]:
    """How many samples each job has."""
    return dict(sorted(Counter(str(sample.job) for sample in samples).items()))
