"""The reply does what its move says; nothing is agreed that nobody gave; good offers are taken; terms are complete."""

from dataclasses import replace
from decimal import Decimal

import pytest
from guard_turns import (
    ACCEPT,
    ASK,
    CALM,
    CLOSE,
    CONFIRM,
    GOOD_ASK,
    GOOD_CONFIRM,
    HOLD,
    PROBE,
    clarify,
    rules_broken,
    turn,
)

from agent.domain import AgreedTerms, AllowedMove, HotelMove, Reply
from agent.guardrails import RULES, check
from db.vocabulary import ClarifyTopic, HotelMoveKind, MoveKind, Severity

SILENCE = HotelMove(kind=HotelMoveKind.SILENCE)
YES = HotelMove(kind=HotelMoveKind.AGREE, says_yes=True)
GREET = AllowedMove(kind=MoveKind.GREET)
REDIRECT = AllowedMove(kind=MoveKind.REDIRECT)
ESCALATE = AllowedMove(kind=MoveKind.ESCALATE)


@pytest.mark.parametrize(
    "words",
    [
        "Thank you for agreeing to this.",
        "As agreed, we will go ahead.",
        "We have a deal then.",
        "I take this as a yes.",
        "It is now confirmed.",
        "Great that you accepted.",
        "No answer means yes for us.",
        "感谢您的同意",
        "那就这么定了",
        "视为同意",
    ],
)
def test_silence_is_never_called_an_agreement(words: str) -> None:
    held = turn(HOLD, heard=SILENCE)

    assert "acceptance_on_silence" in rules_broken(f"We would still hope for 420 net. {words}", held)


def test_after_an_explicit_yes_thanks_for_agreeing_are_due() -> None:
    assert rules_broken(f"Thank you for agreeing. {GOOD_CONFIRM}", turn(CONFIRM, heard=YES)) == set()


def test_what_was_agreed_earlier_may_be_called_so() -> None:
    context = replace(turn(ASK), agreed=(AgreedTerms(label=1, net=Decimal(430)),))

    assert rules_broken(f"We have agreed on 430 net before. {GOOD_ASK}", context) == set()


def test_asking_whether_it_is_agreed_is_no_claim() -> None:
    assert "acceptance_on_silence" not in rules_broken("May I ask if it is agreed?", turn(HOLD, heard=SILENCE))


@pytest.mark.parametrize(
    "words",
    [
        "Could you go a bit lower?",
        "Is there any chance for an extra discount?",
        "But we hoped for 420 net.",
        "Would you reconsider the price?",
        "能再低一点吗",
    ],
)
def test_a_good_offer_is_not_haggled_over(words: str) -> None:
    terms = "Deluxe King, 12 Oct 2026 to 16 Oct 2026, 440 net and 517.65 selling, starting on 12 Oct 2026. Could you confirm with a yes?"

    assert rules_broken(terms, turn(ACCEPT)) == set()
    assert "pushing_on" in rules_broken(f"{terms} {words}", turn(ACCEPT))


def test_asking_where_only_accepting_is_allowed_is_pushing_on() -> None:
    text = "Thank you, but could you go a bit lower, to 428 net?"

    assert {"pushing_on", "move_mismatch"} <= rules_broken(text, turn(ACCEPT), ASK)


@pytest.mark.parametrize(
    ("gone", "instead"),
    [
        ("Deluxe King, ", ""),
        ("starting on 12 Oct 2026", "as discussed"),
        (" to 16 Oct 2026", ""),
        ("428 net and ", ""),
        (" and 503.53 selling", ""),
        ("503.53 selling", "503.53"),
        (" Could you confirm this with a yes?", ""),
    ],
)
def test_a_confirmation_repeats_every_item(gone: str, instead: str) -> None:
    text = (
        GOOD_CONFIRM.replace(gone, instead)
        if "starting" not in gone
        else GOOD_CONFIRM.replace(gone, instead).replace("12 Oct 2026 to ", "")
    )
    assert gone not in text

    assert rules_broken(GOOD_CONFIRM, turn(CONFIRM)) == set()
    assert "missing_confirmation" in rules_broken(text, turn(CONFIRM))


def test_an_ask_names_its_price_and_calls_it_net() -> None:
    assert "move_mismatch" in rules_broken("Could you lower the Deluxe King for us?")
    assert "move_mismatch" in rules_broken("Could you do the Deluxe King at 503.53 selling?")
    assert "move_mismatch" in rules_broken("Could you do the Deluxe King at 428?")
    assert "move_mismatch" in rules_broken("We asked for 420 net, and now for 428 net.")


def test_a_move_that_is_not_allowed_is_refused() -> None:
    assert "move_mismatch" in rules_broken("Thank you for your time and all the best.", turn(ASK), CLOSE)


@pytest.mark.parametrize("move", [GREET, PROBE, CALM, REDIRECT, ESCALATE])
def test_some_moves_name_no_price(move: AllowedMove) -> None:
    assert "move_mismatch" in rules_broken(
        "I am sorry; could you tell me who decides, or my colleague will write about USD 450?", turn(move)
    )


@pytest.mark.parametrize(
    ("topic", "good"),
    [
        (ClarifyTopic.NET_OR_SELLING, "Is your price net or selling?"),
        (ClarifyTopic.AMOUNT, "What exact price do you mean?"),
        (ClarifyTopic.WHICH_ROOM, "Which room do you mean?"),
        (ClarifyTopic.DATES, "Which dates does it cover?"),
        (ClarifyTopic.BREAKFAST, "Does it come with breakfast?"),
        (ClarifyTopic.TAX, "Is tax included?"),
        (ClarifyTopic.ROOMS, "How many rooms would that be for?"),
        (ClarifyTopic.CONDITION, "What condition comes with it?"),
    ],
)
def test_a_clarification_asks_about_its_topic(topic: ClarifyTopic, good: str) -> None:
    context = turn(clarify(topic))

    assert rules_broken(good, context) == set()
    assert "move_mismatch" in rules_broken("How are you today?", context)
    assert "move_mismatch" in rules_broken(good.replace("?", "."), context)


@pytest.mark.parametrize(
    ("move", "bad"),
    [
        (PROBE, "Bookings are important."),
        (REDIRECT, "Thank you for letting me know."),
        (CALM, "Fine."),
        (CALM, "I am sorry. Can we go on?"),
        (ESCALATE, "Thank you, goodbye."),
        (CLOSE, "That was it."),
        (CLOSE, "Thank you. We still ask for 420 net."),
    ],
)
def test_words_that_do_not_carry_out_their_move_are_refused(move: AllowedMove, bad: str) -> None:
    assert "move_mismatch" in rules_broken(bad, turn(move))


def test_every_rule_has_its_own_name_and_a_severity() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES) == 15
    assert all(isinstance(rule.severity, Severity) for rule in RULES)


def test_rules_can_be_chosen() -> None:
    only = [rule for rule in RULES if rule.name == "length"]

    assert {v.rule for v in check(turn(), Reply(move=ASK, text=""), rules=only)} == {"length"}
