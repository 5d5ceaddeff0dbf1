"""Reading a prompt once for all of its replies changes no score: each is that of the reply alone, as transformers computes it."""

import inspect
from pathlib import Path

import pytest
import torch
from reward_rows import KIND, emitted, prompt
from transformers import AutoTokenizer, PreTrainedTokenizerBase, Qwen3ForSequenceClassification
from trl.trainer.reward_trainer import RewardTrainer

from tests import tiny_model
from training.rewards.model.comparisons import prompt_of
from training.rewards.model.network import ReplyScorer, fresh_scorer, load_scorer, save_scorer
from training.rewards.model.packing import Packer, collate
from training.rewards.model.scorer import RawScorer
from training.rewards.model.trainer import preference_loss

PROMPTS = [prompt_of(prompt(number), "a prompt") for number in range(3)]
REPLIES = [emitted(text) for text in (*KIND, "No.", "您好，谢谢。")]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return tiny_model.build(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def tokenizer(base: Path) -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(base)


@pytest.fixture(scope="module")
def packer(tokenizer: PreTrainedTokenizerBase) -> Packer:
    return Packer(tokenizer, prompt_tokens=400, completion_tokens=100)


def test_that_packed_scores_are_those_of_each_reply_alone(base: Path, packer: Packer) -> None:
    scorer = fresh_scorer(base, lora_rank=0, seed=3).eval()
    plain = Qwen3ForSequenceClassification.from_pretrained(base, num_labels=1, dtype=torch.float32)
    plain.load_state_dict(scorer.state_dict())
    plain.config.pad_token_id = 0
    plain.eval()
    batch = collate([packer.pack(PROMPTS[0], None, REPLIES), packer.pack(PROMPTS[1], "a reference", REPLIES[:2])], pad_id=0)
    with torch.inference_mode():
        packed = scorer(**batch).logits
        for row, (reference, replies) in enumerate([(None, REPLIES), ("a reference", REPLIES[:2])]):
            for place, reply in enumerate(replies):
                alone = packer.pack(PROMPTS[row], reference, [reply])
                expected = plain(input_ids=torch.tensor([alone.ids])).logits[0, 0]
                torch.testing.assert_close(packed[row, place], expected, atol=1e-5, rtol=1e-4)


def test_that_scores_do_not_depend_on_company_or_order(base: Path, tokenizer: PreTrainedTokenizerBase, packer: Packer) -> None:
    raw = RawScorer(fresh_scorer(base, lora_rank=0, seed=3), tokenizer, packer)
    items = [(prompt, None, reply) for prompt in PROMPTS for reply in REPLIES] * 2
    together = raw(items)
    assert together == raw(items)
    assert together[: len(items) // 2] == together[len(items) // 2 :]
    assert raw(items[::-1])[::-1] == pytest.approx(together, abs=1e-5)
    assert [raw([item])[0] for item in items] == pytest.approx(together, abs=1e-5)
    assert len(set(together)) == len(items) // 2
    assert raw([]) == []


def test_that_a_long_prompt_keeps_its_end_and_a_long_reply_its_beginning(tokenizer: PreTrainedTokenizerBase) -> None:
    packer = Packer(tokenizer, prompt_tokens=20, completion_tokens=10)
    pack = packer.pack(PROMPTS[0], None, ["x" * 500])
    assert len(pack.ids) == 30
    assert str(tokenizer.decode(list(pack.ids[:20]))).endswith("<|im_start|>assistant\n")
    assert tokenizer.decode(list(pack.ids[20:])) == "x" * 9 + "<|im_end|>"


def test_that_system_messages_are_left_out_and_a_reference_is_shown(tokenizer: PreTrainedTokenizerBase, packer: Packer) -> None:
    text = tokenizer.decode(list(packer.pack(PROMPTS[0], REPLIES[0], REPLIES[1:2]).ids))
    assert "You write to a hotel" not in text
    assert f"a good reply: {REPLIES[0]}<|im_end|>" in text
    only_system = packer.pack((("system", "Say hello."),), None, REPLIES[:1])
    assert "Say hello." in tokenizer.decode(list(only_system.ids))


@pytest.mark.parametrize("lora_rank", [0, 4])
def test_that_saved_weights_score_the_same(
    base: Path, tokenizer: PreTrainedTokenizerBase, packer: Packer, lora_rank: int, tmp_path: Path
) -> None:
    model = fresh_scorer(base, lora_rank=lora_rank, seed=5)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name or "score" in name:
                parameter.normal_(std=0.1)
    items = [(PROMPTS[0], None, reply) for reply in REPLIES]
    before = RawScorer(model, tokenizer, packer)(items)
    save_scorer(model, tmp_path / "weights")
    loaded = load_scorer(tmp_path / "weights", base)
    assert isinstance(loaded, ReplyScorer)
    assert RawScorer(loaded, tokenizer, packer)(items) == pytest.approx(before, abs=1e-4)
    assert not list((tmp_path / "weights").glob("README*"))


def test_that_only_adapter_and_head_learn_with_lora(base: Path) -> None:
    learning = {name for name, parameter in fresh_scorer(base, lora_rank=4, seed=0).named_parameters() if parameter.requires_grad}
    assert any("score" in name for name in learning)
    assert all("lora_" in name or "score" in name for name in learning)


def test_that_the_loss_is_bradley_and_terrys_with_ties() -> None:
    gap = torch.tensor([0.3, -2.0, 4.0], dtype=torch.float64)
    chance = 1 / (1 + torch.exp(-gap))
    for wanted in (1.0, 0.5, 0.0):
        expected = -(wanted * chance.log() + (1 - wanted) * (1 - chance).log()).mean()
        torch.testing.assert_close(preference_loss(gap, torch.full_like(gap, wanted)), expected)
    tied = torch.zeros(1, requires_grad=True)
    preference_loss(tied, torch.tensor([0.5])).backward()
    assert tied.grad == 0, "a tie wants no gap"


def test_that_trl_still_has_the_hooks_that_are_overridden() -> None:
    assert list(inspect.signature(RewardTrainer._prepare_dataset).parameters) == [  # pyright: ignore[reportPrivateUsage]
        "self", "dataset", "processing_class", "args", "dataset_name",
    ]  # fmt: skip
    assert list(inspect.signature(RewardTrainer.compute_loss).parameters) == [
        "self", "model", "inputs", "return_outputs", "num_items_in_batch",
    ]  # fmt: skip
    assert "create_model_card" in dir(RewardTrainer)
    assert "center_rewards_coefficient" in inspect.getsource(RewardTrainer.compute_loss)
