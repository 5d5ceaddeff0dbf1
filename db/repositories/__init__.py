"""All queries, one module a noun; a function is one statement (a few are two) on the caller's session, named as a sentence.

Nothing here commits: one request or task is one transaction, opened by the caller. What a function adds is flushed at once, so that a
broken constraint speaks where it was broken. Relations are loaded only where the docstring says so.
"""

from db.repositories import (
    audit_events,
    conversations,
    deployments,
    drafts,
    hotels,
    login_attempts,
    policy_versions,
    tickets,
    turns,
    user_sessions,
    users,
)

__all__ = [
    "audit_events",
    "conversations",
    "deployments",
    "drafts",
    "hotels",
    "login_attempts",
    "policy_versions",
    "tickets",
    "turns",
    "user_sessions",
    "users",
]
