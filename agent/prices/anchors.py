"""From a mention to an amount of this conversation.

Decided here: against what a relative price is reckoned. What cannot be reckoned is None and must be asked, never guessed.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from agent.prices.mention import PriceForm, PriceMention

_CENT = Decimal("0.01")
_BEYOND_MONEY = Decimal(10) ** 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchors:
    """What relative prices may refer to, each None where the conversation has none; amounts in one currency."""

    current_net: Decimal | None = None
    current_selling: Decimal | None = None
    last_ask: Decimal | None = None
    """Ours, net."""
    last_offer: Decimal | None = None
    """Theirs, as they said it."""
    competitor: Decimal | None = None
    """Lowest selling price seen elsewhere."""


def resolve(mention: PriceMention, anchors: Anchors) -> Decimal | tuple[Decimal, Decimal] | None:
    """The amount that a mention stands for, a (low, high) pair for a stretch, or None where it must be asked.

    A step or a share counts from the anchor it names, otherwise from the speaker's last offer, otherwise from the current net price; a
    share without a direction is None. A one-sided bound resolves to the bound. "Split the difference" is the middle of the last ask and
    the last offer (the current net price where the hotel has made none). Amounts are rounded half up to the cent; nothing negative is
    returned.
    """
    match mention.form:
        case PriceForm.ABSOLUTE:
            return mention.value
        case PriceForm.RANGE:
            if mention.low is not None and mention.high is not None:
                return mention.low, mention.high
            return mention.value
        case PriceForm.RELATIVE:
            return _named(mention.anchor, anchors)
        case PriceForm.DELTA | PriceForm.PERCENT:
            return _stepped(mention, anchors)


def _named(anchor: str | None, anchors: Anchors) -> Decimal | None:
    match anchor:
        case "competitor":
            return anchors.competitor
        case "midpoint":
            theirs = anchors.last_offer if anchors.last_offer is not None else anchors.current_net
            if anchors.last_ask is None or theirs is None:
                return None
            return ((anchors.last_ask + theirs) / 2).quantize(_CENT, ROUND_HALF_UP)
        case "last_ask":
            return anchors.last_ask
        case "last_offer":
            return anchors.last_offer
        case "current":
            return anchors.current_net
        case _:
            return anchors.last_offer if anchors.last_offer is not None else anchors.current_net


def _stepped(mention: PriceMention, anchors: Anchors) -> Decimal | None:
    base = _named(mention.anchor, anchors)
    if base is None or mention.value is None or mention.sign == 0 or mention.low is not None:
        return None
    step = mention.value if mention.form is PriceForm.DELTA else base * mention.value / 100
    amount = base + mention.sign * step
    return amount.quantize(_CENT, ROUND_HALF_UP) if 0 < amount < _BEYOND_MONEY else None
