"""Two states of one thing side by side: each field before and after, and which of them differ."""

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, cast

from training.rewards.spec import Change

_ABSENT = object()


def differences_html(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """A table of every field, before and after; what differs is marked."""
    rows = "".join(_row(name, before.get(name, _ABSENT), after.get(name, _ABSENT)) for name in dict.fromkeys((*before, *after)))
    return _table(rows)


def changes_html(changes: Sequence[Change]) -> str:
    """The same for what differs between two reward specs."""
    rows = "".join(
        _row(change.path, _ABSENT if change.old is None else change.old, _ABSENT if change.new is None else change.new)
        for change in changes
    )
    return _table(rows)


def _table(rows: str) -> str:
    return (
        '<table class="p-diff"><thead><tr><th scope="col">Field</th><th scope="col">Before</th><th scope="col">After</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _row(name: str, old: Any, new: Any) -> str:
    differs = old != new
    first = ' class="p-old"' if differs and old is not _ABSENT else ""
    second = ' class="p-new"' if differs and new is not _ABSENT else ""
    return f'<tr><th scope="row">{escape(name)}</th><td{first}>{_cell(old)}</td><td{second}>{_cell(new)}</td></tr>'


def _cell(value: Any) -> str:
    if value is _ABSENT:
        return '<span class="p-sub">—</span>'
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, dict):
        return _fields(cast(dict[str, Any], value))
    if isinstance(value, list) and all(isinstance(one, str) for one in value):  # pyright: ignore[reportUnknownVariableType]
        return "<br>".join(escape(str(one)) for one in value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return escape(json.dumps(value, ensure_ascii=False, indent=1))


def _fields(values: Mapping[str, Any]) -> str:
    """What is filled of a thing, a line each."""
    filled = {name: value for name, value in values.items() if value not in (None, [], {}, "")}
    return "<br>".join(
        f"{escape(name)}: {escape(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))}"
        for name, value in filled.items()
    )
