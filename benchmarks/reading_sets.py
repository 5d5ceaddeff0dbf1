"""The messages that ``benchmarks.reading`` reads, each with its right reading.

Held-out hotels come from the simulator and carry its truth. The third-party sets are not part of the project; they are looked for in the
folder that ``PARLEY_DATA`` names. Their acts are mapped onto our kinds by ``KINDS``, a turn of several acts is its weightiest
(``WEIGHT``), and what our kinds have no word for is left out.
"""

import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from agent.domain import HotelOffer, TicketFacts, Utterance, selling_from_net
from agent.language.context import ReadContext
from agent.language.prompts import LANGUAGES
from agent.simulation.phrases import Language
from benchmarks.prices import Row, rows_of
from db.vocabulary import HotelMoveKind, PriceBasis, Speaker
from training.starter.selfplay import ReadExercise, play

K = HotelMoveKind
KINDS: dict[str, dict[str, HotelMoveKind | None]] = {
    "negochat": {"Quit": K.STOP, "Offer": K.OFFER, "Reject": K.REFUSE, "Accept": K.AGREE, "Query": K.QUESTION, "Greet": K.GREETING},
    "button": {"offer": K.OFFER, "accept": K.AGREE, "reject": K.REFUSE, "quit": K.REFUSE},
    "weak": {
        "greet": K.GREETING, "inquire": K.QUESTION, "propose": K.OFFER, "counter": K.OFFER, "agree": K.AGREE, "agree-noprice": K.AGREE,
        "disagree": K.REFUSE, "inform": K.INFORM, "affirm": K.INFORM, "deny": K.INFORM,
        "counter-noprice": None, "confirm": None,  # argument, praise, small talk and consent, all under one name
    },
    "yes or no": {"True": K.AGREE, "False": K.REFUSE},
}  # fmt: skip
"""Acts of third-party sets and what they are here; a yes or a no counts as the answer to terms that were repeated for confirmation.
A button press labels the words before it: to leave a deal by its button is a no to what was offered last."""
WEIGHT = (K.STOP, K.OFFER, K.REFUSE, K.AGREE, K.QUESTION, K.GREETING)
"""The kind of a turn with several acts is the first of these: what ends the talk, then money, then decisions."""
HELD_OUT_NEGOTIATIONS = 250
"""Negotiations that the held-out messages are drawn from: few would hold the same few phrases again and again."""
_NEGOCHAT_ISSUES = (
    "programmer, team manager, project manager, QA; salary, pension fund, leased company car, no agreement, fast or slow promotion track, "
    "workday of working hours, work day"
)
"""Stands where the room's name does: words that a yes may hold."""
LITERAL = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?:k\b)?", re.IGNORECASE)

Prices = frozenset[tuple[Decimal, PriceBasis | None]]
"""Amounts with their kind; None where a set knows no kinds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One message with its right reading."""

    text: str
    context: ReadContext
    kind: HotelMoveKind
    prices: Prices | None = None
    """What an offer names; None where the set does not say."""


@dataclass(frozen=True, slots=True)
class TurnSet:
    """Messages of one source."""

    name: str
    turns: Sequence[Turn]
    note: str = ""

    def sample(self, limit: int) -> "TurnSet":
        """At most ``limit`` of the turns, the same ones every time."""
        if len(self.turns) <= limit:
            return self
        return replace(self, turns=random.Random(self.name).sample(list(self.turns), limit))


def held_out(negotiations: int = HELD_OUT_NEGOTIATIONS, *, language: Language = "en") -> TurnSet:
    """Simulated hotels of held-out personas, speaking in held-out phrases."""
    played = (each for seed in range(negotiations) for each in play(seed, held_out=True, language=language))
    exercises = [each for each in played if isinstance(each, ReadExercise)]
    name = "held-out hotels" if language == "en" else f"held-out hotels, {LANGUAGES[language]}"
    return TurnSet(name, [_simulated(each) for each in exercises], "simulator's truth; amounts with net or selling")


def _simulated(exercise: ReadExercise) -> Turn:
    truth = exercise.truth
    prices = frozenset((offer.amount, kind_of_price(offer, exercise.context)) for offer in truth.offers)
    return Turn(text=exercise.text, context=exercise.context, kind=truth.kind, prices=prices if truth.kind is K.OFFER else frozenset())


