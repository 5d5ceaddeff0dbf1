"""Replies that a real vLLM server writes, to be learned from as if they had been sampled here."""

from pathlib import Path

import pytest
import torch
from accelerate import Accelerator

from agent.serving.starter import ADAPTER_FOLDER
from agent.serving.swap import ModelServer, ModelServerUnavailable
from tests.training.objectives.learning import SMALL, contexts, task
from training.objectives.catalogue import settings_of, train
from training.objectives.metrics import MetricsLog
from training.objectives.policy import Policy
from training.objectives.rollout import pool, roll_out
from training.objectives.served import RolloutServer, RolloutServerError
from training.objectives.settings import PolicySettings
from training.objectives.valuing import Valuing

SETTINGS = PolicySettings(copies=2, minibatches=1, max_tokens=60, temperature=1.0, advantage="group")


def brought(url: str) -> set[str]:
    server = ModelServer(url)
    try:
        return {name for name in server.loaded() if name.startswith("rollout-")}
    finally:
        server.close()


@pytest.mark.model
def test_its_tokens_have_the_log_probabilities_that_the_policy_gives_them(model_server: str) -> None:
    torch.set_num_threads(1)
    policy = Policy.load(SETTINGS, adapter=ADAPTER_FOLDER)
    with torch.no_grad():
        # Not the adapter that the server has by itself.
        for name, parameter in policy.model.named_parameters():
            if "lora_B.default" in name:
                parameter.mul_(1.5)
    with RolloutServer(model_server) as policy.server:
        rollout = roll_out(policy, pool(contexts(3), policy, SETTINGS), [2, 0], SETTINGS, copies=2, seed=5)
        assert len(brought(model_server)) == 1
    assert not brought(model_server)
    end = policy.tokenizer.eos_token_id
    for ids in (ids for copies in rollout.samples.ids for ids in copies):
        assert ids[-1] == end or len(ids) == SETTINGS.max_tokens
        assert end not in ids[:-1]
    assert any(reply is not None for copies in rollout.replies for reply in copies)
    seen = Valuing(policy, SETTINGS, None, Accelerator(cpu=True)).look(rollout)
    sampled = torch.tensor([logp for copies in rollout.samples.logps for logps in copies for logp in logps])
    # The server computes in bfloat16.
    assert float((seen.old_logp[seen.groups.reply_mask] - sampled).abs().mean()) < 0.05
    with policy.as_reference(), torch.no_grad():
        other = Valuing(policy, SETTINGS, None, Accelerator(cpu=True)).look(rollout)
    assert float((other.old_logp[seen.groups.reply_mask] - sampled).abs().mean()) > 0.1


@pytest.mark.model
def test_an_adapter_that_has_learned_comes_under_a_new_name_and_the_old_one_goes(model_server: str, tmp_path: Path) -> None:
    with RolloutServer(model_server) as server:
        first = server.bring(ADAPTER_FOLDER)
        second = server.bring(ADAPTER_FOLDER)
        assert first != second
        assert brought(model_server) == {second}


@pytest.mark.model
def test_a_run_learns_from_what_the_server_writes(model_server: str, tmp_path: Path) -> None:
    values = {**SMALL, "steps": 1, "max_tokens": 40, "temperature": 1.0, "rollout_server": model_server}
    outcome = train("grpo", task(tmp_path, adapter=ADAPTER_FOLDER), settings_of("grpo", values))
    assert outcome.finished
    (told,) = MetricsLog(tmp_path).read()
    assert told["staleness"] < 0.1
    assert not brought(model_server)


@pytest.mark.model
def test_log_probabilities_of_another_temperature_are_refused(model_server: str, tmp_path: Path) -> None:
    values = {**SMALL, "temperature": 0.3, "rollout_server": model_server}
    with pytest.raises(RolloutServerError, match="--logprobs-mode processed_logprobs"):
        train("grpo", task(tmp_path, adapter=ADAPTER_FOLDER), settings_of("grpo", values))


def test_a_server_that_is_away_is_said_before_the_first_step(tmp_path: Path) -> None:
    with pytest.raises(ModelServerUnavailable, match="is away"):
        train("grpo", task(tmp_path), settings_of("grpo", {**SMALL, "rollout_server": "http://127.0.0.1:9"}))
