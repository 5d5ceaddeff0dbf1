"""Which net price to ask for in which round: time-dependent tactics of Faratin, Sierra and Jennings (1998).

``ask(t) = opening + a(t) * (ceiling - opening)`` with ``a(t) = x**e`` (Boulware: yields late), ``x`` (linear) or ``x**(1/e)`` (Conceder:
yields early), ``x = t / (rounds - 1)`` in [0, 1]. The result is rounded *down* to a number that people say aloud.
"""

from decimal import ROUND_FLOOR, Decimal
from typing import assert_never

from agent.domain import Mandate
from db.vocabulary import ConcessionTactic

_SPOKEN_DIGITS = 3


def speaking_step(amount: Decimal) -> Decimal:
    """The smallest step people use when they haggle about such an amount: 1 for 428, 100 for 52 000, 0.1 for 8.50."""
    exponent = amount.adjusted() - (_SPOKEN_DIGITS - 1)
    if amount >= 20:
        exponent = max(exponent, 0)
    return Decimal(10) ** max(exponent, -2)


def ask_at(mandate: Mandate, round_: int) -> Decimal:
    """Net price to ask for in round 0, 1, …: starts at the opening ask, never falls, never passes the ceiling."""
    last = max(mandate.max_rounds - 1, 1)
    x = min(max(round_, 0), last) / last
    match mandate.tactic:
        case ConcessionTactic.LINEAR:
            yielded = x
        case ConcessionTactic.BOULWARE:
            yielded = x**mandate.exponent
        case ConcessionTactic.CONCEDER:
            yielded = x ** (1 / mandate.exponent)
        case _:
            assert_never(mandate.tactic)
    exact = mandate.opening_ask + Decimal(str(round(yielded, 6))) * (mandate.ceiling - mandate.opening_ask)
    step = speaking_step(mandate.opening_ask)
    spoken = (exact / step).to_integral_value(ROUND_FLOOR) * step
    return min(max(spoken, mandate.opening_ask), mandate.ceiling)
