"""The reward spec from a terminal: from a rule in a file to a version in force, each refusal a sentence."""

from io import StringIO
from pathlib import Path

import pytest
import yaml
from reward_talks import PUSHING, Talks, three_talks
from rich.console import Console

from db.engine import SessionFactory
from db.repositories import reward_specs, users
from db.repositories.reward_specs import SpecNotFound
from db.vocabulary import Role, SpecStatus
from training.rewards.approval import ApprovalRefused, ProposalRefused, in_force
from training.rewards.patterns import PatternRule
from training.rewards.spec import SpecError, load_spec, shipped_spec
from training.rewards.terminal import (
    PersonRefused,
    approve_spec,
    diff_specs,
    list_specs,
    preview_change,
    propose_spec,
    retire_spec,
    show_spec,
)

OPS, ADMIN, COLLEAGUE, GONE = "olive@example.com", "ada@example.com", "bob@example.com", "gone@example.com"
WHY = "The hotel complained about our third message."
RULE = {"name": "last_chance", "weight": -60, "pattern": r"\blast (?:chance|offer)\b", "says": "pushes the hotel"}


@pytest.fixture(autouse=True)
def people(sessions: SessionFactory) -> None:
    with sessions.begin() as session:
        for email, name, role in (
            (OPS, "Olive", Role.OPS),
            (ADMIN, "Ada", Role.ADMIN),
            (COLLEAGUE, "Bob", Role.BD),
            (GONE, "Gil", Role.OPS),
        ):
            users.create(session, email=email, name=name, roles=[role])
        gone = users.find_by_email(session, GONE)
        assert gone is not None
        users.disable(session, gone.id)


@pytest.fixture
def rule(tmp_path: Path) -> Path:
    return written(tmp_path / "rule.yaml", RULE)


@pytest.fixture
def console() -> Console:
    return Console(file=StringIO(), width=200)


def written(path: Path, body: object) -> Path:
    path.write_text(yaml.safe_dump(body), encoding="utf-8")
    return path


def told(console: Console) -> str:
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def shown(sessions: SessionFactory, name: str) -> str:
    parts: list[str] = []
    assert show_spec(sessions, name, write=parts.append) == 0
    return "".join(parts)


def test_that_a_rule_in_a_file_comes_into_force_by_a_second_person(sessions: SessionFactory, rule: Path, console: Console) -> None:
    propose_spec(sessions, rule, note=WHY, email=OPS, console=console)
    assert "Version 2 is a draft" in told(console)
    assert "patterns.last_chance: new" in told(console)
    with pytest.raises(ApprovalRefused, match="somebody else must approve"):
        approve_spec(sessions, 2, email=OPS, console=console)
    approve_spec(sessions, 2, email=ADMIN, console=console)
    with sessions() as session:
        assert in_force(session) == shipped_spec().with_pattern(PatternRule.model_validate(RULE)).with_version(2)
    list_specs(sessions, console=console)
    line = next(line for line in told(console).splitlines() if WHY in line)
    assert all(word in line for word in ("in force", "Olive", "Ada"))
    retire_spec(sessions, 2, email=OPS, console=console)
    assert "Version 2 is retired; version 1 is in force." in told(console)


def test_that_a_second_rule_is_added_to_what_is_in_force(sessions: SessionFactory, rule: Path, console: Console, tmp_path: Path) -> None:
    propose_spec(sessions, rule, note=WHY, email=OPS, console=console)
    approve_spec(sessions, 2, email=ADMIN, console=console)
    other = written(tmp_path / "other.yaml", RULE | {"name": "hurry_up", "pattern": "hurry up"})
    propose_spec(sessions, other, note=WHY, email=OPS, console=console)
    with sessions() as session:
        assert [pattern["name"] for pattern in reward_specs.get(session, 3).body["patterns"]] == ["last_chance", "hurry_up"]


def test_that_a_spec_is_printed_edited_and_proposed(sessions: SessionFactory, console: Console, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(shown(sessions, "in-force"), encoding="utf-8")
    assert load_spec(file) == shipped_spec()
    with pytest.raises(ProposalRefused, match="Change something"):
        propose_spec(sessions, file, note=WHY, email=OPS, console=console)
    file.write_text(file.read_text(encoding="utf-8").replace("promises: -60.0", "promises: -80.0"), encoding="utf-8")
    diff_specs(sessions, "in-force", str(file), console=console)
    assert "rules.promises: -60 → -80" in told(console)
    propose_spec(sessions, file, note=WHY, email=OPS, console=console)
    assert load_spec(written(tmp_path / "draft.yaml", yaml.safe_load(shown(sessions, "2")))).rules["promises"] == -80
    diff_specs(sessions, "shipped", "1", console=console)
    assert "They give the same rewards." in told(console)


def test_that_a_draft_is_refused_by_retiring_it(sessions: SessionFactory, rule: Path, console: Console) -> None:
    propose_spec(sessions, rule, note=WHY, email=OPS, console=console)
    retire_spec(sessions, 2, email=ADMIN, console=console)
    with sessions() as session:
        assert reward_specs.get(session, 2).status is SpecStatus.RETIRED


@pytest.mark.parametrize(("email", "why"), [(GONE, "Nobody who may sign in"), ("no@one", "no@one"), (COLLEAGUE, "Bob is neither")])
def test_who_may_not_propose(sessions: SessionFactory, rule: Path, console: Console, email: str, why: str) -> None:
    with pytest.raises(PersonRefused, match=why):
        propose_spec(sessions, rule, note=WHY, email=email, console=console)
    with sessions() as session:
        assert reward_specs.find_in_force(session) is None, "nothing was stored on the way"


def test_that_an_unknown_version_and_an_unusable_file_are_named(sessions: SessionFactory, console: Console, tmp_path: Path) -> None:
    with pytest.raises(SpecNotFound, match="no version 7"):
        shown(sessions, "7")
    with pytest.raises(SpecError, match=r"absent\.yaml"):
        shown(sessions, str(tmp_path / "absent.yaml"))
    with pytest.raises(SpecError, match=r"rule\.yaml is neither a rule nor a reward spec.*weight"):
        preview_change(sessions, written(tmp_path / "rule.yaml", {"name": "pushy", "pattern": "x"}), last=5, console=console)
    with pytest.raises(SpecError, match=r"list\.yaml is neither"):
        preview_change(sessions, written(tmp_path / "list.yaml", [RULE]), last=5, console=console)


def test_that_a_rule_is_tried_on_what_was_said(
    sessions: SessionFactory, talks: Talks, rule: Path, console: Console, tmp_path: Path
) -> None:
    said = three_talks(talks)
    preview_change(sessions, rule, last=100, console=console)
    assert "6 turns of ours were tried (6 of them said to simulated hotels), 2 would be hit." in told(console)
    assert "Nobody has rated any of the hits" in told(console)
    assert PUSHING[:40] in told(console)
    talks.rate(said[0][1], 5)
    preview_change(sessions, rule, last=100, console=console)
    assert "Of the rated hits 100% are false alarms" in told(console)
    same = tmp_path / "same.yaml"
    same.write_text(shown(sessions, "in-force"), encoding="utf-8")
    preview_change(sessions, same, last=100, console=console)
    assert "Nothing in it differs from what is in force." in told(console)
