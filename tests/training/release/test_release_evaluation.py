"""The gate with real weights: what ships is held against the base, on few dialogues."""

import json
import operator
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from rich.console import Console

from agent.serving.starter import shipped_adapters
from training.badcases import cases
from training.bench.measures import PolicyFigures
from training.release import evaluation as evaluation_module
from training.release.answers import read_answers
from training.release.evaluation import VERDICT, Effort, divergence, evaluate
from training.release.gate import GateSettings, Verdict
from training.release.terminal import gate_command
from training.runs.errors import RunRefused

SHIPPED = shipped_adapters()["policy-v1"]
pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]
FEW = Effort(dialogues=10, case_copies=3)
OWN = (replace(cases()[0], id="made-here"),)


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Verdict]:
    folder = tmp_path_factory.mktemp("gate")
    return folder, evaluate(SHIPPED, None, folder, names=("policy-v1", "base"), effort=FEW, own=OWN)


def test_every_criterion_is_told_with_figures(judged: tuple[Path, Verdict]) -> None:
    folder, verdict = judged
    told = {criterion.name: criterion for criterion in verdict.criteria}
    assert list(told) == ["whole", "better", "severe", "unreadable", "fix", "kept", "length", "kl"]
    assert told["better"].figures["gain"] > 0
    assert 0 < told["kl"].figures["kl"] < 1
    assert Verdict.model_validate_json((folder / VERDICT).read_text()) == verdict
    assert len(list(folder.glob("figures-*.json"))) == 2


def test_what_was_measured_is_not_measured_again(judged: tuple[Path, Verdict], monkeypatch: pytest.MonkeyPatch) -> None:
    folder, verdict = judged

    def never(*_: object, **__: object) -> None:
        raise AssertionError("measured again")

    monkeypatch.setattr(evaluation_module, "measure", never)
    assert evaluate(SHIPPED, None, folder, names=("policy-v1", "base"), effort=FEW, own=OWN) == verdict
    # Held against itself it is no better, and that is known without measuring either.
    again = evaluate(SHIPPED, SHIPPED, folder, names=("policy-v1", "policy-v1"), effort=FEW, own=OWN)
    assert [criterion.name for criterion in again.failed if criterion.name == "better"] == ["better"]
    assert again.criteria[1].figures["gain"] == 0


def test_that_the_live_version_is_measured_here_where_its_process_dies(
    judged: tuple[Path, Verdict], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = PolicyFigures.model_validate_json(next(judged[0].glob("figures-*.json")).read_text())
    measured: list[str] = []

    def measure(*_: object, **__: object) -> PolicyFigures:
        measured.append("here")
        return known

    monkeypatch.setattr(evaluation_module, "measure", measure)
    monkeypatch.setattr(evaluation_module, "_beside", operator.truth)  # It takes one argument: the process breaks off as it begins.
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        evaluate(SHIPPED, None, tmp_path, names=("policy-v1", "base"), effort=FEW)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    assert measured == ["here", "here"]


def test_that_cases_of_the_instances_own_are_asked_as_often_as_shipped_ones(judged: tuple[Path, Verdict]) -> None:
    folder, _ = judged
    assert "made-here" in {answers.case for answers in read_answers(folder)}
    for kept in folder.glob("figures-*.json"):
        figures = PolicyFigures.model_validate_json(kept.read_text())
        assert [case.case for case in figures.cases].count("made-here") == FEW.case_copies


def test_the_divergence_is_the_same_each_time() -> None:
    assert divergence(SHIPPED, seed=5) == divergence(SHIPPED, seed=5) > 0


def test_a_broken_candidate_is_rejected_without_measuring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Path(shutil.copytree(SHIPPED, tmp_path / "run" / "adapter"))
    (broken / "adapter_config.json").unlink()
    monkeypatch.setattr(evaluation_module, "measure", None)
    console = Console(record=True, width=160)
    status = gate_command(tmp_path / "run", "base", out=None, effort=FEW, settings=GateSettings(), console=console, sessions=None)
    assert status == 1
    assert "rejected: can be served" in console.export_text()
    verdict = json.loads((tmp_path / "run" / "gate" / VERDICT).read_text())
    assert [criterion["name"] for criterion in verdict["criteria"]] == ["whole"]


def test_a_version_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunRefused, match="'policy-v99'"):
        gate_command(SHIPPED, "policy-v99", out=tmp_path, effort=FEW, settings=GateSettings(), console=Console(), sessions=None)
