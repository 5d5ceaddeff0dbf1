"""A second language is added; the first one is read and written as before."""

import pytest
import torch
from transformers import PreTrainedTokenizerFast

from training.starter.growth import grow, grown_tokenizer
from training.starter.model import fresh_model
from training.starter.presets import PRESETS
from training.starter.tokenizer import end_id, pad_id, train_tokenizer

ENGLISH = ["Could you do 2840.5 net for the Café Suite?", "hotel: Cedar Bridge Inn, 27 Mar 2028 to 10 Apr 2028"] * 40
CHINESE = ["您好，请问净价能否降到 428 元？", "谢谢您的耐心，我们再看一下 Deluxe 房。"] * 40


@pytest.fixture(scope="module")
def old() -> PreTrainedTokenizerFast:
    return train_tokenizer(ENGLISH, vocabulary=400, window=1024)


@pytest.fixture(scope="module")
def new(old: PreTrainedTokenizerFast) -> PreTrainedTokenizerFast:
    return grown_tokenizer(old, [*ENGLISH, *CHINESE], vocabulary=480)


def ids(tokenizer: PreTrainedTokenizerFast, text: str) -> list[int]:
    return tokenizer.encode(text, add_special_tokens=False)


def test_the_first_language_is_split_as_before_and_the_second_into_fewer_pieces(
    old: PreTrainedTokenizerFast, new: PreTrainedTokenizerFast
) -> None:
    assert len(old) < len(new) <= 480
    for text in ENGLISH:
        assert ids(new, text) == ids(old, text)
    for text in CHINESE:
        assert len(ids(new, text)) < len(ids(old, text)) / 2
        assert new.decode(ids(new, text)) == text
    assert (end_id(new), pad_id(new), new.chat_template) == (end_id(old), pad_id(old), old.chat_template)


def test_the_model_says_the_same_of_the_first_language_and_a_new_entry_is_the_mean_of_its_pieces(
    old: PreTrainedTokenizerFast, new: PreTrainedTokenizerFast
) -> None:
    model = fresh_model(PRESETS["toy"].shape, vocabulary=len(old), end_id=end_id(old), pad_id=pad_id(old), seed=1).eval()
    text = torch.tensor([ids(old, ENGLISH[0])])
    before = model(text).logits
    grow(model, old, new)
    assert model.config.vocab_size == len(new)
    torch.testing.assert_close(model(text).logits[..., : len(old)], before)
    embeddings = model.model.embed_tokens.weight
    assert model.lm_head.weight is embeddings
    (entry,) = ids(new, "您")
    torch.testing.assert_close(embeddings[entry], embeddings[ids(old, "您")].mean(dim=0))
