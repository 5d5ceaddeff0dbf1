"""Dialogues as something to learn from: each turn of the policy's own with what the dialogue came to.

Decided here: what an outcome is worth, and how it is handed back to the turns before it. What a turn is worth by itself is the reward's
business; a trainer adds the two. The worth knows the simulated hotel's limit and goodwill, as a game knows its score. The simulated experts
have no part in it: they measure what comes of the training.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from agent.domain import Reply, TurnContext
from training.dialogues.dialogue import Dialogue


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What an outcome is worth. The defaults put a dialogue between about -1.5 and 1.5."""

    agreed: float = 0.5
    """For the share of the rooms agreed on, of those for which there is a price that both sides would take."""
    captured: float = 0.5
    """For the share of the bargaining zone won, mean over the same rooms, 0 without an agreement."""
    goodwill: float = 0.5
    """For each unit of the hotel's goodwill won or lost, from its first answer to its last."""
    unmeant: float = -1.0
    """For the share of all rooms that we hold for agreed and the hotel does not."""
    discount: float = 0.95
    """Of the outcome, for each turn of ours that an earlier turn lies before the last one, in (0, 1]."""

    def __post_init__(self) -> None:
        if not 0 < self.discount <= 1:
            raise ValueError(f"a discount is in (0, 1], not {self.discount}")


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeTurn:
    """One turn of the policy's."""

    context: TurnContext
    reply: Reply | None
    """What the policy wrote; None for an answer that is no reply."""
    outcome: float
    """Its share of what the dialogue came to, discounted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One dialogue."""

    number: int
    seed: int
    turns: tuple[EpisodeTurn, ...]
    value: float
    """What it came to, before discounting."""


def episode(dialogue: Dialogue, worth: Worth | None = None) -> Episode:
    """The dialogue's turns in order; of the last one ``outcome`` is the whole ``value``."""
    chosen = worth or Worth()
    value = outcome_value(dialogue, chosen)
    last = len(dialogue.exchanges) - 1
    turns = tuple(
        EpisodeTurn(context=exchange.context, reply=exchange.reply, outcome=value * chosen.discount ** (last - place))
        for place, exchange in enumerate(dialogue.exchanges)
    )
    return Episode(number=dialogue.number, seed=dialogue.seed, turns=turns, value=value)


def episodes(dialogues: Sequence[Dialogue], worth: Worth | None = None) -> list[Episode]:
    """``episode`` of each, in their order."""
    return [episode(dialogue, worth) for dialogue in dialogues]


def outcome_value(dialogue: Dialogue, worth: Worth) -> float:
    """What a dialogue came to. A room that no price could have won counts neither way."""
    rooms = dialogue.rooms
    possible = [room for room in rooms if room.possible]
    value = worth.unmeant * sum(room.unmeant for room in rooms) / len(rooms)
    if possible:
        value += worth.agreed * sum(room.agreed is not None for room in possible) / len(possible)
        value += worth.captured * math.fsum(room.captured for room in possible) / len(possible)
    goodwill = dialogue.goodwill
    if goodwill:
        value += worth.goodwill * (goodwill[-1] - goodwill[0])
    return value
