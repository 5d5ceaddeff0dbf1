"""The tickets of a conversation beside the chat: public facts, how far each has come, and our own limits on request."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from html import escape

from agent.domain import TicketFacts, selling_from_net
from agent.service.views import TicketProgress
from db.models import Ticket
from db.vocabulary import TicketStatus
from webapp.components.words import STATUS_WORDS, money, stay

_STATUS_CLASS = {
    TicketStatus.OPEN: "p-now",
    TicketStatus.AGREED: "p-good",
    TicketStatus.DECLINED: "p-bad",
    TicketStatus.EXPIRED: "p-dim",
    TicketStatus.HANDED_OVER: "p-dim",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """BD's own net prices of one ticket; shown to BD only, and only when asked for."""

    opening_ask: Decimal
    target: Decimal
    ceiling: Decimal


def progress_html(ticket: TicketProgress, *, limits: Limits | None = None, several: bool = False) -> str:
    """One ticket as a card. ``several`` shows its number, so that talk about "room 2" can be followed."""
    facts = ticket.facts
    number = f'<span class="p-number">{ticket.label}</span>' if several else ""
    saving = _saving_html(ticket) + _pending_html(ticket)
    return (
        f'<section class="p-card"><header>{number}<h4>{escape(facts.room_type)}</h4>{status_chip(ticket.status)}</header>'
        f'<p class="p-sub">{escape(_terms(facts))}</p>{saving}'
        f"<dl>{_row('We pay today', money(facts.current_net, facts.currency) + ' net')}"
        f"{_row('Travellers pay', money(facts.current_selling, facts.currency))}"
        f"{_competitor(facts)}"
        f"{_row('We last asked', _net(ticket.last_ask, facts.currency)) if ticket.last_ask is not None else ''}"
        f"{_row('They last said', _net(ticket.last_offer, facts.currency)) if ticket.last_offer is not None else ''}"
        f"</dl>{_limits_html(limits, facts.currency) if limits else ''}{_evidence(facts)}</section>"
    )


def chosen_html(ticket: Ticket) -> str:
    """A ticket as it stands in the list, with its ``hotel``, as a card."""
    gap = gap_percent(selling_from_net(ticket.current_net, ticket.commission), ticket.competitor_price)
    elsewhere = money(ticket.competitor_price, ticket.currency)
    above = f"<small class='p-gap'>we are {gap} % above</small>" if gap is not None and gap > 0 else ""
    found = f"<dt>Found at</dt><dd>{escape(elsewhere)}<small>{escape(ticket.competitor_source or '')}</small>{above}</dd>"
    agreed = _row("Agreed", _net(ticket.agreed_net, ticket.currency)) if ticket.agreed_net is not None else ""
    return (
        f'<section class="p-card"><header><h4>{escape(ticket.room_type)}</h4>{status_chip(ticket.status)}</header>'
        f'<p class="p-sub">{escape(ticket.hotel.name)}, {escape(ticket.hotel.city)} · {escape(ticket.reference)}</p>'
        f'<p class="p-sub">{escape(stay(ticket.check_in, ticket.check_out))}</p>'
        f"<dl>{_row('We pay today', _net(ticket.current_net, ticket.currency))}"
        f"{found if ticket.competitor_price is not None else ''}{agreed}</dl></section>"
    )


def status_chip(status: TicketStatus) -> str:
    """A ticket's status as a chip."""
    return f'<span class="p-chip {_STATUS_CLASS[status]}">{escape(STATUS_WORDS[status])}</span>'


def gap_percent(current_selling: Decimal, competitor: Decimal | None) -> Decimal | None:
    """By how many percent our selling price stands above the competitor's; None without one."""
    if competitor is None or competitor <= 0:
        return None
    return ((current_selling / competitor - 1) * 100).quantize(Decimal("0.1"))


def _terms(facts: TicketFacts) -> str:
    parts = [stay(facts.check_in, facts.check_out)]
    parts += [f"{facts.rooms} rooms"] if facts.rooms != 1 else []
    parts += ["with breakfast" if facts.breakfast else "without breakfast"] if facts.breakfast is not None else []
    parts += ["tax included" if facts.tax_included else "tax on top"] if facts.tax_included is not None else []
    return " · ".join(parts)


def _saving_html(ticket: TicketProgress) -> str:
    facts, net = ticket.facts, ticket.agreed_net
    if net is None:
        return ""
    share = ((facts.current_net - net) / facts.current_net * 100).quantize(Decimal("0.1"))
    change = f"{share} % below today" if share > 0 else "same as today"
    selling = money(ticket.agreed_selling, facts.currency)
    return (
        f'<div class="p-agreed"><b>{escape(money(net, facts.currency))} net</b>'
        f"<span>sells at {escape(selling)} · {escape(change)}</span></div>"
    )


def _pending_html(ticket: TicketProgress) -> str:
    if ticket.pending is None or ticket.status is not TicketStatus.OPEN:
        return ""
    price = money(ticket.pending, ticket.facts.currency)
    return f'<div class="p-agreed p-waiting"><b>{escape(price)} net</b><span>waits for the hotel’s yes</span></div>'


def _competitor(facts: TicketFacts) -> str:
    if facts.competitor_price is None:
        return ""
    seen = f", seen {_day(facts.competitor_seen_on)}" if facts.competitor_seen_on else ""
    gap = gap_percent(facts.current_selling, facts.competitor_price)
    above = f'<small class="p-gap">we are {gap} % above</small>' if gap is not None and gap > 0 else ""
    where = f"<small>{escape((facts.competitor_source or 'elsewhere') + seen)}</small>"
    return f"<dt>Found at</dt><dd>{escape(money(facts.competitor_price, facts.currency))}{where}{above}</dd>"


def _limits_html(limits: Limits, currency: str) -> str:
    rows = _row("First ask", _net(limits.opening_ask, currency)) + _row("Target", _net(limits.target, currency))
    return f'<dl class="p-limits">{rows}{_row("Never above", _net(limits.ceiling, currency))}</dl>'


def _evidence(facts: TicketFacts) -> str:
    if not facts.evidence:
        return ""
    items = "".join(f"<li>{escape(line)}</li>" for line in facts.evidence)
    return f"<details><summary>What we may quote</summary><ul>{items}</ul></details>"


def _net(amount: Decimal | None, currency: str) -> str:
    return "—" if amount is None else f"{money(amount, currency)} net"


def _row(term: str, value: str) -> str:
    return f"<dt>{escape(term)}</dt><dd>{escape(value)}</dd>"


def _day(day: date) -> str:
    return f"{day.day} {day:%b}"
