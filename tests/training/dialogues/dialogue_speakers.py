"""Policies that are pure functions of a context: what they say to it does not depend on what else they are asked."""

import random
from collections.abc import Sequence

from agent.domain import Reply, TurnContext
from agent.simulation import Quality, ScriptedBD


class ScriptedSpeaker:
    """Speaks as the scripted colleague of a quality; a share of its answers cannot be read."""

    def __init__(self, quality: Quality = Quality.FINE, *, unreadable: float = 0.0) -> None:
        self._bd, self._quality, self._unreadable = ScriptedBD(held_out=True), quality, unreadable
        self.tokens, self.seconds = 0, 0.0
        self.lengths: tuple[int, ...] = ()
        self.asked: list[int] = []
        """Contexts of each call."""

    def __call__(self, contexts: Sequence[TurnContext]) -> list[Reply | None]:
        replies = [self.reply(context) for context in contexts]
        self.lengths = tuple(0 if reply is None else len(reply.text.split()) for reply in replies)
        self.tokens += sum(self.lengths)
        self.seconds += 0.5
        self.asked.append(len(contexts))
        return replies

    def reply(self, context: TurnContext) -> Reply | None:
        """What it says in one place."""
        rng = random.Random(f"{context.facts}{context.history}")
        if rng.random() < self._unreadable:
            return None
        move = rng.choice(context.allowed)
        return Reply(move=move, text=self._bd.say(context, move, rng=rng, quality=self._quality))


def speechless(contexts: Sequence[TurnContext]) -> list[Reply | None]:
    """Nothing that it writes can be read."""
    return [None for _ in contexts]


def stubborn(contexts: Sequence[TurnContext]) -> list[Reply | None]:
    """It says the same words in every place, with the last move that is open."""
    return [Reply(move=context.allowed[-1], text="We would like a lower price for this room, please.") for context in contexts]
