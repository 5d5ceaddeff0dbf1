"""Our English lines one by one: each passes the guard in a context that fits it, and the hotel hears in it what is meant."""

from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
import scenes
from scenes import NET

from agent.domain import HotelMove, HotelOffer, Reply, TurnContext
from agent.guardrails import check
from agent.language.blanks import blanks
from agent.simulation import BDPart, BDPhrase, Quality, phrasebook
from agent.simulation.hearing import Heard, hear
from agent.simulation.phrasebook.duplicates import near_duplicates
from agent.simulation.phrases import Lever
from db.vocabulary import ClarifyTopic, HotelMoveKind, Mood, MoveKind, PriceBasis

TODAY = date(2027, 2, 10)
FACTS = replace(
    scenes.FACTS,
    competitor_price=Decimal(221),
    competitor_seen_on=date(2027, 2, 8),
    evidence=("Guests booked the Deluxe King 14 times in January.",),
)
LINES = phrasebook().bd
SAYABLE = [line for line in LINES if line.quality is not Quality.WRONG]
ANSWERED_BY = {
    HotelMoveKind.AGREE: MoveKind.CONFIRM,
    HotelMoveKind.GREETING: MoveKind.PROBE,
    HotelMoveKind.WRONG_PERSON: MoveKind.REDIRECT,
    HotelMoveKind.LEGAL: MoveKind.ESCALATE,
    HotelMoveKind.STOP: MoveKind.ESCALATE,
}
"""With which move we commonly answer; with a request for a price in every other case."""
COMPANION = {
    MoveKind.GREET: "Hello, I am writing about your rates.",
    MoveKind.PROBE: "How is the {room} doing?",
    MoveKind.ASK: "Could the {room} be {net} net for {dates}?",
    MoveKind.HOLD: "I would still ask for {net} net.",
    MoveKind.CLARIFY: "Is that net, or the selling price?",
    MoveKind.ACCEPT: "",
    MoveKind.CONFIRM: "{room}, {dates}, {net} net, selling price {selling}, from {check_in}. Do you confirm?",
    MoveKind.CALM: "I am sorry about that.",
    MoveKind.REDIRECT: "Who decides on rates?",
    MoveKind.FOLLOW_UP: "Have you had time to think about the {room}?",
    MoveKind.CLOSE: "Thank you, and all the best.",
    MoveKind.ESCALATE: "A colleague will contact you.",
}
"""What else a reply with the move says, where the line is only a part of it."""


def situation(line: BDPhrase, kind: MoveKind) -> tuple[TurnContext, Reply]:
    """A context in which the line may be said with this move, and the reply that says it."""
    heard_kind = next(iter(sorted(line.after)), HotelMoveKind.INFORM)
    heard = HotelMove(
        kind=heard_kind,
        mood=next(iter(sorted(line.moods)), Mood.NEUTRAL),
        offers=(HotelOffer(label=1, amount=Decimal(190), basis=PriceBasis.NET),) if heard_kind is HotelMoveKind.OFFER else (),
        says_yes=heard_kind is HotelMoveKind.AGREE,
    )
    topic = ClarifyTopic(line.topic) if kind is MoveKind.CLARIFY and line.part is BDPart.BODY else ClarifyTopic.NET_OR_SELLING
    context, move = scenes.situation(kind, FACTS, today=TODAY, heard=heard, topic=topic, deal=line.topic != "no_deal")
    values = blanks(context, move)
    companion = "" if line.part is BDPart.BODY else COMPANION[kind].format_map(values)
    said = line.text.format_map(values)
    return context, Reply(move=move, text=f"{companion} {said}" if line.part is BDPart.CLOSING else f"{said} {companion}".strip())


def moves(line: BDPhrase) -> list[MoveKind]:
    if line.part is not BDPart.ACK:
        return sorted(line.moves)
    return sorted({ANSWERED_BY.get(kind, MoveKind.ASK) for kind in line.after} - ({MoveKind.CONFIRM} if len(line.after) > 1 else set()))


def bodies(*kinds: MoveKind, topic: str | None = None) -> list[BDPhrase]:
    found = [line for line in SAYABLE if line.part is BDPart.BODY and line.moves & set(kinds)]
    return found if topic is None else [line for line in found if line.topic == topic]


def heard_in(line: BDPhrase, kind: MoveKind) -> Heard:
    return hear(situation(line, kind)[1].text, (FACTS,), focus=1)


def test_that_every_sayable_line_passes_the_guard_where_it_fits():
    faults = [
        (line.text, [violation.message for violation in found])
        for line in SAYABLE
        for kind in moves(line)
        if (found := check(*situation(line, kind)))
    ]
    assert not faults


