"""One turn of a negotiation as a LangGraph graph: read → advance → write ⇄ guard → record → approve → send.

The graph decides the order of the steps and where a person is waited for; what each step does is decided by pure code (``agent.sop``,
``agent.language``, ``agent.guardrails``), and what is kept by the ``Desk`` that the service gives it. A checkpoint holds only public
values: the mandate is read from the database inside ``advance`` and goes no further.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypedDict, cast
from uuid import UUID

import structlog
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import interrupt

from agent import sop
from agent.context import read_context, turn_context
from agent.domain import AllowedMove, HotelMove, Reply, TicketFacts, TurnContext, Utterance
from agent.guardrails import Violation, check
from agent.language.client import ModelClient, ModelRefused
from agent.language.reader import read
from agent.language.templates import template
from agent.language.writer import Redraw, Token, WriterFailed, write
from agent.records import from_json, list_from_json, to_json
from agent.service.events import Advanced, Drafted, Ended, Judged, Read, Sent, Writing
from agent.service.watching import count_draft, watched_step
from agent.settings import AgentSettings
from agent.telemetry import annotate
from agent.telemetry.metrics import TURNS
from db.vocabulary import DraftOrigin, Severity, Speaker, Stage

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What lies on the table when a turn begins: everything the steps need to know of one conversation."""

    facts: tuple[TicketFacts, ...]
    terms: dict[int, sop.Terms]
    history: tuple[Utterance, ...]
    """Oldest first, ending with the message that is to be answered."""
    state: sop.NegotiationState
    """As it was before that message."""
    model: str
    """Name under which the conversation's policy version is served."""
    language: str
    autopilot: bool
    drafts_so_far: int
    """Drafts that were already made for this turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One draft with the guard's verdict on it."""

    origin: DraftOrigin
    move: AllowedMove
    text: str
    violations: tuple[Violation, ...] = ()
    fallback_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """That a draft is to be sent. ``text`` is a person's edit of it."""

    text: str | None = None
    move: AllowedMove | None = None
    """Where the edit names another price than the draft's move: that move with the edit's price."""
    actor: UUID | None = None
    key: str | None = None
    edit_violations: tuple[Violation, ...] = ()


class TurnState(TypedDict, total=False):
    """What one turn carries from step to step, in plain JSON values."""

    conversation_id: str
    for_turn: int
    """Number that our reply will have."""
    heard: str | None
    """The message that is answered; None at the opening."""
    reading: dict[str, Any] | None
    sop_state: dict[str, Any]
    allowed: list[dict[str, Any]]
    attempts: list[dict[str, Any]]
    latency_ms: dict[str, float]
    draft_id: str
    decision: dict[str, Any] | None


class Desk(Protocol):
    """What the graph asks of the service: everything that touches the database."""

    def table(self, conversation_id: UUID) -> Table:
        """What the turn starts from."""
        ...

    def record(self, turn: TurnState, step: sop.Step, attempts: Sequence[Attempt], reading: HotelMove | None) -> UUID:
        """Write the reading, the drafts and the verdicts in one transaction; a repeat returns the draft that is there already."""
        ...

    def send(self, conversation_id: UUID, draft_id: UUID, decision: Decision) -> tuple[Sent, Stage]:
        """Write our turn in one transaction; with it the stage that it leads to. A repeat returns the turn that is there already."""
        ...


TurnGraph = CompiledStateGraph[TurnState, Table, TurnState, TurnState]

MOST_ATTEMPTS = 2
"""The policy's draft, and one rewrite with the violations named; then the stage's template."""


