"""The agent's service: the one way in to a negotiation, for pages, commands, rollouts and benchmarks."""

from agent.service.connection import connect
from agent.service.negotiations import Negotiations

__all__ = ["Negotiations", "connect"]
