"""Where a run's replies come from: contexts that there are, or dialogues that the policy itself holds with simulated hotels.

Decided here: that every turn of a dialogue is a context of its own with one reply, paid like any other, and besides with its share of what
the dialogue came to: less, the more turns there were still to come. How a dialogue is held is ``training.dialogues``.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean
from typing import Protocol

from agent.domain import Reply, TurnContext
from agent.language.prompts import render_write
from training.dialogues import Dialogue, play_many
from training.dialogues.episodes import Episode, Worth, episode
from training.objectives.policy import Policy
from training.objectives.rollout import Pool, Rollout, Written, fitting, read, roll_out, sampling, words
from training.objectives.sampling import Drawn, Samples, gathered
from training.objectives.settings import PolicySettings
from training.starter.samples import prompt_ids

_CALL = 15_485_863
"""Between the seeds of two calls of the policy in one rollout."""


class Environment(Protocol):
    """What replies are made in."""

    @property
    def kinds(self) -> Sequence[str]:
        """What each place to begin from is, for a balance between kinds."""
        ...

    def roll_out(self, chosen: Sequence[int], *, step: int, seed: int, written: Written) -> Rollout:
        """Replies that begin from the chosen places, in this step of the run; the same weights, step and seed give the same ones.

        ``written`` is as in ``roll_out``.
        """
        ...


class Contexts:
    """Contexts of a snapshot; G replies to each."""

    def __init__(self, policy: Policy, source: Pool, settings: PolicySettings) -> None:
        """``source`` has the contexts."""
        self._policy, self._source, self._settings = policy, source, settings

    @property
    def kinds(self) -> Sequence[str]:
        """The move that the SOP suggests first."""
        return [str(context.allowed[0].kind) for context in self._source.contexts]

    def roll_out(self, chosen: Sequence[int], *, step: int, seed: int, written: Written) -> Rollout:
        """The replies to the chosen contexts."""
        return roll_out(self._policy, self._source, chosen, self._settings, copies=self._settings.copies, seed=seed, written=written)


class Dialogues:
    """Simulated hotels, with trained personas and phrases; G dialogues with each. One reply a context, and as many contexts as turns."""

    def __init__(self, policy: Policy, settings: PolicySettings) -> None:
        """Which hotels there are follows from the settings' seed."""
        self._policy, self._settings = policy, settings

    @property
    def kinds(self) -> Sequence[str]:
        """A hotel is a hotel."""
        return ["hotel"] * self._settings.hotels

    def roll_out(self, chosen: Sequence[int], *, step: int, seed: int, written: Written) -> Rollout:
        """All turns of the dialogues with the chosen hotels, but the last few that would not fill the minibatches."""
        settings = self._settings
        began = time.perf_counter()
        speaker = _Speaker(self._policy, settings, seed, written)
        numbers = [number for number in chosen for _ in range(settings.copies)]
        dialogues = play_many(numbers, speaker, seed=settings.seed, held_out=False, at_once=len(numbers))
        held = [episode(dialogue, Worth(discount=settings.outcome_discount)) for dialogue in dialogues]
        shares = {id(turn.context): turn.outcome for one in held for turn in one.turns}
        whole = slice(len(speaker.contexts) // settings.minibatches * settings.minibatches)
        contexts = speaker.contexts[whole]
        samples = gathered(speaker.drawn)
        return Rollout(
            contexts=tuple(contexts),
            prompts=speaker.prompts[whole],
            samples=Samples(ids=samples.ids[whole], logps=samples.logps[whole]),
            replies=speaker.replies[whole],
            seconds=time.perf_counter() - began,
            outcomes=[[settings.outcome_weight * shares[id(context)]] for context in contexts],
            figures=_figures(dialogues, held),
        )


class _Speaker:
    """The policy as it talks, and all that it said: one reply to each context, in the order in which they came."""

    def __init__(self, policy: Policy, settings: PolicySettings, seed: int, written: Written) -> None:
        self._policy, self._settings, self._seed, self._written = policy, settings, seed, written
        self._writer, self._how = policy.writer(), sampling(policy, settings, copies=1)
        self._window = int(policy.trunk.config.max_position_embeddings)
        self._calls = 0
        self.contexts: list[TurnContext] = []
        self.prompts: list[list[int]] = []
        self.replies: list[list[Reply | None]] = []
        self.drawn: list[Drawn] = []

    def __call__(self, contexts: Sequence[TurnContext]) -> list[Reply | None]:
        """``training.dialogues.Speak``. Raises PolicyError for a prompt that with the longest reply does not fit the model's window."""
        prompts = [prompt_ids(render_write(context), self._policy.tokenizer) for context in contexts]
        fitting(prompts, self._window, self._settings)
        first = len(self.contexts)
        self.contexts += contexts
        self.prompts += prompts
        replies: dict[int, list[Reply | None]] = {}
        for part in self._writer(prompts, self._how, seed=self._seed + _CALL * self._calls):
            asked = [contexts[row] for row in part.rows]
            said = [[read(context, words(self._policy, ids[0]))] for context, ids in zip(asked, part.ids, strict=True)]
            rows = [first + row for row in part.rows]
            self._written(rows, asked, said)
            self.drawn.append(replace(part, rows=rows))
            replies |= zip(part.rows, said, strict=True)
        self._calls += 1
        in_order = [replies[row] for row in range(len(contexts))]
        self.replies += in_order
        return [reply for (reply,) in in_order]


def _figures(dialogues: Sequence[Dialogue], held: Sequence[Episode]) -> dict[str, float]:
    possible = [room for dialogue in dialogues for room in dialogue.rooms if room.possible]
    return {
        "dialogue/outcome": fmean(one.value for one in held),
        "dialogue/turns": fmean(len(one.turns) for one in held),
        "dialogue/agreed_share": fmean(room.agreed is not None for room in possible) if possible else math.nan,
        "dialogue/captured": fmean(room.captured for room in possible) if possible else math.nan,
    }
