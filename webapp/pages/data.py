"""Data out and in, for operations: judgements as files to train on, and files of examples from elsewhere. Both are written down."""

import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from db.errors import ParleyError
from db.vocabulary import Role
from training.data import Chosen, Exported, Filing, Format, Imported, export_examples, import_examples, template_csv
from training.data.export import packed
from training.data.terminal import exported_words, imported_words
from training.starter.progress import BuildEvent, Report
from webapp import database
from webapp.auth.identity import Identity
from webapp.components.empty import empty_html
from webapp.shell import places
from webapp.shell.notes import note
from webapp.shell.signed_in import signed_in

FORMAT_WORDS = {
    Format.PROMPT_COMPLETION: "Demonstrations",
    Format.PREFERENCE: "Preferences",
    Format.UNPAIRED_PREFERENCE: "Good and bad replies",
    Format.DIALOGUE: "Whole dialogues",
}
_FORMAT_NOTES = {
    Format.PROMPT_COMPLETION: "excellent replies, rewrites and approved edits, for SFT",
    Format.PREFERENCE: "one reply beats another, for DPO and reward models",
    Format.UNPAIRED_PREFERENCE: "single replies with 4–5 or 1–2 stars, for KTO",
    Format.DIALOGUE: "a conversation with its stars and outcome, for rewards on dialogues",
}
_FILING_WORDS = {Filing.JSONL: "JSON Lines", Filing.PARQUET: "Parquet", Filing.DATASET: "Hugging Face dataset"}
_READY = "data_ready"
_CHECKED = "data_checked"
_IMPORTS = "data_imports"
_SHOWN = 200
_MOST_MIB = 400
"""Of a packed export that a page gives out; more is for the command line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ready:
    """An export that waits to be downloaded."""

    exported: Exported
    chosen: Chosen
    packed: bytes


def show() -> None:
    """Draw the page."""
    person = signed_in(*places.DATA.roles)
    st.html(
        '<div class="p-title"><h1>Data</h1><p class="p-sub">Judgements as files that TRL trains from as they are, and files of examples '
        "from elsewhere. Who took or brought what is written down.</p></div>"
    )
    out, into = st.columns(2, gap="large")
    with out:
        _take_out(person)
    with into:
        _bring_in(person)


# -- out --------------------------------------------------------------------------------------------------------------------------------


def _take_out(person: Identity) -> None:
    st.subheader("Take out")
    with st.container(border=True):
        chosen = _choose(person)
        if st.button("Prepare the files", type="primary", icon=":material/package_2:", disabled=not chosen.formats):
            _prepare(chosen, person)
    ready: _Ready | None = st.session_state.get(_READY)
    if ready is not None and ready.chosen == chosen:
        _show_ready(ready)


def _choose(person: Identity) -> Chosen:
    formats = st.pills(
        "What", list(Format), selection_mode="multi", default=list(Format), format_func=FORMAT_WORDS.__getitem__, key="data_formats"
    )
    st.html("".join(f'<p class="p-label"><b>{FORMAT_WORDS[kind]}</b>: {_FORMAT_NOTES[kind]}</p>' for kind in Format))
    filing = st.segmented_control(
        "As", list(Filing), default=Filing.JSONL, required=True, format_func=_FILING_WORDS.__getitem__, key="data_filing"
    )
    people_only = st.toggle("Only what people judged", help="Leaves out the judgements of simulated experts.", key="data_people_only")
    with_personal_data = False
    if Role.ADMIN in person.roles:
        with_personal_data = st.toggle(
            "With personal data of hotels' people",
            help="Names, e-mail addresses and phone numbers are masked otherwise.",
            key="data_personal",
        )
    if with_personal_data:
        st.warning("Names, e-mail addresses and phone numbers will stand in the files.", icon=":material/shield_person:")
    return Chosen(
        formats=tuple(kind for kind in Format if kind in formats),
        filing=filing,
        people_only=people_only,
        with_personal_data=with_personal_data,
    )


def _prepare(chosen: Chosen, person: Identity) -> None:
    st.session_state.pop(_READY, None)
    bar = st.progress(0.0, "Reading the judgements …")
    with tempfile.TemporaryDirectory(prefix="parley-export-") as folder:
        done = export_examples(database.sessions(), Path(folder) / "examples", chosen, actor=person.user_id, report=_moving(bar))
        bar.progress(1.0, "Packing …")
        packed(done.folder, Path(folder) / "examples.zip")
        size = (Path(folder) / "examples.zip").stat().st_size
        if size > _MOST_MIB * 2**20:
            bar.empty()
            st.error(
                f"This is {size / 2**20:,.0f} MiB, too much for a page. Use `parley export FOLDER` on the server.", icon=":material/error:"
            )
            return
        st.session_state[_READY] = _Ready(exported=done, chosen=chosen, packed=(Path(folder) / "examples.zip").read_bytes())
    bar.empty()


def _moving(bar: Any) -> Report:
    def report(event: BuildEvent) -> None:
        share = min(1.0, event.done / max(1, event.total))
        bar.progress(share, f"{event.phase.capitalize().replace('_', ' ')}: {event.done:,} of {event.total:,}")

    return report


def _show_ready(ready: _Ready) -> None:
    done = ready.exported
    with st.container(border=True):
        st.markdown("**Ready.** " + ("It holds personal data." if ready.chosen.with_personal_data else "Personal data is masked."))
        for column, (kind, count) in zip(st.columns(len(done.rows)), done.rows.items(), strict=True):
            column.metric(FORMAT_WORDS[kind], f"{count:,}")
        for sentence in exported_words(done)[1:]:
            st.caption(sentence)
        kilobytes = len(ready.packed) / 1024
        size = f"{kilobytes:,.0f} KB" if kilobytes < 1024 else f"{kilobytes / 1024:,.1f} MB"
        st.download_button(
            f"Download ({size})",
            ready.packed,
            f"parley-examples-{ready.chosen.filing}.zip",
            "application/zip",
            type="primary",
            icon=":material/download:",
            on_click="ignore",
        )
        with st.expander("Fingerprints", icon=":material/fingerprint:"):
            st.caption("SHA-256 of the rows, the same whichever kind of file you chose; the audit trail has them too.")
            st.code("\n".join(f"{digest}  {kind}" for kind, digest in done.sha256.items()), language=None, wrap_lines=True)


# -- in ---------------------------------------------------------------------------------------------------------------------------------


def _bring_in(person: Identity) -> None:
    st.subheader("Bring in")
    with st.container(border=True):
        file = st.file_uploader(
            "JSON Lines, Parquet, CSV, or a packed export",
            type=["jsonl", "parquet", "csv", "zip"],
            max_upload_size=_MOST_MIB,
            key=f"data_file:{st.session_state.get(_IMPORTS, 0)}",
        )
        with st.container(horizontal=True, vertical_alignment="bottom"):
            kind = st.selectbox("An empty sheet for", list(Format), format_func=FORMAT_WORDS.__getitem__, key="data_template")
            st.download_button("Download", template_csv(kind), f"{kind}.csv", "text/csv", icon=":material/download:", on_click="ignore")
    if file is None:
        st.html(empty_html("Nothing is written before you have seen what a file holds.", "Choose one above, or drop it there."))
        return
    with tempfile.TemporaryDirectory(prefix="parley-import-") as folder:
        path = Path(folder) / Path(file.name).name
        path.write_bytes(file.getbuffer())
        _check_first(path, str(file.file_id), person)


def _check_first(path: Path, file_id: str, person: Identity) -> None:
    known: tuple[str, Imported] | None = st.session_state.get(_CHECKED)
    if known is None or known[0] != file_id:
        bar = st.progress(0.0, "Checking …")
        try:
            known = (file_id, import_examples(database.sessions(), path, dry_run=True, report=_moving(bar)))
        except ParleyError as error:
            st.error(str(error), icon=":material/error:")
            return
        finally:
            bar.empty()
        st.session_state[_CHECKED] = known
    told = known[1]
    if told.bad:
        st.warning(imported_words(told), icon=":material/rule:")
        _show_errors(told)
    else:
        st.success(imported_words(told), icon=":material/check_circle:")
    if told.added and st.button(f"Import {told.added:,}", type="primary", icon=":material/upload:"):
        bar = st.progress(0.0, "Importing …")
        done = import_examples(database.sessions(), path, actor=person.user_id, report=_moving(bar))
        note(imported_words(done))
        st.session_state.pop(_CHECKED, None)
        st.session_state[_IMPORTS] = st.session_state.get(_IMPORTS, 0) + 1
        st.rerun()


def _show_errors(told: Imported) -> None:
    frame = pd.DataFrame([asdict(error) for error in told.errors[:_SHOWN]])[["file", "row", "column", "message", "value"]]
    frame.columns = ["File", "Row", "Column", "What is wrong", "It says"]
    st.dataframe(
        frame if frame["File"].nunique() > 1 else frame.drop(columns="File"),
        hide_index=True,
        height=min(37 + 35 * len(frame), 330),
        column_config={"Row": st.column_config.NumberColumn(width=60), "What is wrong": st.column_config.TextColumn(width=250)},
    )
    if told.bad > _SHOWN:
        st.caption(f"The first {_SHOWN} mistakes are shown.")