def kind_of_price(offer: HotelOffer, context: ReadContext) -> PriceBasis:
    """The kind that the words name; else the one that the hotel has named before; else that of the figure of ours that it says back."""
    known = context.basis_known
    if offer.basis is not PriceBasis.UNKNOWN or known not in (None, PriceBasis.UNKNOWN):
        return offer.basis if offer.basis is not PriceBasis.UNKNOWN else known or PriceBasis.UNKNOWN
    asked = [(net, selling_from_net(net, context.fact(label).commission)) for label, net in context.asked]
    if any(offer.amount == net for net, _ in asked):
        return PriceBasis.NET
    return PriceBasis.SELLING if any(offer.amount == selling for _, selling in asked) else PriceBasis.UNKNOWN


def negochat() -> Iterator[TurnSet]:
    """Employers who bargain over a salary, a car, hours…: turns whose offers name the salary, and then every turn."""
    money: list[Turn] = []
    every: list[Turn] = []
    for rows in _grouped(rows_of("negochat_acts"), lambda row: str(row["dialogue"])):
        talk = _Talk("the employer", _NEGOCHAT_ISSUES, Decimal(90_000), always_asked=True)
        for row in rows:
            context = talk.hear(row["role"], row["text"], before=row["prev"])
            acts = {act["act"] for act in row["acts"]} if row["human_side"] else set[str]()
            kinds = {KINDS["negochat"].get(act) for act in acts}
            kind = next((kind for kind in WEIGHT if kind in kinds), None)
            if context is None or kind is None:
                continue
            salaries = [act["slots"].get("Salary", "") for act in row["acts"] if act["act"] == "Offer" and isinstance(act["slots"], dict)]
            figures = [number_in(salary) for salary in salaries if salary[:1].isdigit()]
            prices = frozenset((figure, None) for figure in figures) if figures else None
            turn = Turn(text=row["text"], context=context, kind=kind, prices=prices if kind is K.OFFER else None)
            every.append(turn)
            if kind is not K.OFFER or prices:
                money.append(turn)
    yield TurnSet("negochat, money", money, "wizards' labels; an offer names the salary")
    yield TurnSet("negochat, every issue", every, "as above, with offers of cars, hours and posts, which are no prices")


def craigslist_buttons() -> TurnSet:
    """Deals that were closed, or left, by a button: the words that named the price, and the words that took or refused it.

    Only the buttons are labelled by people, so only turns whose kind follows from them are here: where a deal closed at a price, the turn
    that names it first, after which no other price falls, is the offer, and the other side's last words after it the yes. The last words
    of one who rejects or quits, after the other's, without a number, are the no.
    """
    turns: list[Turn] = []
    for rows in _grouped(rows_of("craigslist_hfval_turn_acts"), lambda row: str(row["id"]).rpartition("-")[0]):
        said = [row for row in rows if row["text"]]
        pressed = [row for row in rows if row["gold"]]
        if not said or not pressed:
            continue
        last = pressed[-1]
        offered = next((row for row in reversed(pressed) if row["intent"] == "offer"), None)
        contexts = list(_contexts(said, number_in(said[0]["list_price"])))
        act = KINDS["button"][last["intent"]]
        if act is K.AGREE and offered:
            turns += _closed(said, contexts, number_in(offered["price"]))
        elif act is K.REFUSE and len(said) > 1 and said[-1]["role"] == last["role"] != said[-2]["role"]:
            context = contexts[-1]
            if context is not None and not _numbers(said[-1]["text"]):
                turns.append(Turn(text=said[-1]["text"], context=context, kind=K.REFUSE))
    return TurnSet("craigslist, buttons", turns, "people's button presses")


def _closed(said: Sequence[Row], contexts: Sequence[ReadContext | None], price: Decimal) -> Iterator[Turn]:
    first = next((index for index, row in enumerate(said) if price in _numbers(row["text"])), None)
    if first is None or any(_numbers(row["text"]) - {price} for row in said[first:]):
        return
    context = contexts[first]
    if context is not None:
        yield Turn(text=said[first]["text"], context=context, kind=K.OFFER, prices=frozenset({(price, None)}))
    taken = [index for index, row in enumerate(said) if index > first and row["role"] != said[first]["role"]]
    context = contexts[taken[-1]] if taken else None
    if len(taken) == 1 and context is not None:
        yield Turn(text=said[taken[0]]["text"], context=context, kind=K.AGREE)


