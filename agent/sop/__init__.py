"""The Standard Operating Procedure: where a conversation stands, and what our side may do next.

The machine is a table (``stages``) and three pure functions: ``open_state``, ``advance`` (the hotel did something) and ``commit`` (we
said something). It is the only place that reads a ``Mandate``.
"""

from agent.sop.advance import Step, advance, begin
from agent.sop.commit import close_by_hand, commit
from agent.sop.concession import ask_at, speaking_step
from agent.sop.stages import STAGES, StageSpec
from agent.sop.state import NegotiationState, Terms, TicketState, dump_state, load_state, open_state, sop_version

__all__ = [
    "STAGES",
    "NegotiationState",
    "StageSpec",
    "Step",
    "Terms",
    "TicketState",
    "advance",
    "ask_at",
    "begin",
    "close_by_hand",
    "commit",
    "dump_state",
    "load_state",
    "open_state",
    "sop_version",
    "speaking_step",
]
