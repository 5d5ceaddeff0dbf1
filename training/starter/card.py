"""The model card: what a build was made from and how good it measured, written by the build itself and by nobody else."""

import platform
from collections.abc import Mapping
from dataclasses import dataclass

from agent.language.prompts import LANGUAGES as LANGUAGE_NAMES
from training.starter.evaluation import Figures, Writing
from training.starter.presets import Preset
from training.starter.pretraining import TrainingSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildFacts:
    """Everything that the card tells besides the figures."""

    preset: Preset
    seed: int
    parameters: int
    vocabulary: int
    weight_bytes: int
    adapter_bytes: int
    weights_hash: str
    adapter_hash: str
    began_with: str | None
    """SHA-256 of the weights that it began with; None where they were random."""
    samples: Mapping[str, int]
    conversations: int
    training: TrainingSummary
    teaching: TrainingSummary
    """Of the adapter."""
    device: str
    threads: int
    sources: int
    """How many different states of the sources the build ran on, over all of its sittings."""
    versions: Mapping[str, str]
    prompts_version: str


def processor() -> str:
    """The processor's name as the system tells it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as stream:
            names = [line.split(":", 1)[1].strip() for line in stream if line.startswith("model name")]
    except FileNotFoundError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()


def model_card(facts: BuildFacts, figures: Figures) -> str:
    """The card as Markdown."""
    shape = facts.preset.shape
    made_of = ", ".join(f"{count:,} {job}" for job, count in facts.samples.items())
    kinds = "\n".join(f"| {kind} | {share:.1%} |" for kind, share in figures.reading.kind_by_class.items())
    run = facts.training
    reading = figures.reading
    languages = list(dict.fromkeys(writing.language for writing in figures.writing))
    read = ", ".join(f"{LANGUAGE_NAMES[language]} {share:.1%}" for language, share in reading.kind_by_language.items())
    versions = ", ".join(f"{name} {version}" for name, version in facts.versions.items())
    return f"""---
license: apache-2.0
language: [{", ".join(languages)}]
pipeline_tag: text-generation
---
# parley-starter

A small language model that negotiates hotel rates, made from nothing by `parley starter build`: random weights, its own tokenizer, and
self-play between the phrasebook and the simulated hotels. It reads hotel messages and writes replies for Parley's own prompts, in
{" and ".join(LANGUAGE_NAMES[language] for language in languages)}; it knows nothing else. All figures below are on simulated conversations.

## What it is
| | |
|---|---|
| architecture | Qwen3ForCausalLM, {shape.layers} layers × {shape.hidden}, head dimension {shape.head_dim}, tied embeddings |
| parameters | {facts.parameters:,} |
| vocabulary | {facts.vocabulary:,} entries, byte-level BPE, one token a digit |
| window | {shape.window:,} tokens |
| weights | bfloat16, {facts.weight_bytes / 1e6:.1f} MB, SHA-256 `{facts.weights_hash}` |
| policy-v1 | LoRA adapter of rank {facts.preset.adapter_rank}, {facts.adapter_bytes / 1e6:.1f} MB, SHA-256 `{facts.adapter_hash}` |
| prompts | version `{facts.prompts_version}` |

## How it was made
| | |
|---|---|
| preset, seed | {facts.preset.name}, {facts.seed} |
| began with | {_beginning(facts)} |
| conversations | {facts.conversations:,} simulated{f", {facts.preset.chinese:.0%} of them in Chinese" if facts.preset.chinese else ""} |
| samples | {made_of} |
| training | {facts.preset.steps:,} steps, {run.tokens:,} tokens, {run.seconds / 60:.1f} minutes, last loss {run.last_loss:.3f} |
| policy-v1 | {_taught(facts)} |
| optimiser | Muon {facts.preset.muon_learning_rate:g} and AdamW {facts.preset.learning_rate:g}, {facts.preset.warmup_steps} warm-up steps |
| hardware | {facts.device}, {facts.threads} threads |
| software | {versions} |

{_repeatable(facts.sources)}

## How good it is
Measured on negotiations whose hotel and room names, numbers and hotel profiles were never trained on, without constrained decoding.

Perplexity of held-out completions: {figures.perplexity:.3f}.

Reading ({reading.samples} messages): kind {reading.kind:.1%} ({read}), mood {reading.mood:.1%}, basis {reading.basis:.1%}.

| kind of message | read right |
|---|---|
{kinds}

Writing, first drafts with their blanks filled as in service:

| {" | ".join(_COLUMNS)} |
{"|---" * len(_COLUMNS)}|
{chr(10).join(_row("base", writing) for writing in figures.writing)}
{chr(10).join(_row("policy-v1", writing) for writing in figures.policy)}

Judging ({figures.judging.samples} replies): readable {figures.judging.readable:.1%}, marks exact {figures.judging.exact:.1%}, within one
{figures.judging.within_one:.1%}, rank correlation of the weighted sums {figures.judging.rank_correlation:.2f}.

## What it is not for
Anything outside Parley. Its replies go out only after the guard has checked every number, and an agreement is made by code, never by it.
"""


def _beginning(facts: BuildFacts) -> str:
    if facts.began_with is None:
        return "random weights"
    return f"preset {facts.preset.goes_on_from}, SHA-256 `{facts.began_with}`, its vocabulary grown"


def _repeatable(sources: int) -> str:
    if sources == 1:
        return "The same sources, preset, seed, hardware and thread count give the same weights."
    return (
        f"The sources changed while this was built ({sources} states of them over its sittings), so no single revision gives these very "
        "weights again; a build that is not interrupted by changes does."
    )


def _taught(facts: BuildFacts) -> str:
    run, preset = facts.teaching, facts.preset
    return (
        f"{preset.adapter_conversations:,} conversations of excellent colleagues, {preset.adapter_steps:,} steps, {run.tokens:,} tokens, "
        f"{run.seconds / 60:.1f} minutes"
    )


_COLUMNS = (
    "model", "language", "temperature", "replies", "well formed", "move allowed", "guard passed", "price copied exactly", "distinct",
    "what the guard objected to",
)  # fmt: skip


def _row(model: str, writing: Writing) -> str:
    objections = ", ".join(f"{rule} {count}" for rule, count in list(writing.violations.items())[:6]) or "nothing"
    shares = writing.well_formed, writing.move_allowed, writing.guard_pass, writing.price_copied, writing.distinct
    told = model, LANGUAGE_NAMES[writing.language], f"{writing.temperature:g}", str(writing.samples)
    return f"| {' | '.join((*told, *(f'{share:.1%}' for share in shares), objections))} |"
