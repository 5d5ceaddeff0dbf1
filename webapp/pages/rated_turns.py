"""The list of rated replies from which a bad case or a known answer is made: low or faulty ones first, by words, stars and fault."""

from dataclasses import dataclass
from uuid import UUID

import pandas as pd
import streamlit as st

from db.models import Hotel, Rating
from db.repositories import bad_cases
from db.repositories.bad_cases import CandidateFilter, Purpose
from db.vocabulary import IssueTag
from webapp import database
from webapp.components.empty import empty_html
from webapp.components.pager import show_pager
from webapp.components.rating_words import FAULT_WORDS, fault_list, stars

PAGE_SIZE = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedTurn:
    """A reply of ours, and the judgement by which it was found."""

    turn_id: UUID
    rating_id: UUID


def choose_rated_turn(purpose: Purpose) -> RatedTurn | None:
    """Draw the list; the reply that the person has selected."""
    wanted = _filters(purpose)
    if st.session_state.get(f"rated_place:{purpose}") != wanted:
        st.session_state[f"rated_place:{purpose}"] = wanted
        st.session_state[f"rated_page:{purpose}"] = 0
    page: int = st.session_state.get(f"rated_page:{purpose}", 0)
    with database.sessions().begin() as session:
        found = list(bad_cases.list_candidates(session, wanted, limit=PAGE_SIZE + 1, offset=page * PAGE_SIZE))
    if not found and page == 0:
        st.html(
            empty_html("No rated reply fits", "Let more stars in, or clear the words and the fault. Replies come here when they are rated.")
        )
        return None
    rows = found[:PAGE_SIZE]
    selection = st.dataframe(
        pd.DataFrame([_row(rating, hotel) for rating, hotel in rows]),
        key=f"rated:{purpose}:{hash(wanted)}:{page}",
        hide_index=True,
        row_height=38,
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "Stars": st.column_config.TextColumn(width=80),
            "Reply": st.column_config.TextColumn(width="large"),
            "Faults": st.column_config.TextColumn(width="medium"),
            "Comment": st.column_config.TextColumn(width="medium"),
        },
        alt="Rated replies; select one to go on with it",
    )
    more = len(found) > PAGE_SIZE
    if page > 0 or more:
        show_pager(f"rated_page:{purpose}", f"Page {page + 1}", page=page, more=more)
    chosen = [rows[index][0] for index in selection["selection"]["rows"] if index < len(rows)]
    if not chosen or chosen[0].turn_id is None:
        return None
    return RatedTurn(turn_id=chosen[0].turn_id, rating_id=chosen[0].id)


def _filters(purpose: Purpose) -> CandidateFilter:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        text = st.text_input(
            "Search", placeholder="Words of the reply, hotel or city", icon=":material/search:", key=f"rated_q:{purpose}", width=280
        )
        most = st.selectbox(
            "Stars",
            [2, 3, 5, 1, 4],
            format_func=lambda number: "Any" if number == 5 else f"At most {number}",
            index=0 if purpose is Purpose.CASE else 2,
            key=f"rated_stars:{purpose}",
            width=130,
        )
        tag = st.selectbox(
            "Fault",
            [None, *IssueTag],
            format_func=lambda word: FAULT_WORDS[word] if word else "Any or none",
            key=f"rated_tag:{purpose}",
            width=220,
        )
    return CandidateFilter(purpose=purpose, text=text or "", most_stars=most or 5, tag=tag)


def _row(rating: Rating, hotel: Hotel) -> dict[str, str]:
    return {
        "Stars": stars(rating.stars),
        "Reply": " ".join(rating.turn.text.split()) if rating.turn is not None else "",
        "Faults": fault_list([(tag.tag, tag.severity) for tag in rating.tags]),
        "Comment": " ".join(rating.comment.split()),
        "Hotel": f"{hotel.name}, {hotel.city}",
    }
