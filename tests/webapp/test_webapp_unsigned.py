"""The second check: a run of the app, by whatever way it was reached, shows nothing to whoever is not signed in."""

from streamlit.testing.v1 import AppTest
from web_site import ROOT

from db.engine import SessionFactory


def test_a_run_without_a_sign_in_shows_only_the_way_to_one(web_database: SessionFactory) -> None:
    app = AppTest.from_file(str(ROOT / "webapp" / "shell" / "script.py"), default_timeout=60).run()
    assert not app.exception
    assert [warning.value for warning in app.warning] == ["Your sign-in has ended. Sign in again to go on; nothing is lost."]
    assert not app.button
    assert not app.dataframe
    assert not app.title
