"""Scenes for the tests of the simulation: a room at Willow Court, a turn to say a move in, a calm hotel, and what became of our words."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal

from agent.domain import AgreedTerms, AllowedMove, HotelMove, Reply, TicketFacts, TurnContext, Utterance
from agent.prices import Anchors, PriceMention, resolve
from agent.simulation import Conversation, HotelProfile, Lever, Persona, RoomStance, SimulatedHotel, TypingStyle
from agent.simulation.hearing import Heard, hear, sentences, skeleton
from agent.simulation.profile import TEMPERS
from db.vocabulary import ClarifyTopic, ConcessionTactic, HotelMoveKind, MoveKind, PriceBasis, Speaker, Stage

FACTS = TicketFacts(
    label=1,
    hotel_name="Willow Court",
    room_type="Deluxe King",
    check_in=date(2027, 3, 1),
    check_out=date(2027, 3, 8),
    currency="USD",
    current_net=Decimal(200),
    commission=Decimal("0.15"),
    competitor_price=Decimal(215),
    competitor_source="Agoda",
)

# -- a turn in which we may say one move ------------------------------------------------------------------------------------------------

NET = Decimal(170)
"""The price of every move that has one."""
_STAGES = {
    MoveKind.GREET: Stage.OPENING,
    MoveKind.PROBE: Stage.SITUATION,
    MoveKind.ASK: Stage.PROPOSAL,
    MoveKind.HOLD: Stage.PERSUASION,
    MoveKind.CLARIFY: Stage.CLARIFICATION,
    MoveKind.ACCEPT: Stage.CONFIRMATION,
    MoveKind.CONFIRM: Stage.CONFIRMATION,
    MoveKind.CALM: Stage.PERSUASION,
    MoveKind.REDIRECT: Stage.OPENING,
    MoveKind.FOLLOW_UP: Stage.FOLLOW_UP,
    MoveKind.CLOSE: Stage.CLOSING,
    MoveKind.ESCALATE: Stage.ESCALATED,
}
_PRICED = (MoveKind.ASK, MoveKind.HOLD, MoveKind.ACCEPT, MoveKind.CONFIRM)


def situation(
    kind: MoveKind,
    facts: TicketFacts,
    *,
    today: date,
    heard: HotelMove | None = None,
    topic: ClarifyTopic = ClarifyTopic.NET_OR_SELLING,
    deal: bool = True,
) -> tuple[TurnContext, AllowedMove]:
    """A turn in which this move alone is allowed; a greeting comes first, and where we close the room is agreed if there is a ``deal``."""
    move = AllowedMove(kind=kind, label=1, price=NET if kind in _PRICED else None, topic=topic if kind is MoveKind.CLARIFY else None)
    first = kind is MoveKind.GREET
    context = TurnContext(
        facts=(facts,),
        history=() if first else (Utterance(Speaker.HOTEL, "Hello, I do the rates."),),
        stage=_STAGES[kind],
        brief="",
        allowed=(move,),
        focus=1,
        hotel_move=None if first else heard or HotelMove(kind=HotelMoveKind.INFORM),
        agreed=(AgreedTerms(label=1, net=NET),) if kind is MoveKind.CLOSE and deal else (),
        today=today,
    )
    return context, move


# -- a hotel that nothing but our words moves -------------------------------------------------------------------------------------------

CALM = replace(
    TEMPERS[Persona.CORPORATE], stalls=0, silence=0, asks=0, vague=0, conditions=0, confusion=0, haggles=0, strict=0, patience=40
)
PROFILE = HotelProfile(
    persona=Persona.CORPORATE,
    stances=(RoomStance(label=1, reservation=Decimal(160), opening=Decimal(198)),),
    tactic=ConcessionTactic.LINEAR,
    rounds=6,
    levers={Lever.SEASON: 0.4},
    dislikes=frozenset(),
    style=TypingStyle.PLAIN,
    thinks_in=PriceBasis.NET,
    temper=CALM,
)
HELLO = "Good day, are you the person who decides on rates at Willow Court?"


def meet(profile: HotelProfile, *said: str, seed: int = 1, **changes: object) -> SimulatedHotel:
    """The hotel of this profile, fields changed as named, once it has heard our greeting and then these words."""
    hotel = SimulatedHotel(replace(profile, **changes), (FACTS,), seed=seed)  # pyright: ignore[reportArgumentType]
    for text in (HELLO, *said):
        hotel.hear(text)
    return hotel


def willing(hotel: SimulatedHotel) -> Decimal:
    """The net price at which it would give its room now."""
    return hotel.inner().rooms[0].willing


# -- what became of words ---------------------------------------------------------------------------------------------------------------


def value_of(mention: PriceMention, current: Decimal) -> object:
    """The amount meant where only the current net price is known."""
    return resolve(mention, Anchors(current_net=current))


def misheard(conversation: Conversation) -> list[str]:
    """Our replies that a hotel does not take for the move they were meant as."""
    facts = tuple(fact for fact, _ in conversation.tickets)
    replies = [exchange.reply for exchange in conversation.exchanges]
    return [
        f"{reply.move}: {reply.text}"
        for reply in replies
        if not _is_heard_as_meant(hear(reply.text, facts, focus=reply.move.label or 1), reply)
    ]


def _is_heard_as_meant(heard: Heard, reply: Reply) -> bool:
    price = heard.net[-1] if heard.net else None
    match reply.move.kind:
        case MoveKind.ASK | MoveKind.HOLD:
            return price == reply.move.price and not (heard.confirms or heard.ends or heard.accepts or heard.promises or heard.presses)
        case MoveKind.ACCEPT | MoveKind.CONFIRM:
            return price == reply.move.price and heard.confirms and len(heard.selling) > 0 and heard.names_start
        case MoveKind.CLARIFY:
            return heard.clarifies is reply.move.topic
        case MoveKind.CALM:
            return heard.calms
        case MoveKind.REDIRECT:
            return heard.redirects
        case MoveKind.FOLLOW_UP:
            return heard.reminds
        case MoveKind.CLOSE:
            return heard.ends
        case MoveKind.ESCALATE:
            return heard.hands_over
        case MoveKind.GREET | MoveKind.PROBE:
            return heard.asks and not heard.net and not heard.ends


def said_twice(conversation: Conversation, *, is_long: Callable[[str], bool]) -> list[str]:
    """Long sentences of ours that stand in it more than once. Terms may be repeated, that is what confirming is."""
    said = Counter(
        skeleton(sentence)
        for exchange in conversation.exchanges
        if exchange.reply.move.kind not in (MoveKind.CONFIRM, MoveKind.ACCEPT, MoveKind.CLOSE)
        for sentence in sentences(exchange.reply.text)
        if is_long(sentence)
    )
    return [sentence for sentence, count in said.items() if count > 1]
