"""What is given out is the text without what it said already, however it was cut, and nothing waits longer than it must."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.language.echo import Unechoed, unechoed

SENTENCES = st.sampled_from(["I see.", "I see that.", "Could we say EUR 4.50 net?", "谢谢您！", "Thank you, and I mean it.", "So…"])


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("I value that you move. I value that you move. Could we say EUR 4.50 net?", "I value that you move. Could we say EUR 4.50 net?"),
        ("I see. I see that. I see.", "I see. I see that."),
        ("I see. I see", "I see. I see"),
        ("Would 4.5 do? Would 4.5 do?", "Would 4.5 do?"),
        ("No end", "No end"),
        ("", ""),
    ],
)
def test_a_sentence_is_said_once(text: str, left: str) -> None:
    assert unechoed(text) == left


@given(st.lists(SENTENCES, max_size=8), st.data())
def test_it_does_not_matter_where_the_text_is_cut(sentences: list[str], data: st.DataObject) -> None:
    text = " ".join(sentences)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    clean = Unechoed()
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert ("".join(map(clean.feed, pieces)) + clean.finish()).strip() == unechoed(text)
    said = [part for part in re.split(r"(?<=[.!?。！？])\s", unechoed(text)) if part]
    assert len(said) == len(set(said))


def test_words_wait_only_while_they_could_be_an_echo() -> None:
    clean = Unechoed()
    assert clean.feed("I see it. I se") == "I see it. "
    assert clean.feed("nse it") == "I sense it"
