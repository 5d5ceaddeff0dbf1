"""The watch over a canary: rolled back by itself where it does harm, made live by itself where it does none and may.

Decided here: what counts as harm (rules broken in first drafts, answers that are no replies, templates, ratings, slowness), and that each
conversation counts once, when its first few replies are made. How evidence is weighed is decided in ``evidence``, where the error rate is
explained; how a version moves in ``traffic``. To be called every minute; all is computed from the tables each time, so nothing is lost.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy.orm import Session

from db.engine import SessionFactory
from db.models import Deployment
from db.repositories import arm_figures, deployments
from db.repositories.arm_figures import ConversationFigures
from db.vocabulary import DeploymentRole
from training.release.evidence import Evidence, Seen, threshold, weigh
from training.release.fleet import Fleet
from training.release.settings import ReleaseSettings
from training.release.traffic import promote, roll_back

MAY_PROMOTE = "promote"
"""In a version's note: whether it may become live by itself; says more than the setting."""


class Action(StrEnum):
    """What the watch has decided."""

    WAIT = "wait"
    ROLL_BACK = "roll_back"
    PROMOTE = "promote"


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """What is watched in one respect."""

    name: str
    title: str
    evidence: Evidence
    limit: float
    """``evidence.most`` at which it is taken for harm."""
    canary: float | None
    """Mean harm of the canary, 0 to 1; None where nothing was seen."""
    live: float | None

    @property
    def alarm(self) -> bool:
        """Whether it is taken for harm."""
        return self.evidence.most >= self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What is known of the canary now."""

    canary_id: UUID
    canary: str
    live_id: UUID
    live: str
    since: datetime
    """Since when it has been the canary."""
    conversations: int
    """Of the canary that count."""
    enough: int
    """After so many without harm it may become live."""
    may_promote: bool
    criteria: tuple[Criterion, ...]
    error_rate: float
    """Chance that a canary which is no worse in anything is ever rolled back by the watch, at most."""

    @property
    def alarms(self) -> tuple[Criterion, ...]:
        """What it does harm in."""
        return tuple(criterion for criterion in self.criteria if criterion.alarm)

    @property
    def action(self) -> Action:
        """What has to be done."""
        if self.alarms:
            return Action.ROLL_BACK
        return Action.PROMOTE if self.may_promote and self.conversations >= self.enough else Action.WAIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the watch did."""

    action: Action
    version_id: UUID
    version: str
    reason: str
    moved: bool
    """False where it waits, or where somebody was faster."""


_Harm = Callable[[ConversationFigures, ReleaseSettings], float | None]
_OF_REPLIES: tuple[tuple[str, str, _Harm], ...] = (
    ("violations", "first drafts against a rule", lambda figures, _: figures.violated),
    ("errors", "answers that are no reply", lambda figures, _: figures.unusable),
    ("templates", "replies that a template had to say", lambda figures, _: figures.fell_back),
    ("slowness", "time to a reply", lambda figures, how: _slow(figures.seconds, how)),
)
_CRITERIA = len(_OF_REPLIES) + 1


def watch(sessions: SessionFactory, fleet: Fleet, *, settings: ReleaseSettings | None = None) -> Sequence[Decision]:
    """Look at the canary, and roll it back or make it live where that is due; empty where there is none.

    Raises AdapterRefused, ModelServerUnavailable where a replica cannot serve what is to become live; it is tried again the next time.
    """
    how = settings or ReleaseSettings()
    with sessions() as session:
        watched = look(session, settings=how)
    if watched is None:
        return ()
    reason = why(watched)
    match watched.action:
        case Action.ROLL_BACK:
            moved = roll_back(sessions, fleet, reason=reason, version_id=watched.canary_id)
        case Action.PROMOTE:
            moved = promote(sessions, fleet, watched.canary_id, reason=reason)
        case Action.WAIT:
            moved = None
    return (Decision(action=watched.action, version_id=watched.canary_id, version=watched.canary, reason=reason, moved=moved is not None),)


def look(session: Session, *, settings: ReleaseSettings | None = None) -> Watched | None:
    """What is known of the canary, without doing anything; None where there is none, or nothing live beside it."""
    how = settings or ReleaseSettings()
    live = deployments.find_active(session, DeploymentRole.LIVE)
    canary = deployments.find_active(session, DeploymentRole.CANARY)
    if live is None or canary is None:
        return None
    since = canary_since(deployments.list_of_version(session, canary.policy_version_id))
    ours, theirs = (
        arm_figures.list_settled(session, one.policy_version_id, since=since, replies=how.canary_replies) for one in (canary, live)
    )
    rated = [arm_figures.list_rated(session, one.policy_version_id, since=since) for one in (canary, live)]
    limit = threshold(how.canary_alpha, _CRITERIA)
    criteria = [
        _criterion(name, title, _seen(ours, harm, how), _seen(theirs, harm, how), limit, how.canary_slower if name == "slowness" else 0.0)
        for name, title, harm in _OF_REPLIES
    ]
    starred = [[Seen(at=one.rated_at.timestamp(), harm=(5 - one.stars) / 4) for one in arm] for arm in rated]
    criteria.append(_criterion("ratings", "stars that people gave", starred[0], starred[1], limit, 0.0))
    said = canary.policy_version.note.get(MAY_PROMOTE)
    return Watched(
        canary_id=canary.policy_version_id,
        canary=canary.policy_version.name,
        live_id=live.policy_version_id,
        live=live.policy_version.name,
        since=since,
        conversations=len(ours),
        enough=how.canary_enough,
        may_promote=said if isinstance(said, bool) else how.canary_promotes,
        criteria=tuple(criteria),
        error_rate=how.canary_alpha,
    )


def canary_since(spans: Sequence[Deployment]) -> datetime:
    """Since when a version has been the canary without a break, whatever its share; ``spans`` are all of its own, newest first.

    Raises:
        ValueError: if it is not the canary now.
    """
    since: datetime | None = None
    for span in (span for span in spans if span.role is DeploymentRole.CANARY):
        if (span.active_to is None and since is None) or span.active_to == since:
            since = span.active_from
        else:
            break
    if since is None:
        raise ValueError("the version is not the canary now")
    return since


def why(watched: Watched) -> str:
    """What was found, in one sentence, for the audit trail."""
    counted = f"after {watched.conversations} conversations of {watched.canary}"
    if not watched.alarms:
        return f"no harm {counted}, beside {watched.live}; wanted are {watched.enough}"
    found = "; ".join(
        f"{one.title}: {one.canary or 0:.1%} against {one.live or 0:.1%} of harm (evidence {one.evidence.most:.0f}, limit {one.limit:.0f})"
        for one in watched.alarms
    )
    return f"worse than {watched.live} {counted}: {found}"


def _criterion(name: str, title: str, canary: Sequence[Seen], live: Sequence[Seen], limit: float, margin: float) -> Criterion:
    return Criterion(
        name=name, title=title, evidence=weigh(canary, live, margin=margin), limit=limit, canary=_mean(canary), live=_mean(live)
    )


def _seen(figures: Sequence[ConversationFigures], harm: _Harm, how: ReleaseSettings) -> list[Seen]:
    told = [(one.settled_at.timestamp(), harm(one, how)) for one in figures]
    return [Seen(at=at, harm=value) for at, value in told if value is not None]


def _slow(seconds: float | None, how: ReleaseSettings) -> float | None:
    return None if seconds is None else min(seconds / how.canary_slow_s, 1.0)


def _mean(seen: Sequence[Seen]) -> float | None:
    return sum(one.harm for one in seen) / len(seen) if seen else None
