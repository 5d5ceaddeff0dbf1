"""The one way in: web pages, command line, rollouts and benchmarks all conduct a negotiation through ``Negotiations``.

Decided here: what is acknowledged when (the hotel's words are committed before anything is made of them), that two requests never work
on one conversation at once, and that every request may be repeated with its key. What a turn consists of is decided in ``graph``, on
which tickets a conversation may be opened in ``opening``.
"""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.types import Command
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from structlog.contextvars import bound_contextvars

from agent import sop
from agent.context import turn_context
from agent.domain import AllowedMove, HotelMove, Reply
from agent.guardrails import check
from agent.language.client import ModelClient
from agent.records import from_json, list_from_json, to_json
from agent.service import simulated
from agent.service.by_hand import closing_price, edited_move, readable
from agent.service.desk import DatabaseDesk, Scene, facts_of, lay_table, load_scene, move_on, terms_of, utterances
from agent.service.errors import (
    ConversationEnded,
    GuardRefused,
    NotYourTurn,
    StaleDraft,
    UnknownConversation,
    UnknownDraft,
)
from agent.service.events import Drafted, Received, Sent, TurnEvent
from agent.service.exclusive import alone
from agent.service.graph import Decision, Steps, Table, TurnState, build_graph, conversation_config, new_turn
from agent.service.opening import open_conversation
from agent.service.views import ConversationView, view_conversation
from agent.service.watching import watched_request
from agent.settings import AgentSettings
from agent.telemetry import annotate
from agent.telemetry.metrics import TURNS
from db.engine import session_factory
from db.models import Conversation, Draft, Turn
from db.repositories import audit_events, conversations, drafts, turns
from db.vocabulary import Counterpart, DraftStatus, Mode, Speaker, TicketStatus


