"""Where the shipped starter model lies. Its files are written by ``parley starter build`` and by nothing else."""

from pathlib import Path

MODEL_FOLDER = Path(__file__).parent / "model"
"""A Hugging Face model folder: configuration, weights, tokenizer, chat template, model card."""
