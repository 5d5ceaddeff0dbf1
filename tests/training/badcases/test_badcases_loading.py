from pathlib import Path
from typing import Any

import pytest
import yaml

from training.badcases import BadCaseError, ShippedCase, load

CASE: dict[str, Any] = {
    "id": "told-too-much",
    "severity": "severe",
    "wrong": "Our own workings are named.",
    "hotel": "Harbour View Hotel",
    "tickets": [
        {
            "room": "Deluxe King",
            "dates": "2026-10-12 to 2026-10-16",
            "currency": "USD",
            "net": 450,
            "mandate": {"opening": 405, "target": 420, "ceiling": 430},
        }
    ],
    "dialogue": [
        {"bd": "Hello, it is about the Deluxe King. May I?", "move": "greet"},
        {"hotel": "440 net it is.", "means": {"kind": "offer", "offers": ["440 net"]}},
    ],
    "bad": {"move": "ask", "text": "The ticket says 405 net, is that possible?"},
    "good": {"move": "ask", "text": "Thank you! Would 405 net be possible for the Deluxe King?"},
    "must": [{"says": "names the price", "names_amount": 405}],
    "must_not": [{"says": "hurries", "mentions": ["quickly"]}],
}


def read(folder: Path, **changed: Any) -> tuple[ShippedCase, ...]:
    raw = {name: value for name, value in (CASE | changed).items() if value is not None}
    (folder / "words.yaml").write_text(yaml.safe_dump({"fault": "internal_words", "cases": [raw]}), encoding="utf-8")
    return load(folder)


def test_that_the_turn_is_the_one_that_the_sop_leads_to(tmp_path: Path) -> None:
    (case,) = read(tmp_path)
    assert [str(move) for move in case.context.allowed] == ["ask(#1, 405 net)"]
    assert case.context.stage == "proposal"
    assert [turn.text for turn in case.context.history] == ["Hello, it is about the Deluxe King. May I?", "440 net it is."]
    assert [str(amount) for _, amount in case.context.offered] == ["440"]


def test_that_an_opening_needs_no_dialogue(tmp_path: Path) -> None:
    good = {"move": "greet", "text": "Hello, it is about the Deluxe King. May I?"}
    bad = {"move": "greet", "text": "Hello, I have a ticket for the Deluxe King."}
    (case,) = read(tmp_path, dialogue=None, bad=bad, good=good, must=[{"says": "asks", "asks_a_question": True}])
    assert case.context.history == ()


def line(index: int, **changed: Any) -> list[dict[str, Any]]:
    lines = [dict(one) for one in CASE["dialogue"]]
    lines[index] = changed
    return lines


MEANS = {"kind": "offer"}
BROKEN: list[tuple[str, dict[str, Any], str]] = [
    ("an unknown field", {"mood": "warm"}, "words.yaml, case told-too-much: mood: "),
    ("an unknown severity", {"severity": "awful"}, "severity: "),
    ("no checks", {"must": []}, "must: "),
    ("an unknown check", {"must": [{"says": "sings", "sings": True}]}, "must.0: .*no check is called 'sings'"),
    ("a check without words", {"must": [{"names_amount": 405}]}, "must.0: .*plain words"),
    ("a check with a wrong argument", {"must_not": [{"says": "x", "moves_in": "jump"}]}, "must_not.0"),
    ("two checks in one", {"must": [{"says": "x", "greets": True, "thanks": True}]}, "exactly one"),
    ("dates in another form", {"tickets": [{**CASE["tickets"][0], "dates": "12-16 Oct"}]}, "tickets.0.dates: .*dates are written"),
    (
        "a mandate that contradicts itself",
        {"tickets": [{**CASE["tickets"][0], "mandate": {"opening": 500, "target": 420, "ceiling": 430}}]},
        "tickets.0.mandate: a mandate needs",
    ),
    ("an offer without its kind", {"dialogue": line(1, hotel="440", means={"kind": "offer", "offers": ["440"]})}, "an offer is written"),
    ("a line of both sides", {"dialogue": line(1, hotel="Hm.", bd="Hm.", move="ask", means=MEANS)}, "dialogue.1: .*either ours"),
    ("a line without its meaning", {"dialogue": line(1, hotel="440 net")}, "dialogue.1: .*either ours"),
    ("a move that the SOP does not allow", {"dialogue": line(0, bd="Good bye.", move="close")}, "dialogue.0: move: the SOP does not allow"),
    ("a last word of ours", {"dialogue": CASE["dialogue"][:1]}, "the last word must be the hotel's"),
    (
        "a price that was not said",
        {"dialogue": [*CASE["dialogue"], {"bd": "Less?", "move": "ask"}]},
        "dialogue.2: bd: the words do not name",
    ),
    ("a move that is none", {"bad": {"move": "sing", "text": "La."}}, "bad.move: 'sing' is no move"),
    ("a bad reply that is good", {"bad": CASE["good"]}, "bad: the bad reply passes"),
    ("a good reply that is bad", {"good": CASE["bad"]}, "good: the good reply is no clean fix: .*internal words"),
    ("a good reply that breaks another rule", {"good": {"move": "ask", "text": "405 net, I guarantee it?"}}, "no clean fix: .*promises"),
]


@pytest.mark.parametrize(("changed", "said"), [entry[1:] for entry in BROKEN], ids=[entry[0] for entry in BROKEN])
def test_that_what_is_not_sound_is_refused_with_its_place(tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    with pytest.raises(BadCaseError, match=f"^words.yaml, case told-too-much: .*{said}|^{said}"):
        read(tmp_path, **changed)


def test_that_a_conversation_that_is_over_is_refused(tmp_path: Path) -> None:
    stopped = [
        *line(1, hotel="Stop writing to us.", means={"kind": "stop"}),
        {"bd": "Thank you, goodbye.", "move": "close"},
        {"hotel": "Hm.", "means": {"kind": "other"}},
    ]
    with pytest.raises(BadCaseError, match="the conversation is over"):
        read(tmp_path, dialogue=stopped)


def test_that_an_id_stands_once(tmp_path: Path) -> None:
    read(tmp_path)
    (tmp_path / "again.yaml").write_text((tmp_path / "words.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(BadCaseError, match="the id told-too-much stands twice"):
        load(tmp_path)


@pytest.mark.parametrize("text", ["fault: [", "fault: boredom\ncases: [{}]", "fault: pressure\ncases: []", "just words"])
def test_that_a_file_in_another_form_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "odd.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(BadCaseError, match=r"^odd\.yaml"):
        load(tmp_path)
