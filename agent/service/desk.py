"""What the graph reads from and writes to the database: one transaction per step that keeps something.

Every write is keyed (turn number, draft, attempt), so that a step which a crash has interrupted can be taken again.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from agent import sop
from agent.domain import AllowedMove, HotelMove, Mandate, TicketFacts, Utterance
from agent.guardrails import RULES, Violation
from agent.language.prompts import prompts_version
from agent.records import from_json, to_json
from agent.service.errors import StaleDraft, UnknownDraft
from agent.service.graph import Attempt, Decision, Table, TurnState
from db.engine import SessionFactory
from db.models import Conversation, ConversationTicket, Draft, GuardVerdict, Ticket, Turn
from db.repositories import conversations, drafts, policy_versions, tickets, turns
from db.vocabulary import Counterpart, DraftStatus, Mode, Speaker, TicketStatus


def facts_of(held: Sequence[ConversationTicket]) -> tuple[TicketFacts, ...]:
    """The public side of a conversation's tickets, by label."""
    return tuple(_facts(link.label, link.ticket) for link in held)


def _facts(label: int, ticket: Ticket) -> TicketFacts:
    return TicketFacts(
        label=label,
        hotel_name=ticket.hotel.name,
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
    return {link.label: sop.Terms(facts=_facts(link.label, link.ticket), mandate=mandate_of(link.ticket)) for link in held}


def utterances(said: Sequence[Turn]) -> tuple[Utterance, ...]:
    """The transcript as language sees it."""
    return tuple(Utterance(turn.speaker, turn.text) for turn in said)


def settle(session: Session, held: Sequence[ConversationTicket], state: sop.NegotiationState) -> None:
    """Carry every ticket that has come to its end into its row; the row's own check refuses a price above the ceiling."""
    by_label: Mapping[int, ConversationTicket] = {link.label: link for link in held}
    for ticket in state.tickets:
        if ticket.status is not TicketStatus.OPEN:
            tickets.record_outcome(session, by_label[ticket.label].ticket_id, ticket.status, agreed_net=ticket.agreed)


def keep_state(conversation: Conversation, state: sop.NegotiationState) -> None:
    """Put the SOP's state into the conversation's row."""
    conversation.state = sop.dump_state(state)
    conversation.stage = state.stage
    if state.stage.is_end:
        conversation.closed_at = datetime.now(UTC)
        conversation.next_follow_up_at = None


class DatabaseDesk:
    """The graph's desk over the database."""

    def __init__(self, sessions: SessionFactory, *, follow_up_after: timedelta) -> None:
        self._sessions = sessions
        self._follow_up_after = follow_up_after

    def table(self, conversation_id: UUID, for_turn: int) -> Table:
        """What the turn starts from."""
        with self._sessions() as session:
            conversation = conversations.get_with_tickets(session, conversation_id)
            said = turns.list_said(session, conversation_id)
            version = policy_versions.find_by_id(session, conversation.policy_version_id) if conversation.policy_version_id else None
            assert version is not None, "a conversation is opened with a policy version"
            return Table(
                facts=facts_of(conversation.tickets),
                terms=terms_of(conversation.tickets),
                history=utterances([turn for turn in said if turn.number < for_turn]),
                state=sop.load_state(conversation.state),
                model=version.name,
                language=conversation.language,
                autopilot=conversation.mode is Mode.AUTOPILOT,
                drafts_so_far=drafts.last_attempt(session, conversation_id, for_turn),
            )

    def record(self, turn: TurnState, step: sop.Step, attempts: Sequence[Attempt], reading: HotelMove | None) -> UUID:
        """Write the reading, the drafts and the verdicts, and move the SOP's state on."""
        for_turn = turn.get("for_turn", 0)
        with self._sessions.begin() as session:
            conversation = conversations.lock_conversation(session, UUID(turn.get("conversation_id")))
            pending = drafts.find_pending(session, conversation.id)
            if pending is not None and pending.for_turn == for_turn:
                return pending.id
            if reading is not None:
                self._record_reading(session, conversation, turn, step, reading)
            keep_state(conversation, step.state)
            settle(session, conversation.tickets, step.state)
            before = drafts.last_attempt(session, conversation.id, for_turn)
            written = [
                self._draft(conversation, for_turn, before + position, step, attempt, is_last=position == len(attempts))
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

    def send(self, draft_id: UUID, decision: Decision) -> tuple[int, str]:
        """Write our turn, and move the SOP's state on."""
        with self._sessions.begin() as session:
            draft = session.get(Draft, draft_id)
            if draft is None:
                raise UnknownDraft(draft_id)
            conversation = conversations.lock_conversation(session, draft.conversation_id)
            session.refresh(draft)
            said = turns.find_by_number(session, conversation.id, draft.for_turn)
            if said is not None and said.draft_id == draft.id:
                return said.number, said.text
            if draft.status is not DraftStatus.PENDING or said is not None:
                raise StaleDraft(draft_id, draft.status)
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
            version = policy_versions.find_by_id(session, draft.policy_version_id) if draft.policy_version_id else None
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
                model=version.name if version else None,
                sop_version=conversation.sop_version,
                prompts_version=draft.prompts_version,
            )
            session.add(sent)
            conversation.turn_count = sent.number
            if conversation.counterpart is Counterpart.HUMAN:
                conversation.next_follow_up_at = datetime.now(UTC) + self._follow_up_after
            keep_state(conversation, after)
            settle(session, conversation.tickets, after)
            return sent.number, sent.text

    def _record_reading(self, session: Session, conversation: Conversation, turn: TurnState, step: sop.Step, reading: HotelMove) -> None:
        heard = turns.find_last(session, conversation.id, speaker=Speaker.HOTEL)
        assert heard is not None, "a reading belongs to a message"
        version = policy_versions.find_by_id(session, conversation.policy_version_id) if conversation.policy_version_id else None
        turns.record_reading(
            session,
            heard.id,
            hotel_move=to_json(reading),
            stage_after=step.state.stage,
            allowed=to_json(step.allowed),
            policy_version_id=conversation.policy_version_id,
            model=version.name if version else None,
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
            fallback_reason=made.fallback_reason,
        )


def verdicts_on(draft_id: UUID, violations: Sequence[Violation], *, of_edit: bool = False) -> list[GuardVerdict]:
    """One row for every breach, and one for every rule that passed."""
    broken = {violation.rule for violation in violations}
    rows = [
        GuardVerdict(
            draft_id=draft_id,
            rule=violation.rule,
            passed=False,
            severity=violation.severity,
            message=violation.message,
            span_start=violation.start,
            span_end=violation.end,
            of_edit=of_edit,
        )
        for violation in violations
    ]
    rows += [GuardVerdict(draft_id=draft_id, rule=rule.name, passed=True, of_edit=of_edit) for rule in RULES if rule.name not in broken]
    return rows
