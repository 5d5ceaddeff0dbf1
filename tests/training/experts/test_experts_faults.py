"""Faults are found in words that no phrasebook holds, and good words are left alone."""

from decimal import Decimal

import pytest
from expert_truths import DELUXE, HELLO, TWIN, truth_of

from agent.domain import AgreedTerms
from db.vocabulary import ClarifyTopic, HotelMoveKind, Mood, MoveKind, PriceBasis, Severity
from training.experts import FaultKind, Truth, judge

K, M, H = FaultKind, MoveKind, HotelMoveKind
TERMS = "Deluxe King, 1 March 2027 to 8 March 2027, USD 170 net, USD 212.50 selling, from 1 March 2027"
SOLD_AT = ((195, PriceBasis.SELLING),)
REASON = "Families who drive up in spring decide by what is left for dinner"


def kinds(truth: Truth) -> set[FaultKind]:
    return {fault.kind for fault in judge(truth).faults}


@pytest.mark.parametrize(
    ("fault", "truth"),
    [
        (K.OVER_PROMISE, truth_of(M.ASK, "Give me USD 170 net and I guarantee you a full house by Easter.")),
        (K.INTERNAL_WORDS, truth_of(M.ASK, "My target price for the Deluxe King is USD 170 net.")),
        (K.INTERNAL_WORDS, truth_of(M.ASK, "Could you do USD 170 net? We would go to USD 188 net in the end.")),
        (K.INVENTED_FACT, truth_of(M.ASK, "Could you do USD 170 net? Expedia has you for less already.")),
        (K.INVENTED_FACT, truth_of(M.ASK, "Could you do USD 170 net, as the hotel across the road has just agreed to?")),
        (K.INVENTED_FACT, truth_of(M.ASK, "Could you do USD 163 net for these nights?")),
        (K.INVENTED_FACT, truth_of(M.ASK, "Could you do EUR 170 net for these nights?")),
        (K.INVENTED_FACT, truth_of(M.ASK, "Could you do USD 170 net from 2 April 2027?")),
        (K.PRESSURE, truth_of(M.HOLD, "Say yes to USD 170 net or else we remove you from the page.")),
        (K.NET_SELLING_MIXUP, truth_of(M.ASK, "Could travellers pay USD 170 for the Deluxe King?")),
        (K.NET_SELLING_MIXUP, truth_of(M.ASK, "USD 170 net would do. Agoda has USD 230 net.")),
        (K.NET_SELLING_MIXUP, truth_of(M.ASK, "Your 195 net is close, could it be USD 170 net?", heard=H.OFFER, offers=SOLD_AT)),
        (K.REASONING_LEAK, truth_of(M.ASK, "As an AI assistant I would say: USD 170 net, please?")),
        (K.PUSHING_ON, truth_of(M.ACCEPT, f"{TERMS}. Could you go a little lower all the same?")),
        (K.SILENCE_AS_CONSENT, truth_of(M.FOLLOW_UP, "No answer counts as a yes here, so it is settled.", heard=H.SILENCE)),
        (K.MISSING_TERMS, truth_of(M.CONFIRM, "So USD 170 net it shall be, is that right?")),
        (K.HAGGLING_WITH_ANGER, truth_of(M.CALM, "Fine, yet the rate of the Deluxe King has to drop.", heard=H.UPSET, mood=Mood.ANGRY)),
        (K.IGNORING_WRONG_PERSON, truth_of(M.REDIRECT, "Then please lower it a bit all the same.", heard=H.WRONG_PERSON)),
        (K.GUESSING, truth_of(M.CLARIFY, "That was net, I suppose, so I write it down.", topic=ClarifyTopic.NET_OR_SELLING)),
        (K.REPROACH, truth_of(M.CLOSE, "What a pity that you never wanted to help us.", heard=H.REFUSE)),
        (K.SKIPPED_GREETING, truth_of(M.GREET, "The Deluxe King is priced above what people pay.", history=())),
        (K.MIXED_LANGUAGE, truth_of(M.PROBE, "How full is the house, 请告诉我?")),
        (K.MIXED_LANGUAGE, truth_of(M.PROBE, "Gracias, how full is the house para marzo?")),
        (K.ROBOTIC_REPETITION, truth_of(M.HOLD, f"{REASON}.", history=(*HELLO, f"{REASON}. Could it be USD 170 net?", "No."))),
        (K.ONE_ROOM_ONLY, truth_of(M.CLOSE, "Agreed: USD 170 net for the Deluxe King. Goodbye.", facts=(DELUXE, TWIN), agreed=(
            AgreedTerms(label=1, net=Decimal(170)), AgreedTerms(label=2, net=Decimal(125))))),
    ],
)  # fmt: skip
def test_that_each_fault_is_found_in_words_of_ones_own(fault: FaultKind, truth: Truth):
    assert fault in kinds(truth)
    assert judge(truth).score <= 3


@pytest.mark.parametrize(
    "truth",
    [
        truth_of(
            M.ASK, "Thanks for being so frank. On Agoda guests find it at a selling price of USD 230; would USD 170 net work for you?"
        ),
        truth_of(M.ASK, "I cannot promise anything, yet USD 170 net would bring our page to USD 212.50 selling. What do you think?"),
        truth_of(M.ACCEPT, f"Thank you, that works well. {TERMS}. Is that right?"),
        truth_of(M.CONFIRM, f"Let me sum up: {TERMS}. Would you confirm it?"),
        truth_of(M.CALM, "I am truly sorry, we came across badly. The price can wait.", heard=H.UPSET, mood=Mood.ANGRY),
        truth_of(M.REDIRECT, "Oh, my mistake! Whom may I write to instead?", heard=H.WRONG_PERSON),
        truth_of(M.CLARIFY, "Is your figure net or what guests pay?", topic=ClarifyTopic.NET_OR_SELLING),
        truth_of(M.FOLLOW_UP, "Just a friendly nudge, no rush at all. Any first thoughts?", heard=H.SILENCE),
        truth_of(M.CLOSE, "Thank you for your time and all the best for the spring.", heard=H.REFUSE),
        truth_of(M.GREET, "Hello, I look after the pages of Willow Court. May I ask who sets the rates?", history=()),
    ],
)
def test_that_honest_words_of_ones_own_are_left_alone(truth: Truth):
    assert kinds(truth) == set()
    assert judge(truth).score > 2


def test_that_one_missing_point_is_minor_and_several_are_major():
    one = truth_of(M.CONFIRM, "Let me sum up: 1 March 2027 to 8 March 2027, USD 170 net. Right?")
    several = truth_of(M.CONFIRM, "So we have it, right?")
    assert [fault.severity for fault in judge(one).faults] == [Severity.MINOR]
    assert [fault.severity for fault in judge(several).faults] == [Severity.MAJOR]


def test_that_a_better_answer_to_anger_scores_higher():
    warm = truth_of(M.CALM, "I am sorry that this has upset you, that was never my intention.", heard=H.UPSET, mood=Mood.ANGRY)
    cold = truth_of(M.CALM, "Noted, apologies.", heard=H.UPSET, mood=Mood.ANGRY)
    assert judge(warm).score > judge(cold).score + 1
