"""The phrasebook's tags and checks: every line fully tagged, one language at a time, near-duplicates found, and a report that says so."""

from pathlib import Path

import pytest

from agent.simulation.phrasebook import PhrasebookError, load, phrasebook
from agent.simulation.phrasebook.__main__ import main
from agent.simulation.phrasebook.duplicates import near_duplicates
from agent.simulation.phrasebook.tags import bd_stages, hotel_stages, stages_of
from agent.simulation.phrases import BD_TACTICS, HOTEL_TACTICS, LANGUAGES, BDPart, Language, Quality, Tactic
from agent.sop.stages import STAGES
from db.vocabulary import HotelMoveKind, Mood, MoveKind, Stage

HOTEL = "side: hotel\ngroups:\n  - {intent: offer, topic: first, mood: neutral, lines: 'I can do {price}.'}\n"
BD = "side: bd\ngroups:\n  - {part: body, moves: [ask], quality: fine, lines: 'Could you do {net} net?'}\n"
ZH_HOTEL = "side: hotel\nlanguage: zh\ngroups:\n  - {intent: offer, topic: first, mood: neutral, lines: '给您{price}'}\n"
ZH_BD = "side: bd\nlanguage: zh\ngroups:\n  - {part: body, moves: [ask], quality: fine, lines: '净价{net}可以吗？'}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small phrasebook of both languages."""
    for name, text in (("hotel", HOTEL), ("bd", BD), ("zh_hotel", ZH_HOTEL), ("zh_bd", ZH_BD)):
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    return tmp_path


def changed(folder: Path, name: str, old: str, new: str) -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    return folder


@pytest.mark.parametrize("language", LANGUAGES)
def test_that_every_line_carries_every_tag(language: Language):
    book = phrasebook(language)
    ends = {stage for stage in Stage if stage.is_end}
    for phrase in book.hotel:
        assert phrase.tactic in HOTEL_TACTICS
        assert phrase.stages
        assert not phrase.stages & ends
        assert (phrase.language, phrase.file[-5:]) == (language, ".yaml")
    for line in book.bd:
        assert line.tactic in BD_TACTICS
        assert line.tone in Mood
        assert line.stages
        assert not line.stages & ends
        assert line.moves or line.after


@pytest.mark.parametrize("language", LANGUAGES)
def test_that_our_lines_stand_only_in_stages_that_allow_their_moves(language: Language):
    for line in phrasebook(language).bd:
        if line.part is not BDPart.ACK and line.quality is not Quality.WRONG:
            assert all(STAGES[stage].moves & line.moves for stage in line.stages), line.text


def test_that_a_book_holds_one_language(folder: Path):
    assert [phrase.text for phrase in load(folder).hotel] == ["I can do {price}."]
    assert [phrase.text for phrase in load(folder, "zh").hotel] == ["给您{price}"]
    assert phrasebook("zh").language == "zh"
    assert phrasebook("fr") is phrasebook("en"), "a language without lines is spoken in English"


def test_that_tags_left_out_follow_from_intent_topic_and_the_sop(folder: Path):
    offer, ask = load(folder).hotel[0], load(folder).bd[0]
    assert (offer.tactic, offer.stages) == (Tactic.ANCHOR, {Stage.PROPOSAL, Stage.PERSUASION, Stage.FOLLOW_UP})
    assert (ask.tactic, ask.tone, ask.stages) == (Tactic.ANCHOR, Mood.NEUTRAL, {Stage.PROPOSAL, Stage.PERSUASION})
    assert hotel_stages(HotelMoveKind.AGREE, "to_confirm") == {Stage.CONFIRMATION}
    assert stages_of([MoveKind.CLARIFY]) == {Stage.CLARIFICATION}
    assert Stage.PERSUASION in bd_stages(frozenset(), frozenset({HotelMoveKind.OFFER}))


