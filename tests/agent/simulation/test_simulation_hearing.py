"""What a hotel makes of our words: the phrasebook's own replies are heard as they were meant, from the words alone."""

from collections import Counter
from datetime import date
from decimal import Decimal

import pytest

from agent.domain import Reply, TicketFacts
from agent.simulation import Lever, Quality, converse
from agent.simulation.hearing import Heard, hear
from db.vocabulary import ClarifyTopic, MoveKind

TODAY = date(2026, 11, 23)
FACTS = TicketFacts(
    label=1,
    hotel_name="Willow Court",
    room_type="Deluxe King",
    check_in=date(2027, 3, 1),
    check_out=date(2027, 3, 8),
    currency="USD",
    current_net=Decimal(200),
    commission=Decimal("0.15"),
    competitor_price=Decimal(215),
    competitor_source="Agoda",
)


def is_heard_as_meant(heard: Heard, reply: Reply) -> bool:
    price = heard.net[-1] if heard.net else None
    match reply.move.kind:
        case MoveKind.ASK | MoveKind.HOLD:
            return price == reply.move.price and not (heard.confirms or heard.ends or heard.accepts or heard.promises or heard.presses)
        case MoveKind.ACCEPT | MoveKind.CONFIRM:
            return price == reply.move.price and heard.confirms and len(heard.selling) > 0 and heard.names_start
        case MoveKind.CLARIFY:
            return heard.clarifies is reply.move.topic
        case MoveKind.CALM:
            return heard.calms
        case MoveKind.REDIRECT:
            return heard.redirects
        case MoveKind.FOLLOW_UP:
            return heard.reminds
        case MoveKind.CLOSE:
            return heard.ends
        case MoveKind.ESCALATE:
            return heard.hands_over
        case MoveKind.GREET | MoveKind.PROBE:
            return heard.asks and not heard.net and not heard.ends


@pytest.mark.parametrize("quality", [Quality.EXCELLENT, Quality.FINE, Quality.CLUMSY])
def test_that_replies_are_heard_as_they_were_meant(quality: Quality):
    meant, missed = Counter[MoveKind](), list[str]()
    for seed in range(60):
        conversation = converse(seed, today=TODAY, quality=quality)
        facts = tuple(fact for fact, _ in conversation.tickets)
        for exchange in conversation.exchanges:
            reply = exchange.reply
            meant[reply.move.kind] += 1
            if not is_heard_as_meant(hear(reply.text, facts, focus=reply.move.label or 1), reply):
                missed.append(f"{reply.move}: {reply.text}")
    assert len(missed) <= 0.03 * meant.total(), missed[:5]


@pytest.mark.parametrize(
    ("text", "lever"),
    [
        ("Those nights are quiet and an empty room earns nothing.", Lever.SEASON),
        ("It would mean more room nights.", Lever.VOLUME),
        ("Guests compare, and it would catch the eye.", Lever.VISIBILITY),
        ("I value our partnership.", Lever.RELATIONSHIP),
        ("Agoda sells it for USD 215.", Lever.PARITY),
        ("Happy guests leave good reviews.", Lever.REVIEWS),
    ],
)
def test_that_an_argument_is_known_by_its_words(text: str, lever: Lever):
    assert lever in hear(text, (FACTS,), focus=1).arguments


def test_that_only_what_is_asked_for_counts_as_the_request():
    heard = hear(
        "I have noted your USD 190, thank you. Agoda sells the room at USD 215 and our selling price is USD 235.29. "
        "Could you do USD 170 net?",
        (FACTS,),
        focus=1,
    )
    assert heard.net == (Decimal(170),)
    assert heard.quoted_competitor == (Decimal(215),)
    assert heard.selling == (Decimal("235.29"),)


def test_that_repeated_terms_are_told_apart():
    for terms in (
        "a net price of USD 170 and a selling price of USD 200",
        "USD 170 net, USD 200 selling",
        "net USD 170, selling price USD 200",
    ):
        heard = hear(f"So Deluxe King, 1 Mar 2027 to 8 Mar 2027, {terms}, starting 1 Mar 2027. Can you confirm that?", (FACTS,), focus=1)
        assert (heard.net, heard.selling, heard.confirms) == ((Decimal(170),), (Decimal(200),), True), terms


def test_that_a_question_about_an_open_point_is_known():
    assert hear("Is breakfast included?", (FACTS,), focus=1).clarifies is ClarifyTopic.BREAKFAST
    assert hear("Do you mean net or selling?", (FACTS,), focus=1).clarifies is ClarifyTopic.NET_OR_SELLING
    assert hear("Thank you, have a good day.", (FACTS,), focus=1).clarifies is None
