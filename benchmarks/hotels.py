"""How the simulated hotels behave: ``python -m benchmarks.hotels [--n 1000] [--json] [--plots FOLDER]``.

Decided here: what is measured. Scripted BDs of four qualities against the same hotels; each lever with the matching argument and without;
each persona; the lengths, prices and agreements beside people's bargaining (``craigslist_dialogues``, in the folder that
``benchmarks.prices`` reads); and how fast a hotel answers.
Intervals are 95 %: Wilson's for shares, the normal one for means over conversations.
"""

import argparse
import json
import math
import statistics
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from agent.domain import TicketFacts
from agent.prices import PriceForm, find_prices
from agent.simulation import (
    HELD_OUT_PERSONAS,
    BDPart,
    Conversation,
    Lever,
    Persona,
    Quality,
    SimulatedHotel,
    converse,
    phrasebook,
    sample_profile,
    sample_tickets,
)
from agent.simulation.hearing import arguments_in
from benchmarks import hotel_plots
from benchmarks.prices import Row, rows_of
from db.vocabulary import HotelMoveKind, MoveKind, Stage

TODAY = date(2027, 1, 4)
PERSONA_SHARE = 5
"""Each persona gets one conversation for this many of ``--n``."""
LEVER_WORTH = 0.4
"""What the lever under test is worth to the hotel, as a share of its way."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean or share with its 95 % interval."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def share(hits: Iterable[bool]) -> Estimate:
    """A share with Wilson's interval; raises ValueError where nothing was counted."""
    counted = list(hits)
    n = len(counted)
    if n == 0:
        raise ValueError("a share needs at least one case")
    p, z = sum(counted) / n, 1.96
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return Estimate(round(p, 4), round(centre - half, 4), round(centre + half, 4), n)


def mean(values: Iterable[float]) -> Estimate:
    """A mean with its normal interval; raises ValueError where there are fewer than two values."""
    found = list(values)
    if len(found) < 2:
        raise ValueError("an interval needs at least two values")
    centre, half = statistics.fmean(found), 1.96 * statistics.stdev(found) / math.sqrt(len(found))
    return Estimate(round(centre, 4), round(centre - half, 4), round(centre + half, 4), len(found))


# -- conversations ----------------------------------------------------------------------------------------------------------------------


def captured(conversation: Conversation) -> list[float]:
    """Per ticket with a zone of possible agreement: the share of the zone that the deal won, 0 without a deal, at most 1."""
    shares: list[float] = []
    for (fact, mandate), ticket in zip(conversation.tickets, conversation.state.tickets, strict=True):
        zone = mandate.ceiling - conversation.profile.stance(fact.label).reservation
        if zone > 0:
            shares.append(0.0 if ticket.agreed is None else min(float((mandate.ceiling - ticket.agreed) / zone), 1.0))
    return shares


def in_zone(conversation: Conversation) -> list[bool]:
    """Per ticket with a zone of possible agreement: whether there was a deal."""
    return [
        ticket.agreed is not None
        for (fact, mandate), ticket in zip(conversation.tickets, conversation.state.tickets, strict=True)
        if mandate.ceiling > conversation.profile.stance(fact.label).reservation
    ]


def by_quality(n: int) -> dict[Quality, list[Conversation]]:
    """The same ``n`` hotels against each quality of scripted BD."""
    return {
        quality: [converse(seed, today=TODAY, quality=quality) for seed in track(range(n), f"{quality} BD")]
        for quality in (Quality.EXCELLENT, Quality.FINE, Quality.CLUMSY, Quality.WRONG)
    }


def quality_figures(conversations: Sequence[Conversation]) -> dict[str, Estimate]:
    """What one quality of BD reaches."""
    return {
        "agreement": share(agreed for c in conversations for agreed in in_zone(c)),
        "price captured": mean(won for c in conversations for won in captured(c)),
        "goodwill at the end": mean(c.answers[-1].inner.goodwill for c in conversations),
        "turns of ours": mean(float(len(c.exchanges)) for c in conversations),
    }


