"""Nothing to show: what that means and what to do next."""

from html import escape


def empty_html(title: str, advice: str) -> str:
    """An empty state."""
    return f'<div class="p-empty"><h3>{escape(title)}</h3><p>{escape(advice)}</p></div>'
