"""In which order material is learnt from, and how much of it is of which kind.

Negotiations are full of asking for a price and rarely need a question back, a correction or a word of calm. Learnt from as it comes, what
is seldom is forgotten for what is frequent; of kinds that are counted, each gets its share to the power of ``1 - balance``.
"""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import torch
from accelerate import PartialState

from agent.language.format import move_and_words
from training.objectives.settings import RunSettings


def in_order(kinds: Sequence[Hashable], wanted: int, *, balance: float, seed: int) -> list[int]:
    """Which row stands where: ``wanted`` numbers of rows, of which ``kinds`` says what each is.

    Rows come round as often as their kind allows, evenly spread: with ``balance`` 0 pass after pass over all of them, each in an order of
    its own; with 1 every kind as often as every other. Raises ValueError for no rows.
    """
    if not kinds:
        raise ValueError("there are no rows to bring into an order")
    counts = Counter(kinds)
    rates = torch.tensor([counts[kind] ** -balance for kind in kinds], dtype=torch.float64)
    rates /= rates.mean()
    # A row's turns are one in each of its own rounds, at a random time in it; all rows together come by at `len(kinds)` a unit of time.
    rounds = int((rates.max() * wanted / len(kinds)).ceil()) + 1
    times = (torch.arange(rounds)[:, None] + torch.rand(rounds, len(kinds), generator=torch.Generator().manual_seed(seed))) / rates
    return (times.flatten().argsort(stable=True)[:wanted] % len(kinds)).tolist()


def kind_of_row(row: Mapping[str, Any], said: str) -> tuple[str, str]:
    """The language, and the kind of move that the row's column ``said`` makes: whoever asks in one has not learnt to ask in the other."""
    return str(row.get("language", "")), move_and_words(row[said][-1]["content"])[0].partition(":")[0]


def rows_in_order(
    rows: Sequence[Mapping[str, Any]], said: str, settings: RunSettings, *, batch: int, steps: int
) -> list[Mapping[str, Any]]:
    """The rows of a whole supervised run, on all its processes; a row's kind is that of what stands in its column ``said``."""
    kinds = [kind_of_row(row, said) for row in rows]
    wanted = steps * batch * PartialState().num_processes
    return [rows[place] for place in in_order(kinds, wanted, balance=settings.balance, seed=settings.seed)]
