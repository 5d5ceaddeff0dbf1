"""Contexts: places in a negotiation where our side is to speak, to roll out from.

A row holds the prompt as it is written now, and the turn's public side as JSON, from which guard rules and judges work. Of a simulated
hotel it also holds the seed from which hotel and tickets are drawn again, so that experts can rate new replies; secrets are in no column.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from typing import Any, Self
from uuid import UUID

import pyarrow as pa

from agent.domain import Mandate, Reply, TurnContext
from agent.language.prompts import Message, prompts_version, render_write
from agent.records import from_json, to_json
from agent.simulation import HotelProfile, sample_profile, sample_tickets
from agent.simulation.phrases import LANGUAGES, Language
from training.data.columns import Row
from training.experts import Truth, witness_each
from training.snapshots.errors import NoTruth, SnapshotChanged
from training.snapshots.splits import Split

CONTEXTS = "contexts"
CONTEXT_COLUMNS: dict[str, str] = {
    "id": "of the prompt: a preference or a demonstration with the same prompt finds its context by `context_id(prompt)`",
    "prompt": "what the writer is given: a list of messages",
    "context": "the `TurnContext` as JSON (`agent.records`)",
    "stage": "of the SOP",
    "turn_id": "our turn that was made there; empty where it was simulated",
    "conversation_id": "the conversation",
    "hotel": "pseudonym of the hotel",
    "prompts_version": "the prompts in which `prompt` is written",
    "language": "of the reply, ISO 639-1",
    "created_at": "when the turn was made, UTC",
    "simulated_hotel": "whether the hotel was a simulated one",
    "simulation": "seed and day from which hotel and tickets of a simulated dialogue are drawn again, as JSON; empty for a logged one",
}
"""The columns of a context, with what each says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """The hotel behind a simulated dialogue, and the limits of both sides, which are for experts alone."""

    seed: int
    profile: HotelProfile = field(repr=False)
    mandates: Mapping[int, Mandate] = field(repr=False)

    @classmethod
    def of(cls, seed: int, context: TurnContext) -> Self:
        """Draw it again (``agent.simulation.converse`` with this seed). Raises SnapshotChanged where the simulator has changed since."""
        if context.today is None or context.language not in LANGUAGES:
            raise SnapshotChanged(f"A simulated context needs a day and a known language, not {context.today} and {context.language!r}.")
        simulation, facts = _drawn(seed, context.today, context.language)
        if facts != context.facts:
            raise SnapshotChanged(f"The simulator draws other tickets from seed {seed} than those of the snapshot. Take the snapshot anew.")
        return cls(seed=simulation.seed, profile=simulation.profile, mandates=simulation.mandates)


def _drawn(seed: int, today: date, language: Language) -> tuple[Simulation, tuple[Any, ...]]:
    tickets = sample_tickets(seed, today=today)
    facts = tuple(fact for fact, _ in tickets)
    profile = sample_profile(facts, seed, language=language)
    return Simulation(seed=seed, profile=profile, mandates={fact.label: mandate for fact, mandate in tickets}), facts


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextRow:
    """One context."""

    context: TurnContext
    prompt: list[Message]
    hotel: str
    """Pseudonym."""
    split: Split
    conversation_id: UUID
    created_at: str
    turn_id: UUID | None = None
    simulated_hotel: bool = True
    simulation: Simulation | None = None

    @property
    def id(self) -> str:
        """Follows from the prompt."""
        return str(context_id(self.prompt))

    @property
    def messages(self) -> list[dict[str, str]]:
        """The prompt as rows have it."""
        return [{"role": message["role"], "content": message["content"]} for message in self.prompt]

    def truths(self, replies: Sequence[Reply]) -> tuple[Truth, ...]:
        """What experts see of replies that might be written here. Raises NoTruth for a logged dialogue: nobody knows the truth."""
        if self.simulation is None:
            raise NoTruth(f"Context {self.id} is of a logged conversation: simulated experts rate replies to simulated dialogues only.")
        hotel = self.simulation
        return witness_each(self.context, replies, profile=hotel.profile, mandates=hotel.mandates, seed=hotel.seed)

    def truth(self, reply: Reply) -> Truth:
        """The same for one reply."""
        return self.truths([reply])[0]

    def row(self) -> Row:
        """As it stands in a file, without the split, which is the file's."""
        return {
            "id": self.id,
            "prompt": self.messages,
            "context": json.dumps(to_json(self.context), ensure_ascii=False, separators=(",", ":")),
            "stage": str(self.context.stage),
            "turn_id": None if self.turn_id is None else str(self.turn_id),
            "conversation_id": str(self.conversation_id),
            "hotel": self.hotel,
            "prompts_version": prompts_version(),
            "language": self.context.language,
            "created_at": self.created_at,
            "simulated_hotel": self.simulated_hotel,
            "simulation": None if self.simulation is None else json.dumps({"seed": self.simulation.seed}),
        }


def context_row(context: TurnContext, **where: Any) -> ContextRow:
    """A context with its prompt; ``where`` are the further fields of ``ContextRow``."""
    return ContextRow(context=context, prompt=render_write(context), **where)


def read_context_row(row: Mapping[str, Any], split: Split) -> ContextRow:
    """The inverse of ``ContextRow.row``. Raises SnapshotChanged where the simulator has changed since."""
    context = from_json(TurnContext, json.loads(row["context"]))
    return ContextRow(
        context=context,
        prompt=[Message(role=message["role"], content=message["content"]) for message in row["prompt"]],
        hotel=row["hotel"],
        split=split,
        conversation_id=UUID(row["conversation_id"]),
        created_at=row["created_at"],
        turn_id=None if row["turn_id"] is None else UUID(row["turn_id"]),
        simulated_hotel=row["simulated_hotel"],
        simulation=None if row["simulation"] is None else Simulation.of(json.loads(row["simulation"])["seed"], context),
    )


def context_id(prompt: Sequence[Mapping[str, Any]]) -> UUID:
    """The id that the context of this prompt has."""
    said = json.dumps([[message["role"], message["content"]] for message in prompt], ensure_ascii=False)
    return UUID(bytes=sha256(said.encode()).digest()[:16])


def context_schema() -> Any:
    """The Arrow types of the columns."""
    special = {"prompt": pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())])), "simulated_hotel": pa.bool_()}
    return pa.schema([(column, special.get(column, pa.string())) for column in CONTEXT_COLUMNS])


def evenly(rows: Sequence[ContextRow], most: int) -> list[ContextRow]:
    """At most so many of them, evenly spread."""
    count = min(most, len(rows))
    return [rows[index * len(rows) // count] for index in range(count)]
