"""What reading one hotel message may look at: public facts and what has been said, asked and offered so far."""

from dataclasses import dataclass
from decimal import Decimal

from agent.domain import TicketFacts, Utterance
from db.vocabulary import PriceBasis


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadContext:
    """The public surroundings of the message that is to be read; the message itself is given beside it."""

    facts: tuple[TicketFacts, ...]
    history: tuple[Utterance, ...] = ()
    """Oldest first, without the message that is to be read."""
    focus: int = 1
    """Label of the ticket that is being talked about."""
    asked: tuple[tuple[int, Decimal], ...] = ()
    """(label, net) of every price we have asked for or repeated, oldest first."""
    offered: tuple[tuple[int, Decimal], ...] = ()
    """(label, amount) of every price the hotel has named, oldest first."""
    language: str = "en"
    """ISO 639-1 of the conversation."""
    basis_known: PriceBasis | None = None
    """What the hotel has already said its prices for the focus ticket are; it carries over to a bare number."""

    def fact(self, label: int | None = None) -> TicketFacts:
        """The facts of a ticket by label, of the focus where none is given."""
        wanted = self.focus if label is None else label
        return next(facts for facts in self.facts if facts.label == wanted)