def persona_figures(persona: Persona, n: int) -> dict[str, Estimate | float | bool]:
    """What an excellent BD meets with one persona."""
    met = [converse(seed, today=TODAY, persona=persona) for seed in range(n)]
    answers = [answer for c in met for answer in c.answers]
    return {
        "held out": persona in HELD_OUT_PERSONAS,
        "agreement": share(agreed for c in met for agreed in in_zone(c)),
        "price captured": mean(won for c in met for won in captured(c)),
        "goodwill at the end": mean(c.answers[-1].inner.goodwill for c in met),
        "turns of ours": mean(float(len(c.exchanges)) for c in met),
        "silence": share(answer.truth.kind is HotelMoveKind.SILENCE for answer in answers),
        "late": share(answer.late for answer in answers),
        "median delay, s": round(statistics.median(answer.delay_s for answer in answers if answer.text), 1),
    }


# -- levers -----------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LeverEffect:
    """What one argument does to a hotel, beside the same message without it. Price as a share of the way to the reservation value."""

    lever: str
    heard: Estimate
    """Share of the phrasebook's lines for this argument in which the hotel hears it."""
    price_if_welcome: Estimate
    price_if_not: Estimate
    goodwill_if_welcome: Estimate
    goodwill_if_disliked: Estimate


def argument_lines(lever: Lever) -> list[str]:
    """Our good reasons of one kind."""
    lines = [
        line
        for quality in (Quality.EXCELLENT, Quality.FINE)
        for line in phrasebook().bd_lines(BDPart.REASON, MoveKind.ASK, quality)
        if line.argument is lever and line.language == "en"
    ]
    return [line.text for line in lines]


def lever_effect(lever: Lever, n: int) -> LeverEffect:
    """One argument of this kind in the first request, in ``n`` hotels that welcome it, that do not care, and that dislike it."""
    lines = argument_lines(lever)
    price_welcome: list[float] = []
    price_not: list[float] = []
    goodwill_welcome: list[float] = []
    goodwill_disliked: list[float] = []
    for seed in range(n):
        fact, _ = next(iter(sample_tickets(seed, 1, today=TODAY)))
        values = _values(fact)
        usable = [line for line in lines if _fillable(line, values) and lever in arguments_in(line)]
        if not usable:
            continue
        argument = usable[seed % len(usable)].format_map(values)
        other = next(one for one in Lever if one not in arguments_in(argument))
        for levers, disliked, price, goodwill in (
            ({lever: LEVER_WORTH}, frozenset[Lever](), price_welcome, goodwill_welcome),
            ({other: LEVER_WORTH}, frozenset[Lever](), price_not, None),
            ({other: LEVER_WORTH}, frozenset({lever}), None, goodwill_disliked),
        ):
            with_it, without = (_after(fact, seed, levers, disliked, reason) for reason in (argument, ""))
            if price is not None:
                price.append(with_it[0] - without[0])
            if goodwill is not None:
                goodwill.append(with_it[1] - without[1])
    return LeverEffect(
        lever=str(lever),
        heard=share(lever in arguments_in(line) or "{competitor_source}" in line for line in lines),
        price_if_welcome=mean(price_welcome),
        price_if_not=mean(price_not),
        goodwill_if_welcome=mean(goodwill_welcome),
        goodwill_if_disliked=mean(goodwill_disliked),
    )


def _after(fact: TicketFacts, seed: int, levers: dict[Lever, float], disliked: frozenset[Lever], reason: str) -> tuple[float, float]:
    """Share of the way and goodwill after a greeting and one request with or without a reason."""
    drawn = sample_profile((fact,), seed)
    profile = replace(drawn, levers=levers, dislikes=disliked, wrong_person=False, legal_minded=False)
    stance = profile.stance(fact.label)
    hotel = SimulatedHotel(profile, (fact,), seed=seed)
    hotel.hear(f"Good day, are you the person who decides on rates at {fact.hotel_name}?")
    ask = (stance.opening * Decimal("0.8")).quantize(Decimal(1))
    hotel.hear(f"Thank you. {reason} Could we say {fact.currency} {ask} net for the {fact.room_type}?")
    inner = hotel.inner()
    way = stance.opening - stance.reservation
    return float((stance.opening - inner.rooms[0].willing) / way) if way else 0.0, inner.goodwill


