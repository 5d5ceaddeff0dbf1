"""From the YAML files to cases: every field is checked, every conversation is played through the SOP, or nothing loads.

Decided here: the file format. A case tells the whole conversation, our turns with their move and the hotel's with what they mean; the
loader plays it through ``agent.sop``, so that the turn which is to be answered is the one that the service would have given. Refused are
a conversation that the SOP would not have led, a bad reply that passes its own checks, and a good reply that does not.
"""

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, ValidationError, model_validator

from agent.context import turn_context
from agent.domain import AllowedMove, HotelMove, HotelOffer, Mandate, Reply, TicketFacts, TurnContext, Utterance
from agent.sop import Step, Terms, advance, begin, commit, open_state
from db.errors import ParleyError
from db.vocabulary import ClarifyTopic, ConcessionTactic, HotelMoveKind, IssueTag, Mood, MoveKind, PriceBasis, Severity, Speaker
from training.badcases.case import Check, ShippedCase
from training.badcases.matchers import MATCHERS, NamesAmount, matcher
from training.badcases.verdicts import verdict

FOLDER = Path(__file__).parent / "cases"
Model = TypeVar("Model", bound=BaseModel)


class BadCaseError(ParleyError):
    """A file of bad cases that cannot be used; names the file, the case and the field."""


# -- the file format --------------------------------------------------------------------------------------------------------------------

_OFFER = re.compile(r"(?P<amount>\d+(?:\.\d+)?) (?P<basis>net|selling|unknown)(?: #(?P<label>\d+))?")
_DATES = re.compile(r"(\d{4}-\d\d-\d\d) to (\d{4}-\d\d-\d\d)")


def _offer(text: Any) -> HotelOffer:
    found = _OFFER.fullmatch(str(text))
    if found is None:
        raise ValueError(f'an offer is written "440 net", "520 selling #2" or "440 unknown", not {text!r}')
    label = int(found["label"]) if found["label"] else None
    return HotelOffer(amount=Decimal(found["amount"]), basis=PriceBasis(found["basis"]), label=label)


def _stay(text: Any) -> tuple[date, date]:
    found = _DATES.fullmatch(str(text))
    if found is None:
        raise ValueError(f'dates are written "2026-10-12 to 2026-10-16", not {text!r}')
    return date.fromisoformat(found[1]), date.fromisoformat(found[2])


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class _Competitor(_Part):
    price: Decimal
    source: str
    seen_on: date | None = None


class _Mandate(_Part):
    opening: Decimal
    target: Decimal
    ceiling: Decimal
    tactic: ConcessionTactic = ConcessionTactic.BOULWARE
    rounds: int = 6


class _Ticket(_Part):
    room: str
    dates: Annotated[tuple[date, date], BeforeValidator(_stay)]
    currency: str = Field(pattern="^[A-Z]{3}$")
    net: Decimal = Field(gt=0)
    commission: Decimal = Field(default=Decimal("0.15"), ge=0, lt=1)
    rooms: int = Field(default=1, ge=1)
    breakfast: bool | None = None
    tax_included: bool | None = None
    competitor: _Competitor | None = None
    evidence: tuple[str, ...] = ()
    mandate: _Mandate


class _Means(_Part):
    kind: HotelMoveKind
    mood: Mood = Mood.NEUTRAL
    offers: tuple[Annotated[HotelOffer, BeforeValidator(_offer)], ...] = ()
    unclear: tuple[ClarifyTopic, ...] = ()
    conditions: tuple[str, ...] = ()
    says_yes: bool = False
    basis: PriceBasis | None = None


class _Line(_Part):
    bd: str | None = None
    move: str | None = None
    hotel: str | None = None
    means: _Means | None = None

    @model_validator(mode="after")
    def _one_side(self) -> "_Line":
        ours = self.bd is not None and self.move is not None and self.hotel is None and self.means is None
        theirs = self.hotel is not None and self.means is not None and self.bd is None and self.move is None
        if not ours and not theirs:
            raise ValueError("a line is either ours (bd, move) or the hotel's (hotel, means)")
        return self


