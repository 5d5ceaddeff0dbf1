"""Contexts after the policy's own words: of the same kinds, from talks that are kept with the run, and none before the first renewal."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from agent.domain import TurnContext
from agent.records import list_from_json
from agent.serving.starter import ADAPTER_FOLDER
from db.vocabulary import Speaker
from tests.training.objectives.learning import SMALL, contexts, task, tiny
from training.objectives.catalogue import settings_of, train
from training.objectives.environment import Contexts
from training.objectives.policy import Policy
from training.objectives.renewing import FOLDER, Renewed
from training.objectives.rollout import Rollout, pool
from training.objectives.settings import PolicySettings, SettingsError

SETTINGS = PolicySettings(prompts=2, copies=1, max_tokens=100, temperature=0.3, renewed=1.0, renew_every=2)


@pytest.fixture(scope="module")
def policy() -> Policy:
    torch.set_num_threads(1)
    return Policy.load(SETTINGS, adapter=ADAPTER_FOLDER)


@pytest.fixture(scope="module")
def renewed(policy: Policy, tmp_path_factory: pytest.TempPathFactory) -> tuple[Renewed, Path]:
    folder = tmp_path_factory.mktemp("run")
    environment = Renewed(policy, pool(contexts(12), policy, SETTINGS), SETTINGS, folder)
    rolled(environment, [0], step=5)
    return environment, folder


def rolled(environment: Renewed | Contexts, chosen: Sequence[int], *, step: int, seed: int = 3) -> Rollout:
    return environment.roll_out(chosen, step=step, seed=seed, written=lambda *_: None)


def kinds(some: Sequence[TurnContext]) -> list[tuple[str, str]]:
    return [(context.language, str(context.allowed[0].kind)) for context in some]


def test_that_a_turn_of_the_policys_own_talk_stands_in_a_contexts_place(renewed: tuple[Renewed, Path]) -> None:
    environment, folder = renewed
    kept = list_from_json(TurnContext, json.loads((folder / FOLDER / "4-0.json").read_text(encoding="utf-8")))
    source = contexts(12)
    rollout = rolled(environment, range(12), step=5)
    own = [place for place, context in enumerate(rollout.contexts) if context != source[place]]
    assert len(own) == round(12 * rollout.figures["renewed_share"]) > 0
    assert all(rollout.contexts[place] in kept for place in own)
    assert len({id(rollout.contexts[place]) for place in own}) == len(own), "each once"
    assert kinds(rollout.contexts) == kinds(source), "so that a balance between kinds stays"
    last = [context for context in kept if context.facts == kept[-1].facts]
    said = [turn.text for turn in last[-1].history if turn.speaker is Speaker.BD]
    assert len(said) == len(last) - 1 > 0, "every turn of a talk, each after all that was said in those before"


def test_that_a_resumed_run_goes_on_with_the_talks_that_were_held(renewed: tuple[Renewed, Path], policy: Policy) -> None:
    environment, folder = renewed
    before = rolled(environment, range(12), step=5)
    again = Renewed(policy, pool(contexts(12), policy, SETTINGS), SETTINGS, folder)
    again._held = lambda step: pytest.fail("the talks are there")  # type: ignore[method-assign]
    assert rolled(again, range(12), step=5).contexts == before.contexts
    assert rolled(again, range(12), step=5, seed=4).contexts != before.contexts, "another step takes others"


def test_that_before_the_first_renewal_a_run_has_the_snapshots_contexts(renewed: tuple[Renewed, Path], policy: Policy) -> None:
    _, folder = renewed
    source = pool(contexts(4), policy, SETTINGS)
    first = rolled(Renewed(policy, source, SETTINGS, folder), range(4), step=1)
    assert first.contexts == source.contexts
    assert first.samples == rolled(Contexts(policy, source, SETTINGS), range(4), step=1).samples
    assert first.figures["renewed_share"] == 0


def test_that_a_run_renews_and_tells_how_many(tmp_path: Path) -> None:
    settings = settings_of("repo", {**SMALL, "renewed": 1.0, "renew_every": 2, "steps": 3})
    train("repo", task(tmp_path / "run", base=tiny(tmp_path / "tiny")), settings)
    told = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    shares = [one["renewed_share"] for one in told if "loss" in one]
    assert shares[:2] == [0, 0]
    assert shares[2] > 0
    assert [path.name for path in (tmp_path / "run" / FOLDER).iterdir()] == ["2-0.json"]


def test_that_dialogues_have_nothing_to_renew() -> None:
    with pytest.raises(SettingsError, match="no contexts to renew"):
        settings_of("repo", {"environment": "dialogues", "renewed": 0.5})
