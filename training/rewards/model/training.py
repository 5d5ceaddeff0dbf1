"""One training of a reward model from rows to a finished folder, resumable at any point.

Decided here: the order. Rows are checked before anything is loaded; the network learns; its zero and unit come from reference replies of
hotels that it has not seen; the report is written; the mark READY comes last.
"""

import json
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import torch
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from agent.telemetry import traced
from training.files import put
from training.rewards.model.balance import balanced
from training.rewards.model.comparisons import Compared, Prompt, Row, compared, prompt_of, refuse_shared_hotels, said
from training.rewards.model.errors import OtherTraining, PreferencesUnusable, RewardModelError
from training.rewards.model.network import fresh_scorer, save_scorer
from training.rewards.model.packing import Packer
from training.rewards.model.page import render
from training.rewards.model.report import (
    Report,
    ScoredPair,
    ScoredReply,
    accuracy,
    accuracy_by,
    between_prompts,
    calibration,
    length_bias,
    log_loss,
    phrase_bias,
    rank_correlation,
)
from training.rewards.model.rrm import augment
from training.rewards.model.scorer import CARD, READY, WEIGHTS, Card, Centre, RawScorer, centre_of
from training.rewards.model.settings import RewardModelSettings
from training.rewards.model.trainer import fit
from training.starter.progress import BuildEvent, silent
from training.starter.progress import Report as Progress

REPORT, PAGE = "report.json", "report.html"
_BEGUN = "training.json"
_FEWEST_REFERENCES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """A held-out reply of known worth: what length bias and rank correlation are measured on."""

    prompt: Sequence[Any]
    completion: str
    worth: float
    """Mean stars, or a simulated expert's true score."""
    reference: str | None = None


@traced("training.reward_model")
def train(
    preferences_train: Sequence[Row],
    preferences_held_out: Sequence[Row],
    references: Sequence[Row],
    folder: Path,
    settings: RewardModelSettings,
    *,
    rated: Sequence[Rated] = (),
    progress: Progress = silent,
) -> Report:
    """Train into ``folder``; a training that was cut off goes on, a finished one is not done again.

    Rows are in the columns of ``training.data.columns``; ``references`` are demonstrations (``completion``) of held-out hotels, whose mean
    score becomes 0 and whose deviation 1. Without ``rated``, length bias is measured on the references, which are all called excellent.

    Raises PreferencesUnusable before any time is spent, OtherTraining where the folder holds another one, TrainingDiverged.
    """
    learned = compared(preferences_train, name="training", reference_slot=settings.reference_slot, one_rater=settings.one_rater)
    held_out = compared(preferences_held_out, name="held-out", reference_slot=settings.reference_slot)
    refuse_shared_hotels(preferences_train, preferences_held_out, "held-out")
    refuse_shared_hotels(preferences_train, references, "reference")
    centring = _references(references, settings)
    judged = [((prompt_of(one.prompt, "a rated reply"), one.reference, one.completion), one.worth) for one in rated]
    fingerprint = _fingerprint(settings, preferences_train, preferences_held_out, references)
    tokenizer = _tokenizer(settings)
    if _claimed(folder, fingerprint):
        return Report.model_validate_json((folder / REPORT).read_text(encoding="utf-8"))
    with _threads(settings.threads):
        return _train(learned, held_out, centring, judged, folder, settings, tokenizer, fingerprint, progress)


_Item = tuple[Prompt, str | None, str]


def _train(
    learned: list[Compared], held_out: list[Compared], centring: list[_Item], judged: list[tuple[_Item, float]], folder: Path,
    settings: RewardModelSettings, tokenizer: PreTrainedTokenizerBase, fingerprint: str, progress: Progress,
) -> Report:  # fmt: skip
    packer = Packer(tokenizer, prompt_tokens=settings.prompt_tokens, completion_tokens=settings.completion_tokens)

    def learn(groups: list[Compared], checkpoints: Path, phase: str) -> tuple[Any, RawScorer, dict[str, float]]:
        model = fresh_scorer(settings.base, lora_rank=settings.lora_rank, seed=settings.seed)
        model.config.pad_token_id = tokenizer.pad_token_id
        figures = fit(
            model, tokenizer, groups, packer, settings, checkpoints,
            lambda done, total, detail: progress(BuildEvent(phase=phase, done=done, total=total, detail=detail)),
        )  # fmt: skip
        return model, RawScorer(model, tokenizer, packer), figures

    pairs = sum(len(group.comparisons) for group in learned)
    added: Counter[str] = Counter()
    if settings.rrm:
        _, first, _ = learn(learned, folder / "checkpoints-first", "first reward model")
        learned, added = augment(learned, seed=settings.seed, score=lambda groups: _scored(first, groups), gap=settings.rrm_gap)
    if settings.balance_length:
        learned = balanced(learned)
    model, raw, figures = learn(learned, folder / "checkpoints", "reward model")
    progress(BuildEvent(phase="measuring", done=0, total=1))
    centre = centre_of(raw(centring))
    report = _report(held_out, judged, centring, raw, centre).model_copy(
        update={
            "pairs_train": pairs,
            "prompts_train": len(learned),
            "steps": int(figures["steps"]),
            "seconds": figures["seconds"],
            "core_seconds": figures["core_seconds"],
            "parameters": sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad),
            "augmentation": dict(added),
        }
    )
    save_scorer(model, folder / WEIGHTS)
    tokenizer.save_pretrained(str(folder / WEIGHTS))
    put(folder / CARD, Card(settings=settings, centre=centre, fingerprint=fingerprint).model_dump_json(indent=1))
    put(folder / PAGE, render(report, "Reward model"))
    put(folder / REPORT, report.model_dump_json(indent=1))
    put(folder / READY, "")
    progress(BuildEvent(phase="measuring", done=1, total=1))
    return report