def _values(fact: TicketFacts) -> dict[str, str]:
    values = {
        "hotel": fact.hotel_name, "room": fact.room_type, "check_in": f"{fact.check_in:%-d %B}", "check_out": f"{fact.check_out:%-d %B}",
        "dates": f"{fact.check_in:%-d %B} to {fact.check_out:%-d %B}", "current_selling": f"{fact.currency} {fact.current_selling}",
    }  # fmt: skip
    if fact.competitor_price is not None:
        values |= {
            "competitor_price": f"{fact.currency} {fact.competitor_price}", "competitor_source": str(fact.competitor_source),
            "seen_on": f"{fact.competitor_seen_on:%-d %B}",
        }  # fmt: skip
    return values


def _fillable(line: str, values: dict[str, str]) -> bool:
    try:
        line.format_map(values)
    except KeyError:
        return False
    return True


# -- beside people ----------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Talk:
    """One bargaining talk, ours or people's, in figures that both have."""

    messages: int
    priced: int
    """Messages that name an amount of money, buttons for an offer included."""
    deal: bool
    price: float | None
    """Where the deal lies between the buyer's wish (0) and the price at the start (1); None without one."""


def own_talks(conversations: Iterable[Conversation]) -> list[Talk]:
    """Conversations about one room: the buyer's wish is our target, the start is today's net price."""
    talks: list[Talk] = []
    for c in conversations:
        if len(c.tickets) > 1:
            continue
        fact, mandate = next(iter(c.tickets))
        agreed = next(ticket.agreed for ticket in c.state.tickets)
        said = [e.reply.text for e in c.exchanges] + [answer.text for answer in c.answers]
        span = fact.current_net - mandate.target
        price = None if agreed is None or not span else float((agreed - mandate.target) / span)
        priced = sum(_names_price(text, fact.current_net) for text in said)
        talks.append(Talk(c.messages, priced, c.state.stage is Stage.AGREED, price))
    return talks


def people_talks(rows: Iterable[Row]) -> list[Talk]:
    """Talks with at least one message each way; the buyer's wish and the price at the start are those of their task sheets."""
    talks: list[Talk] = []
    for row in rows:
        texts = [turn["text"] for turn in row["turns"] if turn["act"] == "message"]
        if {turn["role"] for turn in row["turns"] if turn["act"] == "message"} != {"buyer", "seller"}:
            continue
        span = row["list_price"] - row["buyer_target"]
        price = (row["final_price"] - row["buyer_target"]) / span if row["deal"] and row["final_price"] is not None and span else None
        priced = sum(_names_price(text, Decimal(str(row["list_price"]))) for text in texts)
        buttons = sum(turn["act"] == "offer" for turn in row["turns"])
        talks.append(Talk(len(texts) + buttons, priced + buttons, bool(row["deal"]), price))
    return talks


def _names_price(text: str, start: Decimal) -> bool:
    if not text:
        return False
    amounts = [m.value for m in find_prices(text, scale=start) if m.form is PriceForm.ABSOLUTE and m.value is not None]
    return any(start / 4 <= value <= start * 2 for value in amounts)


def talk_figures(talks: Sequence[Talk]) -> dict[str, Estimate | list[float]]:
    """Means with intervals and quartiles of what talks have in common; prices far outside of wish and start count as 1.5 or -0.5."""
    prices = [min(max(talk.price, -0.5), 1.5) for talk in talks if talk.price is not None]
    return {
        "messages": mean(float(talk.messages) for talk in talks),
        "messages, quartiles": statistics.quantiles((talk.messages for talk in talks), n=4),
        "messages with a price": mean(float(talk.priced) for talk in talks),
        "messages with a price, quartiles": statistics.quantiles((talk.priced for talk in talks), n=4),
        "agreement": share(talk.deal for talk in talks),
        "price between wish and start": mean(prices),
        "price, quartiles": [round(quartile, 3) for quartile in statistics.quantiles(prices, n=4)],
    }


