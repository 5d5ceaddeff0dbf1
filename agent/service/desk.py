"""What the graph reads from and writes to the database: one transaction per step that keeps something.

Every write is keyed (turn number, draft, attempt), so that a step which a crash has interrupted can be taken again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from agent import sop
from agent.domain import AllowedMove, HotelMove, Mandate, TicketFacts, Utterance
from agent.guardrails import RULES, Violation
from agent.language.prompts import prompts_version
from agent.records import from_json, to_json
from agent.service.errors import StaleDraft, UnknownDraft
from agent.service.events import Sent
from agent.service.graph import Attempt, Decision, Table, TurnState
from db.engine import SessionFactory
from db.models import Conversation, ConversationTicket, Draft, GuardVerdict, Ticket, Turn
from db.repositories import conversations, drafts, tickets, turns
from db.repositories.rating_shown import ShownTicket
from db.vocabulary import Counterpart, DraftStatus, Mode, Speaker, Stage, TicketStatus


def facts_of(held: Sequence[ConversationTicket]) -> tuple[TicketFacts, ...]:
    """The public side of a conversation's tickets, by label."""
    return tuple(ticket_facts(link.label, link.ticket.hotel.name, link.ticket) for link in held)


def ticket_facts(label: int, hotel_name: str, ticket: Ticket | ShownTicket) -> TicketFacts:
    """The public side of one ticket."""
    return TicketFacts(
        label=label,
        hotel_name=hotel_name,
        room_type=ticket.room_type,
        check_in=ticket.check_in,
        check_out=ticket.check_out,
        currency=ticket.currency,
        current_net=ticket.current_net,
        commission=ticket.commission,
        rooms=ticket.rooms,
        breakfast=ticket.breakfast,
        tax_included=ticket.tax_included,
        competitor_price=ticket.competitor_price,
        competitor_source=ticket.competitor_source,
        competitor_seen_on=ticket.competitor_seen_on,
        evidence=tuple(ticket.evidence),
    )


def mandate_of(ticket: Ticket) -> Mandate:
    """The secret side of a ticket."""
    return Mandate(
        target=ticket.target,
        ceiling=ticket.ceiling,
        opening_ask=ticket.opening_ask,
        tactic=ticket.tactic,
        exponent=ticket.exponent,
        max_rounds=ticket.max_rounds,
    )


def terms_of(held: Sequence[ConversationTicket]) -> dict[int, sop.Terms]:
    """Both sides of a conversation's tickets, by label."""
    return {
        link.label: sop.Terms(facts=ticket_facts(link.label, link.ticket.hotel.name, link.ticket), mandate=mandate_of(link.ticket))
        for link in held
    }


def utterances(said: Sequence[Turn]) -> tuple[Utterance, ...]:
    """The transcript as language sees it."""
    return tuple(Utterance(turn.speaker, turn.text) for turn in said)


def move_on(session: Session, conversation: Conversation, state: sop.NegotiationState) -> None:
    """Put the SOP's state into the conversation's row, and every ticket that has now come to its end into its own.

    The ticket's row refuses a price above the ceiling.
    """
    before = sop.load_state(conversation.state)
    ended = [ticket for ticket in state.tickets if ticket.status is not TicketStatus.OPEN and ticket.label in before.open_labels]
    if ended:
        ids = {held.label: held.ticket_id for held in conversations.list_held_tickets(session, conversation.id)}
        for ticket in ended:
            tickets.record_outcome(session, ids[ticket.label], ticket.status, agreed_net=ticket.agreed)
    conversation.state = sop.dump_state(state)
    conversation.stage = state.stage
    if state.stage.is_end:
        conversation.closed_at = datetime.now(UTC)
        conversation.next_follow_up_at = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One conversation as the database holds it, loaded once per request."""

    conversation: Conversation
    """With its tickets."""
    said: list[Turn]
    drafts: list[Draft]
    """Attempts at the turn that comes next."""

    @property
    def pending(self) -> Draft | None:
        """The draft that waits for a person."""
        return self.drafts[-1] if self.drafts and self.drafts[-1].status is DraftStatus.PENDING else None


def load_scene(session: Session, conversation_id: UUID, *, locked: bool = False) -> Scene:
    """The conversation as it is now. Raises ConversationNotFound."""
    conversation = conversations.get_with_tickets(session, conversation_id, locked=locked)
    return Scene(
        conversation=conversation,
        said=list(turns.list_said(session, conversation_id)),
        drafts=list(drafts.list_attempts(session, conversation_id, conversation.turn_count + 1)),
    )


def lay_table(scene: Scene) -> Table:
    """What the scene's next turn starts from."""
    conversation = scene.conversation
    assert conversation.policy_version is not None, "a conversation is opened with a policy version"
    return Table(
        facts=facts_of(conversation.tickets),
        terms=terms_of(conversation.tickets),
        history=utterances(scene.said),
        state=sop.load_state(conversation.state),
        model=conversation.policy_version.name,
        language=conversation.language,
        autopilot=conversation.mode is Mode.AUTOPILOT,
        drafts_so_far=len(scene.drafts),
    )


