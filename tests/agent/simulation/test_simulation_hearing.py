"""What a hotel makes of our words: the phrasebook's own replies are heard as they were meant, from the words alone."""

from datetime import date
from decimal import Decimal

import pytest
from scenes import FACTS, misheard

from agent.simulation import Lever, Quality, converse
from agent.simulation.hearing import hear
from db.vocabulary import ClarifyTopic

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize("quality", [Quality.EXCELLENT, Quality.FINE, Quality.CLUMSY])
def test_that_replies_are_heard_as_they_were_meant(quality: Quality):
    conversations = [converse(seed, today=TODAY, quality=quality) for seed in range(60)]
    missed = [text for conversation in conversations for text in misheard(conversation)]
    assert len(missed) <= 0.03 * sum(len(conversation.exchanges) for conversation in conversations), missed[:5]


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
