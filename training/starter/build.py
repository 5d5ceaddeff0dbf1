"""From nothing to a shipped model: play, learn the vocabulary, encode, train, measure, export.

The model is an average colleague; ``policy-v1``, an adapter on it, a better one. Each phase leaves a file in the work folder and is
skipped on ``resume`` where that file is there; training itself goes on from its last checkpoint. What is exported is complete or not
there.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from itertools import chain
from pathlib import Path

import torch
from transformers import PreTrainedTokenizerFast, Qwen3ForCausalLM

from agent.language.prompts import prompts_version
from agent.serving.precision import fast_format
from agent.simulation.phrases import LANGUAGES
from db.errors import ParleyError
from training.settings import TrainingSettings
from training.starter import adapter
from training.starter.card import BuildFacts, model_card, processor
from training.starter.corpus import counts, mixed, play_many
from training.starter.evaluation import Figures, Writing, evaluate_judging, evaluate_reading, evaluate_writing, perplexity, sample_of
from training.starter.growth import grow, grown_tokenizer
from training.starter.judging import JudgeExercise
from training.starter.model import fresh_model, parameter_count
from training.starter.presets import Preset, preset_named
from training.starter.pretraining import StepReport, pretrain
from training.starter.progress import BuildEvent, Report, silent
from training.starter.samples import EncodedSample, Sample, encode, load_encoded, save_encoded
from training.starter.selfplay import Exercise, ReadExercise, WriteExercise
from training.starter.tokenizer import end_id, load_tokenizer, pad_id, train_tokenizer

HELD_OUT_FIRST_SEED = 900_000_000
"""Held-out negotiations start here; training never gets that far."""
TOKENIZER_SAMPLES = 12_000
TEMPERATURES = 0.0, 0.7
"""At which replies are measured; the second is the one they are served at."""
_ROOT = Path(__file__).parents[2]


class NotABeginning(ParleyError):
    """A folder that a build cannot begin with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A finished build."""

    folder: Path
    """The model: weights, tokenizer, card."""
    weights_hash: str
    """SHA-256 of ``model.safetensors``."""
    adapter: Path
    """``policy-v1``, as peft writes it."""
    adapter_hash: str
    """SHA-256 of ``adapter_model.safetensors``."""
    figures: Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prepared:
    """What training needs, and what the card tells about it."""

    tokenizer: PreTrainedTokenizerFast
    samples: list[EncodedSample]
    counts: Mapping[str, int]


def build(
    out: Path,
    preset: str = "full",
    seed: int = 1,
    resume: bool = False,
    progress: Report = silent,
    *,
    begin: Path | None = None,
    stop_after: int | None = None,
) -> Built | None:
    """Build the starter model into ``out / "model"``; intermediate work stays in ``out / "work"``.

    Without ``resume`` earlier work in ``out`` is thrown away. A preset that goes on from another begins with that one's finished model in
    the folder ``begin``; left out, that is built first, in ``out`` under its name. ``stop_after`` ends the training at that step and
    returns None, as a kill would leave it. Raises ``UnknownPreset``, and ``NotABeginning`` where ``begin`` is no such model or another one
    than the resumed build's.
    """
    chosen = preset_named(preset)
    if begin is not None:
        _refuse_no_beginning(begin, chosen)
    elif chosen.goes_on_from:
        begin = out / chosen.goes_on_from / "model"
        if not (resume and begin.is_dir()):
            build(out / chosen.goes_on_from, chosen.goes_on_from, seed, resume, progress)
    threads = TrainingSettings().threads or os.cpu_count() or 1
    torch.set_num_threads(threads)
    work = out / "work"
    if not resume and work.exists():
        shutil.rmtree(work)
    work.mkdir(parents=True, exist_ok=True)
    began_with = None if begin is None else hashlib.sha256((begin / "model.safetensors").read_bytes()).hexdigest()
    _refuse_another_beginning(work / "began_with.json", began_with)
    sources = _note_sources(work / "sources.json")
    prepared = _prepare(work, chosen, seed, threads, progress, begin)
    model = _first_model(chosen, prepared.tokenizer, seed, begin)
    summary = pretrain(
        model,
        prepared.samples,
        preset=chosen,
        seed=seed,
        pad_id=pad_id(prepared.tokenizer),
        threads=threads,
        checkpoint=work / "checkpoint.pt",
        resume=resume,
        report=lambda step: progress(_training_event(step)),
        stop_after=stop_after,
    )
    if stop_after is not None and stop_after < chosen.steps:
        return None
    # What ships is bfloat16; what is measured is what ships, in the format that this machine multiplies fast.
    torch.nn.Module.to(model, device="cpu", dtype=torch.bfloat16)
    part, adapter_part = work / "model", work / adapter.NAME
    model.save_pretrained(part)
    parameters, fast = parameter_count(model), getattr(torch, fast_format())
    torch.nn.Module.to(model, dtype=fast)
    prepared.tokenizer.save_pretrained(part, save_jinja_files=False)
    held_out = play_many(
        HELD_OUT_FIRST_SEED, chosen.held_out_conversations, held_out=True, threads=1, report=lambda _: None, chinese=chosen.chinese
    )
    figures = measure(model.eval(), prepared.tokenizer, held_out, chosen, seed, progress)
    adapted = adapter.with_adapter(model, chosen, seed=seed)
    taught = adapter.teach(
        model,
        _excellent(work / "adapter.npz", prepared.tokenizer, chosen, seed, threads, progress),
        preset=chosen,
        seed=seed,
        pad_id=pad_id(prepared.tokenizer),
        threads=threads,
        checkpoint=work / "adapter.pt",
        resume=resume,
        report=lambda step: progress(_training_event(step, phase=f"teaching {adapter.NAME}")),
    )
    adapter.save(adapted, adapter_part)
    torch.nn.Module.to(model, dtype=fast)
    figures = replace(figures, policy=_writing(model.eval(), prepared.tokenizer, held_out, chosen, seed, progress))
    (part / "model.safetensors").chmod(0o644)
    weights = (part / "model.safetensors").read_bytes()
    facts = BuildFacts(
        preset=chosen,
        seed=seed,
        parameters=parameters,
        vocabulary=len(prepared.tokenizer),
        weight_bytes=len(weights),
        adapter_bytes=(adapter_part / "adapter_model.safetensors").stat().st_size,
        weights_hash=hashlib.sha256(weights).hexdigest(),
        adapter_hash=hashlib.sha256((adapter_part / "adapter_model.safetensors").read_bytes()).hexdigest(),
        began_with=began_with,
        samples=prepared.counts,
        conversations=chosen.conversations,
        training=summary,
        teaching=taught,
        device=torch.cuda.get_device_name() if torch.cuda.is_available() else processor(),
        threads=threads,
        sources=sources,
        versions={name: version(name) for name in ("torch", "transformers", "tokenizers", "peft")},
        prompts_version=prompts_version(),
    )
    (part / "MODEL_CARD.md").write_text(model_card(facts, figures), encoding="utf-8")
    (part / "figures.json").write_text(json.dumps({"build": asdict(facts), "figures": figures.as_dict()}, indent=1), encoding="utf-8")
    for finished in (part, adapter_part):
        shutil.rmtree(out / finished.name, ignore_errors=True)
        shutil.copytree(finished, out / finished.name)
    return Built(
        folder=out / "model", adapter=out / adapter.NAME, weights_hash=facts.weights_hash, adapter_hash=facts.adapter_hash, figures=figures
    )


def _refuse_no_beginning(folder: Path, preset: Preset) -> None:
    if not preset.goes_on_from:
        raise NotABeginning(f"The preset {preset.name} begins with random weights: leave {folder} out.")
    config = folder / "config.json"
    if not all((folder / name).is_file() for name in (config.name, "tokenizer.json", "model.safetensors")):
        raise NotABeginning(f"{folder} is no finished model: name the folder `model` of a build of the preset {preset.goes_on_from}.")
    told, shape = json.loads(config.read_text(encoding="utf-8")), preset_named(preset.goes_on_from).shape
    found = tuple(told.get(name) for name in ("num_hidden_layers", "hidden_size", "intermediate_size", "num_attention_heads"))
    if found != (wanted := (shape.layers, shape.hidden, shape.feed_forward, shape.heads)):
        raise NotABeginning(f"{folder} has {found} layers, width, feed-forward width and heads, and {preset.goes_on_from} has {wanted}.")


def _refuse_another_beginning(noted: Path, hashed: str | None) -> None:
    """Note what a build begins with, the first time; a resumed one goes on from the same."""
    if noted.exists():
        if (before := json.loads(noted.read_text())) != hashed:
            words = ["random weights" if one is None else f"the weights {one[:12]}…" for one in (before, hashed)]
            raise NotABeginning(f"{noted.parent} began with {words[0]}, not with {words[1]}: name that beginning, or another --out.")
    else:
        noted.write_text(json.dumps(hashed))


def _prepare(work: Path, preset: Preset, seed: int, threads: int, progress: Report, begin: Path | None) -> _Prepared:
    encoded, told = work / "samples.npz", work / "samples.json"
    if encoded.exists() and told.exists():
        return _Prepared(tokenizer=load_tokenizer(work / "tokenizer"), samples=load_encoded(encoded), counts=json.loads(told.read_text()))
    total = preset.conversations

    def played(done: int) -> None:
        progress(BuildEvent(phase="playing", done=done, total=total))

    exercises = play_many(seed * 1_000_000, total, held_out=False, threads=threads, report=played, chinese=preset.chinese)
    samples = mixed(exercises, seed=seed)
    progress(BuildEvent(phase="learning the vocabulary", done=0, total=1))
    texts = chain.from_iterable(map(_spoken, samples[:TOKENIZER_SAMPLES]))
    if begin is None:
        tokenizer = train_tokenizer(texts, vocabulary=preset.shape.vocabulary, window=preset.shape.window)
    else:
        tokenizer = grown_tokenizer(load_tokenizer(begin), texts, vocabulary=preset.shape.vocabulary)
    tokenizer.save_pretrained(work / "tokenizer", save_jinja_files=False)
    progress(BuildEvent(phase="learning the vocabulary", done=1, total=1))
    fitting: list[EncodedSample] = []
    for number, sample in enumerate(samples, start=1):
        one = encode(sample, tokenizer)
        if len(one.ids) <= preset.shape.window:
            fitting.append(one)
        if number % 500 == 0 or number == len(samples):
            progress(BuildEvent(phase="encoding", done=number, total=len(samples)))
    save_encoded(fitting, encoded)
    told.write_text(json.dumps(counts(samples)))
    return _Prepared(tokenizer=tokenizer, samples=fitting, counts=counts(samples))


def _spoken(sample: Sample) -> Iterator[str]:
    """A sample's texts with the names of the roles, which the chat template writes out and which should be single tokens."""
    for message in sample.messages:
        yield f"{message['role']}\n{message['content']}"
    yield f"assistant\n{sample.completion}"


