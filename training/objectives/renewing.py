"""Contexts after the policy's own words, as it speaks by now: an environment that goes on with the policy (``renewed`` in the settings).

A reply is paid in its context alone, and the contexts of a snapshot were held by others or by the policy of long ago. What a policy has
come to like to say was never said in them, so that nothing tells it not to say it again; held to not beginning twice alike, it then goes on
from where it was never rewarded. Decided here: what is renewed is a share of the places, each by a turn in the same language at which the
same kind of move is open first, so that a balance between kinds stays as it is; and that the talks are kept with the run, which goes on
with the same ones. States of the learner's own making: Ross et al. 2011 (arXiv 1011.0686).
"""

import json
import random
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from accelerate import PartialState

from agent.domain import TurnContext
from agent.language.prompts import render_write
from agent.records import from_json, to_json
from training.dialogues import play_many
from training.files import put
from training.objectives.policy import Policy
from training.objectives.rollout import Pool, Rollout, Written, roll_out
from training.objectives.settings import PolicySettings
from training.objectives.speaker import AsServed, Speaker
from training.starter.samples import prompt_ids

FOLDER = "talks"
"""In the run's folder: the contexts of each renewal, by its step."""
_A_TALK = 5
"""Places that a talk is held for: it has more than twice as many turns, of all kinds."""
_FEWEST = 2
Kind = tuple[str, str]


class Renewed:
    """Contexts of a snapshot, a share of them renewed; G replies to each."""

    def __init__(self, policy: Policy, source: Pool, settings: PolicySettings, folder: Path) -> None:
        """``folder`` is the run's."""
        self._policy, self._source, self._settings = policy, source, settings
        self._folder = folder / FOLDER
        self._chinese = sum(context.language == "zh" for context in source.contexts) / len(source)
        self._step = 0
        self._own: dict[Kind, list[TurnContext]] = {}

    @property
    def kinds(self) -> Sequence[str]:
        """The move that the SOP suggests first."""
        return [_kind(context)[1] for context in self._source.contexts]

    def roll_out(self, chosen: Sequence[int], *, step: int, seed: int, written: Written) -> Rollout:
        """The replies to the chosen contexts, or to the policy's own that stand in their place."""
        settings, began = self._settings, time.perf_counter()
        self._renew(step - step % settings.renew_every)
        held = time.perf_counter() - began
        rng = random.Random(seed)
        left = {kind: rng.sample(some, len(some)) for kind, some in self._own.items()}
        contexts = [self._source.contexts[place] for place in chosen]
        taken = [_taken(left, context) if rng.random() < settings.renewed else None for context in contexts]
        now = Pool(
            contexts=tuple(own or context for own, context in zip(taken, contexts, strict=True)),
            prompts=tuple(
                self._source.prompts[place] if own is None else prompt_ids(render_write(own), self._policy.tokenizer)
                for place, own in zip(chosen, taken, strict=True)
            ),
        )
        rollout = roll_out(self._policy, now, range(len(now)), settings, copies=settings.copies, seed=seed, written=written)
        figures = {"renewed_share": sum(own is not None for own in taken) / len(taken), "time/renewing": held}
        return replace(rollout, figures=figures)

    def _renew(self, step: int) -> None:
        """The turns of the talks that belong to this step; before the first there are none."""
        if step == self._step:
            return
        path = self._folder / f"{step}-{PartialState().process_index}.json"
        if not path.is_file():
            path.parent.mkdir(exist_ok=True)
            put(path, json.dumps([to_json(context) for context in self._held(step)], ensure_ascii=False) + "\n")
        own: defaultdict[Kind, list[TurnContext]] = defaultdict(list)
        for data in json.loads(path.read_text(encoding="utf-8")):
            context = from_json(TurnContext, data)
            own[_kind(context)].append(context)
        self._step, self._own = step, dict(own)

    def _held(self, step: int) -> list[TurnContext]:
        """Every turn of ours of talks that the policy holds as it is served, as far as its prompt leaves room for the longest reply."""
        settings = self._settings
        places = settings.renewed * settings.renew_every * settings.prompts
        count = max(_FEWEST, round(places / _A_TALK))
        first = (step // settings.renew_every * PartialState().num_processes + PartialState().process_index) * count
        speaker = AsServed(Speaker(policy=self._policy, max_tokens=settings.max_tokens, seed=settings.seed + step))
        talks = play_many(range(first, first + count), speaker, seed=settings.seed, held_out=False, chinese=self._chinese)
        turns = [exchange.context for talk in talks for exchange in talk.exchanges]
        return [context for context in turns if speaker.fits(context)]


def _kind(context: TurnContext) -> Kind:
    return context.language, str(context.allowed[0].kind)


def _taken(left: dict[Kind, list[TurnContext]], context: TurnContext) -> TurnContext | None:
    """One of the same kind that was not taken yet; None where there is none left."""
    alike = left.get(_kind(context))
    return alike.pop() if alike else None
