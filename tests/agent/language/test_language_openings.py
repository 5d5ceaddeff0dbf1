"""The first words of what we said, in the form in which the model would write them again."""

import random
from dataclasses import replace
from decimal import Decimal

import pytest
from language_turns import ASK, KING, turn

from agent.domain import AllowedMove, Reply, Utterance
from agent.language.client import ModelClient
from agent.language.openings import MOST, MOST_HAN, used_openings
from agent.language.writer import write
from agent.serving.starter import MODEL_FOLDER
from db.vocabulary import MoveKind, Speaker
from training.starter.tokenizer import load_tokenizer

MOST_OF_A_SERVER = 128
"""Sequences of tokens that vLLM keeps a reply from."""


def said(*texts: str) -> list[str]:
    return used_openings(replace(turn(ASK), history=tuple(Utterance(Speaker.BD, text) for text in texts)))


def test_the_first_words_of_a_sentence_are_kept_away_from() -> None:
    assert said("Many thanks. Guests compare prices before they book a room.") == ["Guests compare prices before"]


def test_a_short_sentence_is_kept_away_from_without_its_end() -> None:
    """At the end of a reply, the full stop and the quote behind it are one token."""
    assert said("I got your point.", "Is everything correct?") == ["Is everything correct", "I got your point"]


def test_an_opening_ends_before_a_fact_whatever_its_value_was_at_the_time() -> None:
    assert said("I would offer USD 428 net for these dates.") == ["I would offer"]
    assert said("I would be happy with USD 411.50 net for these dates.") == ["I would be happy"]
    assert said("On Agoda we saw the room on sale to guests.") == ["we saw the room"]
    assert said("Our price is USD 225.29. I have no better number.") == ["I have no better", "Our price is"]


def test_a_question_in_the_first_person_is_known_by_what_follows_its_verb() -> None:
    assert said("Shall I try again later in the week?") == ["I try again"]


def test_words_behind_a_fact_are_of_this_sentence_only_where_there_are_enough_of_them() -> None:
    assert said("Would USD 428 net be possible for the Deluxe King Room?") == ["net be possible for"]
    assert said("Would USD 428 net for the Deluxe King Room suit you?") == []


def test_a_beginning_that_several_sentences_share_is_kept_away_from_as_a_whole() -> None:
    two = said("I would rather see you sell more.", "I would rather be steady than push.")
    assert two == ["I would rather"]
    four = said("I would like to ask you.", "I would love to help you.", "I would say it is fair.", "I would be glad of it.")
    assert four == ["I would"]


def said_in_chinese(*texts: str) -> list[str]:
    facts = (replace(KING, hotel_name="云海酒店", room_type="江景大床房"),)
    return used_openings(replace(turn(ASK, facts=facts), language="zh", history=tuple(Utterance(Speaker.BD, text) for text in texts)))


def test_a_chinese_sentence_is_known_by_its_first_clause() -> None:
    assert said_in_chinese("我明白您的难处，淡季不好做。") == ["我明白您的难处"]
    assert said_in_chinese("好的，我明白您的难处。") == ["好的，我明白您的难处"]
    assert said_in_chinese("谢谢。") == []


def test_where_its_tokens_end_is_not_known_so_several_lengths_are_kept_away_from() -> None:
    assert said_in_chinese("我们很看重和贵方的长期合作与信任。") == ["我们很看", "我们很看重和", "我们很看重和贵方的长期合作与信任"]
    assert said_in_chinese("好的，我们很看重和贵方的长期合作。") == [
        "好的，我们很看",
        "好的，我们很看重和",
        "好的，我们很看重和贵方的长期合作",
    ]


def test_a_chinese_opening_holds_no_fact() -> None:
    assert said_in_chinese("您看428美元这个数合不合适？") == ["这个数合不合适"]
    assert said_in_chinese("2026年10月12日至10月16日我们还差一点点呢。") == ["我们还差", "我们还差一点", "我们还差一点点呢"]
    assert said_in_chinese("江景大床房能给净价428美元吗？") == ["能给净价"]


def test_the_newest_count_where_there_are_too_many_for_the_server() -> None:
    texts = [f"We {chr(97 + number % 26)}{chr(97 + number // 26)} really hope for a good answer soon." for number in range(200)]
    openings = said(*texts)
    assert len(openings) == MOST
    assert openings[0] == " ".join(texts[-1].split()[:4])


def test_as_many_chinese_ones_as_there_may_be_are_no_more_sequences_than_the_server_takes() -> None:
    syllables = "我们很看重和贵方的长期合作与信任希望能给客人更好价格"
    texts = [f"{''.join(random.Random(number).sample(syllables, 14))}。" for number in range(200)]
    openings = said_in_chinese(*texts)
    assert len(openings) == MOST_HAN
    tokenizer = load_tokenizer(MODEL_FOLDER)
    sequences = [(tokenizer.encode(opening), tokenizer.encode(f" {opening}")) for opening in openings]
    assert sum(1 + (len(plain) == len(spaced)) for plain, spaced in sequences) <= MOST_OF_A_SERVER


@pytest.mark.model
def test_a_server_takes_as_many_as_there_may_be(model_server: str) -> None:
    texts = [f"We {chr(97 + number % 26)}{chr(97 + number // 26)} really hope for a good answer soon." for number in range(200)]
    long = replace(turn(ASK), history=tuple(Utterance(Speaker.BD, text) for text in texts))
    with ModelClient(model_server, timeout=120.0) as client:
        *_, last = list(write(long, client=client, model="parley-starter", seed=1, temperature=0.0))
    assert isinstance(last, Reply)
    assert not any(opening in last.text for opening in used_openings(long))


def test_each_opening_counts_once_and_the_hotels_words_not_at_all() -> None:
    assert said("I hope that all is well.", "I hope that all is well.") == ["I hope that all"]
    hotel = Utterance(Speaker.HOTEL, "We are really quite full in all those weeks.")
    assert used_openings(replace(turn(ASK), history=(hotel,))) == []


def test_terms_may_be_told_again_but_not_in_the_same_whole_reply() -> None:
    confirm = AllowedMove(kind=MoveKind.CONFIRM, label=1, price=Decimal(430))
    history = (Utterance(Speaker.BD, "You have been very patient. Let me read it back to you: 430 net. Is everything right?"),)
    assert used_openings(replace(turn(confirm), history=history)) == ["You have been very"]
