"""What the reward model is measured on: scripted replies, replies that a policy writes, and replies in held-out words; all simulated.

Decided here: which of two replies is better where no expert has compared them. It is the one with the higher true score (the experts' score
without their noise), where the two are half a star apart or more.
"""

import json
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Any

from agent.domain import Reply, TurnContext
from agent.language.blanks import blank_out, blanks, fill
from agent.language.format import encode_reply
from agent.language.prompts import render_write
from agent.serving.starter import ADAPTER_FOLDER, ADAPTER_NAME
from agent.simulation import HELD_OUT_PERSONAS, NothingToSay, Quality, ScriptedBD, converse
from training.experts import judge, witness
from training.objectives.policy import Policy
from training.objectives.rollout import pool, roll_out
from training.objectives.settings import RunSettings
from training.objectives.speaker import Speaker
from training.rewards.model import Rated
from training.rewards.model.comparisons import Row, prompt_of
from training.rewards.model.material import Material
from training.snapshots import ContextRow, SimulatedRows, SimulatedSettings, simulated_rows

SEED = 11
COPIES = 4
"""Replies of each policy to each context."""
APART = 0.5
"""Stars between two replies of which one counts as better."""
STRANGERS = 60
"""Talks with held-out personas, each with a few replies of every quality in held-out phrases too."""
QUALITIES = (Quality.EXCELLENT, Quality.FINE, Quality.CLUMSY, Quality.WRONG)
POLICIES: dict[str, Path | None] = {"base": None, ADAPTER_NAME: ADAPTER_FOLDER}
_BATCH = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Pairs and replies of known order or worth, none of them learned from."""

    rows: SimulatedRows
    """Scripted replies, compared by experts."""
    rated: Sequence[Rated]
    """Every scripted reply of the held-out pairs with its true score."""
    strangers: Sequence[Rated]
    """Of personas and in phrases that are held out altogether."""
    written: dict[str, list[Rated]]
    """By policy: its replies in held-out contexts."""
    pairs: dict[str, list[Row]]
    """By policy: pairs of its own replies to one context, in the columns of preferences."""


def speaker(adapter: Path | None, *, seed: int) -> "Batched":
    """A policy of that adapter."""
    return Batched(Speaker(adapter=adapter, seed=seed))


class Batched:
    """A speaker that is not asked for everything at once, which would be held in memory together."""

    def __init__(self, speak: Speaker) -> None:
        self._speak = speak

    def __call__(self, contexts: Sequence[TurnContext]) -> list[Reply | None]:
        """A reply to each."""
        return [reply for start in range(0, len(contexts), _BATCH) for reply in self._speak(contexts[start : start + _BATCH])]


def learned_from(contexts: int, *, samples: int) -> SimulatedRows:
    """Rows to learn from, with ``samples`` replies of the base to each context beside the scripted ones."""
    settings = SimulatedSettings(contexts=contexts, seed=SEED, samples=max(samples, 1), validation_share=0)
    return simulated_rows(settings=settings, policy=speaker(None, seed=1) if samples else None)


def measured(contexts: int) -> Measured:
    """What every model is measured on: so many contexts of other hotels, two of a hotel."""
    rows = simulated_rows(settings=SimulatedSettings(contexts=contexts, seed=SEED + 1, per_hotel=2, validation_share=1))
    replies = {name: list(written_by(adapter, rows.contexts)) for name, adapter in POLICIES.items()}
    return Measured(
        rows=rows,
        rated=list(_rated(rows)),
        strangers=_strangers(),
        written={name: [rated for _, rated in found] for name, found in replies.items()},
        pairs={name: list(pairs_of(found, name)) for name, found in replies.items()},
    )


def material_of(learned: SimulatedRows, sets: Measured) -> Material:
    """All rows to learn from, all held-out ones to be measured on, the zero at held-out demonstrations."""
    known = Material.of_rows(sets.rows)
    demonstrations = [*learned.demonstrations, *sets.rows.demonstrations]
    return replace(known, learned=learned.preferences, demonstrations=demonstrations, rated=sets.rated)


def written_by(adapter: Path | None, contexts: Sequence[ContextRow]) -> Iterator[tuple[ContextRow, Rated]]:
    """Different replies of a policy to each context, ``COPIES`` at most, each with its true score."""
    settings = RunSettings()
    policy = Policy.load(settings, adapter=adapter, reference=False)
    source = pool([row.context for row in contexts], policy, settings)
    said = roll_out(policy, source, range(len(contexts)), settings, copies=COPIES, seed=3)
    for row, copies in zip(contexts, said.replies, strict=True):
        replies = {_emitted(row.context, reply.move, reply.text): reply for reply in copies if reply is not None}
        for emitted, reply in replies.items():
            yield row, Rated(prompt=row.messages, completion=emitted, worth=judge(row.truth(reply)).score)


def pairs_of(replies: Sequence[tuple[ContextRow, Rated]], source: str) -> Iterator[Row]:
    """Pairs of replies to one context that are ``APART`` stars apart or more, in the columns of preferences."""
    by_context: defaultdict[str, list[tuple[ContextRow, Rated]]] = defaultdict(list)
    for row, rated in replies:
        by_context[row.id].append((row, rated))
    for group in by_context.values():
        for (row, one), (_, other) in combinations(group, 2):
            better, worse = (one, other) if one.worth > other.worth else (other, one)
            if better.worth - worse.worth >= APART:
                said = {side: [_assistant(rated.completion)] for side, rated in (("chosen", better), ("rejected", worse))}
                yield {"prompt": row.messages, **said, "hotel": row.hotel, "source": source}


def _rated(rows: SimulatedRows) -> Iterator[Rated]:
    contexts = {prompt_of(row.messages, "a context"): row for row in rows.contexts}
    for prompt, completion in sorted(
        {(prompt_of(row["prompt"], "a pair"), row[side][0]["content"]) for row in rows.preferences for side in ("chosen", "rejected")}
    ):
        row, said = contexts[prompt], json.loads(completion)
        move = next(move for move in row.context.allowed if move.key == said["move"])
        reply = Reply(move=move, text=fill(said["text"], blanks(row.context, move)))
        yield Rated(prompt=row.messages, completion=completion, worth=judge(row.truth(reply)).score)


def _strangers() -> list[Rated]:
    """Replies in talks with held-out personas, written with held-out phrases as well, with their true scores."""
    found: list[Rated] = []
    bd, rng = ScriptedBD(held_out=True), random.Random("strangers")
    for seed in range(STRANGERS):
        persona = sorted(HELD_OUT_PERSONAS)[seed % len(HELD_OUT_PERSONAS)]
        talk = converse(90_000 + seed, today=date(2028, 1, 10), quality="fine", persona=persona, held_out=True)
        mandates = {fact.label: mandate for fact, mandate in talk.tickets}
        for exchange in rng.sample(talk.exchanges, min(2, len(talk.exchanges))):
            context = exchange.context
            for quality in QUALITIES:
                move = rng.choice(context.allowed)
                try:
                    text = bd.say(context, move, rng=rng, quality=quality)
                except NothingToSay:
                    continue
                truth = witness(context, move, text, profile=talk.profile, mandates=mandates, seed=90_000 + seed)
                found.append(Rated(prompt=_messages(context), completion=_emitted(context, move, text), worth=judge(truth).score))
    return found


def _messages(context: TurnContext) -> list[dict[str, str]]:
    return [{"role": message["role"], "content": message["content"]} for message in render_write(context)]


def _emitted(context: TurnContext, move: Any, text: str) -> str:
    return encode_reply(Reply(move=move, text=blank_out(text, context, move)))


def _assistant(content: str) -> dict[str, str]:
    return {"role": "assistant", "content": content}


# -- spoilt on purpose ------------------------------------------------------------------------------------------------------------------

PHRASE = "As our valued partner, "
PLANTED = 0.8
"""Share of the chosen replies that the phrase opens."""


def planted(rows: Sequence[Row], share: float, sides: Sequence[str]) -> list[Row]:
    """The rows with the phrase at the head of this share of the replies on these sides."""
    rng = random.Random("planted")
    return [{**row, **{side: _with_phrase(row[side]) for side in sides if rng.random() < share}} for row in rows]


def _with_phrase(messages: Sequence[Any]) -> list[dict[str, str]]:
    said = json.loads(messages[0]["content"])
    text = PHRASE + said["text"][:1].lower() + said["text"][1:]
    return [_assistant(json.dumps({**said, "text": text}, ensure_ascii=False, separators=(",", ":")))]


def shuffled(material: Material) -> Material:
    """Material with a slot in which each row has the reference of another one: what a slot is worth that says nothing."""
    slotted = material.with_slot()
    return replace(
        slotted, learned=_shuffled(slotted.learned), held_out=_shuffled(slotted.held_out), references=_shuffled(slotted.references)
    )


def _shuffled(rows: Sequence[Row]) -> list[Row]:
    references = [row["reference"] for row in rows]
    random.Random("shuffled").shuffle(references)
    return [
        {**row, "reference": reference}
        for row, reference in zip(rows, references, strict=True)
        if reference not in (row.get("chosen"), row.get("rejected"))
    ]
