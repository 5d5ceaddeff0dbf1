import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from training.starter.tokenizer import END, START, load_tokenizer, train_tokenizer

TEXTS = [
    'ask: #1 2840.5 net / 3463.41 selling - request this price\n{"move":"ask","text":"Could you do 2840.5 net?"}',
    "hotel: Cedar Bridge Inn, 27 Mar 2028 to 10 Apr 2028",
] * 40


@cache
def tokenizer() -> PreTrainedTokenizerFast:
    return train_tokenizer(TEXTS, vocabulary=600, window=1024)


def test_every_digit_is_a_token_of_its_own() -> None:
    ids = tokenizer().encode("from 2840.50 net to 27 Mar 2028, 12,5 %", add_special_tokens=False)
    pieces = [str(tokenizer().decode([token])) for token in ids]
    assert [piece for piece in pieces if re.search(r"\d", piece)] == list("284050272028125")


@settings(max_examples=300)
@given(st.text())
def test_any_unicode_text_survives_the_round_trip(text: str) -> None:
    ids = tokenizer().encode(text, add_special_tokens=False)
    assert tokenizer().decode(ids) == text


def test_the_same_texts_give_the_same_tokenizer() -> None:
    again = train_tokenizer(TEXTS, vocabulary=600, window=1024)
    assert again.get_vocab() == tokenizer().get_vocab()
    assert again.encode("Could you do 428 net?") == tokenizer().encode("Could you do 428 net?")


def test_the_chat_template_marks_our_own_words_and_nothing_else() -> None:
    talk = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "428?"}, {"role": "assistant", "content": "Yes, 428."}]
    coded: Any = tokenizer().apply_chat_template(talk, tokenize=True, return_dict=True, return_assistant_tokens_mask=True)
    marked: list[int] = [token for token, ours in zip(coded["input_ids"], coded["assistant_masks"], strict=True) if ours]
    assert tokenizer().decode(marked) == f"Yes, 428.{END}"


def test_the_prompt_ends_where_the_model_begins() -> None:
    text = tokenizer().apply_chat_template([{"role": "user", "content": "428?"}], tokenize=False, add_generation_prompt=True)
    assert text == f"{START}user\n428?{END}\n{START}assistant\n"


@pytest.mark.parametrize("load", [load_tokenizer, AutoTokenizer.from_pretrained])
def test_a_saved_tokenizer_loads_the_same(tmp_path: Path, load: Callable[[Path], PreTrainedTokenizerFast]) -> None:
    tokenizer().save_pretrained(tmp_path, save_jinja_files=False)
    loaded = load(tmp_path)
    assert loaded.encode("Grüezi 428.50 net 你好") == tokenizer().encode("Grüezi 428.50 net 你好")
    assert loaded.chat_template == tokenizer().chat_template
