"""The words people read for what is stored: stages, moves, statuses, amounts, dates. One place, so that every page says the same."""

from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal

from agent.domain import AllowedMove, HotelMove, plain
from db.vocabulary import ClarifyTopic, Counterpart, HotelMoveKind, Mode, MoveKind, Role, Stage, TicketStatus

STAGE_WORDS: dict[Stage, str] = {
    Stage.OPENING: "Opening",
    Stage.SITUATION: "Situation",
    Stage.PROPOSAL: "Proposal",
    Stage.PERSUASION: "Persuasion",
    Stage.CLARIFICATION: "Clarification",
    Stage.CONFIRMATION: "Confirmation",
    Stage.CLOSING: "Closing",
    Stage.FOLLOW_UP: "Follow-up",
    Stage.ESCALATED: "With a person",
    Stage.AGREED: "Agreed",
    Stage.DECLINED: "Declined",
    Stage.EXPIRED: "Expired",
    Stage.HANDED_OVER: "Handed over",
}
STATUS_WORDS: dict[TicketStatus, str] = {
    TicketStatus.OPEN: "Open",
    TicketStatus.AGREED: "Agreed",
    TicketStatus.DECLINED: "Declined",
    TicketStatus.EXPIRED: "Expired",
    TicketStatus.HANDED_OVER: "Handed over",
}
MODE_WORDS: dict[Mode, str] = {Mode.COPILOT: "Copilot", Mode.AUTOPILOT: "Autopilot"}
COUNTERPART_WORDS: dict[Counterpart, str] = {Counterpart.HUMAN: "Real hotel", Counterpart.SIMULATED: "Practice hotel"}
ROLE_WORDS: dict[Role, str] = {
    Role.BD: "Negotiator (BD)",
    Role.ANNOTATOR: "Annotator",
    Role.OPS: "Operations",
    Role.ADMIN: "Administrator",
}
HOTEL_MOVE_WORDS: dict[HotelMoveKind, str] = {
    HotelMoveKind.GREETING: "greeted us",
    HotelMoveKind.INFORM: "told us about its situation",
    HotelMoveKind.OFFER: "named a price",
    HotelMoveKind.AGREE: "said yes",
    HotelMoveKind.REFUSE: "said no",
    HotelMoveKind.QUESTION: "asked something",
    HotelMoveKind.STALL: "put it off",
    HotelMoveKind.SILENCE: "did not answer",
    HotelMoveKind.UPSET: "is upset",
    HotelMoveKind.WRONG_PERSON: "is not the one who decides",
    HotelMoveKind.STOP: "asked us to stop",
    HotelMoveKind.LEGAL: "raised a legal point",
    HotelMoveKind.OTHER: "said something else",
}
_MOVE_WORDS: dict[MoveKind, str] = {
    MoveKind.GREET: "Introduce ourselves",
    MoveKind.PROBE: "Ask about their situation",
    MoveKind.ASK: "Ask for",
    MoveKind.HOLD: "Stay with",
    MoveKind.CLARIFY: "Clarify",
    MoveKind.ACCEPT: "Accept",
    MoveKind.CONFIRM: "Confirm",
    MoveKind.CALM: "Calm things first",
    MoveKind.REDIRECT: "Ask who decides",
    MoveKind.FOLLOW_UP: "Friendly nudge",
    MoveKind.CLOSE: "Close",
    MoveKind.ESCALATE: "Bring in a colleague",
}
_TOPIC_WORDS: dict[ClarifyTopic, str] = {
    ClarifyTopic.NET_OR_SELLING: "net or selling price",
    ClarifyTopic.AMOUNT: "which amount",
    ClarifyTopic.WHICH_ROOM: "which room",
    ClarifyTopic.DATES: "which dates",
    ClarifyTopic.BREAKFAST: "breakfast",
    ClarifyTopic.TAX: "tax",
    ClarifyTopic.ROOMS: "number of rooms",
    ClarifyTopic.CONDITION: "their condition",
}


def money(amount: Decimal | None, currency: str) -> str:
    """An amount with its currency (``USD 1,430.50``); an em dash where there is none."""
    if amount is None:
        return "—"
    whole, _, cents = f"{amount:,f}".partition(".")
    return f"{currency} {whole}.{cents}" if cents.strip("0") else f"{currency} {whole}"


def move_words(move: AllowedMove, *, several: bool = False) -> str:
    """A move in plain words (``Ask for 428 net``). ``several`` names the room, where a conversation has more than one."""
    words = [_MOVE_WORDS[move.kind]]
    words += [f"{plain(move.price)} net"] if move.price is not None else []
    words += [_TOPIC_WORDS[move.topic]] if move.topic is not None else []
    words += [f"· room {move.label}"] if several and move.label is not None else []
    return " ".join(words)


def move_kind_words(kind: MoveKind) -> str:
    """A kind of move in plain words (``Ask for``)."""
    return _MOVE_WORDS[kind]


def understood_words(move: HotelMove) -> str:
    """What the hotel's message was taken to mean (``named a price: 190 net``)."""
    words = HOTEL_MOVE_WORDS[move.kind]
    offers = ", ".join(f"{plain(offer.amount)} {offer.basis}".removesuffix(" unknown") for offer in move.offers)
    return f"{words}: {offers}" if offers else words


def stay(check_in: date, check_out: date) -> str:
    """A stay as people write it: ``1–31 Mar 2027``, with month and year repeated only where they differ."""
    if check_in.year != check_out.year:
        return f"{check_in.day} {check_in:%b %Y} – {check_out.day} {check_out:%b %Y}"
    if check_in.month != check_out.month:
        return f"{check_in.day} {check_in:%b} – {check_out.day} {check_out:%b %Y}"
    return f"{check_in.day}–{check_out.day} {check_out:%b %Y}"


def moment(at: datetime, *, zone: tzinfo = UTC, now: datetime | None = None) -> str:
    """A point in time in the reader's zone: the hour today, the day before that."""
    local = at.astimezone(zone)
    today = (now or datetime.now(zone)).astimezone(zone).date()
    if local.date() == today:
        return f"{local:%H:%M}"
    return f"{local.day} {local:%b, %H:%M}" if local.year == today.year else f"{local.day} {local:%b %Y, %H:%M}"
