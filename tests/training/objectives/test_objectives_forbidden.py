"""Words that are kept away from replies: as vLLM reads them, and in what is drawn."""

from itertools import pairwise
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel
from vllm import SamplingParams
from vllm.v1.sample.ops.bad_words import apply_bad_words

from agent.serving.starter import MODEL_FOLDER
from training.objectives.forbidden import Forbidden
from training.objectives.sampling import Bounds, Sampling, sample

_WORDS = ["I would like to", "Thank you for", "would you be open", "Perfect"]


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return AutoTokenizer.from_pretrained(MODEL_FOLDER)


def test_that_what_may_not_come_next_is_what_vllm_forbids(tokenizer: Any) -> None:
    params = SamplingParams(bad_words=_WORDS)
    tokenizer.max_token_id = len(tokenizer) - 1  # As vLLM wraps it.
    params.update_from_tokenizer(tokenizer)
    theirs = params.bad_words_token_ids
    assert theirs is not None
    ours = Forbidden.words(_WORDS, tokenizer)
    text = 'Perfect. I would like to ask: Thank you for it, would you be open? "Thank you for", would you be, Perfect I would like'
    ids: list[int] = tokenizer.encode(text)
    for count in range(len(ids)):
        logits = torch.zeros(1, len(tokenizer))
        apply_bad_words(logits, {0: theirs}, [ids[:count]])
        assert sorted(set(ours.after(ids[:count]))) == logits[0].isinf().nonzero().flatten().tolist()


def test_that_nothing_is_forbidden_by_nothing() -> None:
    nothing = Forbidden([[]])
    assert nothing.reach == 0
    assert nothing.after([1, 2]) == []


def test_that_a_drawn_reply_never_has_them(tokenizer: Any) -> None:
    torch.set_num_threads(1)
    model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(MODEL_FOLDER, dtype=torch.float32).eval()
    how = Sampling(copies=3, temperature=0.3, max_tokens=24, end_id=tokenizer.eos_token_id, pad_id=tokenizer.pad_token_id)
    prompts = [tokenizer.encode(words) for words in ("Thank you for your", "We would be")]
    free = sample(model, prompts, how, seed=5)
    banned = (free.ids[0][0][3], free.ids[0][0][4])
    kept = sample(model, prompts, how, seed=5, bounds=[Bounds(never=Forbidden([banned])), Bounds()])
    assert any(banned in pairwise(reply) for reply in free.ids[0])
    assert not any(banned in pairwise(reply) for reply in kept.ids[0])
    assert all(torch.tensor(logps).isfinite().all() for logps in kept.logps[0]), "what was drawn had a chance"
