"""Raters in real Chromium windows, rating by keyboard in a process of their own, until their browser is killed: each with a profile that
outlives it. What the server acknowledged is read off the wire and written down as ``benchmarks.scripted_rater`` does.
"""

import json
import os
import random
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import psutil
from playwright.sync_api import Error, Page, Request, Response, sync_playwright

from tests.chromium import find
from webapp.auth.cookies import SESSION_COOKIE

ROOT = Path(__file__).resolve().parent.parent
_ARGUMENTS = ["--no-sandbox", "--no-first-run", "--disable-background-networking", "--disable-sync", "--disable-dev-shm-usage"]
_PAUSE_MS = 600


class BrowserRaters:
    """One browser a person."""

    def __init__(self, address: str, cookies: Mapping[UUID, str], folder: Path) -> None:
        self._address, self._cookies, self._folder = address, cookies, folder
        self._running: dict[UUID, subprocess.Popen[bytes]] = {}
        for rater in cookies:
            self._start(rater)

    def _start(self, rater: UUID) -> None:
        command = [sys.executable, "-m", "benchmarks.browser_raters", self._address, self._cookies[rater]]
        command += [str(self._folder / f"{rater}.jsonl"), str(self._folder / f"profile-{rater}")]
        with (self._folder / f"{rater}.log").open("ab") as log:
            self._running[rater] = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)

    def kill_one(self, rng: random.Random) -> None:
        """A browser is killed with all its windows, and opened again."""
        rater = rng.choice(list(self._running))
        self._end(rater)
        self._start(rater)

    def _end(self, rater: UUID) -> None:
        process = self._running.pop(rater)
        family = [*psutil.Process(process.pid).children(recursive=True)] if process.poll() is None else []
        process.kill()
        process.wait()
        for child in family:
            if child.is_running():
                child.kill()
        psutil.wait_procs(family, timeout=10)

    def close(self) -> None:
        """All are killed."""
        for rater in list(self._running):
            self._end(rater)


def rate(address: str, cookie: str, journal: Path, profile: Path) -> None:
    """Open the page and judge, one reply after the other, until the process is killed."""
    for lock in profile.glob("Singleton*"):  # a killed browser leaves them
        lock.unlink()
    with sync_playwright() as playwright, journal.open("a") as out:

        def note(entry: Mapping[str, Any]) -> None:
            out.write(json.dumps(entry) + "\n")
            out.flush()
            os.fsync(out.fileno())

        def key_of(request: Request) -> str:
            return json.loads(request.post_data or "")["key"]

        def on_request(request: Request) -> None:
            if request.url.endswith("/annotate/api/save"):
                note({"event": "sending", "key": key_of(request), "route": "save"})

        def on_response(response: Response) -> None:
            if response.url.endswith("/annotate/api/save") and response.status < 500:
                answer = response.json()
                told = {"event": "acknowledged" if response.ok else "refused", "route": "save"}
                note(told | {"key": key_of(response.request), "rating": answer.get("rating_id"), "code": answer.get("code")})

        context = playwright.chromium.launch_persistent_context(profile, executable_path=str(find()), args=_ARGUMENTS)
        site = urlsplit(address)
        context.add_cookies([{"name": SESSION_COOKIE, "value": cookie, "domain": site.hostname or "", "path": "/"}])
        page = context.new_page()
        page.on("request", on_request)
        page.on("response", on_response)
        page.on("dialog", lambda dialog: dialog.accept())
        while True:
            try:
                _rate_on(page, address)
            except Error as error:  # the server is away: the page is opened again, as a person would
                print(error, flush=True)
                page.wait_for_timeout(1_000)


def _rate_on(page: Page, address: str) -> None:
    page.goto(f"{address}/rate")
    while True:
        task = page.locator(".columns[data-task]").get_attribute("data-task", timeout=30_000)
        page.wait_for_timeout(_PAUSE_MS)
        page.keyboard.press("4")
        page.keyboard.press("Control+Enter")
        page.locator(f'.columns[data-task]:not([data-task="{task}"])').wait_for(timeout=30_000)


def main() -> None:
    """Rate until killed."""
    address, cookie, journal, profile = sys.argv[1:]
    rate(address, cookie, Path(journal), Path(profile))


if __name__ == "__main__":
    main()
