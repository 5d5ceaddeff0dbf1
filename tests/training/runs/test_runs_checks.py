"""Nothing is started that cannot come to anything: every fault is a sentence, before torch is even loaded."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from agent.serving.starter import ADAPTER_FOLDER, MODEL_FOLDER
from agent.simulation import Quality
from db.engine import SessionFactory
from db.errors import ParleyError
from db.repositories.training_runs import RunNotFound
from tests.training.rewards.judge_servers import GOOD, judging, says
from tests.training.runs.run_scenes import Scene
from training.objectives import catalogue, metrics, running
from training.objectives.settings import SettingsError
from training.rewards.judge import JudgeUnreachable, JudgeUnreadable
from training.rewards.spec import SpecError, shipped_spec
from training.runs import RunBusy, RunRefused, check, checks, recheck, values
from training.runs.checks import find_run, new_folder
from training.runs.errors import NotARun
from training.runs.metrics import METRICS
from training.runs.plan import Plan
from training.runs.status import STOP, supervised
from training.runs.terminal import asked_for
from training.runs.values import typed
from training.snapshots import EmptySnapshot, SimulatedSettings, SnapshotChanged, SnapshotUnreadable, take_simulated

BROKEN: list[tuple[dict[str, Any], type[ParleyError], str]] = [
    ({"objective": "rep"}, RunRefused, "did you mean 'repo'"),
    ({"settings": {"learning_rte": 1}}, SettingsError, "did you mean 'learning_rate'"),
    ({"settings": {"batch": 4}}, SettingsError, "no setting 'batch' of repo"),
    ({"settings": {"beta": "much"}}, SettingsError, "beta cannot be 'much'"),
    ({"settings": {"copies": 0}}, SettingsError, "copies cannot be 0"),
    ({"reward_model": None}, RunRefused, "--reward-model"),
    ({"reward_model": Path("nowhere")}, RunRefused, "no finished reward model"),
    ({"snapshot": Path("nowhere")}, SnapshotUnreadable, "is no snapshot"),
    ({"spec": "nowhere.yaml"}, SpecError, "cannot be read"),
    ({"spec": "3"}, RunRefused, "in the database"),
    ({"start": "policy-v9"}, RunRefused, "no adapter 'policy-v9'"),
    ({"start": "policy-v1"}, RunRefused, "does not fit the base model"),
    ({"start": "."}, RunRefused, "adapter_config.json is missing"),
    ({"base": Path("nowhere")}, RunRefused, "is no base model"),
    ({"critic": Path("nowhere")}, RunRefused, "holds no critic"),
    ({"judge": "http://127.0.0.1:9/v1"}, JudgeUnreachable, "--allow-missing-judge"),
]


@pytest.mark.parametrize(("changed", "error", "sentence"), BROKEN, ids=lambda value: str(value) if isinstance(value, dict) else "")
def test_a_run_that_cannot_work_is_refused(scene: Scene, changed: dict[str, Any], error: type[ParleyError], sentence: str) -> None:
    request = scene.request(**changed)
    with pytest.raises(error, match=sentence):
        check(request)


def test_what_can_work_becomes_a_plan_that_names_everything_by_its_hash(scene: Scene, tmp_path: Path) -> None:
    plan = check(scene.request(settings={"seed": 3}))
    assert plan.seed == 3
    assert plan.reward_spec == shipped_spec()
    assert len({plan.snapshot_sha256, plan.reward_model_sha256, plan.reward_spec.digest}) == 3
    assert {"torch", "trl", "python"} <= plan.versions.keys()
    plan.write(tmp_path)
    assert Plan.read(tmp_path) == plan
    recheck(plan)


def test_the_shipped_adapter_fits_the_shipped_base(scene: Scene) -> None:
    assert check(scene.request(base=MODEL_FOLDER, start="policy-v1")).adapter == ADAPTER_FOLDER


def test_an_adapter_of_a_shallower_model_does_not_fit(scene: Scene, tmp_path: Path) -> None:
    from transformers import Qwen3Config, Qwen3ForCausalLM

    deeper = tmp_path / "deeper"
    shutil.copytree(scene.base, deeper)
    config = Qwen3Config.from_pretrained(scene.base, num_hidden_layers=3, layer_types=["full_attention"] * 3)
    Qwen3ForCausalLM(cast(Any, config)).save_pretrained(deeper)
    adapter = _adapter(scene.base, tmp_path / "adapter")
    assert check(scene.request(start=str(adapter))).adapter == adapter
    with pytest.raises(RunRefused, match="has nothing for 7 of its 21 layers"):
        check(scene.request(base=deeper, start=str(adapter)))


def _adapter(base: Path, folder: Path) -> Path:
    from training.objectives.policy import Policy
    from training.objectives.settings import RunSettings

    return Policy.load(RunSettings(), base=base).save(folder)


def test_a_damaged_adapter_is_named(scene: Scene, tmp_path: Path) -> None:
    adapter = _adapter(scene.base, tmp_path / "adapter")
    (adapter / "adapter_model.safetensors").write_bytes(b"\xff" * 40)
    with pytest.raises(RunRefused, match="cannot be read as safetensors"):
        check(scene.request(start=str(adapter)))


@pytest.mark.parametrize("objective", ["sft", "dpo"])
def test_a_snapshot_without_what_the_objective_learns_from_is_refused(scene: Scene, tmp_path: Path, objective: str) -> None:
    bare = SimulatedSettings(contexts=4, seed=5, qualities=(Quality.CLUMSY,), comparisons=0, validation_share=0.4)
    take_simulated(tmp_path / "bare", bare)
    with pytest.raises(EmptySnapshot, match=f"{objective} learns from"):
        check(scene.request(objective, snapshot=tmp_path / "bare"))
    check(scene.request("repo", snapshot=tmp_path / "bare"))


def test_a_supervised_run_needs_no_reward_model(scene: Scene) -> None:
    assert check(scene.request("dpo", reward_model=None)).reward_model is None


def test_a_snapshot_that_was_touched_is_refused(scene: Scene, tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    shutil.copytree(scene.snapshot, touched)
    with (touched / "train" / "contexts.parquet").open("ab") as file:
        file.write(b" ")
    with pytest.raises(SnapshotChanged, match="has changed"):
        check(scene.request(snapshot=touched))


def test_a_rule_that_there_is_not_is_refused_with_the_closest(scene: Scene, tmp_path: Path) -> None:
    body = shipped_spec().body()
    body["rules"]["promisses"] = -5
    (tmp_path / "spec.yaml").write_text(yaml.safe_dump(body))
    with pytest.raises(SpecError, match="did you mean 'promises'"):
        check(scene.request(spec=str(tmp_path / "spec.yaml")))


def test_a_judge_is_asked_once_before_anything_begins(scene: Scene) -> None:
    with judging(says(GOOD)) as server:
        assert check(scene.request(judge=server.url)).judge == server.url
        assert len(server.requests) == 1
    with judging(says("I am a teapot")) as server, pytest.raises(JudgeUnreadable, match="--allow-missing-judge"):
        check(scene.request(judge=server.url))
    check(scene.request(judge="http://127.0.0.1:9/v1", judge_may_be_missing=True))


@pytest.mark.parametrize("change", ["reward model", "snapshot", "adapter"])
def test_a_run_is_not_resumed_on_other_material(scene: Scene, tmp_path: Path, change: str) -> None:
    adapter = _adapter(scene.base, tmp_path / "adapter")
    shutil.copytree(scene.reward_model, tmp_path / "rm")
    shutil.copytree(scene.snapshot, tmp_path / "snapshot")
    plan = check(scene.request(reward_model=tmp_path / "rm", start=str(adapter), snapshot=tmp_path / "snapshot"))
    recheck(plan)
    if change == "reward model":
        with (tmp_path / "rm" / "reward_model.json").open("a") as file:
            file.write(" ")
    elif change == "adapter":
        with (adapter / "adapter_model.safetensors").open("ab") as file:
            file.write(b" ")
    else:
        shutil.rmtree(tmp_path / "snapshot")
        take_simulated(tmp_path / "snapshot", SimulatedSettings(contexts=4, seed=6, qualities=(Quality.EXCELLENT, Quality.WRONG)))
    with pytest.raises(ParleyError, match="that the run began with"):
        recheck(plan)


def test_a_run_gets_a_folder_of_its_own_with_room_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("here already")
    with pytest.raises(RunRefused, match="not empty"):
        new_folder(tmp_path)
    with pytest.raises(RunRefused, match="cannot be written to"):
        new_folder(tmp_path / "file" / "run")
    assert new_folder(tmp_path / "new").is_dir()
    monkeypatch.setattr(checks, "ROOM", 1 << 62)
    with pytest.raises(RunRefused, match="MiB of room"):
        new_folder(tmp_path / "large")


def test_settings_are_read_as_they_are_typed() -> None:
    assert typed(["beta=1e-2", "clip=none", "steps=3", "autocast=true", "kl=k1", 'modules=["q_proj"]']) == {
        "beta": 0.01, "clip": None, "steps": 3, "autocast": True, "kl": "k1", "modules": ["q_proj"],
    }  # fmt: skip
    for pairs in (["beta"], ["=3"], ["beta=1", "beta=2"]):
        with pytest.raises(SettingsError):
            typed(pairs)
    checked = values.settings_checked("repo", {"clip": None, "modules": ["q_proj"], "value_clip": 2})
    assert checked == {"clip": None, "modules": ["q_proj"], "value_clip": 2.0}


def asked(objective: str = "", snapshot: Path | None = None, **changed: Any) -> object:
    plain: dict[str, Any] = {"resume": "", "seed": None, "settings": [], "base": None, "judge": "none", "processes": 1}
    return asked_for(objective, snapshot, **{**plain, **changed})


@pytest.mark.parametrize("more", [{"objective": "repo"}, {"snapshot": Path("a")}, {"seed": 1}, {"judge": "starter"}, {"settings": ["a=1"]}])
def test_what_is_resumed_is_not_changed(more: dict[str, Any]) -> None:
    assert asked(resume="a") is None
    with pytest.raises(RunRefused, match="resumed"):
        asked(resume="a", **more)


def test_too_little_is_said_to_be_too_little() -> None:
    with pytest.raises(RunRefused, match="no objective ''"):
        asked()
    with pytest.raises(RunRefused, match="--snapshot"):
        asked("repo")


def test_a_run_is_found_by_folder_or_id(tmp_path: Path, sessions: SessionFactory) -> None:
    assert find_run(str(tmp_path), None) == tmp_path
    with pytest.raises(NotARun, match="no run 'x'"):
        find_run("x", None)
    unknown = "01234567-89ab-7def-8123-456789abcdef"
    with pytest.raises(NotARun, match="in the database only"):
        find_run(unknown, None)
    with pytest.raises(RunNotFound):
        find_run(unknown, sessions)
    with pytest.raises(NotARun, match="holds no training run"):
        Plan.read(tmp_path)
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(NotARun, match="cannot be read"):
        Plan.read(tmp_path)


def test_two_supervisors_do_not_share_a_run(tmp_path: Path) -> None:
    with supervised(tmp_path), pytest.raises(RunBusy), supervised(tmp_path):
        pass
    with supervised(tmp_path):
        pass


def test_whoever_supervises_never_loads_torch() -> None:
    code = "import sys, training.runs, training.runs.terminal; assert not {'torch', 'transformers', 'datasets'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[3])


def test_names_that_are_written_twice_agree() -> None:
    assert {name: kind.settings_type for name, kind in catalogue.OBJECTIVES.items()} == values.SETTINGS
    assert metrics.FILE == METRICS
    assert running.STOP == STOP
