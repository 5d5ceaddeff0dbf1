"""The starter model, built from nothing: self-play, a tokenizer of its own, pretraining, and a card with what it measured."""
