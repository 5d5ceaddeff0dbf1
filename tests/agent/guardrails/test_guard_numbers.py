"""No number leaves that is not a public fact, said before, or the move's own; and a price is called what it is."""

import pytest
from guard_turns import ACCEPT, ASK, FACTS, GOOD_ASK, HOLD, clarify, rules_broken, turn
from hypothesis import given
from hypothesis import strategies as st

from agent.domain import HotelMove, Reply
from agent.guardrails import PriceKind, UnknownNumbers, check
from db.vocabulary import ClarifyTopic, HotelMoveKind


def test_a_good_ask_passes() -> None:
    assert rules_broken(GOOD_ASK) == set()


@pytest.mark.parametrize(
    "words",
    [
        "We currently sell it at 529.41 selling, while Agoda shows 499 selling.",
        "Your room is at 450 net today.",
        "I understand that 440 net is your offer.",
        "We spoke about 420 net before.",
        "That is for 3 rooms and 4 nights.",
        "Agoda showed it on 2 September 2026.",
        "Guests rated this room 9.1 last month.",
        "Our commission of 15% stays.",
        "It would start on 2026-10-12.",
        "The night of October 14 is part of it.",
        "There is one more thing, and it helps the two of us.",
    ],
)
def test_known_numbers_may_be_named(words: str) -> None:
    context = turn()
    reply = Reply(move=ASK, text=f"{GOOD_ASK} {words}")

    assert UnknownNumbers().check(context, reply) == []


@pytest.mark.parametrize(
    "words",
    [
        "We could go up to 436 net.",
        "Our best is four hundred and thirty-six.",
        "Think of 4 3 6.",
        "Think of four three six.",
        "Think of 4-3-6.",
        "Think of ４３６.",
        "Think of 𝟒𝟑𝟔.",
        "Think of ٤٣٦.",
        "Think of 4\u200b3\u200b6.",
        "Think of ④③⑥.",
        "Think of 四百三十六.",
        "Think of 四三六.",
        "Think of USD436.",
        "Think of 436USD.",
        "Think of 0.436k.",
        "Think of a grand.",
        "That is 5% less.",
        "That is five percent less.",
        "It would start on 1 November 2026.",
        "You gain 22 on each night.",
        "Take 20 rooms.",
        "Call me at 9 am.",
        "We want it for 2027.",
        "Half of 872 is right.",
        "four hundred thirty s\u0456x",
    ],
)
def test_unknown_numbers_are_refused_however_they_are_written(words: str) -> None:
    assert "unknown_number" in rules_broken(f"{GOOD_ASK} {words}")


def test_an_ask_of_another_turn_is_no_licence_for_its_price() -> None:
    held = turn(HOLD)

    assert "unknown_number" in rules_broken("We would still hope for 428 net for the Deluxe King.", held)


def test_a_condition_may_be_repeated_with_its_counts_but_lets_no_amount_through() -> None:
    heard = HotelMove(kind=HotelMoveKind.OFFER, conditions=("minimum 7 nights", "only if you pay 390"))
    context = turn(clarify(ClarifyTopic.CONDITION), heard=heard)

    assert rules_broken("You mentioned a minimum of 7 nights: does that condition hold for all rooms?", context) == set()
    assert "unknown_number" in rules_broken("You mentioned the condition of 390: what does it mean?", context)


def test_a_violation_points_at_the_characters_as_they_were_written() -> None:
    text = f"{GOOD_ASK} Think of ４３６, please."
    violation = next(v for v in check(turn(), Reply(move=ASK, text=text)) if v.rule == "unknown_number")

    assert violation.start is not None
    assert text[violation.start : violation.end] == "４３６"
    assert "４３６" in violation.message


@pytest.mark.parametrize(
    "words",
    [
        "Could you do 428 selling for the Deluxe King?",
        "Could you do a selling price of 428 for the Deluxe King, and that is net?",
        "Could you do 428 net, and today we pay 529.41 net?",
        "Could you do 428 net while Agoda shows 499 net?",
        "Could you do 503.53 net for the Deluxe King?",
    ],
)
def test_a_price_is_not_called_what_it_is_not(words: str) -> None:
    assert "price_kind" in rules_broken(words)


@pytest.mark.parametrize(
    "words",
    [
        "Could you do net 428 / selling 503.53?",
        "Net price: 428, selling price: 503.53, is that possible?",
        "A net price of 428 would mean that travellers pay 503.53.",
        "净价428（售价503.53）",
        "净价 428，售价 503.53",
        "428 net, which is 503.53 on our site",
    ],
)
def test_a_price_called_by_its_name_passes(words: str) -> None:
    assert PriceKind().check(turn(), Reply(move=ASK, text=words)) == []


def test_an_offer_whose_kind_is_open_may_be_called_either() -> None:
    assert rules_broken("Is the 440 you named net or selling?", turn(clarify(ClarifyTopic.NET_OR_SELLING))) == set()


@given(st.integers(min_value=1, max_value=99_999))
def test_any_other_amount_is_found(amount: int) -> None:
    # 374 is the net price of 440, should the 440 have been a selling price.
    known = {428, 450, 440, 420, 499, 374}
    broken = rules_broken(f"{GOOD_ASK} We could also pay USD {amount} net.")

    assert ("unknown_number" in broken) == (amount not in known)


@given(st.text(max_size=300))
def test_no_text_makes_the_guard_stumble(text: str) -> None:
    for move in (ASK, ACCEPT):
        for violation in check(turn(move), Reply(move=move, text=text)):
            assert violation.start is None or violation.end is None or 0 <= violation.start <= violation.end <= len(text)


def test_facts_of_the_example_are_what_the_tests_say() -> None:
    assert str(FACTS.current_selling) == "529.41"