def _note_sources(path: Path) -> int:
    """Note the sources of this sitting; how many different ones the build has seen so far."""
    seen: list[str] = json.loads(path.read_text()) if path.exists() else []
    digest = hashlib.sha256()
    for folder in ("db", "agent", "training/starter"):
        for source in sorted((_ROOT / folder).rglob("*")):
            if source.suffix in {".py", ".yaml", ".jinja2"}:
                digest.update(source.relative_to(_ROOT).as_posix().encode() + source.read_bytes())
    if digest.hexdigest() not in seen:
        seen.append(digest.hexdigest())
        path.write_text(json.dumps(seen))
    return len(seen)


def _first_model(preset: Preset, tokenizer: PreTrainedTokenizerFast, seed: int, begin: Path | None) -> Qwen3ForCausalLM:
    if begin is None:
        return fresh_model(preset.shape, vocabulary=len(tokenizer), end_id=end_id(tokenizer), pad_id=pad_id(tokenizer), seed=seed)
    model = Qwen3ForCausalLM.from_pretrained(begin, dtype=torch.float32)
    grow(model, load_tokenizer(begin), tokenizer)
    return model


def _training_event(step: StepReport, *, phase: str = "training") -> BuildEvent:
    minutes, seconds = divmod(round(step.remaining_seconds), 60)
    detail = f"loss {step.loss:.3f}, {step.tokens_per_second:,.0f} tokens/s, {minutes}:{seconds:02d} left"
    return BuildEvent(phase=phase, done=step.step, total=step.steps, detail=detail)


