import pytest
from badcase_turns import ACCEPT, KING, SAID_BEFORE, TWIN, holds, turn

from agent.domain import AllowedMove, Reply
from db.vocabulary import MoveKind
from training.badcases import MATCHERS, matcher

TERMS = "Deluxe King, 12 Oct 2026 to 16 Oct 2026, 420 net, 525 selling, from 12 Oct 2026. Yes?"
BOTH = turn(KING, TWIN)

HOLDING = [
    ("names_amount", 420, "Could you do 420 net?"),
    ("names_amount", [420, 525], "420 net, that is 525 selling."),
    ("names_amount", 420, "Could you do four hundred and twenty net?"),
    ("names_no_amount", 400, "Could you do 420 net?"),
    ("says_no_price", True, "How are the 3 rooms booked from 12 October?"),
    ("calls_net", 420, "Could you do 420 net?"),
    ("calls_selling", 525, "Guests would pay 525."),
    ("asks_a_question", True, "Please let me know."),
    ("asks_about", "net_or_selling", "Is that the net or the selling price?"),
    ("asks_about", "amount", "Which exact figure do you mean?"),
    ("asks_about", "tax", "Does tax come on top?"),
    ("asks_about", "breakfast", "Is breakfast part of it?"),
    ("asks_about", "dates", "Which nights would that cover?"),
    ("asks_about", "rooms", "How many rooms would that be for?"),
    ("asks_about", "condition", "Is there a minimum stay?"),
    ("asks_about", "situation", "How are bookings so far?"),
    ("asks_for_decision_maker", True, "Who decides on prices?"),
    ("asks_for_decision_maker", True, "Could you point me to the right colleague?"),
    ("acknowledges_feeling", True, "I am sorry about that."),
    ("acknowledges_feeling", True, "让您生气了，真的很抱歉。"),
    ("greets", True, "Good morning to you!"),
    ("thanks", True, "I appreciate that."),
    ("blames_nobody", True, "We respect your decision."),
    ("mentions", ["rank*", "9.1"], "This will not touch your ranking."),
    ("mentions", ["净价"], "净价420元可以吗？"),
    ("mentions_none_of", ["rank"], "This will not touch your ranking."),
    ("language_is", "en", "Thank you for the quick answer."),
    ("language_is", "zh", "谢谢您这么快回复。"),
    ("not_longer_than", 20, "Short."),
    ("says_something_new", 0.8, "Your terrace looks lovely this year, would 420 net be fine?"),
    ("moves_in", ["ask", "hold"], "Whatever the words."),
    ("no_rule_broken", ["promises"], "We cannot promise any ranking."),
]
FAILING = [
    ("names_amount", [420, 525], "Could you do 420 net?"),
    ("names_no_amount", [400, 420], "Could you do 420 net?"),
    ("says_no_price", True, "Could you do 420?"),
    ("says_no_price", True, "Could you do USD 77?"),
    ("calls_net", 420, "Could guests find it at a selling price of 420?"),
    ("calls_selling", 525, "The 525 net is fine."),
    ("asks_a_question", True, "All clear."),
    ("asks_about", "tax", "Tax comes on top. Is that the net price?"),
    ("asks_for_decision_maker", True, "Someone else decides, I see. Shall we go on?"),
    ("acknowledges_feeling", True, "Could we go on with the room?"),
    ("greets", True, "What is your price?"),
    ("thanks", True, "What is your price?"),
    ("blames_nobody", True, "It is your own fault."),
    ("mentions", ["rank"], "This will not touch your ranking."),
    ("mentions_none_of", ["best price"], "What is your best price?"),
    ("language_is", "en", "Thank you, 您好."),
    ("language_is", "zh", "Thank you."),
    ("not_longer_than", 5, "Longer than that."),
    ("says_something_new", 0.5, SAID_BEFORE + " So, 420 net?"),
    ("moves_in", "close", "Whatever the words."),
    ("no_rule_broken", ["promises"], "We guarantee a better ranking."),
]


@pytest.mark.parametrize(("name", "argument", "text"), HOLDING)
def test_that_a_matcher_finds_what_it_looks_for(name: str, argument: object, text: str) -> None:
    assert holds(name, argument, text)


@pytest.mark.parametrize(("name", "argument", "text"), FAILING)
def test_that_a_matcher_is_not_content_with_less(name: str, argument: object, text: str) -> None:
    assert not holds(name, argument, text)


def test_that_terms_are_repeated_only_in_full_and_only_where_they_are_settled() -> None:
    assert holds("repeats_terms", True, TERMS, move=ACCEPT)
    assert not holds("repeats_terms", True, TERMS)
    assert not holds("repeats_terms", True, TERMS.replace("525 selling, ", ""), move=ACCEPT)


def test_that_a_room_counts_as_named_by_the_word_that_sets_it_apart() -> None:
    assert holds("names_every_open_room", True, "Both the King and the Twin?", context=BOTH)
    assert holds("asks_about", "which_room", "Is that for the Deluxe King or the Deluxe Twin?", context=BOTH)
    assert not holds("names_every_open_room", True, "The Deluxe rooms, I mean the King.", context=BOTH)
    assert not holds("names_rooms", [1, 2], "The Deluxe King is noted.", context=BOTH)
    assert holds("names_rooms", 1, "The Deluxe King is noted.", context=BOTH)


def test_that_all_rooms_or_none_single_out_no_room() -> None:
    assert holds("singles_out_no_room", True, "Which room do you have in mind?", context=BOTH)
    assert holds("singles_out_no_room", True, "The King or the Twin?", context=BOTH)
    assert not holds("singles_out_no_room", True, "The King, which room is that?", context=BOTH)


def test_that_an_agreed_room_is_not_open_any_more() -> None:
    assert holds("names_every_open_room", True, "And the Twin?", context=turn(KING, TWIN, agreed=(1,)))


def test_that_a_quoted_room_number_is_no_price() -> None:
    close = AllowedMove(kind=MoveKind.CLOSE)
    assert matcher("says_no_price", True).holds(turn(), Reply(move=close, text="Thank you, the 3 rooms are noted."))


@pytest.mark.parametrize(
    ("name", "argument", "said"),
    [
        ("names_everything", True, "no check is called 'names_everything'"),
        ("greets", "hello", "greets takes no argument"),
        ("names_amount", "much", "decimal"),
        ("asks_about", "weather", "net_or_selling"),
        ("moves_in", ["shout"], "greet"),
        ("no_rule_broken", ["politeness"], "no guard rule is called politeness"),
        ("mentions", [1], "string"),
    ],
)
def test_that_a_wrong_check_says_what_is_wrong(name: str, argument: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        matcher(name, argument)


def test_that_every_matcher_is_tested_both_ways() -> None:
    elsewhere = {"repeats_terms", "names_every_open_room", "names_rooms", "singles_out_no_room"}
    assert {name for name, _, _ in HOLDING} | elsewhere == set(MATCHERS)
    assert {name for name, _, _ in FAILING} | elsewhere == set(MATCHERS)
