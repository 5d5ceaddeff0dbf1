"""Many negotiations on autopilot against simulated hotels, with a progress bar and a table of how they ended.

A batch is keyed by its seed (or its file): started again after an interruption, it takes up the conversations that are unfinished and
reports the finished ones, instead of negotiating anything twice.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from uuid import UUID

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from agent.domain import Mandate, TicketFacts, plain
from agent.service.intake import IntakeError, TicketForm, import_tickets, parse_csv
from agent.service.negotiations import Negotiations
from agent.service.views import ConversationView
from agent.simulation import sample_tickets
from db.errors import ParleyError
from db.repositories import tickets
from db.vocabulary import Counterpart, DraftOrigin, Mode, Speaker, TicketStatus

MOST_ROWS_SHOWN = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One negotiation of a batch."""

    number: int
    key: str
    forms: tuple[TicketForm, ...]
    persona: str | None = None
    """Of the hotel; None leaves it to the seed, which then draws one that training may see."""
    language: str = "en"
    """Of both sides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one negotiation ended. ``error`` is empty where it came to its end."""

    job: Job
    view: ConversationView | None
    seconds: float
    error: str = ""


def simulated_jobs(*, n: int, seed: int, today: date) -> Iterator[Job]:
    """Made-up hotels with one to three rooms each; the same seed makes the same ones."""
    for number in range(1, n + 1):
        drawn = sample_tickets(seed * 1_000_003 + number, n=1 + number % 3, today=today)
        forms = tuple(form_of(facts, mandate, f"SIM-{seed}-{number}-{facts.label}") for facts, mandate in drawn)
        yield Job(number=number, key=f"batch:{seed}:{number}", forms=forms)


def form_of(facts: TicketFacts, mandate: Mandate, reference: str) -> TicketForm:
    """A made-up ticket as it is filled in."""
    return TicketForm(
        reference=reference,
        hotel=facts.hotel_name,
        city="Simulated",
        country="Nowhere",
        room_type=facts.room_type,
        check_in=facts.check_in,
        check_out=facts.check_out,
        currency=facts.currency,
        current_net=facts.current_net,
        commission=facts.commission,
        target=mandate.target,
        ceiling=mandate.ceiling,
        opening_ask=mandate.opening_ask,
        tactic=mandate.tactic,
        max_rounds=mandate.max_rounds,
        rooms=facts.rooms,
        breakfast=facts.breakfast,
        tax_included=facts.tax_included,
        competitor_price=facts.competitor_price,
        competitor_source=facts.competitor_source,
        competitor_seen_on=facts.competitor_seen_on,
        evidence=facts.evidence,
    )


def jobs_from_csv(data: bytes, *, n: int) -> Iterator[Job]:
    """The file's tickets, one negotiation a hotel; where ``n`` is larger, each hotel is met again with fresh copies of its tickets.

    Raises IntakeError with every bad row named.
    """
    intake = parse_csv(data)
    if intake.errors:
        listed = "; ".join(f"row {e.row}, {e.column or 'row'}: {e.message} ({e.value!r})" for e in intake.errors[:10])
        raise IntakeError(f"{len(intake.errors)} cells of the file cannot be taken: {listed}. Mend them, or try `parley tickets import`.")
    mark = hashlib.sha256(data).hexdigest()[:8]
    by_hotel = sorted(intake.rows, key=lambda form: (form.hotel, form.city))
    hotels = [tuple(group) for _, group in groupby(by_hotel, key=lambda form: (form.hotel, form.city))]
    for number in range(1, n + 1):
        again, which = divmod(number - 1, len(hotels))
        forms = tuple(form.model_copy(update={"reference": f"{form.reference}-{mark}-{again + 1}"}) for form in hotels[which])
        yield Job(number=number, key=f"batch:{mark}:{number}", forms=forms)


def run_job(negotiations: Negotiations, job: Job, *, seed: int) -> Outcome:
    """Open the conversation, or find it, and play it to its end. A ParleyError becomes the outcome's error."""
    started = time.perf_counter()
    try:
        conversation_id = open_job(negotiations, job, seed=seed)
        for _ in negotiations.play(conversation_id):
            pass
        return Outcome(job=job, view=negotiations.view(conversation_id), seconds=time.perf_counter() - started)
    except ParleyError as error:
        return Outcome(job=job, view=None, seconds=time.perf_counter() - started, error=str(error))