class Steps:
    """The graph's nodes, bound to a model and a desk."""

    def __init__(self, *, client: ModelClient, desk: Desk, settings: AgentSettings) -> None:
        self._client = client
        self._desk = desk
        self._temperature = settings.temperature
        self._redraw = Redraw(below=settings.redraw_below, copies=settings.redraws)

    @watched_step("read")
    def read(self, turn: TurnState, runtime: Runtime[Table]) -> TurnState:
        """Turn the hotel's words into a move."""
        heard = turn.get("heard")
        if heard is None:
            return TurnState(reading=None)
        started = time.perf_counter()
        table = self._table(turn, runtime)
        context = read_context(table.state, table.facts, table.history[:-1], language=table.language)
        move = read(heard, context=context, client=self._client, model=table.model)
        get_stream_writer()(Read(hotel_move=move))
        return TurnState(reading=to_json(move), latency_ms={"read": _ms_since(started)})

    @watched_step("advance")
    def advance(self, turn: TurnState, runtime: Runtime[Table]) -> TurnState:
        """Let the SOP decide what may be said."""
        started = time.perf_counter()
        table = self._table(turn, runtime)
        move = _reading(turn)
        step = sop.begin(table.state) if move is None else sop.advance(table.state, move, table.terms)
        annotate(stage=step.state.stage)
        get_stream_writer()(Advanced(stage=step.state.stage, allowed=tuple(str(allowed) for allowed in step.allowed), brief=step.brief))
        latency = {**turn.get("latency_ms", {}), "advance": _ms_since(started)}
        return TurnState(sop_state=sop.dump_state(step.state), allowed=to_json(step.allowed), latency_ms=latency)

    @watched_step("write")
    def write(self, turn: TurnState, runtime: Runtime[Table]) -> TurnState:
        """Draft, rewrite, or fall back to the template."""
        started = time.perf_counter()
        table = self._table(turn, runtime)
        context = self._context(turn, table)
        attempts = _attempts(turn)
        latency = dict(turn.get("latency_ms", {}))
        if len(attempts) < MOST_ATTEMPTS:
            last = attempts[-1] if attempts else None
            seed = table.drafts_so_far + len(attempts)
            attempt = self._draft(context, table.model, last, seed=_seed(turn, seed))
            latency[f"write_{len(attempts) + 1}"] = _ms_since(started)
        else:
            attempt = self._fall_back(turn, context, attempts)
        return TurnState(attempts=[*turn.get("attempts", []), to_json(attempt)], latency_ms=latency)

    @watched_step("guard")
    def guard(self, turn: TurnState, runtime: Runtime[Table]) -> TurnState:
        """Judge the newest draft."""
        started = time.perf_counter()
        attempts = _attempts(turn)
        newest = attempts[-1]
        violations = newest.violations or check(self._context(turn, self._table(turn, runtime)), Reply(move=newest.move, text=newest.text))
        get_stream_writer()(Judged(violations=violations))
        annotate(origin=newest.origin, violations=len(violations))
        judged = Attempt(
            origin=newest.origin,
            move=newest.move,
            text=newest.text,
            violations=violations,
            fallback_reason=newest.fallback_reason,
        )
        latency = {**turn.get("latency_ms", {}), f"guard_{len(attempts)}": _ms_since(started)}
        return TurnState(attempts=[to_json(attempt) for attempt in (*attempts[:-1], judged)], latency_ms=latency)

    @watched_step("record")
    def record(self, turn: TurnState, runtime: Runtime[Table]) -> TurnState:
        """Put the turn's reading, drafts and verdicts into the database."""
        step = sop.Step(state=sop.load_state(turn.get("sop_state", {})), allowed=_allowed(turn))
        attempts = _attempts(turn)
        draft_id = self._desk.record(turn, step, attempts, _reading(turn))
        version = self._table(turn, runtime).model
        for attempt in attempts:
            count_draft(attempt.origin, attempt.violations, version=version)
        annotate(attempts=len(attempts), origin=attempts[-1].origin)
        get_stream_writer()(Drafted(draft_id=draft_id, text=attempts[-1].text, origin=attempts[-1].origin))
        return TurnState(draft_id=str(draft_id), decision=None)

    def approve(self, turn: TurnState, runtime: Runtime[Table]) -> TurnState:
        """Wait for a person, unless the conversation runs on autopilot."""
        if self._table(turn, runtime).autopilot:
            return TurnState(decision=to_json(Decision()))
        return TurnState(decision=interrupt({"draft_id": turn.get("draft_id")}))

    @watched_step("send")
    def send(self, turn: TurnState) -> TurnState:
        """Say it."""
        emit = get_stream_writer()
        sent, stage = self._desk.send(UUID(turn.get("conversation_id")), UUID(turn.get("draft_id")), _decision(turn))
        emit(sent)
        TURNS.labels(speaker=Speaker.BD).inc()
        annotate(stage=stage)
        if stage.is_end:
            emit(Ended(stage=stage))
        return TurnState()

    # -- what the nodes share -----------------------------------------------------------------------------------------------------------

    def _table(self, turn: TurnState, runtime: Runtime[Table]) -> Table:
        # The service lays the table once a turn; a tool that enters the graph by itself brings none. It is never in a checkpoint.
        laid = cast("Table | None", runtime.context)
        table = laid or self._desk.table(UUID(turn.get("conversation_id")))
        annotate(version=table.model)
        return table

    def _context(self, turn: TurnState, table: Table) -> TurnContext:
        step = sop.Step(state=sop.load_state(turn.get("sop_state", {})), allowed=_allowed(turn))
        return turn_context(step, table.facts, table.history, hotel_move=_reading(turn), language=table.language)

    def _draft(self, context: TurnContext, model: str, last: Attempt | None, *, seed: int) -> Attempt:
        emit = get_stream_writer()
        origin = DraftOrigin.REWRITE if last else DraftOrigin.POLICY
        violations = last.violations if last else ()
        fresh = True
        try:
            pieces = write(
                context,
                client=self._client,
                model=model,
                temperature=self._temperature,
                seed=seed,
                violations=violations,
                redraw=self._redraw,
            )
            for piece in pieces:
                if isinstance(piece, Token):
                    emit(Writing(text=piece.text, fresh=fresh or piece.fresh))
                    fresh = False
                else:
                    return Attempt(origin=origin, move=piece.move, text=piece.text)
        except (WriterFailed, ModelRefused) as failure:
            # No words came: the rewrite, or the template, is told why.
            unusable = Violation(rule="format", severity=Severity.MAJOR, message=str(failure))
            return Attempt(origin=origin, move=context.allowed[0], text="", violations=(unusable,))
        raise AssertionError("the writer ends with a reply or raises")

    def _fall_back(self, turn: TurnState, context: TurnContext, attempts: Sequence[Attempt]) -> Attempt:
        # A fallback is an event, not a silence: it is logged here and counted by its row.
        rules = sorted({violation.rule for attempt in attempts for violation in attempt.violations})
        log.warning("guard.fallback", conversation=turn.get("conversation_id"), turn=turn.get("for_turn"), rules=rules)
        move = attempts[-1].move
        text = template(context, move)
        get_stream_writer()(Writing(text=text, fresh=True))
        return Attempt(origin=DraftOrigin.TEMPLATE, move=move, text=text, fallback_reason=", ".join(rules))


