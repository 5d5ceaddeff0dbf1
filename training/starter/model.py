"""The starter model's architecture: Qwen3 with tied embeddings, initialised from a seed.

Qwen3 because vLLM and transformers both run it as it is and because the larger models that may replace the starter share it; the sizes are
the preset's.
"""

import torch
from transformers import GenerationConfig, Qwen3Config, Qwen3ForCausalLM

from training.starter.presets import Shape


def fresh_model(shape: Shape, *, vocabulary: int, end_id: int, pad_id: int, seed: int) -> Qwen3ForCausalLM:
    """A new model in float32, the same for the same arguments; ``vocabulary`` is the tokenizer's true length."""
    torch.manual_seed(seed)
    config = Qwen3Config(
        vocab_size=vocabulary,
        hidden_size=shape.hidden,
        intermediate_size=shape.feed_forward,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.key_value_heads,
        head_dim=shape.head_dim,
        max_position_embeddings=shape.window,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=end_id,
        pad_token_id=pad_id,
        dtype="float32",
    )
    model = Qwen3ForCausalLM(config)
    _scale_residual_outputs(model, shape.layers)
    model.generation_config = GenerationConfig(eos_token_id=end_id, pad_token_id=pad_id, do_sample=True, temperature=0.7, top_p=1.0)
    return model


def _scale_residual_outputs(model: Qwen3ForCausalLM, layers: int) -> None:
    """Shrink what each block adds to the residual stream at the start (GPT-2, section 2.3), which small deep models train better from."""
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.endswith(("o_proj.weight", "down_proj.weight")):
                weight.mul_((2 * layers) ** -0.5)


def parameter_count(model: Qwen3ForCausalLM) -> int:
    """Distinct parameters (the tied embedding counts once)."""
    return sum(parameter.numel() for parameter in model.parameters())
