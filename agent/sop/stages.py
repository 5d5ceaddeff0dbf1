"""The SOP as a table: what each stage is for, what must and must not be said in it, which moves it allows and where it leads.

``advance`` decides *when* a conversation goes from one stage to another; a test walks every reachable state and holds it to this table.
"""

from dataclasses import dataclass

from db.vocabulary import MoveKind, Stage

_M, _S = MoveKind, Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class StageSpec:
    """One row of the table."""

    purpose: str
    """The brief that the writer gets: no internal word stands in it."""
    must: str
    must_not: str
    moves: frozenset[MoveKind]
    exits: frozenset[Stage]
    most_turns: int
    """Replies in a row that may be given in this stage before it is left."""


# A hotel can fall silent, get upset, go to the law or come to terms at any point, so these ways out stand open everywhere.
_ALWAYS = frozenset({_S.FOLLOW_UP, _S.CLARIFICATION, _S.CONFIRMATION, _S.ESCALATED, _S.CLOSING, _S.PERSUASION})
_CLOSED = frozenset({_S.AGREED, _S.DECLINED, _S.EXPIRED, _S.HANDED_OVER})

STAGES: dict[Stage, StageSpec] = {
    _S.OPENING: StageSpec(
        purpose="Introduce yourself, name the hotel and say that you call about room rates; ask whether this is the right person.",
        must="a greeting, who we are, why we write",
        must_not="a price, an argument, a second question",
        moves=frozenset({_M.GREET, _M.REDIRECT, _M.CALM}),
        exits=_ALWAYS | {_S.OPENING, _S.SITUATION, _S.PROPOSAL},
        most_turns=3,
    ),
    _S.SITUATION: StageSpec(
        purpose="Ask one open question about the hotel's situation for these dates and listen.",
        must="one question about the hotel",
        must_not="a price, pressure",
        moves=frozenset({_M.PROBE, _M.CALM, _M.REDIRECT}),
        exits=_ALWAYS | {_S.SITUATION, _S.PROPOSAL},
        most_turns=2,
    ),
    _S.PROPOSAL: StageSpec(
        purpose="Ask for one clear net price for the room and dates, with one true reason.",
        must="room, dates, the net price that is asked for, one reason",
        must_not="two prices, a promise",
        moves=frozenset({_M.ASK, _M.HOLD, _M.CALM, _M.REDIRECT}),
        exits=_ALWAYS | {_S.PROPOSAL},
        most_turns=2,
    ),
    _S.PERSUASION: StageSpec(
        purpose="Answer what the hotel said, give one new true reason, and ask for the net price.",
        must="an answer to what was said, a reason not used before, the net price",
        must_not="the same argument in the same words, pressure, a promise",
        moves=frozenset({_M.ASK, _M.HOLD, _M.CALM, _M.REDIRECT}),
        exits=_ALWAYS | {_S.PROPOSAL},
        most_turns=12,
    ),
    _S.CLARIFICATION: StageSpec(
        purpose="Ask the one open point before anything else.",
        must="one question about the open point",
        must_not="a new price, an acceptance",
        moves=frozenset({_M.CLARIFY, _M.CALM}),
        exits=_ALWAYS | {_S.OPENING, _S.SITUATION, _S.PROPOSAL},
        most_turns=4,
    ),
    _S.CONFIRMATION: StageSpec(
        purpose="Repeat room, dates, net price, selling price and start date, and ask for a clear yes.",
        must="room, dates, net price, selling price, start date, a question for a yes",
        must_not="another price, further haggling",
        moves=frozenset({_M.ACCEPT, _M.CONFIRM, _M.CALM, _M.REDIRECT}),
        exits=_ALWAYS | {_S.PROPOSAL},
        most_turns=4,
    ),
    _S.CLOSING: StageSpec(
        purpose="Thank the hotel, say what was agreed or that it was not possible this time, and say goodbye.",
        must="thanks; what was agreed, if anything",
        must_not="a new request, reproach",
        moves=frozenset({_M.CLOSE}),
        exits=_CLOSED | {_S.CLOSING, _S.ESCALATED},
        most_turns=1,
    ),
    _S.FOLLOW_UP: StageSpec(
        purpose="Remind the hotel kindly of the open question; do not read silence as a yes.",
        must="the open question, once",
        must_not="an acceptance, pressure",
        moves=frozenset({_M.FOLLOW_UP, _M.HOLD}),
        exits=_ALWAYS | {_S.OPENING, _S.SITUATION, _S.PROPOSAL},
        most_turns=3,
    ),
    _S.ESCALATED: StageSpec(
        purpose="Say that a colleague will take this over, and thank.",
        must="that a colleague comes back",
        must_not="an argument, a price",
        moves=frozenset({_M.ESCALATE}),
        exits=_CLOSED | {_S.ESCALATED},
        most_turns=1,
    ),
    **{
        end: StageSpec(
            purpose="The conversation is over.",
            must="nothing",
            must_not="anything",
            moves=frozenset(),
            exits=frozenset(),
            most_turns=0,
        )
        for end in (_S.AGREED, _S.DECLINED, _S.EXPIRED, _S.HANDED_OVER)
    },
}
