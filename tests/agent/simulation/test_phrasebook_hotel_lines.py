"""The hotel's English lines: enough of them for every situation, and each one means what its intent says, however it is typed."""

import random
import zlib
from collections import Counter
from datetime import date

import pytest

from agent.domain import Utterance
from agent.language import signals
from agent.language.consent import is_silence, says_yes
from agent.language.context import ReadContext
from agent.language.reader import read_by_rules
from agent.simulation import HotelPhrase, Lever, TypingStyle, phrasebook, sample_tickets
from agent.simulation.phrasebook import Phrasebook
from agent.simulation.phrasebook.duplicates import near_duplicates
from agent.simulation.phrases import HotelPart
from agent.simulation.typing_style import typed
from db.vocabulary import HotelMoveKind, Mood, Speaker

K = HotelMoveKind
FILES = frozenset(f"hotel_{name}.yaml" for name in ("answer", "around", "greeting", "inform", "offer", "question"))
LINES = [phrase for phrase in phrasebook().hotel if phrase.file in FILES]
BODIES = [phrase for phrase in LINES if phrase.part is HotelPart.BODY]
FACTS = sample_tickets(3, 1, today=date(2026, 3, 1))[0][0]
ASK = (FACTS.current_net * 93 / 100).quantize(FACTS.current_net)
SLOTS = {
    "hotel": FACTS.hotel_name,
    "room": FACTS.room_type,
    "dates": "3 March to 9 April",
    "price": f"{FACTS.currency} {FACTS.current_net * 97 / 100:.0f} net",
    "ask": str(ASK),
    "vague": "high 600s",
    "condition": "weekdays only",
}
NAMES = (FACTS.room_type, FACTS.hotel_name)
FREQUENT = {
    "agree:to_ask": 80, "agree:to_confirm": 80, "refuse:plain": 80, "stall:plain": 80, "offer:first": 60, "offer:counter": 80,
    "offer:final": 40, "offer:conditional": 25, "offer:vague": 25, "inform:situation": 150, "inform:pushback": 50, "upset:pressure": 30,
    "upset:past": 30, "wrong_person:reception": 30, "stop:stop": 40, "legal:legal": 30, "greeting:hello": 80, "opener:any": 80,
    "opener:match": 60, "opener:mismatch": 30, "tail:any": 60, "silence:nothing": 30,
}  # fmt: skip


def as_typed(phrase: HotelPhrase) -> list[str]:
    """The line in every style in which a hotel may type it, the same ones in each run."""
    text = phrase.text.format_map(SLOTS)
    if phrase.intent is K.SILENCE:
        return [text]
    styles = sorted(phrase.styles or TypingStyle)
    keep = (*NAMES, FACTS.currency)
    return [
        typed(text, style, mood=str(phrase.mood), rng=random.Random(zlib.crc32(text.encode())), keep=keep, careful=phrase.intent is K.AGREE)
        for style in styles
    ]


def after_our_ask() -> ReadContext:
    return ReadContext(
        facts=(FACTS,), focus=FACTS.label, asked=((FACTS.label, ASK),), history=(Utterance(Speaker.BD, f"Could you do {ASK} net?"),)
    )


def test_that_there_are_at_least_twice_as_many_lines_as_eight_hundred_and_ten():
    assert len(LINES) >= 1620


def test_that_every_situation_has_at_least_fourteen_lines_and_the_frequent_ones_many_more():
    topics = Counter(f"{phrase.intent or phrase.part}:{phrase.topic}" for phrase in LINES)
    assert {topic: count for topic, count in topics.items() if count < 14} == {}
    assert {topic: topics[topic] for topic, least in FREQUENT.items() if topics[topic] < least} == {}


def test_that_a_hotel_tells_of_every_lever_in_every_mood():
    told = Counter((phrase.lever, phrase.mood) for phrase in BODIES if phrase.topic == "situation")
    for lever in set(Lever) - {Lever.EVIDENCE}:
        for mood in (Mood.NEUTRAL, Mood.WARM, Mood.ANNOYED, Mood.ANXIOUS):
            assert told[lever, mood] >= 5, (lever, mood)


@pytest.mark.parametrize("mood", list(Mood))
@pytest.mark.parametrize(("intent", "topic"), [(K.REFUSE, "plain"), (K.OFFER, "counter"), (K.INFORM, "pushback")])
def test_that_what_is_said_most_is_said_in_every_mood(intent: HotelMoveKind, topic: str, mood: Mood):
    assert len([phrase for phrase in BODIES if (phrase.intent, phrase.topic, phrase.mood) == (intent, topic, mood)]) >= 5


@pytest.mark.parametrize("style", [style for style in TypingStyle if style is not TypingStyle.PLAIN])
def test_that_every_style_has_lines_of_its_own(style: TypingStyle):
    assert len([phrase for phrase in LINES if style in phrase.styles]) >= 80


def test_that_an_agreement_is_an_explicit_yes_in_every_style():
    unheard = [text for phrase in BODIES if phrase.intent is K.AGREE for text in as_typed(phrase) if not says_yes(text, names=NAMES)]
    assert unheard == []


def test_that_nothing_else_can_be_taken_for_a_yes_in_any_style():
    # A greeting answers no price, and an offer that sounds like a yes is one to its own price alone.
    others = [phrase for phrase in BODIES if phrase.intent not in (K.AGREE, K.GREETING, K.OFFER)]
    assert [text for phrase in others for text in as_typed(phrase) if says_yes(text, names=NAMES)] == []


def test_that_only_an_offer_names_a_price_of_its_own():
    context = after_our_ask()
    others = [phrase for phrase in BODIES if phrase.intent not in (K.AGREE, K.OFFER)]
    assert [phrase.text for phrase in others if read_by_rules(phrase.text.format_map(SLOTS), context).offers] == []
    priced = [phrase for phrase in BODIES if phrase.intent is K.OFFER and "price" in phrase.slots]
    assert [phrase.text for phrase in priced if len(read_by_rules(phrase.text.format_map(SLOTS), context).offers) != 1] == []


def test_that_words_which_end_or_hand_over_a_talk_stand_only_where_it_ends_or_is_handed_over():
    for phrase in LINES:
        text = phrase.text.format_map(SLOTS)
        assert not signals.wants_stop(text) or phrase.intent is K.STOP, text
        assert not signals.is_legal(text) or phrase.intent is K.LEGAL, text
        assert not signals.is_wrong_person(text) or phrase.intent is K.WRONG_PERSON, text


def test_that_silence_has_no_words_and_nothing_else_is_without_them():
    for phrase in BODIES:
        assert is_silence(phrase.text.format_map(SLOTS)) == (phrase.intent is K.SILENCE), phrase.text


def test_that_openers_and_tails_have_no_slots():
    assert [phrase.text for phrase in LINES if phrase.part is not HotelPart.BODY and phrase.slots] == []


def test_that_no_two_longer_lines_say_the_same_in_the_same_words():
    """A reply of up to three words ("Yes.", "{price}.") is contained in many others and is no copy of them."""
    pairs = near_duplicates(Phrasebook(language="en", hotel=tuple(LINES), bd=()))
    texts = [(pair.first.text, pair.second.text) for pair in pairs]
    assert [alike for alike in texts if min(len(text.split()) for text in alike) > 3] == []
