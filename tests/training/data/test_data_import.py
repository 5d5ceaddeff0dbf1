"""Files from elsewhere: every bad cell is named, good rows come in once, and what comes in goes out as it came."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import func, select

from db.engine import SessionFactory
from db.models import ImportedExample
from training.data import Chosen, FileUnreadable, Format, Imported, export_examples, import_examples, template_csv
from training.data.columns import TRAINED


def said(role: str, content: str) -> list[dict[str, str]]:
    return [{"role": role, "content": content}]


def preference(number: int, **changed: Any) -> dict[str, Any]:
    return {
        "prompt": said("user", f"Question {number}"),
        "chosen": said("assistant", "Good"),
        "rejected": said("assistant", "Bad"),
    } | changed


def jsonl(path: Path, *rows: Any) -> Path:
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row, ensure_ascii=False)) + "\n" for row in rows))
    return path


def faults(told: Imported) -> list[tuple[int, str, str]]:
    return [(error.row, error.column, error.message) for error in told.errors]


def stored(sessions: SessionFactory) -> int:
    with sessions() as session:
        return session.scalars(select(func.count(ImportedExample.id))).one()


def test_every_bad_cell_is_named_and_the_good_rows_come_in(sessions: SessionFactory, tmp_path: Path) -> None:
    file = jsonl(
        tmp_path / "mine.jsonl",
        preference(1),
        preference(2, chosen=said("assistant", "  ")),
        '{"prompt": "half a row',
        preference(4, rejected=said("user", "Bad")),
        "[1, 2]",
        preference(6, created_at="yesterday", rating_ids=["no id"]),
        {"prompt": "Only a question", "chosen": "Good"},
        preference(8, surprise=1),
        preference(9, prompt=[]),
        preference(10, rejected="a\0b"),
        preference(11, simulated_rater="perhaps"),
        preference(1),
    )
    told = import_examples(sessions, file)
    assert (told.good, told.added, told.bad) == (1, 1, 11)
    assert [fault[:2] for fault in faults(told)] == [
        (2, "chosen.0.content"),
        (3, ""),
        (4, "rejected.0.role"),
        (5, ""),
        (6, "rating_ids.0"),
        (6, "created_at"),
        (7, "rejected"),
        (8, "surprise"),
        (9, "prompt"),
        (10, "rejected"),
        (11, "simulated_rater"),
        (12, "id"),
    ]
    messages = {(row, column): message for row, column, message in faults(told)}
    assert messages[7, "rejected"] == "is missing, but it is required"
    assert messages[8, "surprise"] == "is no column of this format"
    assert "NUL" in messages[10, "rejected"]
    assert messages[12, "id"] == "is the same example as row 1 of mine.jsonl"
    assert stored(sessions) == 1


def test_a_dry_run_writes_nothing_and_says_what_would_be_new(sessions: SessionFactory, tmp_path: Path) -> None:
    import_examples(sessions, jsonl(tmp_path / "one.jsonl", preference(1)))
    both = jsonl(tmp_path / "both.jsonl", preference(1), preference(2))
    told = import_examples(sessions, both, dry_run=True)
    assert (told.good, told.added, told.known) == (2, 1, 1)
    assert stored(sessions) == 1
    assert import_examples(sessions, both).added == 1
    assert import_examples(sessions, both).added == 0
    assert stored(sessions) == 2


@pytest.mark.parametrize("kind", TRAINED)
def test_the_sheet_can_be_filled_in_and_imported(sessions: SessionFactory, tmp_path: Path, kind: Format) -> None:
    file = tmp_path / "sheet.csv"
    file.write_text("\ufeff" + template_csv(kind).replace("\n", "\r\n"), encoding="utf-8", newline="")
    told = import_examples(sessions, file)
    assert told.errors == []
    assert told.added == 1
    done = export_examples(sessions, tmp_path / "out", Chosen(formats=(kind,)))
    row = json.loads((done.folder / f"{kind}.jsonl").read_text())
    assert [message["role"] for message in row["prompt"]] == ["system", "user"]
    assert row["created_at"] == "2027-01-31T09:30:00.000000Z"
    assert UUID(row["id"])


def test_a_plain_sheet_with_other_delimiters_and_bad_cells(sessions: SessionFactory, tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text('prompt;completion;label\n"Say; it";Well;yes\nSay it;Badly;maybe\n;Lost;no\nSay it;Badly;no;more\nSay it;Badly;0\n')
    told = import_examples(sessions, file)
    assert (told.good, told.bad) == (2, 3)
    assert [fault[:2] for fault in faults(told)] == [(3, "label"), (4, "prompt"), (5, "")]
    done = export_examples(sessions, tmp_path / "out", Chosen(formats=(Format.UNPAIRED_PREFERENCE,)))
    rows = [json.loads(line) for line in (done.folder / "unpaired_preference.jsonl").read_text().splitlines()]
    assert sorted((row["prompt"][0]["content"], row["label"]) for row in rows) == [("Say it", False), ("Say; it", True)]
    assert {row["source"] for row in rows} == {"imported"}


def test_a_dataset_of_plain_texts_comes_in_from_parquet(sessions: SessionFactory, tmp_path: Path) -> None:
    table = pa.table({"prompt": ["One", "Two"], "completion": ["First", "Second"]})
    pq.write_table(table, tmp_path / "plain.parquet")
    assert import_examples(sessions, tmp_path / "plain.parquet").added == 2


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.jsonl", b'{"question": 1}\n', "has the columns question. Needed are: prompt, completion; prompt, chosen, rejected"),
        ("a.jsonl", b"hello\n", "its first line is not JSON"),
        ("a.csv", b"prompt,completion,colour\nA,B,red\n", "unknown columns: colour"),
        ("a.csv", b"prompt,completion\n\xff\xfe,B\n", "not UTF-8"),
        ("a.csv", b'prompt,completion\n"A,B\n', "not well-formed CSV"),
        ("a.parquet", b"PAR1 no", "cannot be read"),
        ("a.zip", b"PK no", "is no zip file"),
        ("a.xlsx", b"", "name a file that ends in"),
    ],
)
def test_what_holds_no_examples_is_a_sentence(sessions: SessionFactory, tmp_path: Path, name: str, content: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileUnreadable, match=words):
        import_examples(sessions, tmp_path / name)
    assert stored(sessions) == 0


def test_a_zip_that_climbs_out_of_its_folder_stays_inside(sessions: SessionFactory, tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr("../../escaped.jsonl", "{}")
    with pytest.raises(FileUnreadable, match="no dataset and no export"):
        import_examples(sessions, tmp_path / "bad.zip")
    assert not (tmp_path.parent / "escaped.jsonl").exists()


def test_personal_data_in_imported_text_is_masked_on_its_way_out(sessions: SessionFactory, tmp_path: Path) -> None:
    import_examples(sessions, jsonl(tmp_path / "mine.jsonl", preference(1, chosen="Write to jo@hotel.example")))
    done = export_examples(sessions, tmp_path / "out")
    assert "Write to [email]" in (done.folder / "preference.jsonl").read_text()


def test_many_rows_come_in_by_batches(sessions: SessionFactory, tmp_path: Path) -> None:
    file = jsonl(tmp_path / "many.jsonl", *(preference(number) for number in range(1_203)))
    told = import_examples(sessions, file)
    assert (told.good, told.added) == (1_203, 1_203)
    done = export_examples(sessions, tmp_path / "out")
    ids = [json.loads(line)["id"] for line in (done.folder / "preference.jsonl").read_text().splitlines()]
    assert len(ids) == 1_203
    assert ids == sorted(ids)
