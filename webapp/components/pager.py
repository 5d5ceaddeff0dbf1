"""Leafing through a long list: where we are in it, and a button to either side.

The page's number lives in the session under the list's key, so that a filter may set it back to the first page.
"""

import streamlit as st


def show_pager(key: str, caption: str, *, page: int, more: bool) -> None:
    """A line with ``caption``, and buttons where there is more than one page; ``key`` is where the session keeps the page's number."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(caption, width="content")
        if page > 0 or more:
            _step(key, page - 1, icon="chevron_left", help="Page before", disabled=page == 0)
            _step(key, page + 1, icon="chevron_right", help="Next page", disabled=not more)


def show_place(key: str, things: str, *, page: int, size: int, shown: int, total: int) -> None:
    """``show_pager`` where the total is known: "21–40 of 1,234 tickets"."""
    first, last = page * size + 1, page * size + shown
    show_pager(key, f"{first}–{last} of {total:,} {things}", page=page, more=last < total)


def _step(key: str, to: int, *, icon: str, help: str, disabled: bool) -> None:
    st.button(
        "",
        icon=f":material/{icon}:",
        disabled=disabled,
        key=f"{key}:{icon}",
        help=help,
        on_click=lambda: st.session_state.update({key: to}),
    )
