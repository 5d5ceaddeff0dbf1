"""Rollouts of the starter model, and the scores that its replies get."""

import math

import pytest
import torch

from agent.language.blanks import blanks, fill
from agent.language.format import encode_reply
from agent.serving.starter import ADAPTER_FOLDER
from tests.training.objectives.learning import contexts, exercises, scorer
from training.objectives.policy import Policy
from training.objectives.rewarding import BadReward, rewards
from training.objectives.rollout import Rollout, pool, read, roll_out
from training.objectives.sampling import Samples
from training.objectives.settings import PolicySettings

SETTINGS = PolicySettings(max_tokens=100, temperature=0.3)


@pytest.fixture(scope="module")
def policy() -> Policy:
    torch.set_num_threads(1)
    return Policy.load(SETTINGS, adapter=ADAPTER_FOLDER)


@pytest.fixture(scope="module")
def rollout(policy: Policy) -> Rollout:
    return roll_out(policy, pool(contexts(3), policy, SETTINGS), [2, 0], SETTINGS, copies=4, seed=5)


def test_replies_are_those_to_the_chosen_contexts_in_order(rollout: Rollout) -> None:
    assert rollout.contexts == (contexts(3)[2], contexts(3)[0])
    for context, copies in zip(rollout.contexts, rollout.replies, strict=True):
        assert len(copies) == 4
        assert all(reply.move in context.allowed for reply in copies if reply is not None)


def test_most_of_what_the_starter_model_answers_can_be_read(policy: Policy) -> None:
    # Over many contexts about one answer in twenty cannot be read (docs/objectives.md).
    several = roll_out(policy, pool(contexts(16, 72_000), policy, SETTINGS), range(16), SETTINGS, copies=2, seed=5)
    assert len(several.readable) >= 24


def test_no_blank_is_left_open_in_a_reply(rollout: Rollout) -> None:
    assert all("{" not in reply.text for _, reply in rollout.readable)


@pytest.mark.parametrize(
    "answer",
    ["", "Hello", '{"move":"ask"', '{"move":"no such move","text":"Hello."}', '{"text":"Hello."}', "MOVE {no_such_blank}", "MOVE "],
)
def test_an_answer_that_is_no_reply_is_read_as_none(answer: str) -> None:
    context = contexts(1)[0]
    if answer.startswith("MOVE"):
        answer = f'{{"move":"{context.allowed[0].key}","text":"{answer.removeprefix("MOVE ")}"}}'
    assert read(context, answer) is None


def test_an_encoded_reply_is_read_with_its_blanks_filled() -> None:
    one = exercises(1)[0]
    said = read(one.context, one.completion())
    assert said is not None
    assert said.text == fill(one.template, blanks(one.context, one.reply.move)).strip()
    assert encode_reply(said).startswith('{"move":')


def test_the_sampler_says_what_the_adapted_model_says(policy: Policy) -> None:
    exact = Policy.load(SETTINGS, adapter=ADAPTER_FOLDER, sampler=torch.float32)
    ids = torch.tensor([[5, 6, 7, 8, 900, 901]])
    torch.testing.assert_close(exact.sampler()(input_ids=ids).logits, exact.model(input_ids=ids).logits, atol=1e-4, rtol=1e-4)
    with exact.as_reference():
        torch.testing.assert_close(exact.sampler()(input_ids=ids).logits, exact.model(input_ids=ids).logits, atol=1e-4, rtol=1e-4)


def test_the_reference_stays_where_the_run_began_and_learns_nothing(policy: Policy) -> None:
    ids = torch.tensor([[5, 6, 7, 8, 900, 901]])
    before = policy.model(input_ids=ids).logits
    with torch.no_grad():
        for name, parameter in policy.model.named_parameters():
            if "lora_B.default" in name:
                parameter.mul_(2)
    with policy.as_reference():
        torch.testing.assert_close(policy.model(input_ids=ids).logits, before)
    assert not torch.equal(policy.model(input_ids=ids).logits, before)
    trainable = [name for name, parameter in policy.model.named_parameters() if parameter.requires_grad]
    assert trainable
    assert all(".default." in name for name in trainable)


def test_what_cannot_be_read_gets_the_penalty_and_is_counted(rollout: Rollout) -> None:
    replies = [list(copies) for copies in rollout.replies]
    replies[1][2] = None
    spoilt = Rollout(contexts=rollout.contexts, prompts=rollout.prompts, samples=rollout.samples, replies=replies, seconds=0.0)
    scored = rewards(spoilt, scorer(), unreadable=-2.5)
    assert scored.total[1, 2] == -2.5
    assert math.isnan(float(scored.functions[1, 2]))
    assert not scored.readable[1, 2]
    unread = sum(reply is None for copies in replies for reply in copies)
    assert scored.figures()["reward/unreadable_share"] == pytest.approx(unread / 8)


def test_scores_stand_at_their_replies(rollout: Rollout) -> None:
    scored = rewards(rollout, scorer(), unreadable=-3.0)
    for row, copies in enumerate(rollout.replies):
        for copy, reply in enumerate(copies):
            if reply is not None:
                alone = scorer()([(rollout.contexts[row], reply)])[0]
                assert float(scored.total[row, copy]) == pytest.approx(alone.total, abs=1e-6)
                assert float(scored.model[row, copy]) == pytest.approx(alone.model, abs=1e-6)


def test_a_scorer_that_leaves_replies_out_is_refused(rollout: Rollout) -> None:
    with pytest.raises(BadReward, match=r"gives 0 scores for"):
        rewards(rollout, lambda items: [], unreadable=-3.0)


def test_a_rollout_of_noise_alone_is_scored_without_asking() -> None:
    context = contexts(1)[0]
    noise = Rollout(
        contexts=(context,), prompts=[[1]], samples=Samples(ids=[[[5], [6]]], logps=[[[0.0], [0.0]]]), replies=[[None, None]], seconds=0.0
    )

    def never(items: object) -> list[object]:
        raise AssertionError("there is nothing to score")

    scored = rewards(noise, never, unreadable=-3.0)  # type: ignore[arg-type]
    assert scored.figures()["reward/total"] == -3.0
    assert "reward/functions" not in scored.figures()
