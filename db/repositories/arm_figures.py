"""Queries on how versions of the policy did: what each of their conversations tells, and sums over all of them.

A conversation belongs to the version that it is held by; one that went on with another version on its way tells nothing about either, so
drafts by another version than the conversation's own leave it out.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationFigures:
    """What our first replies in one conversation tell; each share is in [0, 1]."""

    settled_at: datetime
    """When the last of them was drafted, or the conversation closed with fewer."""
    replies: int
    violated: float
    """Share of replies whose first draft broke a rule with a major or severe breach."""
    unusable: float
    """Share whose first draft could not be read as a reply."""
    fell_back: float
    """Share that a template had to say."""
    seconds: float | None
    """Mean time of an answer from the hotel's words to the draft; None where nothing was answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedConversation:
    """The first of our turns in a conversation that somebody rated."""

    rated_at: datetime
    stars: float
    """Mean over those who rated it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Sums over conversations, of a figure that is a ratio ``of / per``; enough for its mean and its spread."""

    conversations: int
    of: float
    per: float
    of_of: float
    per_per: float
    of_per: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmSums:
    """Everything that is told of an arm."""

    opened: int
    first_opened_at: datetime | None
    answered: Sums
    """Conversations that the hotel answered, of those that are closed or were opened long enough ago."""
    succeeded: Sums
    """Conversations in which every ticket was agreed, of those that are closed."""
    stars: Sums
    violated: Sums
    """Of first drafts."""
    unusable: Sums
    fell_back: Sums


_DRAFTS = """
SELECT c.id, c.closed_at, first.created_at,
       row_number() OVER (PARTITION BY c.id ORDER BY first.for_turn) AS place,
       CAST(EXISTS (SELECT FROM guard_verdict v
                    WHERE v.draft_id = first.id AND NOT v.of_edit AND v.severity <> 'minor') AS int) AS violated,
       CAST(first.text = '' AS int) AS unusable,
       CAST(EXISTS (SELECT FROM draft t WHERE t.conversation_id = c.id AND t.for_turn = first.for_turn
                    AND t.fallback_reason IS NOT NULL) AS int) AS fell_back,
       (SELECT sum(CAST(step.value AS double precision)) / 1000 FROM turn h, jsonb_each_text(h.latency_ms) step
        WHERE h.conversation_id = c.id AND h.number = first.for_turn - 1) AS seconds
FROM conversation c JOIN draft first ON first.conversation_id = c.id AND first.attempt = 1
WHERE c.policy_version_id = :version AND c.created_at >= :since
  AND NOT EXISTS (SELECT FROM draft o WHERE o.conversation_id = c.id AND o.policy_version_id <> c.policy_version_id)
"""

_SETTLED = text(f"""
WITH drafted AS ({_DRAFTS})
SELECT CASE WHEN count(*) >= :replies THEN max(created_at) ELSE closed_at END AS settled_at,
       count(*) AS replies, avg(violated) AS violated, avg(unusable) AS unusable, avg(fell_back) AS fell_back, avg(seconds) AS seconds
FROM drafted WHERE place <= :replies
GROUP BY id, closed_at
HAVING count(*) >= :replies OR closed_at IS NOT NULL
ORDER BY settled_at, id
""")

_STARRED = """
    FROM conversation c
    JOIN rating r ON r.conversation_id = c.id AND r.kind = 'turn' AND r.stars IS NOT NULL
    JOIN turn t ON t.id = r.turn_id AND t.policy_version_id = c.policy_version_id
    WHERE c.policy_version_id = :version AND c.created_at >= :since AND NOT r.withdrawn
      -- What a person wrote in place of the draft tells nothing about the version.
      AND NOT EXISTS (SELECT FROM draft d WHERE d.id = t.draft_id AND d.status = 'edited')
      AND NOT EXISTS (SELECT FROM rating later WHERE later.supersedes_id = r.id)
"""

_RATED = text(f"""
WITH judged AS (
    SELECT r.conversation_id, t.number, min(r.created_at) AS rated_at, avg(r.stars) AS stars
    {_STARRED}
    GROUP BY r.conversation_id, t.number
)
SELECT DISTINCT ON (conversation_id) rated_at, stars FROM judged ORDER BY conversation_id, number
""")

_OPENED = text("""
SELECT count(*) AS opened, min(created_at) AS first_opened_at FROM conversation c
WHERE c.policy_version_id = :version AND c.created_at >= :since
""")

