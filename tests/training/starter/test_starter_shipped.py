"""The model that ships: it loads, it is small, and its figures have not fallen.

The floors lie under what was measured when it was cut, by what forty samples may differ.
"""

import hashlib
from functools import cache

import pytest
from transformers import PreTrainedTokenizerFast, Qwen3ForCausalLM

from agent.serving.starter import MODEL_FOLDER
from agent.simulation.phrases import LANGUAGES, Language
from training.starter.build import HELD_OUT_FIRST_SEED
from training.starter.corpus import play_many
from training.starter.evaluation import evaluate_reading, evaluate_writing, sample_of
from training.starter.selfplay import Exercise, ReadExercise, WriteExercise
from training.starter.tokenizer import load_tokenizer

MOST_BYTES = 24 * 10**6


@cache
def model() -> Qwen3ForCausalLM:
    return Qwen3ForCausalLM.from_pretrained(MODEL_FOLDER).eval()


@cache
def tokenizer() -> PreTrainedTokenizerFast:
    return load_tokenizer(MODEL_FOLDER)


@pytest.fixture(scope="module")
def held_out() -> list[Exercise]:
    # Far from the negotiations of the model card.
    return play_many(HELD_OUT_FIRST_SEED + 50_000, 24, held_out=True, threads=1, report=lambda done: None, chinese=0.5)


def test_it_is_small_enough_to_ship() -> None:
    assert sum(path.stat().st_size for path in MODEL_FOLDER.iterdir()) <= MOST_BYTES


def test_it_is_what_its_card_says() -> None:
    digest = hashlib.sha256((MODEL_FOLDER / "model.safetensors").read_bytes()).hexdigest()
    assert digest in (MODEL_FOLDER / "MODEL_CARD.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
def test_first_drafts_are_well_formed_and_do_not_fall_below_what_it_was_cut_with(held_out: list[Exercise], language: Language) -> None:
    writes = [one for one in held_out if isinstance(one, WriteExercise) and not one.violations and one.context.language == language]
    writing = evaluate_writing(model(), tokenizer(), sample_of(writes, 40, seed=1), temperature=0.0, seed=1)
    assert writing.well_formed >= 0.95
    assert writing.guard_pass >= 0.8
    assert writing.price_copied >= 0.9


@pytest.mark.parametrize("language", LANGUAGES)
def test_most_messages_are_sorted_right(held_out: list[Exercise], language: Language) -> None:
    reads = [one for one in held_out if isinstance(one, ReadExercise) and one.context.language == language]
    assert evaluate_reading(model(), tokenizer(), sample_of(reads, 40, seed=1)).kind >= 0.7