def _excellent(
    encoded: Path, tokenizer: PreTrainedTokenizerFast, preset: Preset, seed: int, threads: int, progress: Report
) -> list[EncodedSample]:
    """What the adapter learns from: reading, and the replies of excellent colleagues."""
    if encoded.exists():
        return load_encoded(encoded)

    def played(done: int) -> None:
        progress(BuildEvent(phase="playing excellently", done=done, total=preset.adapter_conversations))

    first = seed * 1_000_000 + 500_000
    exercises = play_many(
        first, preset.adapter_conversations, held_out=False, threads=threads, report=played, qualities=adapter.QUALITIES, drill=True,
        chinese=preset.chinese,
    )  # fmt: skip
    samples = mixed([exercise for exercise in exercises if not isinstance(exercise, JudgeExercise)], seed=seed)
    fitting = [one for one in (encode(sample, tokenizer) for sample in samples) if len(one.ids) <= preset.shape.window]
    save_encoded(fitting, encoded)
    return fitting


def _writing(
    model: Qwen3ForCausalLM, tokenizer: PreTrainedTokenizerFast, held_out: Sequence[Exercise], preset: Preset, seed: int, progress: Report
) -> tuple[Writing, ...]:
    """The adapter's first drafts for the turns that the base was measured on, at both temperatures."""
    phase = f"measuring {adapter.NAME}"
    progress(BuildEvent(phase=phase, done=0, total=1))
    measured = tuple(
        evaluate_writing(model, tokenizer, writes, temperature=temperature, seed=seed)
        for writes in _turns_to_write(held_out, preset, seed)
        for temperature in TEMPERATURES
    )
    progress(BuildEvent(phase=phase, done=1, total=1))
    return measured


