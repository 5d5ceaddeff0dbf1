"""The shapes of replies: what each move must say is demanded, within a few sentences; what good colleagues say fits."""

import re
from dataclasses import replace
from decimal import Decimal

import pytest
from language_turns import ASK, turn

from agent.domain import AllowedMove
from agent.language.format import reply_schema
from db.vocabulary import ClarifyTopic, MoveKind

ACCEPT = AllowedMove(kind=MoveKind.ACCEPT, label=1, price=Decimal(430))
CONFIRM = AllowedMove(kind=MoveKind.CONFIRM, label=1, price=Decimal(430))


def fits(move: AllowedMove, text: str, *, language: str = "en") -> bool:
    return re.search(reply_schema(replace(turn(move), language=language))["properties"]["text"]["pattern"], text) is not None


@pytest.mark.parametrize(
    ("move", "text"),
    [
        (
            ACCEPT,
            "Thank you, {net} net works for us. So: {room}, {dates}, a selling price of {selling}, starting {check_in}. Is that right?",
        ),
        (
            CONFIRM,
            "May I sum up? {room}, {dates}, net price {net}, selling price {selling}. Could you give me a clear yes?",
        ),
        (CONFIRM, "Let me read it back: {room}, from {check_in} to {check_out}, {net} net, {selling} selling. Is everything right?"),
        (ASK, "Thank you. Travellers compare. Could you see your way to {net} net for the {room}? A no is fine too."),
    ],
)
def test_what_good_colleagues_say_fits(move: AllowedMove, text: str) -> None:
    assert fits(move, text)


@pytest.mark.parametrize("missing", ["{room}", "{dates}", "{net} net", "{selling}", "?"])
def test_terms_are_told_in_full_and_a_yes_is_asked_for(missing: str) -> None:
    whole = "Let me sum up, {room}, {dates}, {net} net, selling price {selling}. Is that right?"
    assert fits(CONFIRM, whole)
    assert not fits(CONFIRM, whole.replace(missing, "that"))


def test_in_chinese_too_terms_are_told_in_full_and_a_yes_is_asked_for() -> None:
    whole = "我把内容列出来：{room}，{dates}，净价{net}，对客售价{selling}。都对吗？"
    assert fits(CONFIRM, whole, language="zh")
    for missing in ("{room}", "{dates}", "净价{net}", "{selling}", "？"):
        assert not fits(CONFIRM, whole.replace(missing, "这个"), language="zh"), missing
    assert fits(CONFIRM, whole.replace("{dates}", "从{check_in}到{check_out}"), language="zh")


@pytest.mark.parametrize(
    ("key", "says", "not_yet"),
    [
        ("breakfast", "请问含早餐吗？", "能告诉我确切的净价吗？"),
        ("dates", "请问整段都算吗？", "您打算放多少间呢？"),
        ("net_or_selling", "这是净价，还是售价？", "能告诉我确切的净价吗？"),
        ("which_room", "您指的是哪个房型？", "您指的是哪天？"),
    ],
)
def test_a_chinese_question_is_about_its_point(key: str, says: str, not_yet: str) -> None:
    move = AllowedMove(kind=MoveKind.CLARIFY, label=1, topic=ClarifyTopic(key))
    assert fits(move, f"多谢答复。{says}", language="zh")
    assert not fits(move, f"多谢答复。{not_yet}", language="zh")


def test_a_chinese_request_names_its_price_as_net() -> None:
    assert fits(ASK, "谢谢您。{room}能给净价{net}吗？", language="zh")
    assert not fits(ASK, "谢谢您。{room}能给{net}吗？", language="zh")
    assert not fits(ASK, "谢谢您。{room}如果是，您能接受吗？", language="zh")


def test_in_a_language_without_a_grammar_words_and_blanks_are_all_that_is_asked() -> None:
    assert fits(ASK, "Merci, {net}.", language="fr")
    assert not fits(ASK, "Merci, 430.", language="fr")


def test_a_question_comes_to_its_point_soon() -> None:
    breakfast = AllowedMove(kind=MoveKind.CLARIFY, label=1, topic=ClarifyTopic.BREAKFAST)
    assert fits(breakfast, "Thank you. Is breakfast included in that price?")
    assert not fits(breakfast, "Thank you. I see. Well. Is breakfast included in that price?")
    assert not fits(breakfast, f"Thank you{' very' * 60}, is breakfast included in that price?")


def test_a_reply_is_a_few_sentences() -> None:
    follow_up = AllowedMove(kind=MoveKind.FOLLOW_UP, label=1)
    assert fits(follow_up, "I wanted to ask again." * 6)
    assert not fits(follow_up, "I wanted to ask again." * 7)


def test_no_figure_and_no_blank_without_a_value_is_written() -> None:
    probe = AllowedMove(kind=MoveKind.PROBE, label=1)
    assert fits(probe, "How is {dates} coming along?")
    assert not fits(probe, "How are the 12 rooms coming along?")
    assert not fits(probe, "How is {net} coming along?")
