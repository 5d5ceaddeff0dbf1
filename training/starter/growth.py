"""A model that goes on to another language: its tokenizer keeps every entry and is given more, and what it knows stays where it is.

A text of the first language is split as before, so that the model reads and writes it from the first step on; a new entry begins as the
mean of the pieces that it was spelled with until then.
"""

import json
import re
from collections.abc import Iterable
from typing import Any, cast

import torch
from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast, Qwen3ForCausalLM

from training.starter.tokenizer import train_tokenizer, wrapped

_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")


def grown_tokenizer(old: PreTrainedTokenizerFast, texts: Iterable[str], *, vocabulary: int) -> PreTrainedTokenizerFast:
    """``old`` with merges learned from the texts after its own, up to ``vocabulary`` entries; none of them touches ASCII."""
    told = _described(old)
    entries: dict[str, int] = told["model"]["vocab"]
    merges: list[list[str]] = told["model"]["merges"]
    runs = (run for text in texts for run in _BEYOND_ASCII.findall(text))
    learned = _described(train_tokenizer(runs, vocabulary=vocabulary, window=old.model_max_length))["model"]["merges"]
    for first, second in learned:
        if len(entries) < vocabulary and first + second not in entries and {first, second} <= entries.keys():
            entries[first + second] = len(entries)
            merges.append([first, second])
    return wrapped(Tokenizer.from_str(json.dumps(told)), window=old.model_max_length)


def grow(model: Qwen3ForCausalLM, old: PreTrainedTokenizerFast, new: PreTrainedTokenizerFast) -> None:
    """Give the model an embedding for each entry that ``new`` has and ``old`` has not."""
    split = old.backend_tokenizer.model
    model.resize_token_embeddings(len(new), mean_resizing=False)
    embeddings = model.model.embed_tokens.weight
    with torch.no_grad():
        for entry, number in new.get_vocab().items():
            if number >= len(old):
                pieces = [piece.id for piece in split.tokenize(entry)]
                embeddings[number] = embeddings[pieces].mean(dim=0)


def _described(tokenizer: PreTrainedTokenizerFast) -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads(tokenizer.backend_tokenizer.to_str()))