class Negotiations:
    """The service, shared by all threads of a process. Every method that yields must be iterated to its end."""

    def __init__(
        self, engine: Engine, client: ModelClient, checkpointer: BaseCheckpointSaver[Any], settings: AgentSettings | None = None
    ) -> None:
        self._engine = engine
        self._sessions = session_factory(engine)
        self._settings = settings or AgentSettings()
        self._desk = DatabaseDesk(self._sessions, follow_up_after=timedelta(hours=self._settings.follow_up_after_h))
        steps = Steps(client=client, desk=self._desk, settings=self._settings)
        self._graph = build_graph(steps, checkpointer)

    @contextmanager
    def transaction(self) -> Generator[Session]:
        """One transaction on the service's database, for what stands beside a negotiation (finding or importing tickets)."""
        with self._sessions.begin() as session:
            yield session

    # -- opening ------------------------------------------------------------------------------------------------------------------------

    def open(
        self,
        *,
        ticket_ids: Sequence[UUID],
        mode: Mode,
        counterpart: Counterpart,
        actor: UUID | None,
        key: str,
        persona: str | None = None,
        seed: int | None = None,
        language: str = "en",
    ) -> UUID:
        """Open a conversation on tickets of one hotel; a repeat with the same key returns the one that is there.

        Raises OpenError where the tickets cannot be negotiated together, TicketNotFound for an unknown one.
        """
        with self._sessions.begin() as session:
            return open_conversation(
                session,
                ticket_ids=ticket_ids,
                mode=mode,
                counterpart=counterpart,
                actor=actor,
                key=key,
                persona=persona,
                seed=seed,
                language=language,
                model_name=self._settings.model_name,
            )

    # -- the hotel's side ---------------------------------------------------------------------------------------------------------------

    @watched_request("service.receive")
    def receive(self, conversation_id: UUID, words: str, *, key: str, actor: UUID | None) -> Iterator[TurnEvent]:
        """Take the hotel's words (empty for silence) and draft an answer. They are committed before ``Received`` is yielded."""
        words = readable(words, limit=self._settings.most_message_chars)
        with self._alone(conversation_id):
            with self._sessions.begin() as session:
                scene = self._scene(session, conversation_id, locked=True)
                turn = self._hear(session, scene, words, key=key, actor=actor)
            yield Received(turn_number=turn.number, text=turn.text)
            yield from self._go_on(scene)

    @watched_request("service.hear_simulated")
    def hear_simulated(self, conversation_id: UUID, *, actor: UUID | None = None) -> Iterator[TurnEvent]:
        """Let the simulated hotel answer what we said last, then go on as ``receive``.

        Raises NotYourTurn where it has nothing to answer.
        """
        with self._alone(conversation_id):
            with self._sessions.begin() as session:
                scene = self._scene(session, conversation_id, locked=True)
                conversation, said = scene.conversation, scene.said
                if conversation.counterpart is not Counterpart.SIMULATED:
                    raise NotYourTurn("A person speaks for this hotel: paste its words instead.")
                self._refuse_if_closed(conversation)
                if not said or said[-1].speaker is not Speaker.BD:
                    raise NotYourTurn("The hotel has nothing to answer yet: send a reply first.")
                words = simulated.answer(conversation, facts_of(conversation.tickets), said)
                turn = self._hear(session, scene, words, key=f"simulated:{said[-1].number}", actor=actor)
            yield Received(turn_number=turn.number, text=turn.text)
            yield from self._go_on(scene)

    def play(self, conversation_id: UUID, *, go_on: Callable[[], bool] = lambda: True) -> Iterator[TurnEvent]:
        """Run a simulated conversation on autopilot to its end, or until it is not to go on; it is asked after each turn of ours."""
        yield from self.resume(conversation_id)
        while not self._is_closed(conversation_id) and go_on():
            yield from self.hear_simulated(conversation_id)

    @watched_request("service.resume")
    def resume(self, conversation_id: UUID) -> Iterator[TurnEvent]:
        """Take up whatever is unfinished: the opening, an answer that was cut short, a draft that waits. Harmless to repeat."""
        with self._alone(conversation_id):
            with self._sessions() as session:
                scene = self._scene(session, conversation_id)
            yield from self._go_on(scene)

    def follow_up_due(self, *, now: datetime | None = None, limit: int = 50) -> int:
        """Remind the hotels that have been silent for too long; returns how many conversations were due."""
        with self._sessions.begin() as session:
            due = conversations.lock_due_follow_ups(session, now=now or datetime.now(UTC), limit=limit)
            waiting = [(conversation.id, conversation.turn_count) for conversation in due]
        for conversation_id, number in waiting:
            for _ in self.receive(conversation_id, "", key=f"silence:{number}", actor=None):
                pass
        return len(waiting)

    # -- our side -----------------------------------------------------------------------------------------------------------------------

    @watched_request("service.approve")
    def approve(self, draft_id: UUID, *, key: str, actor: UUID | None) -> Iterator[TurnEvent]:
        """Send the draft as it is. Raises UnknownDraft, StaleDraft."""
        yield from self._decide(draft_id, Decision(actor=actor, key=key))

    @watched_request("service.edit")
    def edit(self, draft_id: UUID, words: str, *, key: str, actor: UUID | None, despite_guard: bool = False) -> Iterator[TurnEvent]:
        """Send a person's words instead; the draft is kept beside them.

        Raises GuardRefused with the violations unless ``despite_guard``; UnknownDraft, StaleDraft, MessageTooLong, UnreadableMessage.
        """
        words = readable(words, limit=self._settings.most_message_chars)
        if not words.strip():
            raise NotYourTurn("The reply is empty. Write it, or approve the draft as it is.")
        with self._sessions() as session:
            draft = self._draft(session, draft_id)
            scene = self._scene(session, draft.conversation_id)
            conversation = scene.conversation
            said = [turn for turn in scene.said if turn.number < draft.for_turn]
            terms = terms_of(conversation.tickets)
            move = edited_move(from_json(AllowedMove, draft.move), words, terms)
            allowed = tuple(move if old.key == move.key else old for old in list_from_json(AllowedMove, draft.allowed))
            step = sop.Step(state=sop.load_state(conversation.state), allowed=allowed)
            reading = from_json(HotelMove, said[-1].hotel_move) if said and said[-1].hotel_move else None
            context = turn_context(
                step, facts_of(conversation.tickets), utterances(said), hotel_move=reading, language=conversation.language
            )
        violations = check(context, Reply(move=move, text=words))
        if violations and not despite_guard:
            raise GuardRefused(violations)
        yield from self._decide(draft_id, Decision(text=words, move=move, actor=actor, key=key, edit_violations=violations))

    @watched_request("service.regenerate")
    def regenerate(self, draft_id: UUID, *, key: str, actor: UUID | None) -> Iterator[TurnEvent]:
        """Throw the draft away and write another for the same turn. Raises UnknownDraft, StaleDraft."""
        with self._sessions() as session:
            conversation_id = self._draft(session, draft_id).conversation_id
        with self._alone(conversation_id):
            with self._sessions.begin() as session:
                draft = self._draft(session, draft_id)
                rejected = drafts.decide(session, draft_id, DraftStatus.REJECTED, action_key=key, decided_by=actor)
                if not rejected and draft.action_key != key:
                    raise StaleDraft(draft_id, draft.status)
                scene = self._scene(session, conversation_id)
            yield from self._go_on(scene)

    def take_over(self, conversation_id: UUID, *, actor: UUID, key: str) -> None:
        """Let a person speak from here on: nothing is drafted any more. A repeat changes nothing."""
        with self._alone(conversation_id), self._sessions.begin() as session:
            conversation = self._locked(session, conversation_id)
            if conversation.taken_over_by is not None:
                return
            self._refuse_if_closed(conversation)
            conversation.taken_over_by = actor
            conversation.take_over_key = key
            conversation.next_follow_up_at = None
            pending = drafts.find_pending(session, conversation_id)
            if pending is not None:
                drafts.decide(session, pending.id, DraftStatus.REJECTED, decided_by=actor)
            audit_events.record(
                session, actor_id=actor, action="conversation.take_over", subject_type="conversation", subject_id=conversation_id
            )

    @watched_request("service.say")
    def say(self, conversation_id: UUID, words: str, *, actor: UUID, key: str) -> Iterator[TurnEvent]:
        """Send a person's own words in a conversation that was taken over. Raises NotYourTurn where it was not."""
        words = readable(words, limit=self._settings.most_message_chars)
        if not words.strip():
            raise NotYourTurn("The reply is empty. Write what the hotel should read.")
        with self._alone(conversation_id):
            with self._sessions.begin() as session:
                conversation = self._locked(session, conversation_id)
                turn = turns.find_by_idempotency_key(session, conversation_id, key)
                if turn is None:
                    self._refuse_if_closed(conversation)
                    if conversation.taken_over_by is None:
                        raise NotYourTurn("The agent is speaking here. Take the conversation over first, or edit its draft.")
                    turn = self._add_turn(session, conversation, Speaker.BD, words, key=key, actor=actor)
            yield Sent(turn_number=turn.number, text=turn.text)

    def close(
        self,
        conversation_id: UUID,
        *,
        outcome: TicketStatus,
        actor: UUID,
        key: str,
        agreed: Mapping[int, Decimal] | None = None,
    ) -> None:
        """Let a person end a conversation: every open ticket gets ``outcome``; ``agreed`` gives the net price by label.

        Raises CloseError where an agreed price is missing or above the ticket's ceiling. A repeat changes nothing.
        """
        with self._alone(conversation_id), self._sessions.begin() as session:
            conversation = self._locked(session, conversation_id)
            if conversation.closed_at is not None and conversation.close_key == key:
                return
            self._refuse_if_closed(conversation)
            state = sop.load_state(conversation.state)
            terms = terms_of(conversations.list_held_tickets(session, conversation_id))
            closing = {label: closing_price(label, outcome, agreed or {}, terms) for label in state.open_labels}
            prices = {label: price for label, price in closing.items() if price is not None}
            conversation.close_key = key
            pending = drafts.find_pending(session, conversation_id)
            if pending is not None:
                drafts.decide(session, pending.id, DraftStatus.REJECTED, decided_by=actor)
            move_on(session, conversation, sop.close_by_hand(state, outcome, prices))
            audit_events.record(
                session,
                actor_id=actor,
                action="conversation.close",
                subject_type="conversation",
                subject_id=conversation_id,
                after={"outcome": outcome, "agreed": {str(label): str(price) for label, price in prices.items()}},
            )

    def view(self, conversation_id: UUID) -> ConversationView:
        """The conversation as it stands. Raises UnknownConversation."""
        with self._sessions() as session:
            try:
                return view_conversation(session, conversation_id)
            except conversations.ConversationNotFound as error:
                raise UnknownConversation(conversation_id) from error

    # -- one turn -----------------------------------------------------------------------------------------------------------------------

    def _go_on(self, scene: Scene) -> Iterator[TurnEvent]:
        """Whatever comes next; the caller holds the conversation."""
        conversation, said, pending = scene.conversation, scene.said, scene.pending
        annotate(
            turn=len(said) + 1,
            stage=conversation.stage,
            mode=conversation.mode,
            version=conversation.policy_version.name if conversation.policy_version else None,
        )
        if conversation.closed_at is not None or conversation.taken_over_by is not None:
            return
        if pending is not None:
            yield Drafted(draft_id=pending.id, text=pending.text, origin=pending.origin)
            if conversation.mode is Mode.AUTOPILOT:
                decided = new_turn(conversation.id, pending.for_turn, draft_id=pending.id, decision=Decision())
                yield from self._run(conversation.id, decided)
        elif not said or said[-1].speaker is Speaker.HOTEL:
            yield from self._run(conversation.id, self._turn_to_answer(conversation, said), lay_table(scene))

    def _turn_to_answer(self, conversation: Conversation, said: Sequence[Turn]) -> TurnState:
        for_turn = len(said) + 1
        if not said:
            return new_turn(conversation.id, for_turn)
        last = said[-1]
        if last.hotel_move is not None:
            step = sop.Step(state=sop.load_state(conversation.state), allowed=list_from_json(AllowedMove, last.allowed or []))
            return new_turn(conversation.id, for_turn, heard=last.text, reading=from_json(HotelMove, last.hotel_move), step=step)
        # Messages that came while nobody could read them are read together.
        unread: list[str] = []
        for turn in reversed(said):
            if turn.speaker is not Speaker.HOTEL or turn.hotel_move is not None:
                break
            unread.append(turn.text)
        return new_turn(conversation.id, for_turn, heard="\n".join(part for part in reversed(unread) if part))

    def _decide(self, draft_id: UUID, decision: Decision) -> Iterator[TurnEvent]:
        with self._sessions() as session:
            draft = self._draft(session, draft_id)
        with self._alone(draft.conversation_id):
            with self._sessions() as session:
                draft = self._draft(session, draft_id)
                if draft.status is not DraftStatus.PENDING:
                    said = turns.find_by_number(session, draft.conversation_id, draft.for_turn)
                    if said is None or said.draft_id != draft_id or draft.action_key != decision.key:
                        raise StaleDraft(draft_id, draft.status)
                    yield Sent(turn_number=said.number, text=said.text)
                    return
            snapshot = self._graph.get_state(conversation_config(draft.conversation_id))
            waits = "approve" in snapshot.next and snapshot.values.get("draft_id") == str(draft_id)
            # Without its checkpoint the turn is entered anew at its end: what a person decided is never lost with a process.
            entry = new_turn(draft.conversation_id, draft.for_turn, draft_id=draft_id, decision=decision)
            yield from self._run(draft.conversation_id, Command(resume=to_json(decision)) if waits else entry)

    def _run(self, conversation_id: UUID, entry: TurnState | Command[Any], table: Table | None = None) -> Iterator[TurnEvent]:
        config = conversation_config(conversation_id)
        # What a turn must not lose is in the tables; its checkpoint is needed only where it waits, so it is written only there.
        yield from cast(Iterator[TurnEvent], self._graph.stream(entry, config, context=table, stream_mode="custom", durability="exit"))

    # -- rows ---------------------------------------------------------------------------------------------------------------------------

    def _hear(self, session: Session, scene: Scene, words: str, *, key: str, actor: UUID | None) -> Turn:
        """Put the hotel's words into the scene; a repeat finds them there."""
        for turn in scene.said:
            if turn.idempotency_key == key:
                return turn
        self._refuse_if_closed(scene.conversation)
        if scene.pending is not None:
            # The hotel spoke before the draft went out: it answers a conversation that has moved on.
            drafts.decide(session, scene.pending.id, DraftStatus.REJECTED, decided_by=actor)
        scene.conversation.next_follow_up_at = None
        heard = self._add_turn(session, scene.conversation, Speaker.HOTEL, words, key=key, actor=actor)
        scene.said.append(heard)
        scene.drafts.clear()
        return heard

    def _add_turn(
        self, session: Session, conversation: Conversation, speaker: Speaker, words: str, *, key: str, actor: UUID | None
    ) -> Turn:
        conversation.turn_count += 1
        turn = Turn(
            conversation_id=conversation.id,
            number=conversation.turn_count,
            speaker=speaker,
            text=words,
            stage_before=conversation.stage,
            idempotency_key=key,
            author_user_id=actor,
        )
        session.add(turn)
        session.flush()
        TURNS.labels(speaker=speaker).inc()
        return turn

    def _scene(self, session: Session, conversation_id: UUID, *, locked: bool = False) -> Scene:
        try:
            return load_scene(session, conversation_id, locked=locked)
        except conversations.ConversationNotFound as error:
            raise UnknownConversation(conversation_id) from error

    def _locked(self, session: Session, conversation_id: UUID) -> Conversation:
        try:
            return conversations.lock_conversation(session, conversation_id)
        except conversations.ConversationNotFound as error:
            raise UnknownConversation(conversation_id) from error

    def _draft(self, session: Session, draft_id: UUID) -> Draft:
        draft = session.get(Draft, draft_id)
        if draft is None:
            raise UnknownDraft(draft_id)
        return draft

    def _is_closed(self, conversation_id: UUID) -> bool:
        with self._sessions() as session:
            return session.get_one(Conversation, conversation_id).closed_at is not None

    def _refuse_if_closed(self, conversation: Conversation) -> None:
        if conversation.closed_at is not None:
            raise ConversationEnded(conversation.id, conversation.stage)

    @contextmanager
    def _alone(self, conversation_id: UUID) -> Generator[None]:
        annotate(session=conversation_id, conversation=conversation_id)
        with (
            bound_contextvars(conversation=str(conversation_id)),
            alone(self._engine, conversation_id, wait_s=self._settings.busy_wait_s),
        ):
            yield
