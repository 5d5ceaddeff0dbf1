"""Measures a candidate and what is live, side by side, and has the gate decide.

Decided here: that every candidate meets hotels of its own, drawn by the hash of its weights, so that no line of candidates can learn one
set of hotels by heart; that replies are drawn as in service, since that is what hotels will meet; and that what was measured is kept in the
folder, so that a gate that was broken off goes on and the same candidate gets the same verdict.
"""

import json
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from typing import cast

import torch
from pydantic import BaseModel, ConfigDict, Field

from agent.serving.starter import MODEL_FOLDER
from agent.telemetry import traced
from training.badcases import BadCase, cases
from training.bench.measures import PolicyFigures, measure
from training.files import file_sha256, put
from training.objectives.packing import group, pack
from training.objectives.policy import Policy
from training.objectives.rollout import pool
from training.objectives.sampling import Sampling, sample
from training.objectives.settings import SERVING_TEMPERATURE, RunSettings
from training.objectives.speaker import MAX_TOKENS, AsServed, Speaker
from training.objectives.valuing import reply_logps
from training.release.answers import write_answers
from training.release.gate import Criterion, GateSettings, Verdict, decide
from training.release.wholeness import AdapterBroken, refuse_broken
from training.runs.adapters import WEIGHTS
from training.runs.supervised import end_with
from training.starter.progress import BuildEvent, Report, silent

VERDICT = "gate.json"
_DRAWN = "as served, under the schema"
"""How replies are drawn: figures that were drawn otherwise are not taken up again."""
_AT_ONCE = 16


class Effort(BaseModel):
    """How much is measured."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    dialogues: int = Field(default=100, ge=10)
    """Whole dialogues with held-out hotels, the same for both."""
    chinese: float = Field(default=0.25, ge=0, le=1)
    """Share of those hotels that speak Chinese: what people rate in one language may cost the other."""
    case_copies: int = Field(default=8, ge=3)
    """Answers to each bad case. Of a case that a candidate fixes three times in four, all of three fail once in 64, all of eight never; and
    of sixty cases that are held, one is enough to reject it."""


@traced("training.evaluate")
def evaluate(
    candidate: Path,
    live: Path | None,
    folder: Path,
    *,
    names: tuple[str, str],
    effort: Effort | None = None,
    settings: GateSettings | None = None,
    own: Sequence[BadCase] = (),
    tell: Report = silent,
) -> Verdict:
    """The verdict, also as ``gate.json`` in the folder, beside all that was measured. ``live`` is None where the base answers.

    A candidate that cannot be served is not measured: its verdict has one criterion. ``names`` are those of candidate and live version,
    ``own`` the bad cases that people of this instance have made; those that are shipped are always asked.
    """
    folder.mkdir(parents=True, exist_ok=True)
    how = settings or GateSettings()
    try:
        refuse_broken(candidate)
    except AdapterBroken as error:
        criteria: tuple[Criterion, ...] = (_whole(met=False, says=str(error)),)
    else:
        seed = int.from_bytes(bytes.fromhex(file_sha256(candidate / WEIGHTS))[:4])
        ours, theirs = _Measuring(folder=folder, effort=effort or Effort(), seed=seed, own=own).both(candidate, live, tell)
        write_answers(folder, ours, theirs, own=own)
        tell(BuildEvent(phase="divergence", done=0, total=1))
        kl = divergence(candidate, seed=seed)
        criteria = _whole(met=True, says="every file is there and fits the base"), *decide(ours, theirs, kl=kl, settings=how)
    verdict = Verdict(candidate=names[0], live=names[1], criteria=criteria, settings=how)
    put(folder / VERDICT, verdict.model_dump_json(indent=1) + "\n")
    return verdict


def _whole(*, met: bool, says: str) -> Criterion:
    return Criterion(name="whole", title="can be served", met=met, says=says)


@dataclass(frozen=True, kw_only=True)
class _Measuring:
    """What both versions are measured by, and where the figures are kept."""

    folder: Path
    effort: Effort
    seed: int
    own: Sequence[BadCase]

    def both(self, candidate: Path, live: Path | None, tell: Report) -> tuple[PolicyFigures, PolicyFigures]:
        """The live version in a process of its own where there are threads for two: a small model does not fill them."""
        threads = torch.get_num_threads()
        here = threads // 2
        if not here or self._place(live).is_file():
            return self.figures(candidate, tell), self.figures(live, tell)
        with ProcessPoolExecutor(1, get_context("spawn"), initializer=_beside, initargs=(os.getpid(), threads - here)) as beside:
            asked = beside.submit(self.figures, live, silent)
            torch.set_num_threads(here)
            try:
                ours = self.figures(candidate, tell)
            finally:
                torch.set_num_threads(threads)
            tell(BuildEvent(phase="the live version", done=0, total=1))
            try:
                return ours, asked.result()
            except BrokenProcessPool:
                return ours, self.figures(live, tell)

    def figures(self, adapter: Path | None, tell: Report) -> PolicyFigures:
        """Of a version on the hotels of the seed; the ones that were kept, where it was measured before."""
        kept = self._place(adapter)
        if kept.is_file():
            return PolicyFigures.model_validate_json(kept.read_text(encoding="utf-8"))
        speaker = AsServed(Speaker(adapter=adapter, seed=self.seed))
        found = measure(speaker, **self.effort.model_dump(), seed=self.seed, own=self.own, progress=tell)
        put(kept, found.model_dump_json() + "\n")
        return found

    def _place(self, adapter: Path | None) -> Path:
        """A name that follows from all that the figures depend on."""
        weights = file_sha256((MODEL_FOLDER / "model.safetensors") if adapter is None else (adapter / WEIGHTS))
        worded = [[case.id, case.wrong, [check.says for check in (*case.must, *case.must_not)]] for case in self.own]
        asked = [_DRAWN, weights, file_sha256(MODEL_FOLDER / "model.safetensors"), self.effort.model_dump(), self.seed, worded]
        return self.folder / f"figures-{sha256(json.dumps(asked).encode()).hexdigest()[:16]}.json"


def _beside(parent: int, threads: int) -> None:
    end_with(parent)
    torch.set_num_threads(threads)


def divergence(adapter: Path, *, seed: int, base: Path = MODEL_FOLDER) -> float:
    """KL(adapter || base) in nats a token, on its own replies to the bad cases: Schulman's k3, which is never negative."""
    settings = RunSettings(max_tokens=MAX_TOKENS)
    policy = Policy.load(settings, base=base, adapter=adapter, reference=False)
    asked = pool([case.context for case in cases()], policy, settings)
    end, pad = policy.tokenizer.eos_token_id, policy.tokenizer.pad_token_id
    how = Sampling(copies=1, temperature=SERVING_TEMPERATURE, max_tokens=MAX_TOKENS, end_id=cast(int, end), pad_id=cast(int, pad))
    replies = sample(policy.sampler(), asked.prompts, how, seed=seed).ids
    total, tokens = 0.0, 0
    for start in range(0, len(asked), _AT_ONCE):
        rows = slice(start, start + _AT_ONCE)
        groups = group(asked.prompts[rows], replies[rows], pad_id=cast(int, pad))
        packed = pack(groups)
        with torch.no_grad():
            own = packed.unpack(reply_logps(policy.model, packed, temperature=1.0)[0])
            with policy.as_reference():
                reference = packed.unpack(reply_logps(policy.model, packed, temperature=1.0)[0])
        ratio = (reference - own)[groups.reply_mask]
        total += float((ratio.exp() - 1 - ratio).sum())
        tokens += int(groups.reply_mask.sum())
    return total / tokens
