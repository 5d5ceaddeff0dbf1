"""What the service would make of a simulated hotel's words. Apart from ``selfplay``, so that who only plays dialogues loads no torch."""

from agent.domain import HotelMove
from agent.language.context import ReadContext
from agent.language.reader import ModelReading, crosscheck
from db.vocabulary import PriceBasis


def as_service_reads(text: str, truth: HotelMove, context: ReadContext) -> HotelMove:
    """The truth as a perfect model would report it, after the same cross-check that holds in service."""
    basis = truth.offers[0].basis if truth.offers else PriceBasis.UNKNOWN
    return crosscheck(ModelReading(kind=truth.kind, mood=truth.mood, basis=basis), text, context)
