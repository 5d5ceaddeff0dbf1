"""How a hotel speaks an amount: the colloquial surface forms of a price, made by code so that each can be read back.

Decided here: which forms there are, and that every form carries its meaning with it (``SpokenPrice``), so that a reader's label is never
guessed from the text.
"""

import random
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from enum import StrEnum

from agent.domain import plain
from db.vocabulary import PriceBasis


class Surface(StrEnum):
    """One way to put a price."""

    DIGITS = "digits"
    """"430", "1,250"."""
    CURRENCY = "currency"
    """"$430", "430 USD"."""
    WORDS = "words"
    """"four hundred and thirty"."""
    SPOKEN = "spoken"
    """"four thirty", "two fifty"."""
    THOUSANDS = "thousands"
    """"1.2k", "1k2", "52k"."""
    PLUS_TAX = "plus_tax"
    """"430++", "430 plus tax"."""
    ALL_IN = "all_in"
    """"430 all in"."""
    CUT = "cut"
    """"knock 20 off", "20 less" against today's net price."""
    PERCENT = "percent"
    """"10% off" today's net price."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenPrice:
    """A price as it is said, with what it means: ``amount`` of kind ``meant``, of which the words themselves state ``stated``."""

    text: str
    surface: Surface
    amount: Decimal
    stated: PriceBasis
    plus_tax: bool = False


_ROUNDS_AT_MOST = Decimal("1.003")
"""A percentage that would miss the amount by more is not used."""
_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["zero", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def spelled(number: int, *, joiner: str = " and ") -> str:
    """A whole number in English words; raises ValueError outside 0 … 999,999,999."""
    if not 0 <= number < 1_000_000_000:
        raise ValueError(f"{number} is not spelled out: only 0 to 999,999,999 are")
    if number < 20:
        return _ONES[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return _TENS[tens] + (f"-{_ONES[ones]}" if ones else "")
    for size, name in ((1_000_000, "million"), (1000, "thousand"), (100, "hundred")):
        if number >= size:
            head, rest = divmod(number, size)
            tail = f"{joiner if rest < 100 else ' '}{spelled(rest, joiner=joiner)}" if rest else ""
            return f"{spelled(head, joiner=joiner)} {name}{tail}"
    raise AssertionError("unreachable")


def _digits(amount: Decimal, rng: random.Random) -> str:
    if amount >= 1000 and rng.random() < 0.5:
        return f"{amount.normalize():,f}"
    return plain(amount)


def _with_currency(amount: Decimal, currency: str, rng: random.Random) -> str:
    number = _digits(amount, rng)
    symbol = _SYMBOLS.get(currency)
    if symbol and rng.random() < 0.6:
        return f"{symbol}{number}"
    return rng.choice((f"{currency} {number}", f"{number} {currency}"))


def _spoken(amount: Decimal) -> str | None:
    if amount != amount.to_integral_value() or not 110 <= amount <= 9990:
        return None
    number = int(amount)
    head, rest = divmod(number, 100)
    if number < 1000 and rest >= 10:
        return f"{_ONES[head]} {spelled(rest)}"
    if 1100 <= number < 2000 and rest == 0:
        return f"{_ONES[head]} hundred"
    return None


def _thousands(amount: Decimal, rng: random.Random) -> str | None:
    if amount < 1000 or amount % 100:
        return None
    whole, rest = divmod(amount, 1000)
    if rest and amount < 10_000 and rng.random() < 0.4:
        return f"{int(whole)}k{int(rest) // 100}"
    return f"{plain(amount / 1000)}k"


def absolute(surface: Surface, amount: Decimal, currency: str, rng: random.Random) -> str | None:
    """The bare amount in one absolute form, without net or selling; None where the form cannot say this amount."""
    whole = amount == amount.to_integral_value()
    match surface:
        case Surface.DIGITS:
            return _digits(amount, rng)
        case Surface.CURRENCY:
            return _with_currency(amount, currency, rng)
        case Surface.WORDS:
            return spelled(int(amount), joiner=rng.choice((" and ", " "))) if whole and amount < 100_000 else None
        case Surface.SPOKEN:
            return _spoken(amount)
        case Surface.THOUSANDS:
            return _thousands(amount, rng)
        case Surface.PLUS_TAX:
            number = _digits(amount, rng)
            return rng.choice((f"{number}++", f"{number} plus tax", f"{number} plus tax and service"))
        case Surface.ALL_IN:
            return f"{_digits(amount, rng)} all in"
        case Surface.CUT | Surface.PERCENT:
            return None


_NET_FORMS = ("{} net", "{} net", "net {}", "{} net to us", "a net rate of {}", "{} net")
_SELLING_FORMS = ("{} selling", "a selling price of {}", "selling price {}", "{} selling")


def speak(amount: Decimal, *, surface: Surface, state: PriceBasis, currency: str, current_net: Decimal, rng: random.Random) -> SpokenPrice:
    """Say ``amount`` in a form; where the form cannot say it, in plain digits.

    ``state`` is the kind of price that the words shall name (UNKNOWN: they leave it open). Cuts and percentages are taken off
    ``current_net``, and what they come to is the amount of the result, which may differ from the one asked for by rounding.
    """
    if surface in (Surface.CUT, Surface.PERCENT) and state is not PriceBasis.SELLING and amount < current_net:
        reduced = _reduced(surface, amount, current_net, state, rng)
        if reduced is not None:
            return reduced
    said = absolute(surface, amount, currency, rng)
    if said is None:
        surface, said = Surface.DIGITS, _digits(amount, rng)
    plus_tax = surface is Surface.PLUS_TAX
    if state is PriceBasis.NET:
        said = _with_kind(said, "net") if plus_tax or surface is Surface.ALL_IN else rng.choice(_NET_FORMS).format(said)
    elif state is PriceBasis.SELLING and plus_tax:
        said = f"{_digits(amount, rng)}++ selling"
    elif state is PriceBasis.SELLING:
        said = _with_kind(said, "selling") if surface is Surface.ALL_IN else rng.choice(_SELLING_FORMS).format(said)
    return SpokenPrice(text=said, surface=surface, amount=amount, stated=state, plus_tax=plus_tax)


def _with_kind(said: str, kind: str) -> str:
    """The kind goes before what comes on top: "430 net plus tax", "430++ net"."""
    number, space, rest = said.partition(" ")
    return f"{number} {kind}{space}{rest}"


def _reduced(surface: Surface, amount: Decimal, current_net: Decimal, state: PriceBasis, rng: random.Random) -> SpokenPrice | None:
    suffix = rng.choice((" the net rate", " the net price", " our net rate")) if state is PriceBasis.NET else ""
    if surface is Surface.PERCENT:
        # The concession is rounded down to a whole share, so that it never gives more than was meant.
        share = int((current_net - amount) * 100 / current_net)
        if share < 1:
            return None
        text = f"{share}% off{suffix}" if suffix or rng.random() < 0.7 else f"a {share}% discount"
        come_to = (current_net * (100 - share) / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)
        if come_to > amount * _ROUNDS_AT_MOST:
            return None
        return SpokenPrice(text=text, surface=surface, amount=come_to, stated=state)
    off = current_net - amount
    if off < 1:
        return None
    text = f"{plain(off)} off{suffix}" if suffix or rng.random() < 0.6 else f"{plain(off)} less"
    return SpokenPrice(text=text, surface=surface, amount=amount, stated=state)


def vague(amount: Decimal, rng: random.Random) -> str:
    """A region instead of an amount ("mid 400s", "four-something"), which has to be asked about."""
    size = Decimal(10) ** amount.adjusted()
    head = int(amount / size)
    base = head * size
    share = (amount - base) / size
    region = "low" if share < Decimal("0.34") else "mid" if share < Decimal("0.67") else "high"
    forms = [f"{region} {plain(base)}s", f"{plain(base)}-something"]
    if base < 1000:
        forms.append(f"{_ONES[head]}-something" if size == 100 else f"{plain(base)} and something")
    return rng.choice(forms)


def spoken_step(amount: Decimal) -> Decimal:
    """The step in which such an amount is haggled: 1 below 500, 5 below 2,000, else three leading digits."""
    if amount < 50:
        return Decimal("0.5")
    if amount < 500:
        return Decimal(1)
    if amount < 2000:
        return Decimal(5)
    return Decimal(10) ** (amount.adjusted() - 2)


def round_up(amount: Decimal) -> Decimal:
    """The next higher amount that a hotel would say aloud."""
    step = spoken_step(amount)
    return (amount / step).to_integral_value(ROUND_CEILING) * step
