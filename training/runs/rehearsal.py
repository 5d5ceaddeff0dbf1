"""What a policy can do already and nobody has shown, in its own words: imitated beside the demonstrations, so that it is not forgotten.

Decided here: that a kind is a move in a language; that every kind with fewer demonstrations than wanted is filled up with replies that the
policy itself writes before the first step, as it is served, to trained simulated hotels in all languages; that kinds which are shown get
none, since there it is to change. People who rate English hotels alone would else take the Chinese ones from it. Rehearsal on one's own
outputs against forgetting: Robins 1995 (pseudo-rehearsal); with language models Yang et al. 2024 (arXiv 2402.13669).
"""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any, Protocol, get_args

from agent.domain import Reply, TurnContext
from agent.language.format import encode_filled
from agent.language.prompts import render_write
from agent.simulation import Quality, converse
from agent.simulation.phrases import Language
from training.files import put
from training.objectives.order import kind_of_row
from training.objectives.speaker import in_batches

FILE = "rehearsal.jsonl"
_TALKS = 240
"""Dialogues that are looked through for contexts in each language: what is rarer than that stays seldom."""
_DAY = date(2026, 3, 2)
_QUALITIES = (Quality.EXCELLENT, Quality.FINE, Quality.CLUMSY)
Row = Mapping[str, Any]


class Voice(Protocol):
    """The policy as it speaks."""

    def fits(self, context: TurnContext) -> bool:
        """Whether it can be asked that."""
        ...

    def __call__(self, contexts: Sequence[TurnContext]) -> Sequence[Reply | None]:
        """One reply to each; None for one that cannot be read."""
        ...


def with_rehearsal(
    demonstrations: Sequence[Row],
    folder: Path,
    *,
    wanted: int,
    seed: int,
    voice: Callable[[], Voice],
    report: Callable[[int, int], None] = lambda done, total: None,
) -> list[Row]:
    """The demonstrations, and what is rehearsed beside them; the latter is kept in the folder, so that a run which goes on has the same.

    ``report`` hears how many replies have been asked for, and of how many.
    """
    place = folder / FILE
    if not place.is_file():
        shown = Counter(kind_of_row(row, "completion") for row in demonstrations)
        speaks = voice()
        contexts = list(_wanting(shown, wanted, seed, speaks.fits))
        replies = in_batches(speaks, report)(contexts)
        rows = [_row(context, reply) for context, reply in zip(contexts, replies, strict=True) if reply is not None]
        put(place, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return [*demonstrations, *map(json.loads, place.read_text(encoding="utf-8").splitlines())]


def _wanting(shown: Mapping[tuple[str, str], int], wanted: int, seed: int, fits: Callable[[TurnContext], bool]) -> Iterator[TurnContext]:
    """Contexts of kinds that are shown less often than wanted, as many as are missing or can be found."""
    counts = Counter(shown)
    for language in get_args(Language):
        for context in _contexts(language, seed):
            kind = (language, str(context.allowed[0].kind))
            if counts[kind] < wanted and fits(context):
                counts[kind] += 1
                yield context


def _contexts(language: Language, seed: int) -> Iterator[TurnContext]:
    rng = random.Random(f"rehearsal:{seed}:{language}")
    talks = (converse(rng.randrange(2**40), today=_DAY, quality=rng.choice(_QUALITIES), language=language) for _ in range(_TALKS))
    return chain.from_iterable((exchange.context for exchange in talk.exchanges) for talk in talks)


def _row(context: TurnContext, reply: Reply) -> Row:
    said = {"role": "assistant", "content": encode_filled(context, reply)}
    return {"prompt": render_write(context), "completion": [said], "language": context.language}