def craigslist_weak() -> TurnSet:
    """Every turn as a parser of the data's makers labelled it: often wrong, so of use only to compare."""
    turns: list[Turn] = []
    for rows in _grouped(rows_of("craigslist_turn_acts_weak"), lambda row: str(row["id"]).rpartition("-")[0]):
        for row, context in zip(rows, _contexts(rows, number_in(rows[0]["list_price"])), strict=True):
            kind = KINDS["weak"][row["weak_intent"]]
            if kind is not None and context is not None:
                price = row["weak_price"] if kind is K.OFFER else None
                prices = None if price is None else frozenset({(number_in(price), None)})
                turns.append(Turn(text=row["text"], context=context, kind=kind, prices=prices))
    return TurnSet("craigslist, weak", turns, "WEAK: labels made by a parser")


def yes_no() -> TurnSet:
    """Short answers, English and Chinese, as answers to terms repeated for confirmation."""
    turns: list[Turn] = []
    for row in rows_of("yesno_recognizers_text"):
        talk = _Talk("the hotel", "Deluxe King Room", Decimal(450), language=row["lang"])
        context = talk.hear("hotel", row["text"], before="Deluxe King Room, 428 net, from 12 October. Could you confirm with a yes?")
        if context is not None and row["answers"]:
            turns.append(Turn(text=row["text"], context=context, kind=KINDS["yes or no"][str(row["answers"][0]["value"])] or K.OTHER))
    return TurnSet("recognizers, yes or no", turns, "test cases; an emoji or a bare “ok” is no yes here, by rule")


class _Talk:
    """A foreign dialogue as a negotiation: one side is the hotel, one thing the room, its list price today's price, commission none."""

    def __init__(self, hotel: str, room: str, price: Decimal, *, always_asked: bool = False, language: str = "en") -> None:
        self._facts = TicketFacts(
            label=1, hotel_name=hotel, room_type=room, check_in=date(2026, 10, 12), check_out=date(2026, 10, 16), currency="USD",
            current_net=price, commission=Decimal(0),
        )  # fmt: skip
        self._price, self._always_asked, self._language = price, always_asked, language
        self._named: list[tuple[str, Decimal]] = []
        self._last: tuple[str, str] | None = None

    def hear(self, role: str, text: str, *, before: str | None) -> ReadContext | None:
        """What reading this turn may look at; None for a turn without words. ``before`` is the other side's turn before it."""
        if not text.strip():
            return None
        if before:
            self._note("" if self._last is None or self._last[1] != before else self._last[0], before)
        asked = [(1, price) for who, price in self._named if who != role]
        if before and self._always_asked and not asked:
            asked = [(1, self._price)]
        context = ReadContext(
            facts=(self._facts,),
            history=(Utterance(Speaker.BD, before),) if before else (),
            asked=tuple(asked),
            offered=tuple((1, price) for who, price in self._named if who == role),
            language=self._language,
            basis_known=PriceBasis.NET,
        )
        self._note(role, text)
        return context

    def _note(self, role: str, text: str) -> None:
        if self._last != (role, text):
            self._last = (role, text)
            self._named += [(role, price) for price in sorted(_numbers(text)) if self._price / 10 <= price <= 5 * self._price]


def _contexts(rows: Sequence[Row], price: Decimal) -> Iterator[ReadContext | None]:
    """Of each turn of a dialogue over one thing."""
    talk = _Talk("the other side", str(rows[0]["title"]), price)
    for before, row in zip((None, *rows), rows, strict=False):
        other = before is not None and before["role"] != row["role"]
        yield talk.hear(row["role"], row["text"], before=before["text"] if other and before is not None else None)


def _grouped(rows: Iterable[Row], key: Callable[[Row], str]) -> list[list[Row]]:
    groups: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return list(groups.values())


def number_in(value: object) -> Decimal:
    plain = str(value).lower().split()[0].replace(",", "").rstrip(".")
    return (Decimal(plain.rstrip("k")) * (1000 if plain.endswith("k") else 1)).normalize()


def _numbers(text: str) -> set[Decimal]:
    """Literal numbers; deliberately not our own grammar, since this decides what is right."""
    return {number_in(hit.group()) for hit in LITERAL.finditer(text)}