def negotiate_many(
    negotiations: Negotiations,
    *,
    csv_file: Path | None,
    n: int,
    at_once: int,
    seed: int,
    language: str = "en",
    today: date,
    console: Console,
) -> int:
    """Run the batch and print its table; returns how many negotiations failed. Ctrl-C lets the running ones finish."""
    found = simulated_jobs(n=n, seed=seed, today=today) if csv_file is None else jobs_from_csv(csv_file.read_bytes(), n=n)
    jobs = [job if language == "en" else _spoken(job, language) for job in found]
    outcomes: list[Outcome] = []
    columns = (TextColumn("negotiating"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    started = time.perf_counter()
    with Progress(*columns, console=console) as progress, ThreadPoolExecutor(max_workers=at_once) as pool:
        bar = progress.add_task("negotiating", total=len(jobs))
        futures = [pool.submit(run_job, negotiations, job, seed=seed) for job in jobs]
        try:
            for future in as_completed(futures):
                outcomes.append(future.result())
                progress.advance(bar)
        except KeyboardInterrupt:
            pool.shutdown(wait=True, cancel_futures=True)
            console.print("Interrupted; the same command goes on from here.")
    outcomes.sort(key=lambda outcome: outcome.job.number)
    _print(outcomes, seconds=time.perf_counter() - started, console=console)
    return sum(bool(outcome.error) for outcome in outcomes)


def _spoken(job: Job, language: str) -> Job:
    """The job in another language, on tickets of its own."""
    forms = tuple(form.model_copy(update={"reference": f"{form.reference}-{language}"}) for form in job.forms)
    return replace(job, key=f"{job.key}:{language}", forms=forms, language=language)


def open_job(negotiations: Negotiations, job: Job, *, seed: int, mode: Mode = Mode.AUTOPILOT, actor: UUID | None = None) -> UUID:
    """Open the job's conversation with its simulated hotel, or find it. Raises what ``Negotiations.open`` raises."""
    return negotiations.open(
        ticket_ids=ticket_ids_of(negotiations, job.forms),
        mode=mode,
        counterpart=Counterpart.SIMULATED,
        actor=actor,
        key=job.key,
        persona=job.persona,
        seed=seed * 1_000_003 + job.number,
        language=job.language,
    )


def ticket_ids_of(negotiations: Negotiations, forms: Sequence[TicketForm]) -> list[UUID]:
    """The rows of these tickets, added where they are new."""
    with negotiations.transaction() as session:
        import_tickets(session, forms, actor=None)
        found = [tickets.find_by_reference(session, form.reference) for form in forms]
        return [ticket.id for ticket in found if ticket is not None]


def _print(outcomes: Sequence[Outcome], *, seconds: float, console: Console) -> None:
    table = Table("#", "hotel", "room", "net before", "agreed net", "saving", "outcome", "turns", title="Negotiations")
    statuses: Counter[str] = Counter()
    savings: list[Decimal] = []
    drafted = fallbacks = turns = 0
    for outcome in outcomes:
        if outcome.view is None:
            table.add_row(str(outcome.job.number), outcome.job.forms[0].hotel, "", "", "", "", f"[red]{outcome.error}[/]", "")
            continue
        view = outcome.view
        turns += len(view.turns)
        drafted += sum(turn.speaker is Speaker.BD for turn in view.turns)
        fallbacks += sum(turn.origin is DraftOrigin.TEMPLATE for turn in view.turns)
        for ticket in view.tickets:
            statuses[ticket.status] += 1
            saving = 1 - ticket.agreed_net / ticket.facts.current_net if ticket.agreed_net is not None else None
            if saving is not None:
                savings.append(saving)
            table.add_row(
                f"{outcome.job.number}",
                view.hotel_name,
                ticket.facts.room_type,
                f"{plain(ticket.facts.current_net)} {ticket.facts.currency}",
                plain(ticket.agreed_net) if ticket.agreed_net is not None else "",
                f"{saving:.1%}" if saving is not None else "",
                f"[{'green' if ticket.status is TicketStatus.AGREED else 'yellow'}]{ticket.status}[/]",
                f"{len(view.turns)}",
            )
    if len(table.rows) <= MOST_ROWS_SHOWN:
        console.print(table)
    done = sum(outcome.view is not None for outcome in outcomes)
    total = sum(statuses.values())
    console.print(
        f"{done} of {len(outcomes)} negotiations ended in {seconds:.1f} s; rooms: "
        + ", ".join(f"{number} {status}" for status, number in statuses.most_common())
    )
    if total:
        mean = sum(savings, Decimal(0)) / len(savings) if savings else Decimal(0)
        console.print(
            f"agreement {statuses[TicketStatus.AGREED] / total:.0%}, mean saving where agreed {mean:.1%}, "
            f"{turns / max(done, 1):.1f} turns each, safe templates in {fallbacks} of {drafted} replies "
            "(simulated hotels)",
            highlight=False,
        )
