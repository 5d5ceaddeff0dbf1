"""Colloquial price understanding, English and Chinese: from what a hotel says to amounts, and every number of what we say.

Pure: no clock, no network, no files. ``find_prices`` reads a message, ``resolve`` reckons a mention against the conversation,
``find_numbers`` lists and classifies every number for the guard, ``agreed_price`` says at what price a conversation stands.
"""

from agent.prices.anchors import Anchors, resolve
from agent.prices.deal import Turn, agreed_price
from agent.prices.kinds import find_numbers
from agent.prices.mention import CalendarDay, NumberKind, NumberMention, Polarity, PriceForm, PriceMention
from agent.prices.offers import find_prices

__all__ = [
    "Anchors",
    "CalendarDay",
    "NumberKind",
    "NumberMention",
    "Polarity",
    "PriceForm",
    "PriceMention",
    "Turn",
    "agreed_price",
    "find_numbers",
    "find_prices",
    "resolve",
]
