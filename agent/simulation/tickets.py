"""Plausible price-chase tickets for demos, corpora and benchmarks: invented hotels in real cities, with the mandate of each ticket.

Decided here: the distributions. Competitor prices put the target in reach of a reason; the ceiling lies below today's net price, and
nothing here knows what the hotel would take, so a zone of agreement usually exists and sometimes does not.
"""

import random
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_FLOOR, Decimal

from agent.domain import Mandate, TicketFacts, selling_from_net
from agent.simulation.amounts import spoken_step
from db.vocabulary import ConcessionTactic


@dataclass(frozen=True, slots=True)
class City:
    """A city with its currency and what an ordinary double room earns there, net, per night."""

    name: str
    country: str
    currency: str
    usual_net: int
    timezone: str


CITIES: tuple[City, ...] = (
    City("Lisbon", "Portugal", "EUR", 120, "Europe/Lisbon"),
    City("Porto", "Portugal", "EUR", 95, "Europe/Lisbon"),
    City("Valencia", "Spain", "EUR", 105, "Europe/Madrid"),
    City("Bologna", "Italy", "EUR", 125, "Europe/Rome"),
    City("Vienna", "Austria", "EUR", 140, "Europe/Vienna"),
    City("Leipzig", "Germany", "EUR", 98, "Europe/Berlin"),
    City("Edinburgh", "United Kingdom", "GBP", 135, "Europe/London"),
    City("York", "United Kingdom", "GBP", 110, "Europe/London"),
    City("Copenhagen", "Denmark", "DKK", 1150, "Europe/Copenhagen"),
    City("Kraków", "Poland", "PLN", 420, "Europe/Warsaw"),
    City("Prague", "Czechia", "CZK", 2600, "Europe/Prague"),
    City("Istanbul", "Türkiye", "USD", 95, "Europe/Istanbul"),
    City("Marrakesh", "Morocco", "EUR", 88, "Africa/Casablanca"),
    City("Cape Town", "South Africa", "ZAR", 1900, "Africa/Johannesburg"),
    City("Nairobi", "Kenya", "USD", 130, "Africa/Nairobi"),
    City("Dubai", "United Arab Emirates", "AED", 520, "Asia/Dubai"),
    City("Jaipur", "India", "INR", 5200, "Asia/Kolkata"),
    City("Bangkok", "Thailand", "THB", 2400, "Asia/Bangkok"),
    City("Chiang Mai", "Thailand", "THB", 1600, "Asia/Bangkok"),
    City("Hanoi", "Vietnam", "USD", 72, "Asia/Ho_Chi_Minh"),
    City("Singapore", "Singapore", "SGD", 260, "Asia/Singapore"),
    City("Penang", "Malaysia", "MYR", 310, "Asia/Kuala_Lumpur"),
    City("Hong Kong", "Hong Kong", "HKD", 980, "Asia/Hong_Kong"),
    City("Shanghai", "China", "CNY", 560, "Asia/Shanghai"),
    City("Osaka", "Japan", "JPY", 15500, "Asia/Tokyo"),
    City("Melbourne", "Australia", "AUD", 215, "Australia/Melbourne"),
    City("Auckland", "New Zealand", "NZD", 230, "Pacific/Auckland"),
    City("Montréal", "Canada", "CAD", 195, "America/Toronto"),
    City("Chicago", "United States", "USD", 185, "America/Chicago"),
    City("San Diego", "United States", "USD", 205, "America/Los_Angeles"),
    City("Mérida", "Mexico", "USD", 84, "America/Merida"),
    City("Cusco", "Peru", "USD", 76, "America/Lima"),
)
_FIRST = (
    "Amber", "Cedar", "Harbour", "Juniper", "Lantern", "Marble", "Old Mill", "Olive", "Orchard", "Quay", "River", "Saffron", "Silver Birch",
    "Stone Bridge", "Tamarind", "Terrace", "Willow", "Copper", "Lighthouse", "Meadow", "Jasmine", "Granite", "Northern Star", "Blue Heron",
    "Clock Tower", "Garden Gate", "Walnut", "Coral", "Fern", "Market Square", "Linden", "Fig Tree", "Ivory", "Sundial", "Weaver's",
)  # fmt: skip
_SECOND = ("Hotel", "House", "Inn", "Residence", "Suites", "Court", "Lodge", "Plaza", "Boutique Hotel", "Grand Hotel")
_ROOMS: tuple[tuple[str, float], ...] = (
    ("Standard Double", 0.9), ("Standard Twin", 0.9), ("Superior Double", 1.05), ("Deluxe King", 1.25), ("Deluxe Twin", 1.2),
    ("Family Room", 1.4), ("Junior Suite", 1.7), ("Executive King", 1.45), ("Garden View Double", 1.15), ("Sea View Queen", 1.35),
    ("Club Room", 1.5), ("Classic Single", 0.75), ("Studio", 1.1), ("Premier Queen", 1.3), ("Two-Bedroom Suite", 2.2),
)  # fmt: skip
SOURCES = ("Agoda", "Expedia", "Hotels.com", "Trip.com", "Traveloka", "the hotel's own site", "Priceline", "Hostelworld")
_EVIDENCE = (
    "The {room} had rooms open on every night of {month} when we last looked.",
    "Guests mention the friendly staff in most of the recent reviews of {hotel}.",
    "The last reviews praise how quiet the {room} is.",
    "Two similar hotels nearby opened new rooms this year.",
    "Most guests who looked at the {room} last month compared it with other hotels before leaving the page.",
    "Travellers to {city} often book midweek stays in {month}.",
    "{hotel} has been a partner of ours for several years.",
    "The {room} was renovated recently and the photos on our page are up to date.",
    "Weeknights in {month} are booked later than weekends in {city}.",
    "Many guests of {hotel} come back a second time.",
)


