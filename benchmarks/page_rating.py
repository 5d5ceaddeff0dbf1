"""How fast the rating page is to a person: ``python -m benchmarks.page_rating [--saves N] [--turns N] [--ratings N] [--pace S]``.

A throwaway PostgreSQL (fsync on) is filled as ``benchmarks.ratings`` does it, a web process is started on it, and a real Chromium rates by
keyboard alone: a star, now and then a fault, a comment or a rewrite, Ctrl+Enter. Timed inside the page, from the key that saves to the
frame in which the next task is painted; and from the same key to the server's yes, after its commit. ``--pace`` is a person's thought in
seconds; 0 has the machine press the next key as soon as the next task is there.
"""

import argparse
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright
from rich.console import Console
from rich.progress import track
from sqlalchemy import text

from benchmarks.ratings import fill, timed
from benchmarks.throwaway import throwaway
from db.embedded import free_port
from db.engine import SessionFactory, create_engine_from, session_factory
from db.repositories import users
from db.vocabulary import JudgementKind, QueuePolicy, Role
from tests.chromium import find
from training.ratings import queues
from training.ratings.queues import QueueSettings
from webapp.auth.passwords import hash_password

EMAIL, PASSWORD = "annotator@example.com", "four unrelated words"
ROOT = Path(__file__).resolve().parent.parent
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-sync",
    "--disable-dev-shm-usage",
]

# From the saving key to the frame with the next task, and to the end of the answer to the save.
_KEYS = """window.keys = []; window.pressed = 0;
addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.ctrlKey) window.keys.push(window.pressed = performance.now());
}, true);"""
_STOPWATCH = """() => {
  const columns = [...document.querySelectorAll("*")].map((e) => e.shadowRoot?.querySelector(".columns")).find(Boolean);
  window.shown = []; window.answered = [];
  new MutationObserver(() => {
    if (!columns.dataset.task || !window.pressed) return;
    const start = window.pressed;
    window.pressed = 0;
    requestAnimationFrame(() => { const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => window.shown.push((performance.now() - start) / 1000); port2.postMessage(0); });
  }).observe(columns, { attributes: true, attributeFilter: ["data-task"] });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (entry.name.endsWith("/api/save")) {
      const start = window.keys.findLast((key) => key <= entry.startTime + 1);
      if (start) window.answered.push((entry.responseEnd - start) / 1000);
    }
  }).observe({ type: "resource", buffered: false });
}"""


@contextmanager
def site(database_url: str, folder: Path) -> Generator[str]:
    """A web process on the database; its address."""
    port = free_port()
    environment = os.environ | {"PARLEY_DATABASE_URL": database_url, "PARLEY_HOME": str(folder)}
    with (folder / "web.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "webapp.server", "--port", str(port)], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
    try:
        for _ in range(600):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2):
                    break
            except (urllib.error.URLError, TimeoutError):
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def rate(page: Page, address: str, *, saves: int, pace: float, console: Console) -> dict[str, list[float]]:
    """Sign in, rate so many by keyboard, wait until all is saved; seconds a save."""
    page.goto(f"{address}/rate")
    page.fill("#email", EMAIL)
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    columns = page.locator(".columns[data-task]")
    columns.wait_for()
    page.wait_for_timeout(2_000)
    page.evaluate(_STOPWATCH)
    for number in track(range(saves), "rating", console=console):
        task = columns.get_attribute("data-task")
        page.wait_for_timeout(pace * 1000)
        page.keyboard.press(str(number % 5 + 1))
        if number % 3 == 0:
            page.keyboard.press("n")
        if number % 10 == 5:
            page.keyboard.press("c")
            page.keyboard.type("Could be warmer.")
        if number % 10 == 7:
            page.keyboard.press("r")
            page.keyboard.type(" Would that be possible?")
        page.keyboard.press("Control+Enter")
        page.locator(f'.columns[data-task]:not([data-task="{task}"])').wait_for()
    page.get_by_text("✓ Saved").wait_for()
    page.wait_for_timeout(500)
    return {name: page.evaluate(f"window.{name}") for name in ("shown", "answered")}


def prepare(sessions: SessionFactory, *, saves: int) -> None:
    """A person, and the one open queue."""
    with sessions.begin() as session:
        users.create(session, email=EMAIL, name="Ann", roles=[Role.ANNOTATOR], password_hash=hash_password(PASSWORD))
        session.execute(text("UPDATE rating_queue SET closed_at = now()"))
    settings = QueueSettings(name="Now", kind=JudgementKind.TURN, policy=QueuePolicy.NEWEST, raters_per_item=2, size=max(500, saves * 2))
    queues.define(sessions, settings, actor=None)


def run(*, turns: int, ratings: int, saves: int, pace: float, console: Console) -> dict[str, Any]:
    """Fill, rate, count; the figures."""
    with throwaway(model=False) as services:
        engine = create_engine_from(services.database_url)
        start = time.perf_counter()
        fill(engine, turns=turns, ratings=ratings)
        console.print(f"filled with {turns:,} turns and {ratings:,} ratings in {time.perf_counter() - start:.0f} s")
        prepare(session_factory(engine), saves=saves)
        before = os.getloadavg()[0]
        with site(services.database_url, services.folder) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=str(find()), args=_ARGUMENTS)
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.add_init_script(_KEYS)  # before the desk, which keeps its keys to itself
            seconds = rate(page, address, saves=saves, pace=pace, console=console)
            browser.close()
        with engine.connect() as connection:
            counted = connection.scalar(
                text("SELECT count(*) FROM rating r JOIN app_user u ON u.id = r.rater_id WHERE u.email = :e"), {"e": EMAIL}
            )
        engine.dispose()
    return {
        "turns": turns,
        "ratings": ratings,
        "pace_s": pace,
        "saves": saves,
        "saved_in_the_database": counted,
        "save_to_next_ms": asdict(timed(seconds["shown"])),
        "save_to_acknowledged_ms": asdict(timed(seconds["answered"])),
        "load_before_and_after": (before, os.getloadavg()[0]),
        "cores": os.cpu_count(),
    }


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--saves", type=int, default=100)
    parser.add_argument("--turns", type=int, default=1_000_000)
    parser.add_argument("--ratings", type=int, default=200_000)
    parser.add_argument("--pace", type=float, default=0.0, help="Seconds of thought a judgement.")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    console = Console(stderr=arguments.json)
    figures = run(turns=arguments.turns, ratings=arguments.ratings, saves=arguments.saves, pace=arguments.pace, console=console)
    console.print(figures)
    if arguments.json:
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
