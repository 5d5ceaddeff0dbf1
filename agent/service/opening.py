"""How a conversation comes to be: on which tickets one may be opened, and what it is given for its whole life.

Decided here: the tickets belong to one hotel, are open, and are in no other open conversation; the policy version is drawn once.
"""

from collections.abc import Sequence
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from agent import sop
from agent.language.prompts import prompts_version
from agent.service import routing
from agent.service.errors import OpenError
from db.models import Conversation
from db.repositories import audit_events, conversations, tickets
from db.vocabulary import Counterpart, Mode, TicketStatus


def open_conversation(
    session: Session,
    *,
    ticket_ids: Sequence[UUID],
    mode: Mode,
    counterpart: Counterpart,
    actor: UUID | None,
    key: str,
    persona: str | None,
    seed: int | None,
    language: str,
    model_name: str,
) -> UUID:
    """Open a conversation on tickets of one hotel, or find the one that has this key.

    Raises OpenError where the tickets cannot be negotiated together, TicketNotFound for an unknown one.
    """
    known = conversations.find_by_idempotency_key(session, key)
    if known is not None:
        return known.id
    wanted = list(dict.fromkeys(ticket_ids))
    if not wanted:
        raise OpenError("A conversation needs at least one ticket. Choose one from the list.")
    held = tickets.lock_tickets(session, wanted)
    hotels = sorted({ticket.hotel.name for ticket in held})
    if len({ticket.hotel_id for ticket in held}) > 1:
        raise OpenError(f"A conversation is with one hotel, but these tickets belong to {', '.join(hotels)}.")
    over = [ticket.reference for ticket in held if ticket.status is not TicketStatus.OPEN]
    if over:
        raise OpenError(f"These tickets are closed already: {', '.join(over)}. Choose open ones.")
    busy = conversations.list_open_with_any_ticket(session, wanted)
    if busy:
        raise OpenError(f"{hotels[0]} is being talked to about this already (conversation {busy[0].id}). Go on there.")
    version = routing.choose_version(session, point=uuid4().int, model_name=model_name)
    state = sop.open_state(tuple(range(1, len(wanted) + 1)))
    conversation = Conversation(
        hotel_id=held[0].hotel_id,
        mode=mode,
        counterpart=counterpart,
        persona=persona,
        seed=(seed if seed is not None else uuid4().int % 2**31) if counterpart is Counterpart.SIMULATED else None,
        language=language,
        state=sop.dump_state(state),
        stage=state.stage,
        policy_version_id=version.id,
        sop_version=sop.sop_version(),
        prompts_version=prompts_version(),
        opened_by=actor,
        idempotency_key=key,
    )
    opened, _ = conversations.open_once(session, conversation, wanted)
    audit_events.record(session, actor_id=actor, action="conversation.open", subject_type="conversation", subject_id=opened.id)
    return opened.id
