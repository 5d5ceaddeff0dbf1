"""The look: colours, type and radii as Streamlit options, for light and dark, and the one style sheet beside them."""

from pathlib import Path

STYLE = Path(__file__).parent / "style.css"
MARK = Path(__file__).parent.parent / "auth" / "page" / "mark.svg"

_LIGHT = {
    "primaryColor": "#0f766e",
    "backgroundColor": "#ffffff",
    "secondaryBackgroundColor": "#f1f5f5",
    "textColor": "#16292c",
    "borderColor": "#d6e0e0",
    "linkColor": "#0b5f58",
    "dataframeHeaderBackgroundColor": "#f1f5f5",
}
_DARK = {
    "primaryColor": "#168277",
    "backgroundColor": "#10181a",
    "secondaryBackgroundColor": "#1a2629",
    "textColor": "#e6eeee",
    "borderColor": "#2d3f43",
    "linkColor": "#6fd6cb",
    "dataframeHeaderBackgroundColor": "#1a2629",
}
_BOTH = {
    "baseRadius": "8px",
    "buttonRadius": "8px",
    "baseFontSize": 15,
    "showWidgetBorder": True,
    "headingFontWeights": [650, 650, 600],
    "headingFontSizes": ["1.55rem", "1.3rem", "1.1rem", "1rem"],
}
_SIDEBAR = {"light": {"backgroundColor": "#f1f5f5"}, "dark": {"backgroundColor": "#141e20"}}


def theme_options() -> dict[str, object]:
    """Streamlit options by dotted name."""
    options: dict[str, object] = {f"theme.{name}": value for name, value in _BOTH.items()}
    for mode, colours in (("light", _LIGHT), ("dark", _DARK)):
        options |= {f"theme.{mode}.{name}": value for name, value in colours.items()}
        options |= {f"theme.{mode}.sidebar.{name}": value for name, value in _SIDEBAR[mode].items()}
    return options
