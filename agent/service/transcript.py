"""A conversation as a document: JSON for programs, Markdown for people. Neither holds a limit of ours."""

import json

from agent.domain import plain
from agent.records import to_json
from agent.service.views import ConversationView, TicketProgress
from db.vocabulary import Speaker


def to_json_text(view: ConversationView) -> str:
    """The whole view as indented JSON; amounts are strings, times ISO 8601 in UTC."""
    return json.dumps(to_json(view), ensure_ascii=False, indent=2) + "\n"


def to_markdown(view: ConversationView) -> str:
    """The talk as one would file it: facts, turns with their stage and move, and what was agreed."""
    lines = [f"# {view.hotel_name}, {view.city}", "", f"Opened {view.created_at:%d %B %Y, %H:%M} UTC · stage: {view.stage}", ""]
    lines += [f"- {_ticket_line(ticket)}" for ticket in view.tickets]
    for turn in view.turns:
        who = "Hotel" if turn.speaker is Speaker.HOTEL else "We"
        notes = [str(turn.move) if turn.move else "", f"stage: {turn.stage_after}" if turn.stage_after else ""]
        notes += [f"edited by {turn.author}" if turn.edited_from is not None else ""]
        lines += ["", f"**{turn.number}. {who}** · {turn.created_at:%H:%M} · {' · '.join(note for note in notes if note)}", ""]
        lines += [f"> {line}" for line in (turn.text or "(no answer)").splitlines()]
    return "\n".join(lines) + "\n"


def _ticket_line(ticket: TicketProgress) -> str:
    facts = ticket.facts
    line = f"{facts.room_type}, {facts.check_in:%d %B %Y} to {facts.check_out:%d %B %Y}: {plain(facts.current_net)} {facts.currency} net"
    if ticket.agreed_net is not None and ticket.agreed_selling is not None:
        return f"{line} → **{plain(ticket.agreed_net)} net / {plain(ticket.agreed_selling)} selling** ({ticket.status})"
    return f"{line} ({ticket.status})"
