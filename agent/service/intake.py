"""How tickets come in: a form, or a CSV file whose every bad cell is named before anything is written."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from sqlalchemy.orm import Session

from db.errors import ParleyError
from db.models import Hotel, Ticket
from db.repositories import audit_events, hotels, tickets
from db.vocabulary import ConcessionTactic

MOST_ROWS = 5_000
_CENT = Decimal("0.01")


class IntakeError(ParleyError):
    """A file that cannot be read as a table at all."""


def _blank_is_none(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


def _percent(value: Any) -> Any:
    """``15%`` and ``15`` mean the share 0.15, as people write it."""
    if isinstance(value, str):
        value = value.strip()
        number = Decimal(value.removesuffix("%").strip()) if value.removesuffix("%").strip().replace(".", "", 1).isdigit() else None
        if number is None:
            return value
        return number / 100 if value.endswith("%") or number >= 1 else number
    return value


def _sentences(value: Any) -> Any:
    return tuple(part.strip() for part in value.split("|") if part.strip()) if isinstance(value, str) else value


Price = Annotated[Decimal, Field(gt=0, max_digits=12, decimal_places=2)]
OptionalPrice = Annotated[Price | None, BeforeValidator(_blank_is_none)]
OptionalText = Annotated[Annotated[str, Field(max_length=200)] | None, BeforeValidator(_blank_is_none)]


class TicketForm(BaseModel):
    """One ticket as a person enters it. Limits that are left out are derived: see ``opening_ask``, ``tactic`` and the following."""

    model_config = ConfigDict(str_strip_whitespace=True, extra="forbid", use_attribute_docstrings=True)

    reference: str = Field(min_length=1, max_length=60)
    """The number that staff know it by."""
    hotel: str = Field(min_length=1, max_length=200)
    city: str = Field(min_length=1, max_length=120)
    country: str = Field(min_length=1, max_length=80)
    room_type: str = Field(min_length=1, max_length=120)
    check_in: date
    check_out: date
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    """ISO 4217, three capital letters."""
    current_net: Price
    commission: Annotated[Decimal, BeforeValidator(_percent), Field(ge=0, lt=1, decimal_places=6)]
    """Our share of the selling price: 0.15 or 15%."""
    target: Price
    """Secret: the net price wanted."""
    ceiling: Price
    """Secret: the highest net price that still counts as a success."""
    opening_ask: OptionalPrice = None
    """Secret: the first net price asked for; left out, 3 % below the target."""
    tactic: Annotated[ConcessionTactic, BeforeValidator(lambda v: _blank_is_none(v) or ConcessionTactic.BOULWARE)] = (
        ConcessionTactic.BOULWARE
    )
    max_rounds: Annotated[int, BeforeValidator(lambda v: _blank_is_none(v) or 6)] = Field(default=6, ge=1, le=20)
    rooms: Annotated[int, BeforeValidator(lambda v: _blank_is_none(v) or 1)] = Field(default=1, ge=1, le=1000)
    breakfast: Annotated[bool | None, BeforeValidator(_blank_is_none)] = None
    tax_included: Annotated[bool | None, BeforeValidator(_blank_is_none)] = None
    competitor_price: OptionalPrice = None
    """Lowest *selling* price seen elsewhere."""
    competitor_source: OptionalText = None
    competitor_seen_on: Annotated[date | None, BeforeValidator(_blank_is_none)] = None
    evidence: Annotated[tuple[str, ...], BeforeValidator(_sentences)] = ()
    """True sentences that may be quoted, separated by ``|``."""

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        if self.check_out <= self.check_in:
            raise ValueError(f"check_out {self.check_out} must be after check_in {self.check_in}")
        if self.opening_ask is None:
            self.opening_ask = (self.target * Decimal("0.97")).quantize(_CENT)
        if not self.opening_ask <= self.target <= self.ceiling:
            raise ValueError(f"prices must rise: opening_ask {self.opening_ask} <= target {self.target} <= ceiling {self.ceiling}")
        if self.ceiling > self.current_net:
            raise ValueError(f"ceiling {self.ceiling} is above today's net price {self.current_net}: there would be nothing to negotiate")
        if self.competitor_price is not None and not self.competitor_source:
            raise ValueError("a competitor_price may only be quoted with its competitor_source")
        return self


COLUMNS = tuple(TicketForm.model_fields)
REQUIRED = tuple(name for name, field in TicketForm.model_fields.items() if field.is_required())


@dataclass(frozen=True, slots=True, kw_only=True)
class RowError:
    """One cell, or one row, that cannot be taken."""

    row: int
    """As a spreadsheet counts: the header is row 1."""
    column: str
    """Empty where the row as a whole is at fault."""
    value: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What a file holds: the good rows, and everything that is wrong with the others."""

    rows: tuple[TicketForm, ...]
    errors: tuple[RowError, ...]


