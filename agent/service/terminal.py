"""A negotiation in a terminal: the same service and the same rows as in the browser, with a prompt in place of a page."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid4

from rich.console import Console
from rich.prompt import Prompt
from rich.table import Table

from agent.domain import plain
from agent.service.demo import seed_demo
from agent.service.errors import GuardRefused, NotYourTurn
from agent.service.events import Advanced, Drafted, Ended, Judged, Read, Received, Sent, TurnEvent, Writing
from agent.service.intake import import_tickets, parse_csv
from agent.service.negotiations import Negotiations
from agent.service.views import ConversationView
from db.engine import SessionFactory
from db.errors import ParleyError
from db.repositories import tickets
from db.repositories.tickets import TicketFilter
from db.vocabulary import Counterpart, Mode, Speaker, TicketStatus


def chat(
    negotiations: Negotiations, *, references: Sequence[str], hotel: Counterpart, autopilot: bool, language: str = "en", console: Console
) -> None:
    """Negotiate until the conversation ends or the person leaves (Ctrl-D); it can be taken up again by the same tickets."""
    with negotiations.transaction() as session:
        if tickets.count(session) == 0:
            console.print(f"There are no tickets yet: {seed_demo(session, today=datetime.now(UTC).date())} demo tickets were added.")
    ticket_ids = _choose(negotiations, references, console)
    conversation_id = negotiations.open(
        ticket_ids=ticket_ids,
        mode=Mode.AUTOPILOT if autopilot else Mode.COPILOT,
        counterpart=hotel,
        actor=None,
        key=f"terminal:{uuid4()}",
        language=language,
    )
    console.print(f"Conversation {conversation_id}. Ctrl-D leaves; what was said is kept.", highlight=False)
    try:
        draft = _show(negotiations.resume(conversation_id), console)
        while not negotiations.view(conversation_id).is_end:
            if draft is not None and not autopilot:
                draft = _decide(negotiations, draft, console)
                continue
            if hotel is Counterpart.SIMULATED:
                events = negotiations.hear_simulated(conversation_id)
            else:
                words = Prompt.ask("[bold]hotel[/] (empty for no answer)", default="", show_default=False, console=console)
                events = negotiations.receive(conversation_id, words, key=f"terminal:{uuid4()}", actor=None)
            draft = _show(events, console, echo=hotel is Counterpart.SIMULATED)
    except EOFError:
        console.print()
    _summary(negotiations.view(conversation_id), console)


def import_file(sessions: SessionFactory, data: bytes, *, dry_run: bool, console: Console) -> int:
    """Import what is good, name what is not; returns the exit status (1 where any row was left out for an error)."""
    intake = parse_csv(data)
    if intake.errors:
        table = Table("row", "column", "value", "what is wrong", title="Rows that cannot be taken")
        for error in intake.errors:
            table.add_row(str(error.row), error.column, error.value, error.message)
        console.print(table)
    if dry_run:
        console.print(f"{len(intake.rows)} rows are good. Nothing was written.")
    else:
        with sessions.begin() as session:
            added, known = import_tickets(session, intake.rows, actor=None)
        console.print(f"{added} tickets added" + (f", {len(known)} were there already" if known else "") + ".")
    return 1 if intake.errors else 0


def _choose(negotiations: Negotiations, references: Sequence[str], console: Console) -> list[UUID]:
    with negotiations.transaction() as session:
        if references:
            found = {reference: tickets.find_by_reference(session, reference) for reference in references}
            missing = [reference for reference, ticket in found.items() if ticket is None]
            if missing:
                raise NotYourTurn(f"There is no ticket {', '.join(missing)}. `parley chat` without --ticket lists the open ones.")
            return [ticket.id for ticket in found.values() if ticket is not None]
        listed = tickets.search(session, TicketFilter(statuses=(TicketStatus.OPEN,)), limit=20)
    if not listed:
        raise NotYourTurn("There is no open ticket. Import some: `parley tickets template > my.csv`, then `parley tickets import my.csv`.")
    table = Table("#", "reference", "hotel", "room", "stay", "net", title="Open tickets")
    for number, ticket in enumerate(listed, start=1):
        stay = f"{ticket.check_in:%d %b} to {ticket.check_out:%d %b %Y}"
        price = f"{plain(ticket.current_net)} {ticket.currency}"
        table.add_row(str(number), ticket.reference, ticket.hotel.name, ticket.room_type, stay, price)
    console.print(table)
    number = Prompt.ask("Which one", choices=[str(n + 1) for n in range(len(listed))], show_choices=False, console=console)
    return [listed[int(number) - 1].id]


def _show(events: Iterator[TurnEvent], console: Console, *, echo: bool = False) -> Drafted | None:
    """Print what happens as it happens; returns the draft that waits, if one does."""
    draft: Drafted | None = None
    for event in events:
        match event:
            case Advanced():
                console.print(f"[dim]{event.stage} · {', '.join(event.allowed)}[/]", highlight=False)
            case Writing():
                if event.fresh:
                    console.print("[cyan]draft[/] ", end="")
                console.print(event.text, end="", highlight=False, markup=False)
            case Judged():
                console.print()
                for violation in event.violations:
                    console.print(f"[yellow]guard[/] {violation.rule}: {violation.message}", highlight=False)
            case Drafted():
                draft = event
            case Sent():
                draft = None
                console.print(f"[green]sent[/] {event.text}", highlight=False)
            case Ended():
                console.print(f"[bold]ended: {event.stage}[/]")
            case Received():
                if echo:
                    console.print(f"[magenta]hotel[/] {event.text or '(no answer)'}", highlight=False)
            case Read():
                pass
    return draft


def _decide(negotiations: Negotiations, draft: Drafted, console: Console) -> Drafted | None:
    choice = Prompt.ask("[bold]a[/]pprove, [bold]e[/]dit, [bold]r[/]egenerate", choices=["a", "e", "r"], default="a", console=console)
    key = f"terminal:{uuid4()}"
    if choice == "a":
        return _show(negotiations.approve(draft.draft_id, key=key, actor=None), console)
    if choice == "r":
        return _show(negotiations.regenerate(draft.draft_id, key=key, actor=None), console)
    words = Prompt.ask("your words", default=draft.text, show_default=False, console=console)
    try:
        return _show(negotiations.edit(draft.draft_id, words, key=key, actor=None), console)
    except GuardRefused as refused:
        console.print(f"[yellow]{refused}[/]", highlight=False)
        return draft
    except ParleyError as error:
        console.print(f"[red]{error}[/]", highlight=False)
        return draft


def _summary(view: ConversationView, console: Console) -> None:
    for ticket in view.tickets:
        agreed = f"agreed at {plain(ticket.agreed_net)} net" if ticket.agreed_net is not None else str(ticket.status)
        console.print(f"{ticket.facts.room_type}: {plain(ticket.facts.current_net)} net → {agreed}", highlight=False)
    ours = sum(turn.speaker is Speaker.BD for turn in view.turns)
    console.print(f"{len(view.turns)} turns, {ours} of them ours; stage {view.stage}.", highlight=False)