def build_graph(steps: Steps, checkpointer: BaseCheckpointSaver[Any] | None = None) -> TurnGraph:
    """The compiled graph.

    It is entered where the database says that the turn stands: at the reading of a new message, at the writing where the message was
    read before (a draft is wanted anew), or at the sending where a person has decided. So no turn is lost with its checkpoint.
    """
    graph = StateGraph(TurnState, context_schema=Table)
    for name in ("read", "advance", "write", "guard", "record", "approve", "send"):
        graph.add_node(name, getattr(steps, name))
    graph.add_conditional_edges(START, _entry, ["read", "write", "send"])
    graph.add_edge("read", "advance")
    graph.add_edge("advance", "write")
    graph.add_edge("write", "guard")
    graph.add_conditional_edges("guard", _after_guard, ["write", "record"])
    graph.add_edge("record", "approve")
    graph.add_edge("approve", "send")
    graph.add_edge("send", END)
    return graph.compile(checkpointer=checkpointer)


def new_turn(
    conversation_id: UUID,
    for_turn: int,
    *,
    heard: str | None = None,
    reading: HotelMove | None = None,
    step: sop.Step | None = None,
    draft_id: UUID | None = None,
    decision: Decision | None = None,
) -> TurnState:
    """The graph's input. Every channel is set, since a thread still holds the values of the conversation's earlier turns."""
    return TurnState(
        conversation_id=str(conversation_id),
        for_turn=for_turn,
        heard=heard,
        reading=to_json(reading) if reading else None,
        sop_state=sop.dump_state(step.state) if step else {},
        allowed=to_json(step.allowed) if step else [],
        attempts=[],
        latency_ms={},
        draft_id=str(draft_id) if draft_id else "",
        decision=to_json(decision) if decision else None,
    )


def _entry(turn: TurnState) -> str:
    if turn.get("decision"):
        return "send"
    return "write" if turn.get("allowed") else "read"


def _after_guard(turn: TurnState) -> str:
    newest = _attempts(turn)[-1]
    return "write" if newest.violations and newest.origin is not DraftOrigin.TEMPLATE else "record"


def _reading(turn: TurnState) -> HotelMove | None:
    data = turn.get("reading")
    return from_json(HotelMove, data) if data else None


def _allowed(turn: TurnState) -> tuple[AllowedMove, ...]:
    return list_from_json(AllowedMove, turn.get("allowed", []))


def _attempts(turn: TurnState) -> tuple[Attempt, ...]:
    return list_from_json(Attempt, turn.get("attempts", []))


def _decision(turn: TurnState) -> Decision:
    return from_json(Decision, turn.get("decision"))


def _ms_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 2)


def _seed(turn: TurnState, attempt: int) -> int:
    """Another number for each attempt, the same when a crashed turn is repeated."""
    return (UUID(turn.get("conversation_id")).int + 7919 * turn.get("for_turn", 0) + attempt) % 2**31


def conversation_config(conversation_id: UUID) -> Any:
    """The graph's configuration for one conversation: its thread."""
    return {"configurable": {"thread_id": str(conversation_id)}}


__all__ = ["Attempt", "Decision", "Desk", "Steps", "Table", "TurnGraph", "TurnState", "build_graph", "conversation_config", "new_turn"]