@pytest.mark.parametrize("kind", [MoveKind.ASK, MoveKind.HOLD])
def test_that_every_request_is_heard_as_a_request_and_as_nothing_else(kind: MoveKind):
    lines = [line for line in SAYABLE if kind in line.moves and line.part in (BDPart.BODY, BDPart.REASON, BDPart.CLOSING, BDPart.ANSWER)]
    for line in lines:
        heard = heard_in(line, kind)
        assert heard.net == (NET,), line.text
        assert not any((heard.ends, heard.hands_over, heard.promises, heard.presses, heard.accepts)), line.text
        # A reason may name selling prices; a request must not become a confirmation by that.
        beside_a_price = f"{situation(line, kind)[1].text} On Agoda the selling price is USD 221."
        assert not hear(beside_a_price, (FACTS,), focus=1).confirms, line.text


def test_that_every_reason_is_heard_as_its_argument():
    reasons = [line for line in SAYABLE if line.part is BDPart.REASON and line.argument not in (Lever.EVIDENCE, None)]
    assert not [line.text for line in reasons if line.argument not in heard_in(line, MoveKind.ASK).arguments]
    assert {line.argument for line in reasons} == set(Lever) - {Lever.EVIDENCE}


@pytest.mark.parametrize("topic", list(ClarifyTopic))
def test_that_every_question_about_an_open_point_is_heard_as_such(topic: ClarifyTopic):
    misheard = [line.text for line in bodies(MoveKind.CLARIFY, topic=topic) if heard_in(line, MoveKind.CLARIFY).clarifies is not topic]
    assert not misheard


@pytest.mark.parametrize("kind", [MoveKind.ACCEPT, MoveKind.CONFIRM])
def test_that_repeated_terms_are_heard_as_a_question_for_a_yes(kind: MoveKind):
    assert not [line.text for line in bodies(kind) if not (heard := heard_in(line, kind)).confirms or heard.net[:1] != (NET,)]


def test_that_the_last_words_are_heard_as_such():
    assert not [line.text for line in bodies(MoveKind.CLOSE) if not heard_in(line, MoveKind.CLOSE).ends]
    assert not [line.text for line in bodies(MoveKind.ESCALATE) if not heard_in(line, MoveKind.ESCALATE).hands_over]


def test_that_calming_reminding_and_asking_for_the_right_person_are_heard():
    assert not [line.text for line in bodies(MoveKind.CALM) if not (heard := heard_in(line, MoveKind.CALM)).calms or heard.asks]
    assert not [line.text for line in bodies(MoveKind.FOLLOW_UP) if not (heard := heard_in(line, MoveKind.FOLLOW_UP)).reminds or heard.ends]
    assert not [line.text for line in bodies(MoveKind.REDIRECT) if not heard_in(line, MoveKind.REDIRECT).redirects]
    assert not [line.text for line in bodies(MoveKind.PROBE) if not heard_in(line, MoveKind.PROBE).asks]


@pytest.mark.parametrize("quality", [Quality.EXCELLENT, Quality.FINE, Quality.CLUMSY])
def test_that_each_quality_can_speak_alone(quality: Quality):
    lines = [line for line in SAYABLE if line.quality is quality]
    by_place = Counter((line.part, move) for line in lines for move in line.moves)
    parts = {MoveKind.GREET: (BDPart.HELLO, BDPart.INTRO, BDPart.PURPOSE, BDPart.QUESTION)}
    for move in MoveKind:
        for part in parts.get(move, (BDPart.BODY,)):
            assert by_place[part, move] >= 5, (part, move)
    for topic in ClarifyTopic:
        assert len([line for line in lines if MoveKind.CLARIFY in line.moves and line.topic == topic]) >= 3, topic
    for topic in ("deal", "no_deal", "step_closer"):
        assert len([line for line in lines if line.topic == topic]) >= 5, topic
    for lever in Lever:
        assert len([line for line in lines if line.argument is lever]) >= 4, lever
    for kind in set(HotelMoveKind) - {HotelMoveKind.SILENCE}:
        for mood in Mood:
            fitting = [line for line in lines if kind in line.after and mood in line.moods]
            assert fitting or kind is HotelMoveKind.SILENCE, (kind, mood)
    first = [line for line in lines if line.part is BDPart.BODY and MoveKind.ASK in line.moves and "room" in line.slots]
    assert len([line for line in first if line.slots & {"dates", "check_in"}]) >= 5


def test_that_every_fault_has_a_dozen_lines():
    faults = Counter(line.fault for line in LINES if line.fault)
    assert len(faults) >= 17
    assert min(faults.values()) >= 12


def test_that_no_two_lines_of_a_part_say_the_same_in_the_same_words():
    alike = [(pair.first.text, pair.second.text) for pair in near_duplicates(replace(phrasebook(), hotel=()))]
    assert not alike
