"""Invented names of hotels, rooms and booking sites, and many currencies, so that the model learns to copy instead of remembering.

What comes in few forms is guessed, not copied: a model that knew twenty room grades wrote one of them for any other.

Held-out names come from word lists and syllables of their own: a model that spells them right has copied them.
"""

import random

_HOTEL_WORDS = (
    "Harbour", "Palm", "Garden", "Crown", "Royal", "Lotus", "Riverside", "Sunset", "Pearl", "Imperial", "Grand", "Central", "Park",
    "Plaza", "Ocean", "Lake", "Hill", "Forest", "Golden", "Silver", "Orchid", "Bay", "Castle", "Bridge", "Station", "Market", "Temple",
    "Cedar", "Olive", "Coral", "Marina", "Boulevard", "Heritage", "Regent", "Windsor", "Atlantic", "Pacific", "Alpine", "Valley", "Blue",
    "White", "Green", "Red", "Old", "New", "North", "South", "East", "West", "Star", "Moon", "Jade", "Amber", "Ivory", "Maple", "Willow",
    "Swan", "Eagle", "Fox", "Lion", "Anchor", "Lantern", "Compass", "Mill", "Abbey", "Opera", "Museum", "Cathedral", "Airport", "Skyline",
)  # fmt: skip
_HELD_OUT_HOTEL_WORDS = (
    "Thistle", "Quarry", "Juniper", "Falcon", "Meridian", "Saffron", "Horizon", "Beacon", "Velvet", "Copper", "Linden", "Mosaic", "Prairie",
    "Canal", "Terrace", "Citadel", "Heron", "Indigo", "Magnolia", "Summit",
)  # fmt: skip
_HOTEL_KINDS = (
    "Hotel", "Inn", "Resort", "Suites", "Lodge", "House", "Residence", "Boutique Hotel", "Guesthouse", "Palace", "Resort & Spa", "Hostel",
    "Apartments", "Villas", "Business Hotel", "Retreat", "Pension", "Ryokan", "Riad", "Serviced Apartments",
)  # fmt: skip
_ONSETS = ("b", "br", "c", "ch", "d", "dr", "f", "g", "gr", "h", "j", "k", "kr", "l", "m", "n", "p", "pr", "r", "s", "sh", "st", "t", "th",
           "tr", "v", "w", "y", "z")  # fmt: skip
_VOWELS = ("a", "e", "i", "o", "u", "ai", "ea", "ie", "oo", "ou", "á", "é", "ö", "ü")
_CODAS = ("", "", "", "n", "r", "l", "s", "m", "ng", "k", "t", "nd", "x", "sk", "rg")
_HELD_OUT_ONSETS = ("bl", "cl", "fl", "gl", "pl", "sc", "sn", "sp", "qu", "wh", "zh", "sl")
_HELD_OUT_CODAS = ("", "", "rn", "lt", "mp", "ck", "rd", "sh", "ft")

_ROOM_GRADES = (
    "Standard", "Superior", "Deluxe", "Premier", "Executive", "Classic", "Comfort", "Family", "Junior", "Grand", "Club", "Economy",
    "Business", "Premium", "Signature", "Cosy", "Royal", "Garden", "Rooftop", "Corner",
)  # fmt: skip
_HELD_OUT_ROOM_GRADES = ("Panorama", "Landmark", "Loft-style", "Prestige", "Courtyard", "Harbourside", "Essential", "Ambassador")
_ROOM_KINDS = (
    "King", "Twin", "Double", "Queen", "Single", "Room", "Suite", "Studio", "Triple", "King Room", "Twin Room", "Double Room",
    "Queen Room", "Bungalow", "Villa", "Apartment", "Dormitory", "Quadruple", "Family Room", "Penthouse",
)  # fmt: skip
_HELD_OUT_ROOM_KINDS = ("Duplex", "Maisonette", "Double-Double", "Cabin", "Tatami Room", "Loft")
_ROOM_EXTRAS = (
    "with Sea View", "City View", "with Balcony", "Non-Smoking", "High Floor", "with Terrace", "Lake View", "Pool Access",
    "with Kitchenette", "Garden View", "Mountain View", "with Lounge Access", "Ground Floor",
)  # fmt: skip
_HELD_OUT_ROOM_EXTRAS = ("Canal View", "with Fireplace", "Quiet Side", "with Sauna")


_SITE_ENDINGS = (".com", ".net", ".travel", "", " Hotels", " Travel", " Rooms", "stay", "trip", "booking")
_CURRENCIES = (
    "USD", "EUR", "GBP", "JPY", "CNY", "THB", "SGD", "MYR", "HKD", "AUD", "NZD", "CAD", "CHF", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF",
    "TRY", "AED", "SAR", "QAR", "INR", "IDR", "VND", "PHP", "KRW", "TWD", "ZAR", "MXN", "BRL", "ARS", "CLP", "COP", "PEN", "EGP", "MAD",
    "KES", "ILS", "RON", "BGN", "ISK", "LKR", "KWD", "OMR",
)  # fmt: skip


def booking_site(rng: random.Random, *, held_out: bool = False) -> str:
    """A site where a price was seen, such as ``Dramoo.travel``."""
    return f"{_coined(rng, held_out=held_out)}{rng.choice(_SITE_ENDINGS)}"


def currency(rng: random.Random) -> str:
    """An ISO 4217 code."""
    return rng.choice(_CURRENCIES)


def hotel_name(rng: random.Random, *, held_out: bool = False) -> str:
    """A hotel's name, such as ``Hotel Drouna`` or ``Cedar Bridge Inn``."""
    words = _HELD_OUT_HOTEL_WORDS if held_out else _HOTEL_WORDS
    kind = rng.choice(_HOTEL_KINDS)
    place = _coined(rng, held_out=held_out)
    match rng.randrange(7):
        case 0:
            return f"Hotel {place}"
        case 1:
            return f"{place} {kind}"
        case 2:
            return f"{rng.choice(words)} {kind}"
        case 3:
            return f"The {rng.choice(words)} {kind}"
        case 4:
            return f"{rng.choice(words)} {rng.choice(words)} {kind}"
        case 5:
            return f"{rng.choice(words)} {kind} {place}"
        case _:
            return f"{place} {rng.choice(words)} {kind}"


def room_type(rng: random.Random, *, held_out: bool = False) -> str:
    """A room type, such as ``Deluxe Twin`` or ``Superior King Room with Balcony``."""
    grades, kinds, extras = (
        (_HELD_OUT_ROOM_GRADES, _ROOM_KINDS + _HELD_OUT_ROOM_KINDS, _HELD_OUT_ROOM_EXTRAS)
        if held_out
        else (_ROOM_GRADES, _ROOM_KINDS, _ROOM_EXTRAS)
    )
    # Any word can be a grade, and half of them are.
    words = _HELD_OUT_HOTEL_WORDS if held_out else _HOTEL_WORDS
    grade = rng.choice((rng.choice(grades), rng.choice(grades), rng.choice(words), _coined(rng, held_out=held_out)))
    name = f"{grade} {rng.choice(kinds)}"
    return f"{name} {rng.choice(extras)}" if rng.random() < 0.25 else name


def _coined(rng: random.Random, *, held_out: bool) -> str:
    onsets, codas = (_HELD_OUT_ONSETS, _HELD_OUT_CODAS) if held_out else (_ONSETS, _CODAS)
    syllables = [rng.choice(onsets) + rng.choice(_VOWELS) + rng.choice(codas) for _ in range(rng.choice((1, 2, 2, 3)))]
    return "".join(syllables).capitalize()
