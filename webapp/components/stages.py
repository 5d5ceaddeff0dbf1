"""Where a conversation stands: the path of stages with the present one marked, and what may be said next."""

from collections.abc import Sequence
from html import escape

from agent.domain import AllowedMove
from db.vocabulary import Stage
from webapp.components.words import STAGE_WORDS, move_words

_PATH = (Stage.OPENING, Stage.SITUATION, Stage.PROPOSAL, Stage.PERSUASION, Stage.CONFIRMATION, Stage.CLOSING)
_BESIDE = {Stage.CLARIFICATION: Stage.PERSUASION, Stage.FOLLOW_UP: Stage.PERSUASION, Stage.ESCALATED: Stage.CONFIRMATION}
"""Stages off the path, and the step they are shown in place of."""
_END_CLASS = {Stage.AGREED: "p-good", Stage.DECLINED: "p-bad", Stage.EXPIRED: "p-dim", Stage.HANDED_OVER: "p-dim"}


def stage_chip(stage: Stage) -> str:
    """One stage as a chip."""
    kind = _END_CLASS.get(stage, "p-warn" if stage is Stage.ESCALATED else "p-now")
    return f'<span class="p-chip {kind}">{escape(STAGE_WORDS[stage])}</span>'


def stage_path(stage: Stage) -> str:
    """The steps of a negotiation with the present one marked; an end closes the row."""
    steps = [stage if _BESIDE.get(stage) is step else step for step in _PATH]
    at = steps.index(stage) if stage in steps else len(steps)
    parts = [_step(step, index, at) for index, step in enumerate(steps)]
    if stage.is_end:
        parts.append(f'<li aria-current="step">{stage_chip(stage)}</li>')
    return f'<ol class="p-path" aria-label="Stage: {escape(STAGE_WORDS[stage])}">{"".join(parts)}</ol>'


def allowed_html(allowed: Sequence[AllowedMove], *, several: bool = False) -> str:
    """What our side may do now, as chips; the empty string where nothing is open."""
    if not allowed:
        return ""
    chips = "".join(f'<span class="p-chip p-quiet">{escape(move_words(move, several=several))}</span>' for move in allowed)
    return f'<div class="p-allowed"><span class="p-label">Allowed now</span>{chips}</div>'


def _step(step: Stage, index: int, at: int) -> str:
    if index == at:
        return f'<li class="p-here" aria-current="step">{stage_chip(step)}</li>'
    return f'<li class="{"p-past" if index < at else "p-next"}">{escape(STAGE_WORDS[step])}</li>'
