"""Which pages there are, who may see them, and how one page leads to another."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NoReturn

import streamlit as st
from streamlit.navigation.page import Page

from db.vocabulary import Role
from webapp.auth.identity import Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One page."""

    path: str
    title: str
    icon: str
    roles: frozenset[Role]
    listed: bool = True
    """False for a page that is only reached from another one."""


_BD = frozenset({Role.BD})
TICKETS = Place(path="tickets", title="Tickets", icon=":material/sell:", roles=_BD)
CONVERSATIONS = Place(path="conversations", title="Conversations", icon=":material/forum:", roles=_BD)
NEGOTIATION = Place(path="negotiation", title="Negotiation", icon=":material/chat:", roles=_BD, listed=False)
NEW_TICKET = Place(path="new-ticket", title="New ticket", icon=":material/add_circle:", roles=_BD)
IMPORT = Place(path="import", title="Import tickets", icon=":material/upload_file:", roles=_BD)
HOME = Place(path="home", title="Parley", icon=":material/home:", roles=frozenset(Role), listed=False)
RATE = Place(path="rate", title="Rate", icon=":material/star:", roles=frozenset({Role.ANNOTATOR, Role.OPS}))
QUALITY = Place(path="quality", title="Quality", icon=":material/monitoring:", roles=frozenset({Role.OPS}))
BAD_CASES = Place(path="bad-cases", title="Bad cases", icon=":material/bug_report:", roles=frozenset({Role.OPS, Role.ANNOTATOR}))
BAD_CASE = Place(path="bad-case", title="Bad case", icon=":material/bug_report:", roles=BAD_CASES.roles, listed=False)
QUEUES = Place(path="queues", title="Queues", icon=":material/inbox:", roles=frozenset({Role.OPS}))
QUEUE = Place(path="queue", title="Queue", icon=":material/inbox:", roles=QUEUES.roles, listed=False)
GOLD = Place(path="known-answers", title="Known answers", icon=":material/verified:", roles=QUEUES.roles)
DATA = Place(path="data", title="Data", icon=":material/database:", roles=frozenset({Role.OPS}))
_OPS = frozenset({Role.OPS})
TRAINING = Place(path="training", title="Training", icon=":material/model_training:", roles=_OPS)
RETRAIN = Place(path="retrain", title="Retrain", icon=":material/model_training:", roles=_OPS, listed=False)
RUN = Place(path="run", title="Training run", icon=":material/show_chart:", roles=_OPS, listed=False)
VERSIONS = Place(path="versions", title="Versions", icon=":material/account_tree:", roles=_OPS)
COMPARISON = Place(path="a-b", title="A/B", icon=":material/balance:", roles=_OPS)
REWARD_SPEC = Place(path="reward-spec", title="Reward spec", icon=":material/rule:", roles=_OPS)
NEW_RULE = Place(path="new-rule", title="New rule", icon=":material/rule:", roles=_OPS, listed=False)
SCHEDULE = Place(path="schedule", title="Schedule", icon=":material/schedule:", roles=_OPS)
HEALTH = Place(path="health", title="Health", icon=":material/monitor_heart:", roles=_OPS)
AUDIT = Place(path="audit", title="Audit trail", icon=":material/history:", roles=_OPS)
PEOPLE = Place(path="people", title="People", icon=":material/group:", roles=frozenset({Role.ADMIN}))


def page(place: Place, run: Callable[[], None], *, person: Identity) -> Page:
    """The place as a Streamlit page; hidden where the person has no use for it, yet reachable, so that it can say why."""
    seen = place.listed and person.may(*place.roles)
    return st.Page(
        run,
        title=place.title,
        icon=place.icon,
        url_path=place.path,
        default=place is HOME,
        visibility="visible" if seen else "hidden",
    )


def go(place: Place, **query: str) -> NoReturn:
    """Leave for another place."""
    st.switch_page(_target(place), query_params=query)
    raise AssertionError("switching pages ends the run")


def link(place: Place, label: str, *, query: Mapping[str, str] | None = None, icon: str | None = None) -> None:
    """A link to another place."""
    st.page_link(_target(place), label=label, icon=icon or place.icon, query_params=dict(query or {}))


def _target(place: Place) -> Page:
    registered: dict[str, Page] = st.session_state["places"]
    return registered[place.path]


def register(pages: Mapping[str, Page]) -> None:
    """Remember this run's pages, by path, for ``go`` and ``link``."""
    st.session_state["places"] = dict(pages)
