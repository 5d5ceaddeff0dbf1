"""A negotiated and judged installation, backed up and put back elsewhere: the same rows, the same exports, the same adapters."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from data_scenes import judged_talks
from sqlalchemy import text

from agent.service import Negotiations
from agent.service.demo import seed_demo
from agent.serving.versions import AdapterStore
from db import migrate
from db.dump import DumpFailed
from db.embedded import EmbeddedPostgres
from db.engine import SessionFactory, create_engine_from, session_factory
from db.models import PolicyVersion
from db.repositories import contents, policy_versions
from training.data import Chosen, export_examples
from webapp.instance.backup import MANIFEST, BackupInTheWay, BackupUnusable, back_up, put_back, read_manifest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def adapters(tmp_path: Path) -> Path:
    source = tmp_path / "source"
    source.mkdir()
    (source / "adapter_config.json").write_text('{"r": 8, "base_model_name_or_path": "parley-starter"}')
    (source / "adapter_model.safetensors").write_bytes(os.urandom(4096))
    AdapterStore(tmp_path / "home" / "adapters").publish(source, "policy-v2")
    return tmp_path / "home" / "adapters"


@pytest.fixture
def elsewhere(embedded: EmbeddedPostgres, migrated_template: str) -> Iterator[str]:
    name = f"elsewhere_{os.urandom(6).hex()}"
    yield embedded.create_database(name, template=migrated_template)
    embedded.drop_database(name)


def every_file(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def opened(url: str) -> SessionFactory:
    return session_factory(create_engine_from(url, pooled=False))


def counted(url: str) -> dict[str, int]:
    with opened(url)() as session:
        return dict(contents.count_rows(session))


def test_what_was_backed_up_is_there_again_row_by_row(
    negotiations: Negotiations, database_url: str, elsewhere: str, adapters: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged_talks(negotiations)
    with opened(database_url).begin() as session:
        session.add(PolicyVersion(name="policy-v2", base_model="parley-starter", adapter_path=str(adapters / "policy-v2")))
    for name in [name for name in os.environ if name.startswith("PARLEY_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PARLEY_TEMPERATURE", "0.4")
    monkeypatch.setenv("PARLEY_SECRET_KEY", "never in a backup, nor its fingerprint")
    # While people go on working: the service is connected.
    manifest = back_up(database_url, adapters, tmp_path / "backup")
    assert manifest.rows == counted(database_url)
    assert manifest.rows["turn"] >= 9
    assert manifest.rows["rating"] > 0
    assert [*manifest.settings] == ["PARLEY_TEMPERATURE"]
    assert (tmp_path / "backup").stat().st_mode & 0o077 == 0

    monkeypatch.delenv("PARLEY_TEMPERATURE")
    done = put_back(elsewhere, tmp_path / "other" / "adapters", tmp_path / "backup")
    assert counted(elsewhere) == manifest.rows
    assert done.upgraded_to is None
    assert done.settings_that_differ == ("PARLEY_TEMPERATURE",)
    assert every_file(tmp_path / "other" / "adapters") == every_file(adapters)
    assert [version.name for version in AdapterStore(tmp_path / "other" / "adapters").list()] == ["policy-v2"]
    with opened(elsewhere)() as session:
        version = policy_versions.find_by_name(session, "policy-v2")
        assert version is not None
        assert version.adapter_path == str(tmp_path / "other" / "adapters" / "policy-v2")
    first = export_examples(opened(database_url), tmp_path / "first", Chosen())
    second = export_examples(opened(elsewhere), tmp_path / "second", Chosen())
    assert sum(first.rows.values()) >= 9
    assert every_file(first.folder) == every_file(second.folder)
    migrate.check(elsewhere)


def test_nothing_is_replaced_unless_that_is_meant(database_url: str, elsewhere: str, adapters: Path, tmp_path: Path) -> None:
    back_up(database_url, adapters, tmp_path / "backup")
    with pytest.raises(BackupInTheWay, match="is not empty"):
        back_up(database_url, adapters, tmp_path / "backup")
    with opened(elsewhere).begin() as session:
        seed_demo(session, today=date(2027, 1, 1))
    before = counted(elsewhere)
    with pytest.raises(BackupInTheWay, match=r"has rows .*--force"):
        put_back(elsewhere, tmp_path / "other", tmp_path / "backup")
    assert counted(elsewhere) == before
    with pytest.raises(BackupInTheWay, match="has adapters"):
        put_back(database_url, adapters, tmp_path / "backup")
    put_back(elsewhere, adapters, tmp_path / "backup", force=True)
    assert not any(counted(elsewhere).values())
    back_up(database_url, adapters, tmp_path / "backup", force=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup", "home", "source"]
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["adapters"]


def test_nobody_is_cut_off(negotiations: Negotiations, database_url: str, adapters: Path, tmp_path: Path) -> None:
    back_up(database_url, adapters, tmp_path / "backup")
    with pytest.raises(BackupInTheWay, match="other connections"):
        put_back(database_url, adapters, tmp_path / "backup", force=True)


def test_a_backup_that_is_not_whole_changes_nothing(database_url: str, elsewhere: str, adapters: Path, tmp_path: Path) -> None:
    with pytest.raises(BackupUnusable, match="is no backup"):
        put_back(elsewhere, tmp_path / "other", tmp_path)
    back_up(database_url, adapters, tmp_path / "backup")
    dumped = tmp_path / "backup" / "database.dump"
    whole = dumped.read_bytes()
    dumped.write_bytes(whole[:-100])
    with pytest.raises(BackupUnusable, match="SHA-256 differs"):
        put_back(elsewhere, tmp_path / "other", tmp_path / "backup")
    dumped.write_bytes(whole)
    manifest = tmp_path / "backup" / MANIFEST
    newer = manifest.read_text().replace(read_manifest(tmp_path / "backup").revision, "9999")
    manifest.write_text(newer)
    with pytest.raises(BackupUnusable, match="does not know"):
        put_back(elsewhere, tmp_path / "other", tmp_path / "backup")
    assert not (tmp_path / "other").exists()


def test_a_restore_that_breaks_off_leaves_database_and_adapters_as_they_were(
    negotiations: Negotiations, database_url: str, elsewhere: str, adapters: Path, tmp_path: Path
) -> None:
    judged_talks(negotiations, talks=1)
    back_up(database_url, adapters, tmp_path / "backup")
    with opened(elsewhere).begin() as session:
        seed_demo(session, today=date(2027, 1, 1))
        # Triggers come last, when all tables have gone and come again.
        session.execute(text("CREATE SCHEMA stranger"))
        refuse = "$$ BEGIN RAISE EXCEPTION 'no triggers here'; END $$"
        session.execute(text(f"CREATE FUNCTION stranger.refuse() RETURNS event_trigger LANGUAGE plpgsql AS {refuse}"))
        on = "ON ddl_command_start WHEN TAG IN ('CREATE TRIGGER')"
        session.execute(text(f"CREATE EVENT TRIGGER no_triggers {on} EXECUTE FUNCTION stranger.refuse()"))
    before = counted(elsewhere)
    with pytest.raises(DumpFailed, match="no triggers here"):
        put_back(elsewhere, tmp_path / "other" / "adapters", tmp_path / "backup", force=True)
    assert counted(elsewhere) == before
    assert not any((tmp_path / "other").iterdir())


def test_the_commands_say_what_they_did(database_url: str, elsewhere: str, adapters: Path, tmp_path: Path) -> None:
    def parley(*arguments: str, database: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"COLUMNS": "200", "NO_COLOR": "1", "PARLEY_DATABASE_URL": database, "PARLEY_HOME": str(adapters.parent)}
        command = [sys.executable, "-m", "parley", *arguments]
        return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)

    taken = parley("backup", str(tmp_path / "backup"), database=database_url)
    assert taken.returncode == 0, taken.stderr
    assert "and 1 adapters of" in taken.stdout
    done = parley("restore", str(tmp_path / "backup"), "--force", database=elsewhere)
    assert done.returncode == 0, done.stderr
    assert "Restored" in done.stdout
    migrated = parley("migrate", database=elsewhere)
    assert "as it was" in migrated.stdout
