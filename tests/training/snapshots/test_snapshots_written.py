"""What is written: splits that stay, bytes that follow from the rows alone, files that are held to their hashes."""

import json
import tempfile
from collections import Counter
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from snapshot_rows import preference

from training.data.columns import Format, Row
from training.snapshots import EmptySnapshot, Manifest, OneRater, SnapshotChanged, SnapshotInTheWay, SnapshotUnreadable, Split, split_of
from training.snapshots import open_snapshot as opened
from training.snapshots.manifest import MANIFEST
from training.snapshots.writing import SnapshotWriter

HOTELS = st.text(min_size=1, max_size=12)
SHARES = st.floats(0, 1)


def written(folder: Path, rows: list[Row], *, share: float = 0.3, allow_one_rater: bool = False) -> Manifest:
    with SnapshotWriter(folder, validation_share=share) as writer:
        for row in rows:
            writer.put(Format.PREFERENCE, row)
        manifest = writer.finish(
            origin="database", as_of=None, settings={}, left_out={"x": 2}, quarantined={}, allow_one_rater=allow_one_rater
        )
        writer.publish()
    return manifest


def every_file(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def some_rows(count: int = 40) -> list[Row]:
    return [preference(number, hotel=f"hotel-{number % 9}", rater=f"rater-{number % 3}") for number in range(count)]


@given(hotel=HOTELS, share=SHARES, larger=SHARES)
def test_that_a_larger_share_never_moves_a_hotel_back_into_training(hotel: str, share: float, larger: float) -> None:
    share, larger = sorted((share, larger))
    if split_of(hotel, share) is Split.VALIDATION:
        assert split_of(hotel, larger) is Split.VALIDATION
    assert split_of(hotel, 0) is Split.TRAIN
    assert split_of(hotel, 1) is Split.VALIDATION


def test_that_the_split_is_fixed_for_good_and_of_about_the_share() -> None:
    hotels = [f"hotel-{number}" for number in range(4000)]
    assert [split_of(hotel, 0.1) for hotel in hotels[:12]].index(Split.VALIDATION) == 2, "a change moves hotels that were trained on"
    share = sum(split_of(hotel, 0.1) is Split.VALIDATION for hotel in hotels) / len(hotels)
    assert 0.085 < share < 0.115


@settings(max_examples=12)
@given(data=st.data())
def test_that_the_bytes_follow_from_the_rows_and_not_from_their_order(data: st.DataObject) -> None:
    numbers = data.draw(st.lists(st.integers(0, 30), min_size=1, max_size=25))
    rows = [preference(index, hotel=f"hotel-{said % 4}", rater=f"rater-{index % 2}", said=said) for index, said in enumerate(numbers)]
    shuffled = data.draw(st.permutations(rows))
    share = data.draw(st.sampled_from((0.0, 0.5)))
    with tempfile.TemporaryDirectory() as folder:
        try:
            first = written(Path(folder) / "a", rows, share=share, allow_one_rater=True)
        except EmptySnapshot:
            assert all(split_of(row["hotel"], share) is Split.VALIDATION for row in rows)
            return
        second = written(Path(folder) / "b", shuffled, share=share, allow_one_rater=True)
        assert first == second
        assert every_file(Path(folder) / "a") == every_file(Path(folder) / "b")
        assert first.rows(Format.PREFERENCE) == len(set(numbers))
        assert first.duplicates[Format.PREFERENCE] == len(numbers) - len(set(numbers))


def test_that_hotels_are_never_on_both_sides_and_rows_stand_by_id(tmp_path: Path) -> None:
    written(tmp_path / "a", some_rows())
    snapshot = opened(tmp_path / "a")
    sides = {split: snapshot.preferences(split).to_list() for split in Split}
    hotels = {split: {row["hotel"] for row in rows} for split, rows in sides.items()}
    assert hotels[Split.TRAIN]
    assert hotels[Split.VALIDATION]
    assert not hotels[Split.TRAIN] & hotels[Split.VALIDATION]
    assert {split: len(names) for split, names in hotels.items()} == snapshot.manifest.hotels
    for split, rows in sides.items():
        assert [UUID(row["id"]) for row in rows] == sorted(UUID(row["id"]) for row in rows)
        assert Counter(row["source"] for row in rows) == snapshot.manifest.counts[Format.PREFERENCE][split]
        assert {row["split"] for row in rows} == {split}


def test_that_rows_without_a_hotel_stay_with_their_conversation_or_their_prompt(tmp_path: Path) -> None:
    with SnapshotWriter(tmp_path / "a", validation_share=0.5) as writer:
        nowhere = preference(1, hotel="") | {"hotel": None}
        talks = [nowhere | {"conversation_id": f"talk {number}"} for number in range(40)]
        assert {writer.split_of(row) for row in talks} == set(Split)
        assert all(writer.split_of(row) is split_of(str(row["conversation_id"]), 0.5) for row in talks)
        assert writer.split_of(nowhere) is writer.split_of(dict(nowhere, id="another"))


def test_that_the_manifest_comes_back_as_it_was(tmp_path: Path) -> None:
    manifest = written(tmp_path / "a", some_rows())
    assert opened(tmp_path / "a").manifest == manifest
    assert Manifest.decoded(manifest.encoded()).sha256 == manifest.sha256
    assert manifest.left_out == {"x": 2}


@settings(max_examples=20)
@given(place=st.integers(0, 10**6), flip=st.integers(1, 255), which=st.sampled_from(["train/preference.parquet", "train/contexts.parquet"]))
def test_that_no_byte_of_a_file_can_change_unseen(place: int, flip: int, which: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        written(Path(folder) / "a", some_rows(12))
        path = Path(folder) / "a" / which
        raw = bytearray(path.read_bytes())
        raw[place % len(raw)] ^= flip
        path.write_bytes(raw)
        with pytest.raises(SnapshotChanged, match=f"{path.name} has changed since"):
            opened(Path(folder) / "a")


def test_that_a_missing_file_and_an_edited_manifest_are_seen(tmp_path: Path) -> None:
    written(tmp_path / "a", some_rows())
    manifest = tmp_path / "a" / MANIFEST
    raw = manifest.read_text()
    manifest.write_text(raw.replace('"validation_share"', '"share"').replace('"x": 2', '"x": 0'))
    with pytest.raises(SnapshotChanged, match="has been edited"):
        opened(tmp_path / "a")
    manifest.write_text(raw)
    (tmp_path / "a" / "validation" / "preference.parquet").unlink()
    with pytest.raises(SnapshotChanged, match=r"validation/preference\.parquet is missing"):
        opened(tmp_path / "a")


@pytest.mark.parametrize("content", ["", "[]", "{}", "not JSON", '{"format": 99}', '{"format": 1, "sha256": "", "surprise": 1}'])
def test_that_what_is_no_manifest_is_said_to_be_none(tmp_path: Path, content: str) -> None:
    (tmp_path / MANIFEST).write_text(content)
    with pytest.raises(SnapshotUnreadable, match=MANIFEST):
        opened(tmp_path)


def test_that_a_folder_without_a_manifest_is_no_snapshot(tmp_path: Path) -> None:
    with pytest.raises(SnapshotUnreadable, match=r"is no snapshot.*Take one"):
        opened(tmp_path)


def test_that_a_snapshot_is_never_replaced(tmp_path: Path) -> None:
    written(tmp_path / "a", some_rows())
    before = every_file(tmp_path / "a")
    with pytest.raises(SnapshotInTheWay, match="is there already"):
        written(tmp_path / "a", some_rows())
    assert every_file(tmp_path / "a") == before


def test_that_nothing_to_learn_from_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(EmptySnapshot, match=r"2 judgements: x.*Widen the filters"):
        written(tmp_path / "a", [])
    with pytest.raises(EmptySnapshot, match="Nothing is left to train on"):
        written(tmp_path / "a", some_rows(), share=1.0)
    assert list(tmp_path.iterdir()) == []


def test_that_one_persons_taste_is_an_error_unless_it_is_allowed(tmp_path: Path) -> None:
    rows = [preference(number, rater="rater-7") for number in range(5)]
    with pytest.raises(OneRater, match=r"All 5 preferences are of one person \(rater-7\)"):
        written(tmp_path / "a", rows)
    assert list(tmp_path.iterdir()) == []
    written(tmp_path / "a", rows, allow_one_rater=True)
    written(tmp_path / "b", [*rows, preference(9, rater=None)])
    written(tmp_path / "c", [*rows, preference(9, rater="rater-8")])


def test_that_a_table_without_rows_is_an_error_where_it_is_asked_for(tmp_path: Path) -> None:
    written(tmp_path / "a", some_rows())
    with pytest.raises(EmptySnapshot, match="no rows in prompt_completion"):
        opened(tmp_path / "a").demonstrations(Split.TRAIN)
    with pytest.raises(ValueError, match="holiday"):
        opened(tmp_path / "a").preferences("holiday")


def test_that_an_error_on_the_way_leaves_nothing(tmp_path: Path) -> None:
    def interrupted() -> None:
        with SnapshotWriter(tmp_path / "deep" / "a", validation_share=0.1) as writer:
            writer.put(Format.PREFERENCE, preference(1))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list((tmp_path / "deep").iterdir()) == []


def test_that_the_files_are_plain_parquet(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    manifest = written(tmp_path / "a", some_rows())
    assert set(manifest.files) == {str(path.relative_to(tmp_path / "a")) for path in (tmp_path / "a").rglob("*.parquet")}
    row = pq.ParquetFile(tmp_path / "a" / "train" / "preference.parquet").read().to_pylist()[0]
    assert row["prompt"][0]["role"] == "user"
    assert json.loads((tmp_path / "a" / MANIFEST).read_text())["row_ids_sha256"] == manifest.row_ids_sha256
