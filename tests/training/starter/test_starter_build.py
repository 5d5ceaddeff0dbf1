import hashlib
import json
import shutil
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from agent.serving.versions import AdapterStore
from training.starter.build import Built, NotABeginning, build
from training.starter.progress import BuildEvent
from training.starter.tokenizer import load_tokenizer


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Built:
    built = build(tmp_path_factory.mktemp("whole"), "toy", 3)
    assert built is not None
    return built


def test_a_build_leaves_a_model_that_transformers_loads(whole: Built) -> None:
    names = {path.name for path in whole.folder.iterdir()}
    assert {
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
        "generation_config.json",
        "MODEL_CARD.md",
    } <= names
    model = AutoModelForCausalLM.from_pretrained(whole.folder)
    tokenizer = AutoTokenizer.from_pretrained(whole.folder)
    assert model.config.architectures == ["Qwen3ForCausalLM"]
    assert model.config.tie_word_embeddings
    assert str(model.dtype) == "torch.bfloat16"
    assert model.config.vocab_size == len(tokenizer)
    assert model.generation_config.eos_token_id == tokenizer.eos_token_id


def test_its_adapter_can_be_published_and_changes_what_the_model_says(whole: Built, tmp_path: Path) -> None:
    published = AdapterStore(tmp_path).publish(whole.adapter, "policy-v1")
    assert (published.rank, published.base_model) == (8, "parley-starter")
    model = AutoModelForCausalLM.from_pretrained(whole.folder)
    ids = torch.arange(10, 40).unsqueeze(0)
    before = model(ids).logits
    after = PeftModel.from_pretrained(model, str(published.path))(ids).logits
    assert not torch.equal(before, after)


def test_the_card_tells_the_hash_and_the_figures(whole: Built) -> None:
    weights = (whole.folder / "model.safetensors").read_bytes()
    card = (whole.folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert hashlib.sha256(weights).hexdigest() == whole.weights_hash
    assert whole.weights_hash in card
    assert f"{whole.figures.reading.kind:.1%}" in card
    kept = json.loads((whole.folder / "figures.json").read_text())
    assert kept["figures"]["writing"][0]["guard_pass"] == whole.figures.writing[0].guard_pass


def test_a_build_that_was_killed_and_resumed_gives_the_same_weights(whole: Built, tmp_path: Path) -> None:
    assert build(tmp_path, "toy", 3, stop_after=5) is None
    assert not (tmp_path / "model").exists()
    events: list[BuildEvent] = []
    resumed = build(tmp_path, "toy", 3, True, events.append)
    assert resumed is not None
    assert (resumed.weights_hash, resumed.adapter_hash) == (whole.weights_hash, whole.adapter_hash)
    assert "playing" not in {event.phase for event in events}


def test_a_build_that_goes_on_keeps_the_vocabulary_and_tells_what_it_began_with(whole: Built, tmp_path: Path) -> None:
    grown = build(tmp_path / "given", "toy-grown", 3, begin=whole.folder)
    assert grown is not None
    old, new = load_tokenizer(whole.folder), load_tokenizer(grown.folder)
    assert len(old) < len(new) == AutoModelForCausalLM.from_pretrained(grown.folder).config.vocab_size
    assert old.get_vocab().items() <= new.get_vocab().items()
    assert whole.weights_hash in (grown.folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    # Where no beginning is named, the same one is built.
    again = build(tmp_path / "built", "toy-grown", 3)
    assert again is not None
    assert again.weights_hash == grown.weights_hash


@pytest.mark.parametrize(
    ("preset", "folder", "why"),
    [
        ("toy", "model", "begins with random weights"),
        ("toy-grown", "nowhere", "no finished model"),
        ("full", "model", r"has \(2, 64, 128, 2\) .* and english has \(5, 256, 768, 4\)"),
    ],
)
def test_what_cannot_be_begun_with_is_refused(whole: Built, tmp_path: Path, preset: str, folder: str, why: str) -> None:
    with pytest.raises(NotABeginning, match=why):
        build(tmp_path / "out", preset, begin=whole.folder.parent / folder)
    assert not (tmp_path / "out").exists()


def test_a_resumed_build_does_not_go_on_from_another_beginning(whole: Built, tmp_path: Path) -> None:
    assert build(tmp_path / "out", "toy-grown", 3, begin=whole.folder, stop_after=2) is None
    other = Path(shutil.copytree(whole.folder, tmp_path / "other"))
    (other / "model.safetensors").write_bytes((other / "model.safetensors").read_bytes()[:-1] + b"\x00")
    with pytest.raises(NotABeginning, match=rf"began with the weights {whole.weights_hash[:12]}.* name that beginning, or another --out"):
        build(tmp_path / "out", "toy-grown", 3, True, begin=other)
    resumed = build(tmp_path / "out", "toy-grown", 3, True, begin=whole.folder)
    assert resumed is not None


def test_another_seed_gives_another_model(whole: Built, tmp_path: Path) -> None:
    other = build(tmp_path, "toy", 4)
    assert other is not None
    assert other.weights_hash != whole.weights_hash
