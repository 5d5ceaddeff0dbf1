"""At what price a talk stands."""

from decimal import Decimal

import pytest

from agent.prices import Anchors, Turn, agreed_price

ANCHORS = Anchors(current_net=Decimal(480), competitor=Decimal(455))


def talk(*lines: str) -> list[Turn]:
    """Turns from lines such as "bd: 430?"."""
    return [Turn(speaker=line.split(": ")[0], text=line.split(": ", 1)[1]) for line in lines]


@pytest.mark.parametrize(
    ("lines", "price"),
    [
        (["bd: could you do 430?", "hotel: sure, deal"], 430),
        (["bd: could you do 430?", "hotel: 430 is too low, 450", "bd: that works for us, thanks"], 450),
        (["bd: 430?", "hotel: how about 450?", "bd: 440 and we have a deal", "hotel: ok", "bd: great, the letter comes at 5 pm"], 440),
        (["bd: 430?", "hotel: 460", "bd: split the difference?", "hotel: agreed"], 445),
        (["hotel: 480 as always", "bd: can you take 30 off?", "hotel: ok let's do it"], 450),
        (["bd: 430?", "hotel: I can do that if you send 20 room nights"], 430),
        (["bd: 430可以吗", "hotel: 430做不了，最低450", "bd: 好的，成交"], 450),
    ],
)
def test_it_stands_where_one_side_took_the_other_up(lines: list[str], price: int) -> None:
    assert agreed_price(talk(*lines), ANCHORS) == price


def test_without_an_agreement_it_stands_at_the_newest_price() -> None:
    lines = talk("bd: 430?", "hotel: 460 is the best I can do")
    assert agreed_price(lines, ANCHORS) == 460


def test_a_speaker_who_turned_the_newest_price_down_stands_by_its_own() -> None:
    lines = talk("bd: 430?", "hotel: 460 is the best I can do", "bd: sorry, no")
    assert agreed_price(lines, ANCHORS, speaker="bd") == 430


def test_prices_told_about_are_not_on_the_table() -> None:
    lines = talk("bd: Agoda shows 455, could you do 430?", "hotel: yes, that works. Last year it was 420!")
    assert agreed_price(lines, ANCHORS) == 430


def test_a_formal_offer_counts_as_said() -> None:
    assert agreed_price([Turn(speaker="bd", text="", offer=Decimal(431))], ANCHORS) == 431


def test_a_talk_without_prices_stands_nowhere() -> None:
    assert agreed_price(talk("bd: hello", "hotel: ok"), ANCHORS) is None
