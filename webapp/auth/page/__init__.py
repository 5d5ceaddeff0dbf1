"""The sign-in page: server-rendered, so that it works before any script has loaded and a password never enters a Streamlit session."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, select_autoescape

FOLDER = Path(__file__).parent
_TEMPLATES = Environment(loader=FileSystemLoader(FOLDER), autoescape=select_autoescape(default=True), trim_blocks=True)


def sign_in_page(
    *, form_token: str, next_path: str, email: str = "", error: str = "", hint: str = "", notice: str = "", oidc_name: str = ""
) -> str:
    """The page's HTML. ``email`` is what was typed, kept; ``hint`` says what to do about ``error``."""
    template = _TEMPLATES.get_template("sign_in.html.jinja2")
    return template.render(form_token=form_token, next=next_path, email=email, error=error, hint=hint, notice=notice, oidc_name=oidc_name)
