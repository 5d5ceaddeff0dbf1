"""What the tests of the pages share: a database in this process, a whole web process of its own, and a real browser to look at it."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from page_app import OpenPage, identity_of, script
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from streamlit.testing.v1 import AppTest
from web_site import ROOT, Site, StartSite, add_people

from db.embedded import EmbeddedPostgres, free_port
from db.engine import SessionFactory, create_engine_from, session_factory
from db.vocabulary import Role
from webapp import database
from webapp.auth import identity
from webapp.settings import web_settings

_ARGUMENTS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


@pytest.fixture
def web_database(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SessionFactory]:
    """This process as a web process on an empty migrated database."""
    monkeypatch.setenv("PARLEY_DATABASE_URL", database_url)
    monkeypatch.setenv("PARLEY_HOME", str(tmp_path))
    web_settings.cache_clear()
    identity.forget_all()
    yield database.sessions()
    database.sessions.close()
    web_settings.cache_clear()
    identity.forget_all()


@pytest.fixture
def open_page(web_database: SessionFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OpenPage:
    """Runs one page without a browser, as somebody of a role looks at it; there is one person a role."""
    add_people(web_database)

    def open_as(path: str, *, role: Role = Role.OPS, **query: str) -> AppTest:
        person = identity_of(web_database, role)
        # There is no browser, and so no cookie to tell who looks.
        monkeypatch.setattr("webapp.shell.signed_in.identify", lambda cookie: person)
        # What other tests have counted is not what this one counts.
        st.cache_data.clear()
        app = AppTest.from_file(str(script(tmp_path, path)), default_timeout=120)
        for name, value in query.items():
            app.query_params[name] = value
        return app.run()

    return open_as


@pytest.fixture(scope="module")
def start_site(embedded: EmbeddedPostgres, migrated_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartSite]:
    """Starts web processes, each on a database of its own with one person a role; keyword arguments are further settings."""
    running: list[tuple[subprocess.Popen[bytes], SessionFactory, str]] = []

    def start(**settings: str) -> Site:
        name = f"web_{uuid.uuid4().hex}"
        url = embedded.create_database(name, template=migrated_template)
        sessions = session_factory(create_engine_from(url, pooled=False))
        add_people(sessions)
        port, folder = free_port(), tmp_path_factory.mktemp("web")
        environment = os.environ | {"PARLEY_DATABASE_URL": url, "PARLEY_HOME": str(folder), "PYTHONUNBUFFERED": "1"} | settings
        with (folder / "web.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "webapp.server", "--port", str(port)], cwd=ROOT, env=environment, stdout=log, stderr=log
            )
        running.append((process, sessions, name))
        site = Site(f"http://127.0.0.1:{port}", sessions, folder / "web.log")
        _await_healthy(site, process)
        return site

    yield start
    for process, _, name in running:
        process.terminate()
        process.wait(timeout=20)
        embedded.drop_database(name)


@pytest.fixture(scope="session")
def chromium(chromium_path: str) -> Iterator[Browser]:
    """A real browser."""
    with sync_playwright() as playwright:
        expect.set_options(timeout=20_000)  # a busy machine is slow, not wrong
        browser = playwright.chromium.launch(executable_path=chromium_path, args=_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def visitor(chromium: Browser) -> Iterator[BrowserContext]:
    """A browser without cookies, 1280 × 800."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB", timezone_id="Europe/Lisbon")
    context.set_default_timeout(30_000)
    yield context
    context.close()


@pytest.fixture
def window(visitor: BrowserContext) -> Page:
    """An empty window of that browser."""
    return visitor.new_page()


def _await_healthy(site: Site, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{site.url}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.1)
    raise AssertionError(f"the web process did not come up:\n{site.log.read_text()[-4000:]}")
