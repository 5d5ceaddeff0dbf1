"""The words of a reply come as they are decoded, from pieces cut anywhere; what is no reply is refused."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.language.writer import ReplyDecoder, WriterFailed


def pieces_of(text: str, cuts: list[int]) -> list[str]:
    places = sorted({cut % (len(text) + 1) for cut in cuts} | {0, len(text)})
    return [text[start:end] for start, end in pairwise(places)]


@given(st.text(), st.lists(st.integers(min_value=0), max_size=30), st.booleans())
def test_any_text_comes_through_any_cuts(text: str, cuts: list[int], ascii_only: bool) -> None:
    encoded = json.dumps({"move": "ask", "text": text}, ensure_ascii=ascii_only, separators=(",", ":"))
    decoder = ReplyDecoder()

    streamed = "".join(decoder.feed(piece) for piece in pieces_of(encoded, cuts))

    assert streamed == text
    assert decoder.finish() == {"move": "ask", "text": text}


def test_words_are_given_out_before_the_answer_is_complete() -> None:
    decoder = ReplyDecoder()

    assert decoder.feed('{"move":"ask","te') == ""
    assert decoder.feed('xt":"Could ') == "Could "
    assert decoder.feed("you\\") == "you"
    assert decoder.feed("u00e9") == "é"
    assert decoder.feed("\\ud83d") == ""
    assert decoder.feed("\\ude42!") == "🙂!"


def test_whitespace_and_the_order_of_keys_do_not_matter() -> None:
    decoder = ReplyDecoder()
    decoder.feed(' {\n "text" : "hi" , "move" : "ask" } \n')

    assert decoder.finish() == {"text": "hi", "move": "ask"}


@pytest.mark.parametrize(
    ("escaped", "text"),
    [
        ("\\ud83d", "\ufffd"),
        ("\\ude42", "\ufffd"),
        ("\\ud83dx", "\ufffdx"),
        ("\\ud83d\\n", "\ufffd\n"),
        ("\\ud83d\\ud83d\\ude42", "\ufffd🙂"),
    ],
)
def test_half_a_surrogate_pair_becomes_a_replacement_character(escaped: str, text: str) -> None:
    decoder = ReplyDecoder()
    decoder.feed(f'{{"text":"{escaped}"}}')

    assert decoder.finish() == {"text": text}


@pytest.mark.parametrize(
    "bad",
    [
        "[]",
        "hello",
        '{"move":1',
        '{"move":"ask"}}',
        '{"move":"ask","move":"ask"',
        '{"text":"\\x"',
        '{"text":"\\u00zz"',
        '{"text":{',
        "{,",
        '{"a" "b"',
        "}",
    ],
)
def test_broken_json_is_refused_where_it_breaks(bad: str) -> None:
    with pytest.raises(WriterFailed):
        ReplyDecoder().feed(bad)


@pytest.mark.parametrize("cut", ["", "{", '{"move', '{"move":"ask","text":"Could you', '{"move":"ask","text":"Could you"'])
def test_an_answer_that_is_cut_off_is_refused(cut: str) -> None:
    decoder = ReplyDecoder()
    decoder.feed(cut)

    with pytest.raises(WriterFailed, match="cut off"):
        decoder.finish()
