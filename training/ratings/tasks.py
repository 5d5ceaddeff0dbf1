"""From leases to what their person sees: the conversation up to the reply, the public facts, and the replies in the order drawn."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy.orm import Session

from agent.domain import TicketFacts
from agent.service.desk import ticket_facts
from db.repositories import rating_shown, ratings
from db.repositories.rating_shown import ShownLease
from db.vocabulary import ClarifyTopic, MoveKind
from training.ratings import judging
from training.ratings.views import Facts, Judgement, Line, Task


def tasks_of(session: Session, rater_id: UUID, assignment_ids: Sequence[UUID]) -> list[Task]:
    """What the person is to judge, in the order of the ids; a handful of statements, whatever their number."""
    if not assignment_ids:
        return []
    leases = rating_shown.list_leases(session, assignment_ids)
    undone = [lease.item_id for lease in leases if lease.was_undone]
    before = {rating.item_id: judging.said_by(rating) for rating in ratings.list_taken_back(session, undone, rater_id)} if undone else {}
    tasks: list[Task] = []
    for lease in leases:
        others = [judging.said_by(rating) for rating in ratings.list_current(session, lease.item_id)] if lease.adjudicates else []
        tasks.append(_task(lease, others, before.get(lease.item_id)))
    return tasks


def _task(lease: ShownLease, others: Sequence[Judgement], before: Judgement | None) -> Task:
    last = lease.last_number
    reply = next((turn for turn in lease.turns if turn.number == last), None)
    return Task(
        assignment_id=lease.id,
        item_id=lease.item_id,
        turn_id=lease.turn_id,
        kind=lease.kind,
        queue=lease.queue,
        expires_at=lease.expires_at,
        hotel=lease.hotel,
        language=lease.language,
        facts=tuple(shown_facts(ticket_facts(ticket.label, lease.hotel, ticket)) for ticket in lease.tickets),
        lines=tuple(Line(number=turn.number, speaker=turn.speaker, text=turn.text) for turn in lease.turns if turn.number != last),
        stage=reply.stage_before if reply is not None else None,
        move=MoveKind(lease.move["kind"]) if lease.move else None,
        topic=ClarifyTopic(lease.move["topic"]) if lease.move and lease.move.get("topic") else None,
        replies=_replies(lease),
        adjudication=tuple(as_shown(judgement, swapped=lease.swapped) for judgement in others),
        taken_back=as_shown(before, swapped=lease.swapped) if before is not None else None,
    )


def as_shown(judgement: Judgement, *, swapped: bool) -> Judgement:
    """A judgement in the order in which a lease shows the replies, or back from it."""
    return judging.swapped(judgement) if swapped else judgement


def shown_facts(facts: TicketFacts) -> Facts:
    """A ticket's public side, written out."""
    return Facts(
        label=facts.label,
        room=facts.room_type,
        dates=f"{_day(facts.check_in)} to {_day(facts.check_out)}",
        current=f"{_money(facts.current_net, facts.currency)} net, sold at {_money(facts.current_selling, facts.currency)}",
        competitor=_competitor(facts),
        extras=_extras(facts),
        evidence=facts.evidence,
    )


def _replies(lease: ShownLease) -> tuple[str, ...]:
    if lease.turn_text is not None:
        return (lease.turn_text,)
    if lease.first_text is None or lease.second_text is None:
        return ()
    texts = (lease.first_text, lease.second_text)
    return texts[::-1] if lease.swapped else texts


def _competitor(facts: TicketFacts) -> str:
    if facts.competitor_price is None:
        return ""
    where = f" at {facts.competitor_source}" if facts.competitor_source else " elsewhere"
    seen = f", seen {_day(facts.competitor_seen_on)}" if facts.competitor_seen_on else ""
    return f"sold at {_money(facts.competitor_price, facts.currency)}{where}{seen}"


def _extras(facts: TicketFacts) -> str:
    parts = [f"{facts.rooms} rooms" if facts.rooms != 1 else "1 room"]
    if facts.breakfast is not None:
        parts.append("with breakfast" if facts.breakfast else "without breakfast")
    if facts.tax_included is not None:
        parts.append("tax included" if facts.tax_included else "tax on top")
    return ", ".join(parts)


def _money(amount: Decimal, currency: str) -> str:
    whole, _, cents = f"{amount:,f}".partition(".")
    return f"{currency} {whole}.{cents}" if cents.strip("0") else f"{currency} {whole}"


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
