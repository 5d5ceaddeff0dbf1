"""How a simulated hotel puts a decision into words: phrase, price form, opener, tail and typing style, and the label that belongs to them.

Decided here: how a message is composed so that its label stays true: the mood of the label is the strongest mood among the phrases that
were used, and an explicit yes is never wrapped in words that would take it back. It speaks the language of the
profile; a phrasebook of another language gives way to the shipped one.
"""

import random
import re
from dataclasses import dataclass
from decimal import Decimal

from agent.domain import HotelMove, HotelOffer, TicketFacts, selling_from_net
from agent.simulation import chinese_amounts
from agent.simulation.amounts import SpokenPrice, Surface, speak, vague
from agent.simulation.phrasebook import Phrasebook, phrasebook
from agent.simulation.phrases import HotelPart, HotelPhrase, Lever, TypingStyle
from agent.simulation.profile import HotelProfile
from agent.simulation.typing_style import typed
from db.vocabulary import ClarifyTopic, HotelMoveKind, Mood, PriceBasis

_STRENGTH = {Mood.NEUTRAL: 0, Mood.WARM: 1, Mood.ANXIOUS: 2, Mood.ANNOYED: 3, Mood.ANGRY: 4}
CONDITIONS: tuple[tuple[str, ClarifyTopic], ...] = (
    ("weekdays only", ClarifyTopic.CONDITION),
    ("only if it is prepaid", ClarifyTopic.CONDITION),
    ("with a minimum stay of three nights", ClarifyTopic.CONDITION),
    ("non-refundable", ClarifyTopic.CONDITION),
    ("only from Sunday to Thursday", ClarifyTopic.CONDITION),
    ("not on Saturdays", ClarifyTopic.CONDITION),
    ("for stays of a week or longer", ClarifyTopic.CONDITION),
    ("with payment in advance", ClarifyTopic.CONDITION),
    ("only if you load it this week", ClarifyTopic.CONDITION),
    ("without breakfast", ClarifyTopic.BREAKFAST),
    ("room only", ClarifyTopic.BREAKFAST),
    ("only for two rooms a night", ClarifyTopic.ROOMS),
    ("for a handful of rooms", ClarifyTopic.ROOMS),
    ("only for the first nights", ClarifyTopic.DATES),
    ("not for the last weekend of it", ClarifyTopic.DATES),
)
CONDITIONS_ZH: dict[str, str] = {
    "weekdays only": "仅限平日",
    "only if it is prepaid": "要预付",
    "with a minimum stay of three nights": "至少连住三晚",
    "non-refundable": "不可取消",
    "only from Sunday to Thursday": "只做周日到周四",
    "not on Saturdays": "周六除外",
    "for stays of a week or longer": "要连住七晚以上",
    "with payment in advance": "房费得预付",
    "only if you load it this week": "前提是这周就上线",
    "without breakfast": "不含早",
    "room only": "单房，早餐另算",
    "only for two rooms a night": "每晚最多两间",
    "for a handful of rooms": "只有那么几间",
    "only for the first nights": "只限前面部分日期",
    "not for the last weekend of it": "最后那个周末除外",
}
"""The same conditions in Chinese, in words that speak for themselves."""
_SURFACES: dict[TypingStyle, tuple[tuple[Surface, ...], tuple[int, ...]]] = {
    style: (
        (Surface.DIGITS, Surface.CURRENCY, Surface.WORDS, Surface.SPOKEN, Surface.THOUSANDS, Surface.PLUS_TAX, Surface.ALL_IN,
         Surface.CUT, Surface.PERCENT),
        weights,
    )
    for style, weights in {
        TypingStyle.PLAIN: (46, 28, 3, 2, 4, 4, 3, 5, 5),
        TypingStyle.TERSE: (66, 14, 0, 4, 6, 4, 2, 2, 2),
        TypingStyle.CHATTY: (36, 26, 8, 6, 4, 3, 5, 7, 5),
        TypingStyle.TYPOS: (52, 20, 4, 6, 6, 3, 3, 3, 3),
        TypingStyle.EMOJI: (48, 26, 4, 4, 6, 3, 3, 3, 3),
        TypingStyle.VOICE_NOTE: (8, 4, 36, 36, 2, 0, 4, 6, 4),
    }.items()
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be said; ``net`` is the price of an offer, ``ask`` the price of ours that may be named in a yes or a no."""

    kind: HotelMoveKind
    topic: str
    mood: Mood
    label: int
    lever: Lever | None = None
    net: Decimal | None = None
    ask: Decimal | None = None
    basis: PriceBasis = PriceBasis.NET
    """The kind of price that the hotel thinks in for this offer."""
    state: bool = True
    """Whether the words name that kind."""
    simple: bool = False
    """Plain digits: the answer to a question about the amount."""
    condition: tuple[str, ClarifyTopic] | None = None
    opener: tuple[str, Lever | None] | None = None
    """Topic and lever of an opener that takes up what was heard."""
    exact_words: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """The words and what they mean."""

    text: str
    move: HotelMove
    offered_net: Decimal | None = None
    """What the offer comes to, net: forms such as "10% off" round."""
    offered_as: Decimal | None = None
    """The amount as it was said, in ``offered_basis``."""


class Voice:
    """Composes one hotel's messages and remembers which phrases it has used."""

    def __init__(self, book: Phrasebook, profile: HotelProfile, facts: tuple[TicketFacts, ...]) -> None:
        self._book = book if book.language == profile.language else phrasebook(profile.language)
        self._profile, self._facts = profile, facts
        self._chinese = profile.language == "zh"
        self._used: set[str] = set()

    def say(self, plan: Plan, rng: random.Random) -> Spoken:
        """Words for a plan."""
        fact = next(fact for fact in self._facts if fact.label == plan.label)
        values = {"hotel": fact.hotel_name, "room": fact.room_type, "dates": self._dates(fact)}
        offers: tuple[HotelOffer, ...] = ()
        unclear: list[ClarifyTopic] = []
        conditions: tuple[str, ...] = ()
        stated: PriceBasis | None = None
        net: Decimal | None = None
        amount: Decimal | None = None
        body = self._body(plan, rng)
        names_room = "room" in body.slots and len(self._facts) > 1
        if "price" in body.slots:
            assert plan.net is not None, "an offer has a price"
            price = self._price(plan, fact, body, rng)
            values["price"] = price.text
            amount, stated = price.amount, None if price.stated is PriceBasis.UNKNOWN else price.stated
            net = amount if plan.basis is PriceBasis.NET else plan.net
            offers = (HotelOffer(amount=amount, basis=price.stated, label=plan.label if names_room else None),)
            if price.stated is PriceBasis.UNKNOWN:
                unclear.append(ClarifyTopic.NET_OR_SELLING)
            if price.plus_tax:
                unclear.append(ClarifyTopic.TAX)
        if "vague" in body.slots and plan.net is not None:
            values["vague"] = chinese_amounts.vague(plan.net, rng) if self._chinese else vague(plan.net, rng)
            unclear.append(ClarifyTopic.AMOUNT)
        if plan.condition is not None and "condition" in body.slots:
            words, topic = plan.condition
            values["condition"] = CONDITIONS_ZH[words] if self._chinese else words
            conditions = (values["condition"],)
            unclear.append(topic)
        if "ask" in body.slots and plan.ask is not None:
            named = self._echo(plan.ask, fact, rng)
            values["ask"] = named.text
            stated = PriceBasis.NET if named.stated is PriceBasis.NET else None
            if plan.kind is HotelMoveKind.AGREE:
                offers = (HotelOffer(amount=plan.ask, basis=named.stated, label=plan.label if names_room else None),)
        if plan.topic == "which_unclear":
            unclear.append(ClarifyTopic.WHICH_ROOM)
        if plan.topic in ("basis_net", "basis_selling"):
            stated = PriceBasis.NET if plan.topic == "basis_net" else PriceBasis.SELLING
        moods = [body.mood]
        text = _capital(body.text.format_map(values))
        if plan.kind is not HotelMoveKind.SILENCE:
            text, extra = self._surrounded(text, plan, rng)
            moods += extra
        mood = max(moods, key=_STRENGTH.__getitem__)
        careful = plan.kind is HotelMoveKind.AGREE
        if plan.kind is not HotelMoveKind.SILENCE:
            keep = (fact.room_type, fact.hotel_name, fact.currency)
            text = typed(text, self._profile.style, mood=str(mood), rng=rng, keep=keep, careful=careful, language=self._book.language)
        move = HotelMove(kind=plan.kind, mood=mood, offers=offers, unclear=tuple(dict.fromkeys(unclear)), conditions=conditions,
                         says_yes=careful, stated_basis=stated)  # fmt: skip
        return Spoken(text=text, move=move, offered_net=net, offered_as=amount)

    def _echo(self, ask: Decimal, fact: TicketFacts, rng: random.Random) -> SpokenPrice:
        surface = self._plain_surface(rng)
        state = PriceBasis.NET if rng.random() < 0.5 else PriceBasis.UNKNOWN
        if self._chinese:
            return chinese_amounts.echoed(ask, surface=surface, state=state, rng=rng)
        return speak(ask, surface=surface, state=state, currency=fact.currency, current_net=Decimal(0), rng=rng)

    def _dates(self, fact: TicketFacts) -> str:
        if self._chinese:
            return "至".join(f"{day.month}月{day.day}日" for day in (fact.check_in, fact.check_out))
        return f"{fact.check_in:%-d %B} to {fact.check_out:%-d %B}"

    def _price(self, plan: Plan, fact: TicketFacts, body: HotelPhrase, rng: random.Random) -> SpokenPrice:
        assert plan.net is not None
        amount = plan.net if plan.basis is PriceBasis.NET else selling_from_net(plan.net, fact.commission).quantize(Decimal(1))
        # "I cannot go lower than 10% off" turns the meaning round, so a last word is an amount.
        surface = Surface.DIGITS if plan.simple else self._plain_surface(rng) if plan.topic == "final" else self._surface(rng)
        # A cut is off today's net price; the words must say so, or nobody could know what it comes to.
        current = fact.current_net if plan.state and plan.basis is PriceBasis.NET else Decimal(0)
        state = plan.basis if plan.state else PriceBasis.UNKNOWN
        if self._chinese:
            fits = _TAKES_A_CUT.search(body.text) is not None
            return chinese_amounts.speak(amount, surface=surface, state=state, currency=fact.currency, current_net=current, rng=rng,
                                         reducible=fits)  # fmt: skip
        return speak(amount, surface=surface, state=state, currency=fact.currency, current_net=current, rng=rng)

    def _surface(self, rng: random.Random) -> Surface:
        surfaces, weights = _SURFACES[self._profile.style]
        return rng.choices(surfaces, weights=weights)[0]

    def _plain_surface(self, rng: random.Random) -> Surface:
        """A form for our own price, said back: with no tax on top and nothing taken off, or it would be another price."""
        surface = self._surface(rng)
        return Surface.DIGITS if surface in (Surface.PLUS_TAX, Surface.ALL_IN, Surface.CUT, Surface.PERCENT) else surface

    def _body(self, plan: Plan, rng: random.Random) -> HotelPhrase:
        lines = [line for line in self._book.hotel_lines(HotelPart.BODY, plan.kind, plan.topic) if plan.lever in (None, line.lever)]
        if plan.ask is None:
            lines = [line for line in lines if "ask" not in line.slots]
        return self._choose(lines, plan.mood, rng)

    def _choose(self, lines: list[HotelPhrase], mood: Mood, rng: random.Random) -> HotelPhrase:
        """A line in this mood and style that was not used yet, as far as there is one; held-out lines only for held-out hotels."""
        held_out = self._profile.held_out
        pool = [line for line in lines if line.held_out == held_out] or [line for line in lines if not line.held_out] or lines
        for wanted in (mood, Mood.ANNOYED if mood is Mood.ANGRY else Mood.NEUTRAL, Mood.NEUTRAL):
            in_mood = [line for line in pool if line.mood is wanted]
            if in_mood:
                pool = in_mood
                break
        style = self._profile.style
        own = [line for line in pool if style in line.styles]
        if not own or rng.random() > 0.6:
            own = [line for line in pool if not line.styles] or own or pool
        fresh = [line for line in own if line.text not in self._used] or own
        line = rng.choice(fresh)
        self._used.add(line.text)
        return line

    def _surrounded(self, text: str, plan: Plan, rng: random.Random) -> tuple[str, list[Mood]]:
        moods: list[Mood] = []
        style = self._profile.style
        terse = style is TypingStyle.TERSE
        # A yes stands alone: an opener such as "let's see" would take it back.
        if plan.kind in (HotelMoveKind.AGREE, HotelMoveKind.STOP):
            return text, moods
        if plan.opener is not None:
            topic, lever = plan.opener
            lines = [p for p in self._book.hotel_lines(HotelPart.OPENER, None, topic) if lever is None or p.lever is lever]
            if lines:
                text, moods = self._with_opener(text, self._choose(lines, plan.mood, rng), moods)
        elif rng.random() < (0.08 if terse else 0.35) and plan.kind is not HotelMoveKind.GREETING:
            lines = list(self._book.hotel_lines(HotelPart.OPENER, None, "any"))
            text, moods = self._with_opener(text, self._choose(lines, plan.mood, rng), moods)
        if rng.random() < (0.0 if terse else 0.15):
            tail = self._choose(list(self._book.hotel_lines(HotelPart.TAIL, None, "any")), plan.mood, rng)
            text, moods = self._and_then(text, tail.text), [*moods, tail.mood]
        if style is TypingStyle.CHATTY and rng.random() < 0.3:
            chatter = self._choose(list(self._book.hotel_lines(HotelPart.TAIL, None, "chatter")), plan.mood, rng)
            text = self._and_then(text, chatter.text)
        return text, moods

    def _and_then(self, text: str, more: str) -> str:
        if self._chinese:
            return f"{text}{'' if text[-1:] in _ZH_STOPS else '，' if len(text) < 12 else '。'}{more}"
        return f"{_ended(text)} {more}"

    def _with_opener(self, text: str, opener: HotelPhrase, moods: list[Mood]) -> tuple[str, list[Mood]]:
        if self._chinese:
            return self._and_then(opener.text, text), [*moods, opener.mood]
        if opener.text.endswith(","):
            start = (
                text if text[:2] in ("I ", "I'") or text[:1].isdigit() or text.split(" ", 1)[0].isupper() else text[:1].lower() + text[1:]
            )
            return f"{opener.text} {start}", [*moods, opener.mood]
        return f"{opener.text} {text}", [*moods, opener.mood]


_ZH_STOPS = "，。！？…~：；"
# "给您便宜20" and "便宜20，您看怎么样" are Chinese; after any other word a cut would not join on.
_TAKES_A_CUT = re.compile(r"(?:^|[您你就多能先，。！？：])\{price\}")


def _ended(text: str) -> str:
    return text if text[-1:] in ".!?…" else f"{text}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:] if text[:1].islower() else text