def sample_tickets(seed: int, n: int | None = None, *, today: date) -> tuple[tuple[TicketFacts, Mandate], ...]:
    """Tickets of one hotel, labelled from 1: ``n`` of them, or mostly one and sometimes two or three. The same seed gives the same.

    ``today`` places the stay 10 to 150 days ahead. Raises ValueError where ``n`` is not between 1 and the number of room types.
    """
    rng = random.Random(f"tickets:{seed}")
    count = rng.choices((1, 2, 3), weights=(78, 16, 6))[0] if n is None else n
    if not 1 <= count <= len(_ROOMS):
        raise ValueError(f"a hotel has 1 to {len(_ROOMS)} tickets here, not {count}")
    city = sample_city(seed)
    hotel = _hotel_name(rng, city)
    standing = rng.lognormvariate(0, 0.35)
    check_in = today + timedelta(days=rng.randint(10, 150))
    check_out = check_in + timedelta(days=rng.choice((2, 3, 5, 7, 10, 14, 21, 30)))
    commission = Decimal(rng.choice((12, 13, 14, 15, 15, 15, 16, 17, 18, 18, 20, 22))) / 100
    rooms = rng.sample(_ROOMS, k=count)
    source = rng.choice(SOURCES)
    return tuple(
        _ticket(rng, label=label, city=city, hotel=hotel, room=room, net=city.usual_net * factor * standing,
                check_in=check_in, check_out=check_out, commission=commission, source=source, today=today)
        for label, (room, factor) in enumerate(rooms, start=1)
    )  # fmt: skip


def sample_city(seed: int) -> City:
    """The city in which ``sample_tickets(seed)`` puts its hotel."""
    return random.Random(f"city:{seed}").choice(CITIES)


def _hotel_name(rng: random.Random, city: City) -> str:
    name = f"{rng.choice(_FIRST)} {rng.choice(_SECOND)}"
    return f"{name} {city.name}" if rng.random() < 0.3 else name


def _ticket(
    rng: random.Random,
    *,
    label: int,
    city: City,
    hotel: str,
    room: str,
    net: float,
    check_in: date,
    check_out: date,
    commission: Decimal,
    source: str,
    today: date,
) -> tuple[TicketFacts, Mandate]:
    current_net = _spoken(Decimal(str(round(net, 2))))
    selling = selling_from_net(current_net, commission)
    competitor = rng.random() < 0.65
    # What the price should come to, as a share of today's: a competitor's price is the reason for it where there is one.
    wanted = rng.uniform(0.82, 0.95)
    competitor_price = _spoken(selling * Decimal(str(round(wanted + rng.uniform(-0.01, 0.03), 4)))) if competitor else None
    target = _spoken(current_net * Decimal(str(round(wanted, 4))))
    room_left = current_net - target
    ceiling = max(_spoken(target + room_left * Decimal(str(round(rng.uniform(0.3, 0.85), 3)))), target)
    opening = min(_spoken(target * Decimal(str(round(rng.uniform(0.91, 0.98), 4)))), target)
    tactic = rng.choice(tuple(ConcessionTactic))
    month = f"{check_in:%B}"
    lines = rng.sample(_EVIDENCE, k=rng.choice((0, 1, 1, 2)))
    facts = TicketFacts(
        label=label,
        hotel_name=hotel,
        room_type=room,
        check_in=check_in,
        check_out=check_out,
        currency=city.currency,
        current_net=current_net,
        commission=commission,
        rooms=rng.choice((1, 1, 2, 3, 5)),
        breakfast=rng.choice((True, False, None)),
        tax_included=rng.choice((True, True, False, None)),
        competitor_price=competitor_price,
        competitor_source=source if competitor else None,
        competitor_seen_on=today - timedelta(days=rng.randint(0, 4)) if competitor else None,
        evidence=tuple(line.format(room=room, hotel=hotel, city=city.name, month=month) for line in lines),
    )
    mandate = Mandate(
        target=target,
        ceiling=ceiling,
        opening_ask=opening,
        tactic=tactic,
        exponent=rng.choice((2.0, 3.0, 4.0)),
        max_rounds=rng.choice((5, 6, 6, 7)),
    )
    return facts, mandate


def _spoken(amount: Decimal) -> Decimal:
    step = spoken_step(amount)
    return (amount / step).to_integral_value(ROUND_FLOOR) * step