def template_csv() -> str:
    """A CSV file with the header and one example row, to be filled in."""
    example = {
        "reference": "PC-2041",
        "hotel": "Hotel Aurora",
        "city": "Lisbon",
        "country": "Portugal",
        "room_type": "Deluxe Double",
        "check_in": "2027-03-01",
        "check_out": "2027-03-31",
        "currency": "EUR",
        "current_net": "128.00",
        "commission": "15%",
        "target": "112.00",
        "ceiling": "119.00",
        "competitor_price": "139.00",
        "competitor_source": "Agoda",
        "competitor_seen_on": "2027-01-20",
        "evidence": "Breakfast is rated 9.1 by our guests.",
    }
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerow(example)
    return out.getvalue()


def parse_csv(data: bytes) -> Intake:
    """Read a CSV file; raises IntakeError where it is no table (wrong encoding, no header, missing columns, too many rows)."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise IntakeError(f"The file is not UTF-8 text (byte {error.start + 1}). Save it as 'CSV UTF-8' and try again.") from error
    if "\0" in text:
        raise IntakeError("The file holds binary data. Save the sheet as 'CSV UTF-8', not as a workbook, and try again.")
    header = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=header.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, restkey="", strict=True)
    try:
        names = [name.strip().lower() for name in reader.fieldnames or ()]
        missing = [name for name in REQUIRED if name not in names]
        if missing:
            raise IntakeError(f"The header lacks the columns {', '.join(missing)}. It has: {', '.join(names) or 'nothing'}.")
        unknown = [name for name in names if name not in COLUMNS]
        if unknown:
            raise IntakeError(f"The header has unknown columns: {', '.join(unknown)}. Known are: {', '.join(COLUMNS)}.")
        reader.fieldnames = names
        raw = list(zip(range(2, MOST_ROWS + 3), reader, strict=False))
    except csv.Error as error:
        raise IntakeError(f"Line {reader.line_num} is not well-formed CSV: {error}. Check the quotes there.") from error
    if len(raw) > MOST_ROWS:
        raise IntakeError(f"The file has more than {MOST_ROWS:,} rows. Split it.")
    if not raw:
        raise IntakeError("The file has a header but no rows.")
    return _validate(raw)


def _validate(raw: Sequence[tuple[int, dict[str, Any]]]) -> Intake:
    rows: list[TicketForm] = []
    errors: list[RowError] = []
    seen: dict[str, int] = {}
    for number, cells in raw:
        surplus = cells.pop("", None)
        if surplus:
            errors.append(RowError(row=number, column="", value=", ".join(surplus), message="more cells than the header has columns"))
            continue
        try:
            form = TicketForm.model_validate({name: value or "" for name, value in cells.items()})
        except ValidationError as error:
            errors.extend(_row_errors(number, error))
            continue
        if form.reference in seen:
            message = f"the same reference stands in row {seen[form.reference]}"
            errors.append(RowError(row=number, column="reference", value=form.reference, message=message))
            continue
        seen[form.reference] = number
        rows.append(form)
    return Intake(rows=tuple(rows), errors=tuple(errors))


def _row_errors(number: int, error: ValidationError) -> list[RowError]:
    found: list[RowError] = []
    for detail in error.errors(include_url=False):
        column = str(detail["loc"][0]) if detail["loc"] else ""
        value = "" if not column else str(detail["input"])[:80]
        message = detail["msg"].removeprefix("Value error, ")
        if column and not value.strip():
            message = "is empty, but it is required"
        found.append(RowError(row=number, column=column, value=value, message=message))
    return found


def create_ticket(session: Session, form: TicketForm, *, actor: UUID | None) -> Ticket:
    """Add one ticket, and its hotel where it is new. Raises IntakeError where the reference is taken."""
    if tickets.find_by_reference(session, form.reference) is not None:
        raise IntakeError(f"The reference {form.reference!r} is taken. Choose another, or find that ticket in the list.")
    return _add(session, form, actor=actor)


def import_tickets(session: Session, rows: Sequence[TicketForm], *, actor: UUID | None) -> tuple[int, tuple[str, ...]]:
    """Add every row whose reference is new; returns how many were added and the references that were there already."""
    known = tickets.known_references(session, [form.reference for form in rows])
    fresh = [form for form in rows if form.reference not in known]
    for form in fresh:
        _add(session, form, actor=actor)
    return len(fresh), tuple(sorted(known))


def _add(session: Session, form: TicketForm, *, actor: UUID | None) -> Ticket:
    hotel, _ = hotels.create(session, Hotel(name=form.hotel, city=form.city, country=form.country))
    fields = form.model_dump(exclude={"hotel", "city", "country", "evidence"})
    ticket, _ = tickets.create(session, Ticket(hotel_id=hotel.id, created_by=actor, evidence=list(form.evidence), **fields))
    audit_events.record(session, actor_id=actor, action="ticket.create", subject_type="ticket", subject_id=ticket.id)
    return ticket