class _Said(_Part):
    move: str
    text: str


def _check(entry: Any) -> Check:
    if not isinstance(entry, dict):
        raise ValueError('a check is written as "says:" with one of the checks below it')
    rest: dict[str, Any] = {str(name): value for name, value in entry.items()}
    says, severity = rest.pop("says", None), rest.pop("severity", None)
    if not isinstance(says, str) or len(rest) != 1:
        raise ValueError(f"a check has its plain words (says) and exactly one of {', '.join(MATCHERS)}")
    ((name, argument),) = rest.items()
    return Check(says=says, matcher=matcher(name, argument), severity=Severity(severity) if severity is not None else None)


_Checks = tuple[Annotated[Check, PlainValidator(_check)], ...]


class _Entry(_Part):
    id: str = Field(pattern="^[a-z0-9-]+$")
    severity: Severity
    wrong: str = Field(min_length=10)
    language: Literal["en", "zh"] = "en"
    hotel: str
    tickets: tuple[_Ticket, ...] = Field(min_length=1)
    dialogue: tuple[_Line, ...] = ()
    bad: _Said
    good: _Said
    must: _Checks = Field(min_length=1)
    should: _Checks = ()
    must_not: _Checks = Field(min_length=1)


class _File(_Part):
    fault: IssueTag
    cases: tuple[dict[str, Any], ...] = Field(min_length=1)


# -- loading ----------------------------------------------------------------------------------------------------------------------------


@cache
def cases() -> tuple[ShippedCase, ...]:
    """The shipped set, loaded once, in the order of the fault classes."""
    return load()


def load(folder: Path = FOLDER) -> tuple[ShippedCase, ...]:
    """Every case of a folder. Raises BadCaseError naming the file, the case and the field that cannot be used."""
    found = [case for path in sorted(folder.glob("*.yaml")) for case in _read(path)]
    seen: set[str] = set()
    for case in found:
        if case.id in seen:
            raise BadCaseError(f"the id {case.id} stands twice")
        seen.add(case.id)
    order = list(IssueTag)
    return tuple(sorted(found, key=lambda case: order.index(case.fault)))


def _read(path: Path) -> Iterable[ShippedCase]:
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise BadCaseError(f"{path.name} is not YAML: {error}") from error
    file = _parsed(_File, data, path.name)
    for raw in file.cases:
        where = f"{path.name}, case {raw.get('id', '?')}"
        entry = _parsed(_Entry, raw, where)
        yield _case(entry, file.fault, where)


def _parsed(kind: type[Model], data: Any, where: str) -> Model:
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc'])) or 'file'}: {fault['msg']}" for fault in error.errors()]
        raise BadCaseError(f"{where}: {'; '.join(faults)}") from error


def _case(entry: _Entry, fault: IssueTag, where: str) -> ShippedCase:
    context = _played(entry, where)
    case = ShippedCase(
        id=entry.id,
        fault=fault,
        severity=entry.severity,
        wrong=entry.wrong,
        context=context,
        bad=_reply(context, entry.bad, f"{where}: bad"),
        good=_reply(context, entry.good, f"{where}: good"),
        must=entry.must,
        should=entry.should,
        must_not=entry.must_not,
    )
    if verdict(case, case.bad).fixed:
        raise BadCaseError(f"{where}: bad: the bad reply passes the case's own checks")
    judged = verdict(case, case.good)
    if not judged.clean:
        raise BadCaseError(f"{where}: good: the good reply is no clean fix: {'; '.join(judged.reasons)}")
    return case


# -- the conversation so far ------------------------------------------------------------------------------------------------------------


