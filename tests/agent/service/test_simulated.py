"""The simulated hotel of a conversation speaks its language, and is the same each time it is rebuilt."""

from datetime import date
from uuid import uuid4

import pytest

from agent.service.simulated import answer, profile_of
from agent.simulation import sample_tickets
from db.models import Conversation, Turn
from db.vocabulary import Counterpart, Mode, Speaker, Stage

FACTS = tuple(fact for fact, _ in sample_tickets(5, today=date(2027, 1, 4)))
HELLO = {"en": "Good morning, do you set the rates yourself?", "zh": "您好，请问房价是您负责吗？"}


def conversation(language: str) -> Conversation:
    return Conversation(hotel_id=uuid4(), mode=Mode.AUTOPILOT, counterpart=Counterpart.SIMULATED, language=language, seed=5)


def is_chinese(text: str) -> bool:
    return any("\u4e00" <= character <= "\u9fff" for character in text)


@pytest.mark.parametrize(("language", "chinese"), [("en", False), ("zh", True), ("fr", False)])
def test_it_speaks_the_language_of_the_conversation_or_english(language: str, chinese: bool) -> None:
    held = conversation(language)
    said: list[Turn] = []
    words: list[str] = []
    for number in range(1, 7):
        text = HELLO.get(language, HELLO["en"])
        said.append(Turn(conversation_id=uuid4(), number=2 * number - 1, speaker=Speaker.BD, text=text, stage_before=Stage.OPENING))
        words.append(answer(held, FACTS, said))
        said.append(Turn(conversation_id=uuid4(), number=2 * number, speaker=Speaker.HOTEL, text=words[-1], stage_before=Stage.OPENING))
    assert any(words)
    assert any(is_chinese(text) for text in words) is chinese
    assert profile_of(held, FACTS) == profile_of(conversation(language), FACTS)