# -- speed ------------------------------------------------------------------------------------------------------------------------------


def turns_a_second(conversations: Sequence[Conversation]) -> float:
    """Messages that hotels hear and answer in a second of one core, on the replies of these conversations; the best of three runs."""
    heard = [(c, tuple(fact for fact, _ in c.tickets), [e.reply.text for e in c.exchanges]) for c in conversations]
    seconds: list[float] = []
    for _ in range(3):
        started = time.process_time()
        for conversation, facts, texts in heard:
            hotel = SimulatedHotel(conversation.profile, facts, seed=0)
            for text in texts:
                hotel.hear(text)
        seconds.append(time.process_time() - started)
    return round(sum(len(texts) for _, _, texts in heard) / min(seconds), 1)


def main() -> None:
    """Measure, print, and draw where a folder is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=1000, help="conversations per quality of BD")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--plots", type=Path, help="folder for PNG pictures")
    arguments = parser.parse_args()
    console = Console()
    runs = by_quality(arguments.n)
    qualities = {str(quality): quality_figures(met) for quality, met in runs.items()}
    _print(console, "Scripted BDs against the same hotels", qualities)
    argued = (lever for lever in Lever if lever is not Lever.EVIDENCE)
    levers = [lever_effect(lever, arguments.n) for lever in argued]
    _print(console, f"An argument of ours beside none; the lever is worth {LEVER_WORTH} of the way", {
        effect.lever: {key: value for key, value in _fields(effect).items() if key != "lever"} for effect in levers
    })  # fmt: skip
    people = sorted(Persona, key=lambda persona: (persona in HELD_OUT_PERSONAS, persona))
    personas = {str(persona): persona_figures(persona, max(arguments.n // PERSONA_SHARE, 2)) for persona in track(people, "personas")}
    _print(console, "Personas, excellent BD", personas)
    talks = {"simulated, excellent BD": own_talks(runs[Quality.EXCELLENT]), "simulated, clumsy BD": own_talks(runs[Quality.CLUMSY])}
    try:
        talks["people (CraigslistBargain)"] = people_talks(rows_of("craigslist_dialogues"))
    except FileNotFoundError as missing:
        console.print(f"Not compared with people: {missing}")
    beside = {name: talk_figures(found) for name, found in talks.items()}
    _print(console, "Beside people's bargaining", beside)
    speed = turns_a_second(runs[Quality.EXCELLENT])
    console.print(f"A hotel hears and answers {speed:,.0f} messages a second on one core.")
    if arguments.plots:
        arguments.plots.mkdir(parents=True, exist_ok=True)
        for picture in hotel_plots.draw(arguments.plots, qualities, runs, levers, personas, talks):
            console.print(f"drew {picture}")
    if arguments.json:
        figures = {
            "n": arguments.n,
            "qualities": qualities,
            "levers": levers,
            "personas": personas,
            "talks": beside,
            "turns_a_second": speed,
        }
        print(json.dumps(figures, default=_plain))


def _fields(effect: LeverEffect) -> dict[str, object]:
    return {name: getattr(effect, name) for name in LeverEffect.__slots__}


def _plain(value: object) -> object:
    if isinstance(value, Estimate | LeverEffect):
        return asdict(value)
    raise TypeError(f"no figure: {value!r}")


def _print(console: Console, title: str, rows: Mapping[str, Mapping[str, object]]) -> None:
    names = list(next(iter(rows.values())))
    table = Table("", *names, title=title)
    for name, figures in rows.items():
        table.add_row(name, *(str(figures[column]) for column in names))
    console.print(table)


if __name__ == "__main__":
    main()