def _played(entry: _Entry, where: str) -> TurnContext:
    """The turn to be answered, after the SOP has gone through the whole conversation."""
    terms = _terms(entry, where)
    facts = [own.facts for own in terms.values()]
    history: list[Utterance] = []
    heard: HotelMove | None = None
    step, ours = begin(open_state(tuple(terms))), False
    for index, line in enumerate(entry.dialogue):
        at = f"{where}: dialogue.{index}"
        if line.bd is not None and line.move is not None:
            if ours:
                raise BadCaseError(f"{at}: two turns of ours in a row; silence is a hotel line without words")
            move = _allowed(step, line.move, at)
            history.append(Utterance(Speaker.BD, line.bd))
            context = turn_context(step, facts, history[:-1], hotel_move=heard, language=entry.language)
            _names_its_price(context, Reply(move=move, text=line.bd), at)
            step, ours = Step(state=commit(step.state, move), allowed=()), True
        elif line.hotel is not None and line.means is not None:
            heard = _meant(line.means)
            history.append(Utterance(Speaker.HOTEL, line.hotel))
            step, ours = advance(step.state, heard, terms), False
    if ours:
        raise BadCaseError(f"{where}: dialogue: the last word must be the hotel's, it is what we answer")
    if not step.allowed:
        raise BadCaseError(f"{where}: dialogue: the conversation is over, there is nothing to answer")
    return turn_context(step, facts, history, hotel_move=heard, language=entry.language)


def _terms(entry: _Entry, where: str) -> dict[int, Terms]:
    terms: dict[int, Terms] = {}
    for label, ticket in enumerate(entry.tickets, start=1):
        facts = TicketFacts(
            label=label,
            hotel_name=entry.hotel,
            room_type=ticket.room,
            check_in=ticket.dates[0],
            check_out=ticket.dates[1],
            currency=ticket.currency,
            current_net=ticket.net,
            commission=ticket.commission,
            rooms=ticket.rooms,
            breakfast=ticket.breakfast,
            tax_included=ticket.tax_included,
            competitor_price=ticket.competitor.price if ticket.competitor else None,
            competitor_source=ticket.competitor.source if ticket.competitor else None,
            competitor_seen_on=ticket.competitor.seen_on if ticket.competitor else None,
            evidence=ticket.evidence,
        )
        own = ticket.mandate
        try:
            mandate = Mandate(target=own.target, ceiling=own.ceiling, opening_ask=own.opening, tactic=own.tactic, max_rounds=own.rounds)
        except ValueError as error:
            raise BadCaseError(f"{where}: tickets.{label - 1}.mandate: {error}") from error
        terms[label] = Terms(facts=facts, mandate=mandate)
    return terms


def _meant(means: _Means) -> HotelMove:
    return HotelMove(
        kind=means.kind,
        mood=means.mood,
        offers=means.offers,
        unclear=means.unclear,
        conditions=means.conditions,
        says_yes=means.says_yes,
        stated_basis=means.basis,
    )


def _allowed(step: Step, key: str, where: str) -> AllowedMove:
    found = next((move for move in step.allowed if move.key == key), None)
    if found is None:
        raise BadCaseError(f"{where}: move: the SOP does not allow {key!r} here, only {', '.join(map(str, step.allowed)) or 'nothing'}")
    return found


def _names_its_price(context: TurnContext, reply: Reply, where: str) -> None:
    price = reply.move.price
    if price is not None and reply.move.kind is not MoveKind.HOLD and not NamesAmount((price,)).holds(context, reply):
        raise BadCaseError(f"{where}: bd: the words do not name the price of their move, {reply.move}")


def _reply(context: TurnContext, said: _Said, where: str) -> Reply:
    """The reply with the move that it claims: one of this turn's, else (``accept 440``) one that was not ours to make."""
    found = next((move for move in context.allowed if move.key == said.move), None)
    if found is None:
        kind, _, price = said.move.partition(" ")
        try:
            found = AllowedMove(kind=MoveKind(kind), label=context.focus, price=Decimal(price) if price else None)
        except (ValueError, ArithmeticError) as error:
            raise BadCaseError(f"{where}.move: {said.move!r} is no move; here: {', '.join(map(str, context.allowed))}") from error
    return Reply(move=found, text=said.text.strip())