def test_that_a_tag_in_the_file_wins(folder: Path):
    changed(folder, "hotel", "mood: neutral", "mood: neutral, tactic: flatter, stages: [closing]")
    changed(folder, "bd", "quality: fine", "quality: fine, tactic: reason, tone: warm, stages: [proposal]")
    offer, ask = load(folder).hotel[0], load(folder).bd[0]
    assert (offer.tactic, offer.stages) == (Tactic.FLATTER, {Stage.CLOSING})
    assert (ask.tactic, ask.tone, ask.stages) == (Tactic.REASON, Mood.WARM, {Stage.PROPOSAL})


@pytest.mark.parametrize(
    ("name", "old", "new", "complaint"),
    [
        ("hotel", "mood: neutral", "mood: neutral, tactic: walk_away", "not a hotel's tactic"),
        ("bd", "quality: fine", "quality: fine, tactic: complain", "not a tactic of ours"),
        ("hotel", "side: hotel", "side: hotel\nlanguage: fr", "not a phrasebook file"),
        ("zh_bd", "净价{net}可以吗？", "{net}可以吗？", "without the word net"),
        ("zh_bd", "净价{net}可以吗？", "别处{competitor_price}", "does not say so"),
        ("zh_bd", "净价{net}可以吗？", "净价{net}，please", "foreign word please"),
        ("zh_hotel", "给您{price}", "deal，{price}", "foreign word deal"),
        ("zh_hotel", "给您{price}", "给您{prise}", "unknown slot prise"),
    ],
)
def test_that_a_bad_line_fails_whatever_language_is_loaded(folder: Path, name: str, old: str, new: str, complaint: str):
    with pytest.raises(PhrasebookError, match=complaint):
        load(changed(folder, name, old, new))


def test_that_coverage_counts_tactics_stages_and_language():
    for language in LANGUAGES:
        book = phrasebook(language)
        coverage = book.coverage()
        assert sum(coverage["hotel tactic"].values()) == len(book.hotel)
        assert sum(coverage["bd tactic"].values()) == len(book.bd)
        assert set(coverage["hotel tactic"]) == {str(tactic) for tactic in HOTEL_TACTICS}
        assert set(coverage["bd tactic"]) == {str(tactic) for tactic in BD_TACTICS}
        assert coverage["bd stage"]["proposal"] > 0
        assert coverage["language"] == {language: len(book.hotel) + len(book.bd)}


def test_that_lines_in_nearly_the_same_words_are_found_with_their_files(folder: Path):
    changed(folder, "hotel", "lines: 'I can do {price}.'", "lines: |\n      I can do {price}.\n      I can, do {price}!\n      Go away.\n")
    changed(folder, "hotel", "{intent: offer, topic: first, mood: neutral, ", "intent: offer\n    topic: first\n    mood: neutral\n    ")
    changed(folder, "hotel", "Go away.\n}", "Go away.\n")
    (pair,) = near_duplicates(load(folder))
    assert (pair.first.text, pair.second.text, pair.score) == ("I can do {price}.", "I can, do {price}!", 100)
    assert (pair.side, pair.part, pair.language, pair.first.file) == ("hotel", "body", "en", "hotel.yaml")


def test_that_chinese_lines_are_compared_by_their_characters(folder: Path):
    both = "\n    lines: |\n      给您{price}，今天就能改价\n      给您{price}！今天就能改价啊\n      那就{price}\n"
    changed(folder, "zh_hotel", "  - {intent: offer, topic: first, mood: neutral, lines: '给您{price}'}",
            f"  - intent: offer\n    topic: first\n    mood: neutral{both}")  # fmt: skip
    (pair,) = near_duplicates(load(folder, "zh"))
    assert pair.second.text == "给您{price}！今天就能改价啊"


def test_that_no_two_chinese_lines_are_near_duplicates():
    assert not [(pair.first.text, pair.second.text) for pair in near_duplicates(phrasebook("zh"))]


def test_that_the_report_names_thin_tags_and_fails_on_an_invalid_line(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main(folder) == 0
    printed = capsys.readouterr().out
    assert "Fewer than 10 lines:" in printed
    assert "hotel intent offer (1)" in printed
    assert main(changed(folder, "zh_bd", "净价", "价格")) == 1
    assert "without the word net" in capsys.readouterr().out
