"""The guard: pure rules over one reply and the public turn it answers. The same objects score replies in training."""

from agent.guardrails.rule import Rule, Violation

__all__ = ["Rule", "Violation"]
