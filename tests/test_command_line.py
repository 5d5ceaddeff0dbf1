"""The command line from outside: help, sentences instead of tracebacks, a CSV round trip, and the way from a rule to a reward in force."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from sqlalchemy.orm import Session

from db.repositories import users
from db.vocabulary import Role

ROOT = Path(__file__).resolve().parent.parent


def parley(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "parley", *arguments],
        env=os.environ | {"COLUMNS": "200", "NO_COLOR": "1"} | environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_help_names_every_command() -> None:
    shown = parley("--help").stdout
    for command in ("up", "status", "down", "chat", "negotiate", "tickets", "starter", "follow-up", "export", "import", "version",
                    "snapshot", "reward-model", "spec", "train"):  # fmt: skip
        assert command in shown


def test_the_template_is_printed_as_csv() -> None:
    done = parley("tickets", "template")
    assert done.returncode == 0
    assert done.stdout.splitlines()[0].startswith("reference,hotel,city")


def test_tickets_are_imported_from_a_file(tmp_path: Path, database_url: str) -> None:
    file = tmp_path / "tickets.csv"
    file.write_text(parley("tickets", "template").stdout + parley("tickets", "template").stdout.splitlines()[1].replace("128.00", "much"))
    dry = parley("tickets", "import", str(file), "--dry-run", PARLEY_DATABASE_URL=database_url)
    assert "1 rows are good. Nothing was written." in dry.stdout
    assert "current_net" in dry.stdout
    assert dry.returncode == 1
    real = parley("tickets", "import", str(file), PARLEY_DATABASE_URL=database_url)
    assert "1 tickets added." in real.stdout
    again = parley("tickets", "import", str(file), PARLEY_DATABASE_URL=database_url)
    assert "0 tickets added, 1 were there already." in again.stdout


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://somewhere/parley", "Parley needs PostgreSQL"),
        ("postgresql://parley:s3cret@127.0.0.1:9/parley", "cannot be reached"),
    ],
)
def test_a_wrong_database_is_a_sentence(tmp_path: Path, url: str, words: str) -> None:
    file = tmp_path / "tickets.csv"
    file.write_text(parley("tickets", "template").stdout)
    done = parley("tickets", "import", str(file), PARLEY_DATABASE_URL=url)
    assert done.returncode == 1
    shown = " ".join(done.stderr.split())
    assert words in shown
    assert "Traceback" not in done.stderr
    assert "s3cret" not in done.stderr + done.stdout


def test_a_hotel_that_does_not_answer_by_itself_cannot_be_met_by_the_batch() -> None:
    done = parley("negotiate", "--hotel", "human")
    assert done.returncode == 2
    assert "does not answer by itself" in done.stderr


def test_a_rule_is_proposed_approved_and_seen(tmp_path: Path, database_url: str, session: Session) -> None:
    for email, name in (("olive@example.com", "Olive"), ("ada@example.com", "Ada")):
        users.create(session, email=email, name=name, roles=[Role.OPS])
    session.commit()
    rule = tmp_path / "rule.yaml"
    rule.write_text("name: last_chance\nweight: -60\npattern: last chance\nsays: pushes the hotel\n")
    proposal = ("spec", "propose", str(rule), "--note", "A hotel complained.", "--as")
    nobody = parley(*proposal, "x@y", PARLEY_DATABASE_URL=database_url)
    assert nobody.returncode == 1
    assert "Nobody who may sign in" in " ".join(nobody.stderr.split())
    proposed = parley(*proposal, "olive@example.com", PARLEY_DATABASE_URL=database_url)
    assert "Version 2 is a draft" in proposed.stdout, proposed.stderr
    approved = parley("spec", "approve", "2", "--as", "ada@example.com", PARLEY_DATABASE_URL=database_url)
    assert "Version 2 is in force." in approved.stdout, approved.stderr
    shown = parley("spec", "show", PARLEY_DATABASE_URL=database_url)
    assert yaml.safe_load(shown.stdout)["patterns"][0]["name"] == "last_chance"


def test_a_simulated_snapshot_needs_no_database(tmp_path: Path) -> None:
    taken = parley("snapshot", str(tmp_path / "a"), "--simulated", "--n", "6", PARLEY_HOME=str(tmp_path / "home"))
    assert taken.returncode == 0, taken.stderr
    assert "(simulated)" in taken.stdout
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("snapshot", "{}/a", "--simulated", "--people-only"), "leave out --simulated"),
        (("reward-model", "{}/m", "--snapshot", "{}/none"), "is no snapshot"),
    ],
)
def test_what_cannot_be_meant_is_a_sentence(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    done = parley(*(argument.format(tmp_path) for argument in arguments))
    assert done.returncode == 1
    assert words in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_without_an_instance_status_says_how_to_start_one(tmp_path: Path) -> None:
    done = parley("status", PARLEY_HOME=str(tmp_path / "home"))
    assert done.returncode == 3
    assert "parley up" in done.stdout


@pytest.mark.parametrize(("columns", "width"), [(None, "160"), ("70", "70")])
def test_that_names_are_not_shortened_in_a_log(columns: str | None, width: str) -> None:
    """rich takes 80 columns where there is no terminal, in which a table's names end in three dots."""
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"} | ({"COLUMNS": columns} if columns else {})
    asked = [sys.executable, "-c", "from parley.front import console; print(console.width)"]
    assert subprocess.run(asked, env=environment, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip() == width
