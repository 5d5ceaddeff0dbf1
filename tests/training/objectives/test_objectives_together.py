"""DPO's pairs with their prompt computed once, against TRL's rows of their own."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from tests import tiny_model
from training.objectives import library
from training.objectives.together import prompts_once

PAIRS = [(list(range(5, 22)), [8, 9, 10], [11]), ([7], [60], [61, 62]), (list(range(30, 35)), [3, 3], [4, 5, 6])]
ANSWERS = ("log_probs", "entropy", "mean_logits", "is_top1")
Rows = Sequence[tuple[list[int], list[int]]]
CHOSEN_FIRST: Rows = [*((prompt, chosen) for prompt, chosen, _ in PAIRS), *((prompt, rejected) for prompt, _, rejected in PAIRS)]


@pytest.fixture
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    torch.set_num_threads(1)
    found: Any = AutoModelForCausalLM.from_pretrained(tiny_model.build(tmp_path_factory.mktemp("tiny"))).train()
    utils: Any = library.utils
    utils.add_fused_lm_head(found, outputs=ANSWERS)
    return found


def batch(rows: Rows) -> dict[str, torch.Tensor]:
    """As TRL's collator lays them out: padded on the right."""
    width = max(len(prompt) + len(reply) for prompt, reply in rows)
    ids, seen, labels = [], [], []
    for prompt, reply in rows:
        rest = width - len(prompt) - len(reply)
        ids.append([*prompt, *reply, *[0] * rest])
        seen.append([1] * (width - rest) + [0] * rest)
        labels.append([-100] * len(prompt) + reply + [-100] * rest)
    return {"input_ids": torch.tensor(ids), "attention_mask": torch.tensor(seen), "labels": torch.tensor(labels)}


def asked(model: Any, rows: Rows) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """What the model tells, and the gradient of a loss that weighs every token otherwise."""
    told = model(**batch(rows), fused_lm_head=True)
    weights = torch.linspace(0.5, 2, told.log_probs.numel()).view(told.log_probs.shape)
    weight = model.get_input_embeddings().weight
    (gradient,) = torch.autograd.grad((told.log_probs * weights).sum() + told.loss, weight)
    return {name: told[name] for name in (*ANSWERS, "loss", "label_mask")}, gradient


def counted(model: Any) -> Callable[[], list[tuple[int, ...]]]:
    """The shapes that the transformer has computed since."""
    shapes: list[tuple[int, ...]] = []
    model.model.register_forward_pre_hook(lambda _, args, kwargs: shapes.append(tuple(kwargs["input_ids"].shape)), with_kwargs=True)
    return lambda: shapes


def test_that_pairs_are_told_what_separate_rows_are_told(model: Any) -> None:
    before, gradient = asked(model, CHOSEN_FIRST)
    prompts_once(model)
    after, again = asked(model, CHOSEN_FIRST)
    for name, told in before.items():
        torch.testing.assert_close(after[name], told)
    torch.testing.assert_close(again, gradient)


def test_that_a_prompt_is_computed_once(model: Any) -> None:
    shapes = counted(model)
    prompts_once(model)
    asked(model, CHOSEN_FIRST)
    assert [rows for rows, _ in shapes()] == [len(PAIRS)]


@pytest.mark.parametrize(
    "rows",
    [
        [([1, 2], [3]), ([1, 9], [4])],
        [([1, 2], [3]), ([1, 2], [])],
        [([1, 2], [3]), ([1, 2], [4]), ([1, 2], [5])],
    ],
    ids=["other prompts", "a reply cut off", "three rows"],
)
def test_that_what_is_no_pair_is_computed_as_it_stands(model: Any, rows: Rows) -> None:
    before, gradient = asked(model, rows)
    shapes = counted(model)
    prompts_once(model)
    after, again = asked(model, rows)
    assert [count for count, _ in shapes()] == [len(rows)]
    assert all(torch.equal(after[name], told) for name, told in before.items())
    assert torch.equal(again, gradient)


def test_that_other_questions_are_answered_as_before(model: Any) -> None:
    ids = torch.tensor([[1, 2, 3]])
    before = model(input_ids=ids).logits
    prompts_once(model)
    assert torch.equal(model(input_ids=ids).logits, before)
