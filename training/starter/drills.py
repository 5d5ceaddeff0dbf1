"""Copying drills: short lists of facts that are told twice, the second time in another order.

A reply is only as good as its copies of names, dates and prices, and in a negotiation few tokens teach that. Here every second token
does, which brings a small model to copying within a few hundred steps instead of thousands.
"""

import random
from datetime import date, timedelta
from itertools import chain

import numpy as np
from transformers import PreTrainedTokenizerFast

from agent.language.dates import day_text
from training.starter import names
from training.starter.samples import EncodedSample
from training.starter.tokenizer import END, START

_KEYS = (
    "hotel", "room", "now", "asked", "offered", "agreed", "ask", "hold", "accept", "confirm", "fact", "from", "until", "price", "net",
    "selling", "elsewhere", "us", "date", "name", "guest", "city", "rate", "source", "note", "count",
)  # fmt: skip


def drills(tokenizer: PreTrainedTokenizerFast, *, count: int, seed: int, held_out: bool = False) -> list[EncodedSample]:
    """So many drills; what is learned of each is its second telling."""
    rng = random.Random(f"drill/{seed}/{held_out}")
    special = set(tokenizer.all_special_ids)
    ordinary = [token for token in range(len(tokenizer)) if token not in special]
    return [_drill(tokenizer, ordinary, rng, held_out=held_out) for _ in range(count)]


def _drill(tokenizer: PreTrainedTokenizerFast, ordinary: list[int], rng: random.Random, *, held_out: bool) -> EncodedSample:
    keys = rng.sample(_KEYS, rng.randint(2, 5))
    lines = [[*_ids(tokenizer, f"{key}:"), *_value(tokenizer, ordinary, rng, held_out=held_out), *_ids(tokenizer, "\n")] for key in keys]
    again = list(lines)
    rng.shuffle(again)
    prompt = [*_ids(tokenizer, f"{START}user\n"), *chain.from_iterable(lines), *_ids(tokenizer, f"{END}\n{START}assistant\n")]
    answer = [*chain.from_iterable(again), *_ids(tokenizer, END)]
    ids = np.array([*prompt, *answer], dtype=np.uint16)
    return EncodedSample(ids, len(prompt), np.ones(len(ids), dtype=np.uint8))


def _value(tokenizer: PreTrainedTokenizerFast, ordinary: list[int], rng: random.Random, *, held_out: bool) -> list[int]:
    match rng.randrange(7):
        case 0 | 6:
            return [rng.choice(ordinary) for _ in range(rng.randint(1, 8))]
        case 1:
            return _ids(tokenizer, f" {names.hotel_name(rng, held_out=held_out)}")
        case 2:
            return _ids(tokenizer, f" {names.room_type(rng, held_out=held_out)}")
        case 3:
            start = date(2025, 1, 1) + timedelta(days=rng.randrange(1000))
            return _ids(tokenizer, f" {day_text(start, 'en')} to {day_text(start + timedelta(days=rng.randint(1, 20)), 'en')}")
        case _:
            return _ids(tokenizer, f" {_number(rng)} net / {_number(rng)} selling" if rng.random() < 0.5 else f" {_number(rng)}")


def _number(rng: random.Random) -> str:
    whole = rng.randrange(10 ** rng.randint(2, 5))
    return f"{whole}.{rng.randrange(100):02d}".rstrip("0").rstrip(".") if rng.random() < 0.5 else str(whole)


def _ids(tokenizer: PreTrainedTokenizerFast, text: str) -> list[int]:
    return tokenizer.encode(text, add_special_tokens=False)
