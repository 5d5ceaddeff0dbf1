"""How big a build is: the model's shape, the amount of self-play and the length of training, by name.

``toy`` runs end to end within a minute and is what CI builds. ``english`` begins with random weights; ``full`` goes on from it to Chinese
and is what ships. Everything that changes the weights stands here or is the seed, so a preset and a seed name one model.
"""

from dataclasses import dataclass, replace

from db.errors import ParleyError


class UnknownPreset(ParleyError):
    """A preset name that is not in ``PRESETS``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The Qwen3 decoder's dimensions."""

    layers: int
    hidden: int
    feed_forward: int
    heads: int
    key_value_heads: int
    head_dim: int = 64
    vocabulary: int = 4096
    window: int = 1024
    """Longest prompt plus completion, in tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """One size of build."""

    name: str
    goes_on_from: str = ""
    """The preset whose model it begins with, its vocabulary grown; empty where it begins with random weights. The shapes differ in the
    vocabulary alone."""
    shape: Shape
    conversations: int
    """Simulated negotiations to learn from."""
    chinese: float = 0.0
    """Share of all negotiations that are held in Chinese; the others are held in English."""
    held_out_conversations: int
    """Negotiations with names, rooms, numbers and hotel profiles of their own, for the model card."""
    steps: int
    batch_tokens: int
    """Upper bound of tokens in one optimiser step, padding included."""
    learning_rate: float
    """Peak for the embedding and the norms (AdamW)."""
    muon_learning_rate: float
    """Peak for the matrices inside the blocks (Muon, in AdamW's scale)."""
    warmup_steps: int
    weight_decay: float = 0.05
    adapter_conversations: int
    """Negotiations of excellent colleagues that ``policy-v1`` learns from."""
    adapter_steps: int
    adapter_rank: int = 8
    adapter_learning_rate: float = 6e-4
    prompt_share: float = 0.15
    """Share of prompt positions that are learned too, so that the model learns the language of both sides."""
    checkpoint_seconds: float = 60.0
    evaluated_samples: int = 300
    """Held-out samples of each job that are generated for the model card."""


_TOY = Preset(
    name="toy",
    shape=Shape(layers=2, hidden=64, feed_forward=128, heads=2, key_value_heads=1, head_dim=32, vocabulary=1024),
    conversations=24,
    chinese=0.4,
    held_out_conversations=4,
    steps=12,
    batch_tokens=2048,
    learning_rate=3e-3,
    muon_learning_rate=5e-3,
    warmup_steps=2,
    adapter_conversations=12,
    adapter_steps=6,
    evaluated_samples=4,
)
_ENGLISH = Preset(
    name="english",
    shape=Shape(layers=5, hidden=256, feed_forward=768, heads=4, key_value_heads=4, vocabulary=4096),
    conversations=2600,
    held_out_conversations=80,
    steps=4200,
    batch_tokens=4096,
    learning_rate=2e-3,
    muon_learning_rate=5e-3,
    warmup_steps=40,
    adapter_conversations=1500,
    adapter_steps=800,
)
_FULL = replace(
    _ENGLISH,
    name="full",
    goes_on_from=_ENGLISH.name,
    shape=replace(_ENGLISH.shape, vocabulary=6144),
    conversations=3000,
    chinese=0.5,
    held_out_conversations=130,
    steps=3000,
    # What is known is not to be unlearned first.
    learning_rate=1e-3,
    muon_learning_rate=2.5e-3,
)
PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        _TOY,
        replace(_TOY, name="toy-grown", goes_on_from=_TOY.name, shape=replace(_TOY.shape, vocabulary=1100)),
        _ENGLISH,
        _FULL,
    )
}


def preset_named(name: str) -> Preset:
    """The preset of that name; raises ``UnknownPreset`` naming the ones there are."""
    try:
        return PRESETS[name]
    except KeyError as error:
        raise UnknownPreset(f"there is no preset {name!r}; choose one of {', '.join(sorted(PRESETS))}") from error