_OUTCOMES = text("""
WITH outcome AS (
    SELECT c.closed_at IS NOT NULL AS closed,
           c.closed_at IS NOT NULL OR c.created_at < :ripe AS ripe,
           CAST(EXISTS (SELECT FROM turn h WHERE h.conversation_id = c.id AND h.speaker = 'hotel' AND h.text <> '') AS int) AS answered,
           CAST(NOT EXISTS (SELECT FROM conversation_ticket k JOIN ticket t ON t.id = k.ticket_id
                            WHERE k.conversation_id = c.id AND (t.status <> 'agreed' OR t.agreed_net > t.ceiling)) AS int) AS succeeded
    FROM conversation c
    WHERE c.policy_version_id = :version AND c.created_at >= :since
      AND EXISTS (SELECT FROM turn o WHERE o.conversation_id = c.id AND o.number = 1 AND o.speaker = 'bd')
      AND NOT EXISTS (SELECT FROM draft o WHERE o.conversation_id = c.id AND o.policy_version_id <> c.policy_version_id)
)
SELECT count(*) FILTER (WHERE ripe) AS ripe, coalesce(sum(answered) FILTER (WHERE ripe), 0) AS answered,
       count(*) FILTER (WHERE closed) AS closed, coalesce(sum(succeeded) FILTER (WHERE closed), 0) AS succeeded
FROM outcome
""")


def _sums(of: str, per: str) -> str:
    return (
        f"SELECT count(*) AS conversations, coalesce(sum({of}), 0) AS of, coalesce(sum({per}), 0) AS per, "
        f"coalesce(sum({of} * {of}), 0) AS of_of, coalesce(sum({per} * {per}), 0) AS per_per, coalesce(sum({of} * {per}), 0) AS of_per"
    )


_REPLIES = {
    name: text(f"WITH drafted AS ({_DRAFTS}), one AS (SELECT sum({name}) AS of, count(*) AS per FROM drafted GROUP BY id) "
               f"{_sums('of', 'per')} FROM one")
    for name in ("violated", "unusable", "fell_back")
}  # fmt: skip

_STARS = text(f"""
WITH judged AS (
    SELECT r.conversation_id, r.stars
    {_STARRED}
), one AS (SELECT sum(stars) AS of, count(*) AS per FROM judged GROUP BY conversation_id)
{_sums("of", "per")} FROM one
""")


def list_settled(session: Session, version_id: uuid.UUID, *, since: datetime, replies: int) -> Sequence[ConversationFigures]:
    """What the first ``replies`` of each conversation opened since then tell, once they are made or it is closed; in the order of settling.

    Rows are only ever added at the end: what a conversation tells does not change afterwards.
    """
    rows = session.execute(_SETTLED, {"version": version_id, "since": since, "replies": replies}).mappings()
    return [
        ConversationFigures(
            settled_at=row["settled_at"],
            replies=row["replies"],
            violated=float(row["violated"]),
            unusable=float(row["unusable"]),
            fell_back=float(row["fell_back"]),
            seconds=None if row["seconds"] is None else float(row["seconds"]),
        )
        for row in rows
    ]


def list_rated(session: Session, version_id: uuid.UUID, *, since: datetime) -> Sequence[RatedConversation]:
    """The first rated turn of each conversation opened since then, in the order of rating."""
    rows = session.execute(_RATED, {"version": version_id, "since": since}).mappings()
    return sorted((RatedConversation(rated_at=row["rated_at"], stars=float(row["stars"])) for row in rows), key=lambda one: one.rated_at)


def sum_up(session: Session, version_id: uuid.UUID, *, since: datetime, ripe: datetime) -> ArmSums:
    """Sums over the version's conversations opened since then (six statements); one that is not closed is awaited until ``ripe``."""
    asked = {"version": version_id, "since": since}
    opened = session.execute(_OPENED, asked).mappings().one()
    outcomes = session.execute(_OUTCOMES, asked | {"ripe": ripe}).mappings().one()
    replies = {name: _of_row(session.execute(statement, asked).mappings().one()) for name, statement in _REPLIES.items()}
    return ArmSums(
        opened=opened["opened"],
        first_opened_at=opened["first_opened_at"],
        answered=_of_count(outcomes["answered"], outcomes["ripe"]),
        succeeded=_of_count(outcomes["succeeded"], outcomes["closed"]),
        stars=_of_row(session.execute(_STARS, asked).mappings().one()),
        violated=replies["violated"],
        unusable=replies["unusable"],
        fell_back=replies["fell_back"],
    )


def _of_row(row: RowMapping) -> Sums:
    return Sums(conversations=row["conversations"], **{name: float(row[name]) for name in ("of", "per", "of_of", "per_per", "of_per")})


def _of_count(of: int, per: int) -> Sums:
    """Of a yes or no a conversation."""
    return Sums(conversations=per, of=of, per=per, of_of=of, per_per=per, of_per=of)
