"""The phrasebook: enough of it, every line usable, and a loader that refuses what is not."""

from pathlib import Path

import pytest

from agent.language.consent import says_yes
from agent.simulation import BDPart, HotelPhrase, Lever, PhrasebookError, Quality, is_held_out, load, phrasebook
from agent.simulation.phrases import HELD_OUT_SHARE, LANGUAGES, Language
from db.vocabulary import ClarifyTopic, HotelMoveKind, MoveKind

BOOK = phrasebook()


def write(folder: Path, text: str) -> Path:
    (folder / "lines.yaml").write_text(text, encoding="utf-8")
    return folder


def test_that_both_sides_have_at_least_five_hundred_phrases():
    assert len(BOOK.hotel) >= 500
    assert len(BOOK.bd) >= 500


def test_that_every_hotel_intent_has_phrases():
    assert {phrase.intent for phrase in BOOK.hotel} - {None} == set(HotelMoveKind)


@pytest.mark.parametrize("quality", [Quality.EXCELLENT, Quality.FINE])
def test_that_every_move_of_ours_has_a_body_in_every_good_quality(quality: Quality):
    for move in MoveKind:
        part = BDPart.QUESTION if move is MoveKind.GREET else BDPart.BODY
        assert len(BOOK.bd_lines(part, move, quality)) >= 5, move


def test_that_every_open_point_can_be_asked():
    asked = {line.topic for line in BOOK.bd_lines(BDPart.BODY, MoveKind.CLARIFY, Quality.EXCELLENT)}
    assert asked == {str(topic) for topic in ClarifyTopic}


def test_that_every_lever_is_argued_and_hinted_at():
    assert {line.argument for line in BOOK.bd if line.argument} == set(Lever)
    hinted = {p.lever for p in BOOK.hotel if p.intent is HotelMoveKind.INFORM and p.topic == "situation"}
    assert hinted == set(Lever) - {Lever.EVIDENCE}


def test_that_wrong_lines_name_at_least_ten_different_faults():
    faults = {line.fault for line in BOOK.bd if line.quality is Quality.WRONG}
    assert len(faults) >= 10
    assert None not in faults


@pytest.mark.parametrize("phrase", [p for p in BOOK.hotel if p.intent is HotelMoveKind.AGREE], ids=lambda p: p.text[:30])
@pytest.mark.parametrize("price", ["430", "$430 net", "four hundred and thirty", "a net rate of 430"])
def test_that_every_yes_of_a_hotel_is_an_explicit_one(phrase: HotelPhrase, price: str):
    text = phrase.text.format(ask=price, room="Deluxe King")
    assert says_yes(text, names=("Deluxe King",)), text


@pytest.mark.parametrize("language", LANGUAGES)
def test_that_no_refusal_and_no_stall_can_be_taken_for_a_yes(language: Language):
    for phrase in phrasebook(language).hotel:
        if phrase.intent in (HotelMoveKind.REFUSE, HotelMoveKind.STALL, HotelMoveKind.SILENCE):
            assert not says_yes(phrase.text.format(ask="430", room="Deluxe King")), phrase.text


def test_that_calming_asks_for_nothing():
    for quality in (Quality.EXCELLENT, Quality.FINE, Quality.CLUMSY):
        for part in (BDPart.BODY, BDPart.CLOSING):
            assert not [line.text for line in BOOK.bd_lines(part, MoveKind.CALM, quality) if line.text.endswith("?")]


def test_that_the_held_out_part_is_chosen_by_the_words_alone():
    held = [phrase for phrase in BOOK.hotel if phrase.held_out]
    assert all(is_held_out(phrase.text) for phrase in held)
    assert len(BOOK.hotel) / HELD_OUT_SHARE / 2 < len(held) < len(BOOK.hotel) / HELD_OUT_SHARE * 2


def test_that_coverage_counts_every_phrase():
    coverage = BOOK.coverage()
    assert coverage["side"]["hotel"] == len(BOOK.hotel)
    assert sum(coverage["hotel intent"].values()) == len(BOOK.hotel)
    assert sum(coverage["bd quality"].values()) == len(BOOK.bd)


HOTEL = "side: hotel\ngroups:\n  - {intent: offer, topic: first, mood: neutral, lines: '%s'}\n"
BD = "side: bd\ngroups:\n  - {part: body, moves: [ask], quality: fine, lines: '%s'}\n"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (HOTEL % "I can do {prise}.", "unknown slot prise"),
        (HOTEL % "I can do {price.", "braces"),
        (BD % "Could you do {net}?", "without the word net"),
        (BD % "Others have {competitor_price} net.", "does not say so"),
        (HOTEL.replace("neutral", "cheerful") % "Hello", "not a phrasebook file"),
        (HOTEL.replace("side: hotel", "side: guest") % "Hello", "not a phrasebook file"),
        ("side: hotel\ngroups: [", "not a phrasebook file"),
        (BD.replace("fine", "wrong") % "Pay less.", "names its fault"),
        (BD.replace("body", "reason") % "Because.", "names its argument"),
        (HOTEL % "Yes.", "both sides need phrases"),
    ],
)
def test_that_a_bad_line_fails_with_its_reason(tmp_path: Path, text: str, complaint: str):
    with pytest.raises(PhrasebookError, match=complaint):
        load(write(tmp_path, text))


def test_that_a_confirmation_without_all_terms_is_refused(tmp_path: Path):
    line = "side: bd\ngroups:\n  - {part: body, moves: [confirm], quality: fine, lines: 'So {net} net for the {room}?'}\n"
    with pytest.raises(PhrasebookError, match="repeats room, dates"):
        load(write(tmp_path, line))


def test_that_the_same_line_in_the_same_place_is_refused(tmp_path: Path):
    (tmp_path / "bd.yaml").write_text(BD % "Please.", encoding="utf-8")
    (tmp_path / "more.yaml").write_text(BD % "Please.", encoding="utf-8")
    (tmp_path / "hotel.yaml").write_text(HOTEL % "Then {price}.", encoding="utf-8")
    with pytest.raises(PhrasebookError, match="stands 2 times"):
        load(tmp_path)
