"""Wrong names in a draft are filled from the facts; everything else is left to the guard."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain import AllowedMove, Reply, TicketFacts, TurnContext
from agent.guardrails.names import misnomers
from agent.language.grounding import grounded
from db.vocabulary import MoveKind, Stage

ASK = AllowedMove(kind=MoveKind.ASK, label=2, price=Decimal(428))


def facts(label: int, room: str) -> TicketFacts:
    return TicketFacts(
        label=label,
        hotel_name="The Lantern Lodge",
        room_type=room,
        check_in=date(2027, 3, 1),
        check_out=date(2027, 3, 5),
        currency="EUR",
        current_net=Decimal(460),
        commission=Decimal("0.15"),
    )


CONTEXT = TurnContext(
    facts=(facts(1, "Garden Suite"), facts(2, "Deluxe King")), history=(), stage=Stage.PROPOSAL, brief="", allowed=(ASK,), focus=2
)


@pytest.mark.parametrize(
    ("draft", "right"),
    [
        ("Could the Premier Queen be MYR 428 net?", "Could the Deluxe King be EUR 428 net?"),
        ("For the Sea View Double Room we ask for £428 net.", "For the Deluxe King we ask for EUR 428 net."),
        ("I write about The Opera Residences.", "I write about The Lantern Lodge."),
        ("Could the Deluxe King be EUR 428 net?", "Could the Deluxe King be EUR 428 net?"),
        ("The Garden Suite is settled; may I ask for 428 net?", "The Garden Suite is settled; may I ask for 428 net?"),
        ("We promise 431 net on 9 May.", "We promise 431 net on 9 May."),
    ],
)
def test_names_are_put_right_and_nothing_else(draft: str, right: str) -> None:
    assert grounded(CONTEXT, Reply(move=ASK, text=draft)).text == right


@given(st.text(max_size=200))
def test_no_text_makes_it_stumble_and_numbers_stay(text: str) -> None:
    before = Reply(move=ASK, text=text)
    after = grounded(CONTEXT, before)
    assert bool(misnomers(CONTEXT, before)) or after == before
