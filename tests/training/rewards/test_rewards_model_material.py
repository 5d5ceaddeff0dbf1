"""What a reward model is given: the split of a snapshot, its zero, and a whole training out of one hand."""

from collections.abc import Sequence
from io import StringIO
from pathlib import Path

import pytest
import torch
from rich.console import Console

from agent.domain import Reply, TurnContext
from agent.simulation import Quality
from tests import tiny_model
from training.objectives.settings import SettingsError
from training.rewards.model import RewardModel, RewardModelError
from training.rewards.model.material import FEWEST_FOR_ZERO, Material
from training.rewards.model.terminal import reward_model_command, settings_of
from training.snapshots import SimulatedSettings, Split, open_snapshot, simulated_rows, take_simulated

SETTINGS = SimulatedSettings(contexts=64, seed=5, qualities=(Quality.EXCELLENT, Quality.FINE, Quality.CLUMSY), validation_share=0.5)


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("material") / "snapshot"
    take_simulated(folder, SETTINGS)
    return folder


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return tiny_model.build(tmp_path_factory.mktemp("base"))


def test_that_a_snapshot_gives_what_its_rows_give(snapshot: Path) -> None:
    of_rows = Material.of_rows(simulated_rows(settings=SETTINGS))
    of_snapshot = Material.of_snapshot(open_snapshot(snapshot))
    for name in ("learned", "held_out", "references"):
        one, other = ([row["id"] for row in getattr(material, name)] for material in (of_rows, of_snapshot))
        assert one
        assert sorted(one) == sorted(other)
    assert {row["split"] for row in of_snapshot.learned} == {"train"}
    assert {row["split"] for row in (*of_snapshot.held_out, *of_snapshot.references)} == {"validation"}
    assert {rated.worth for rated in of_snapshot.rated} == {0.0, 1.0}
    assert len(of_snapshot.rated) == len(of_rows.rated)


def test_that_the_zero_is_set_by_what_somebody_says_in_the_validation_split(snapshot: Path) -> None:
    opened = open_snapshot(snapshot)
    contexts = [*opened.context_rows(Split.TRAIN), *opened.context_rows(Split.VALIDATION)]

    def speak(asked: Sequence[TurnContext]) -> list[Reply | None]:
        return [Reply(move=context.allowed[0], text="Thank you.") if place % 2 else None for place, context in enumerate(asked)]

    centred = Material.of_snapshot(opened).centred_on(contexts, speak)
    held_out = {row.hotel for row in contexts if row.split is Split.VALIDATION}
    assert 0 < sum(row.split is Split.VALIDATION for row in contexts) < FEWEST_FOR_ZERO, "so that some are answered again"
    assert len(centred.references) == FEWEST_FOR_ZERO // 2
    assert {row["hotel"] for row in centred.references} <= held_out
    assert centred.references[0]["completion"][0]["content"].endswith('"text":"Thank you."}')


def test_that_a_command_trains_reports_and_goes_on(snapshot: Path, base: Path, tmp_path: Path) -> None:
    console = Console(file=StringIO(), width=200)
    settings = [f"base={base}", "prompt_tokens=64", "completion_tokens=48", "balance_length=true", "epochs=0.5"]
    for _ in range(2):
        assert reward_model_command(tmp_path / "model", snapshot, settings, console=console) == 0
    assert isinstance(console.file, StringIO)
    told = console.file.getvalue()
    assert "where the shorter reply was preferred" in told
    assert "Zero is the mean of" in told
    assert "shorter reply was preferred" in (tmp_path / "model" / "report.html").read_text(encoding="utf-8")
    assert RewardModel.load(tmp_path / "model").card.settings.balance_length


def test_that_a_slot_is_filled_from_the_snapshots_demonstrations(snapshot: Path, base: Path, tmp_path: Path) -> None:
    console = Console(file=StringIO(), width=200)
    with pytest.raises(RewardModelError, match="need"):
        # Few prompts have two demonstrations here, and a zero needs twenty.
        reward_model_command(tmp_path / "model", snapshot, [f"base={base}", "reference_slot=true"], console=console)


@pytest.mark.parametrize(
    ("pairs", "kind", "why"),
    [
        (["epcohs=2"], RewardModelError, "did you mean 'epochs'"),
        (["epochs=many"], RewardModelError, "epochs cannot be 'many'"),
        (["epochs=0"], RewardModelError, "greater than 0"),
        (["rrm=true", "reference_slot=true"], RewardModelError, "choose rrm or reference_slot"),
        (["epochs"], SettingsError, "key=value"),
        (["epochs=1", "epochs=2"], SettingsError, "twice"),
    ],
)
def test_that_a_setting_which_is_none_is_a_sentence(pairs: list[str], kind: type[Exception], why: str) -> None:
    with pytest.raises(kind, match=why):
        settings_of(pairs)