def _report(held_out: list[Compared], judged: list[tuple[_Item, float]], centring: list[_Item], raw: RawScorer, centre: Centre) -> Report:
    pairs: list[ScoredPair] = []
    below = [0, 0]
    scored = _scored(raw, held_out)
    for group, scores in zip(held_out, scored, strict=True):
        for pair in group.comparisons:
            better, worse = scores[pair.better], scores[pair.worse]
            below[0] += better < centre.mean
            below[1] += worse < centre.mean
            pairs.append(
                ScoredPair(
                    better=group.replies[pair.better], worse=group.replies[pair.worse], gap=better - worse, source=pair.source,
                    hotel=pair.hotel, language=pair.language,
                )
            )  # fmt: skip
    known = judged or [(item, 0.0) for item in centring]
    replies = [
        ScoredReply(text=item[2], score=score, worth=worth)
        for (item, worth), score in zip(known, raw([item for item, _ in known]), strict=True)
    ]
    bins, error = calibration(pairs)
    overrated, underrated, looked_at = phrase_bias(pairs)
    return Report(
        pairs_train=0, prompts_train=0, steps=0, seconds=0.0, core_seconds=0.0, parameters=0, augmentation={},
        accuracy=accuracy(pairs), accuracy_by_source=accuracy_by(pairs, lambda pair: pair.source),
        accuracy_by_language=accuracy_by(pairs, lambda pair: pair.language), between_prompts=between_prompts(scored),
        log_loss=log_loss(pairs), calibration=bins, calibration_error=error, length=length_bias(pairs, replies),
        overrated=overrated, underrated=underrated, phrases=looked_at,
        rank_correlation=rank_correlation(replies) if judged else None, centre=centre,
        below_zero_better=below[0] / len(pairs), below_zero_worse=below[1] / len(pairs),
    )  # fmt: skip


def _scored(raw: RawScorer, groups: Sequence[Compared]) -> list[list[float]]:
    scores = iter(raw([(group.prompt, group.reference, reply) for group in groups for reply in group.replies]))
    return [[next(scores) for _ in group.replies] for group in groups]


def _references(rows: Sequence[Row], settings: RewardModelSettings) -> list[_Item]:
    if len(rows) < _FEWEST_REFERENCES:
        raise PreferencesUnusable(
            f"There are {len(rows)} reference replies, and the zero of the rewards needs {_FEWEST_REFERENCES}: "
            "give more held-out demonstrations."
        )
    found: list[_Item] = []
    for number, row in enumerate(rows):
        where = f"reference reply {row.get('id') or number}"
        reference = said(row.get("reference"), f"reference of {where}") if settings.reference_slot else None
        found.append((prompt_of(row.get("prompt"), where), reference, said(row.get("completion"), f"completion of {where}")))
    return found


def _tokenizer(settings: RewardModelSettings) -> PreTrainedTokenizerBase:
    if not (settings.base / "tokenizer_config.json").is_file():
        raise RewardModelError(f"There is no tokenizer at {settings.base}: name a folder with a Qwen3 model and its tokenizer as base.")
    tokenizer = cast(PreTrainedTokenizerBase, AutoTokenizer.from_pretrained(settings.base))
    if tokenizer.pad_token_id is None or tokenizer.eos_token_id is None or tokenizer.chat_template is None:
        raise RewardModelError(f"The tokenizer at {settings.base} lacks a padding mark, an end mark or a chat template.")
    return tokenizer


def _fingerprint(settings: RewardModelSettings, *rows: Sequence[Row]) -> str:
    digest = sha256(settings.model_dump_json().encode())
    for some in rows:
        for row in some:
            content = {column: row.get(column) for column in ("prompt", "chosen", "rejected", "completion", "reference", "source", "hotel")}
            digest.update(json.dumps(content, ensure_ascii=False, default=list).encode())
        digest.update(b"\x1e")
    return digest.hexdigest()


def _claimed(folder: Path, fingerprint: str) -> bool:
    """Make the folder this training's. True where the training is finished. Raises OtherTraining."""
    folder.mkdir(parents=True, exist_ok=True)
    begun = folder / _BEGUN
    if begun.is_file():
        other = json.loads(begun.read_text(encoding="utf-8"))["fingerprint"]
        if other != fingerprint:
            raise OtherTraining(f"{folder} holds a reward model of other settings or rows: name another folder, or empty it.")
    else:
        put(begun, json.dumps({"fingerprint": fingerprint}))
    return (folder / READY).is_file()


@contextmanager
def _threads(number: int) -> Generator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