def _turns_to_write(held_out: Sequence[Exercise], preset: Preset, seed: int) -> list[list[WriteExercise]]:
    """The turns of each language that there are any of."""
    writes = [exercise for exercise in held_out if isinstance(exercise, WriteExercise) and not exercise.violations]
    by_language = [[exercise for exercise in writes if exercise.context.language == language] for language in LANGUAGES]
    return [sample_of(some, preset.evaluated_samples, seed=seed) for some in by_language if some]


def measure(
    model: Qwen3ForCausalLM,
    tokenizer: PreTrainedTokenizerFast,
    held_out: Sequence[Exercise],
    preset: Preset,
    seed: int,
    progress: Report = silent,
) -> Figures:
    """The base's figures of the model card, on held-out negotiations."""
    total = 5

    def at(done: int) -> None:
        progress(BuildEvent(phase="measuring", done=done, total=total))

    at(0)
    writes = _turns_to_write(held_out, preset, seed)
    reads = [exercise for exercise in held_out if isinstance(exercise, ReadExercise)]
    reads = sample_of(reads, preset.evaluated_samples, seed=seed)
    at(1)
    judges = sample_of([exercise for exercise in held_out if isinstance(exercise, JudgeExercise)], preset.evaluated_samples, seed=seed)
    encoded = [encode(exercise.sample(), tokenizer) for exercise in (*chain.from_iterable(writes), *reads, *judges)]
    surprise = perplexity(model, [sample for sample in encoded if len(sample.ids) <= preset.shape.window], pad_id=pad_id(tokenizer))
    at(2)
    reading = evaluate_reading(model, tokenizer, reads)
    at(3)
    writing = tuple(
        evaluate_writing(model, tokenizer, some, temperature=temperature, seed=seed) for some in writes for temperature in TEMPERATURES
    )
    at(4)
    judging = evaluate_judging(model, tokenizer, judges)
    at(5)
    return Figures(perplexity=surprise, reading=reading, writing=writing, judging=judging)