class DatabaseDesk:
    """The graph's desk over the database."""

    def __init__(self, sessions: SessionFactory, *, follow_up_after: timedelta) -> None:
        self._sessions = sessions
        self._follow_up_after = follow_up_after

    def table(self, conversation_id: UUID) -> Table:
        """What the turn starts from."""
        with self._sessions() as session:
            return lay_table(load_scene(session, conversation_id))

    def record(self, turn: TurnState, step: sop.Step, attempts: Sequence[Attempt], reading: HotelMove | None) -> UUID:
        """Write the reading, the drafts and the verdicts, and move the SOP's state on."""
        for_turn = turn.get("for_turn", 0)
        with self._sessions.begin() as session:
            conversation = conversations.lock_conversation(session, UUID(turn.get("conversation_id")))
            before = drafts.list_attempts(session, conversation.id, for_turn)
            if before and before[-1].status is DraftStatus.PENDING:
                return before[-1].id
            if reading is not None:
                self._record_reading(session, conversation, turn, step, reading)
            move_on(session, conversation, step.state)
            written = [
                self._draft(conversation, for_turn, len(before) + position, step, attempt, is_last=position == len(attempts))
                for position, attempt in enumerate(attempts, start=1)
            ]
            session.add_all(written)
            session.flush()
            drafts.add_verdicts(
                session,
                [
                    verdict
                    for draft, attempt in zip(written, attempts, strict=True)
                    for verdict in verdicts_on(draft.id, attempt.violations)
                ],
            )
            return written[-1].id

    def send(self, conversation_id: UUID, draft_id: UUID, decision: Decision) -> tuple[Sent, Stage]:
        """Write our turn, and move the SOP's state on."""
        with self._sessions.begin() as session:
            conversation = conversations.lock_conversation(session, conversation_id)
            draft = session.get(Draft, draft_id)
            if draft is None:
                raise UnknownDraft(draft_id)
            if draft.status is not DraftStatus.PENDING:
                said = turns.find_by_number(session, conversation_id, draft.for_turn)
                if said is None or said.draft_id != draft.id:
                    raise StaleDraft(draft_id, draft.status)
                return Sent(turn_number=said.number, text=said.text), conversation.stage
            edited = decision.text is not None and decision.text != draft.text
            drafts.decide(
                session,
                draft.id,
                DraftStatus.EDITED if edited else DraftStatus.APPROVED,
                action_key=decision.key,
                decided_by=decision.actor,
                edited_text=decision.text if edited else None,
            )
            if edited:
                drafts.add_verdicts(session, verdicts_on(draft.id, decision.edit_violations, of_edit=True))
            move = decision.move or from_json(AllowedMove, draft.move)
            before = sop.load_state(conversation.state)
            after = sop.commit(before, move)
            sent = Turn(
                conversation_id=conversation.id,
                number=draft.for_turn,
                speaker=Speaker.BD,
                text=decision.text if decision.text is not None else draft.text,
                stage_before=before.stage,
                stage_after=after.stage,
                author_user_id=decision.actor,
                allowed=draft.allowed,
                move=to_json(move),
                draft_id=draft.id,
                policy_version_id=draft.policy_version_id,
                model=_model(conversation),
                sop_version=conversation.sop_version,
                prompts_version=draft.prompts_version,
            )
            session.add(sent)
            conversation.turn_count = sent.number
            if conversation.counterpart is Counterpart.HUMAN:
                conversation.next_follow_up_at = datetime.now(UTC) + self._follow_up_after
            move_on(session, conversation, after)
            return Sent(turn_number=sent.number, text=sent.text), after.stage

    def _record_reading(self, session: Session, conversation: Conversation, turn: TurnState, step: sop.Step, reading: HotelMove) -> None:
        turns.record_reading(
            session,
            conversation.id,
            turn.get("for_turn", 0) - 1,
            hotel_move=to_json(reading),
            stage_after=step.state.stage,
            allowed=to_json(step.allowed),
            policy_version_id=conversation.policy_version_id,
            model=_model(conversation),
            sop_version=sop.sop_version(),
            prompts_version=prompts_version(),
            latency_ms=dict(turn.get("latency_ms", {})),
        )

    def _draft(self, conversation: Conversation, for_turn: int, attempt: int, step: sop.Step, made: Attempt, *, is_last: bool) -> Draft:
        return Draft(
            conversation_id=conversation.id,
            for_turn=for_turn,
            attempt=attempt,
            origin=made.origin,
            status=DraftStatus.PENDING if is_last else DraftStatus.SUPERSEDED,
            text=made.text,
            move=to_json(made.move),
            allowed=to_json(step.allowed),
            brief=step.brief,
            policy_version_id=conversation.policy_version_id,
            prompts_version=prompts_version(),
            rules_checked=[rule.name for rule in RULES],
            fallback_reason=made.fallback_reason,
        )


def verdicts_on(draft_id: UUID, violations: Sequence[Violation], *, of_edit: bool = False) -> list[GuardVerdict]:
    """One row for every breach."""
    return [
        GuardVerdict(
            draft_id=draft_id,
            rule=violation.rule,
            severity=violation.severity,
            message=violation.message,
            span_start=violation.start,
            span_end=violation.end,
            of_edit=of_edit,
        )
        for violation in violations
    ]


def _model(conversation: Conversation) -> str | None:
    return conversation.policy_version.name if conversation.policy_version else None
