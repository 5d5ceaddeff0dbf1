"""Canaries that turn bad in live traffic: ``python -m benchmarks.canary [--most N] [--share S] [--arms A,B] [--json FILE]``.

With the shipped policy live on a real vLLM, each arm is published as if the gate had let it by, gets a share of the new conversations as a
canary, and negotiates with simulated hotels through the service, eight at once, while the watch looks after each conversation as the tick
does each minute. A conversation is left after the replies that count. Told is after how many of the canary's it was rolled back, and by
which evidence. The arm ``same`` is the shipped policy once more: it is to be left alone. ``PARLEY_CANARY_ALPHA`` and its neighbours apply.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from threading import Lock

from rich.console import Console
from safetensors.torch import load_file, save_file

from agent.service import Negotiations, connect
from agent.service.batch import Job, open_job, simulated_jobs
from agent.serving import AdapterStore
from agent.serving.starter import shipped_adapters
from agent.settings import AgentSettings
from benchmarks.hot_swap_adapters import taught_to_end_with
from benchmarks.throwaway import throwaway
from db.engine import SessionFactory, create_engine_from, session_factory
from db.vocabulary import Speaker
from training.release.fleet import Fleet
from training.release.publishing import publish
from training.release.settings import ReleaseSettings
from training.release.traffic import promote, roll_back, start_canary
from training.release.watch import Action, Decision, look, watch
from training.runs.adapters import WEIGHTS

_SEED, _DAY = 77, date(2027, 1, 4)
_PROMISE = "I promise you the first page of our site."
_TOO_LOUD = 6.0
"""Times the weights of the adapter: what it then writes is mostly no reply."""


def promising(folder: Path) -> Path:
    """Ends every reply with a promise that nobody can keep."""
    return taught_to_end_with(_PROMISE, folder / "promising")


def babbling(folder: Path) -> Path:
    """The shipped policy with its weights blown up."""
    adapter = folder / "babbling"
    if not adapter.is_dir():
        shutil.copytree(shipped_adapters()["policy-v1"], adapter)
        blown = {name: weight * (_TOO_LOUD if ".lora_B." in name else 1.0) for name, weight in load_file(adapter / WEIGHTS).items()}
        save_file(blown, adapter / WEIGHTS)
    return adapter


def same(folder: Path) -> Path:
    """The shipped policy."""
    return Path(shutil.copytree(shipped_adapters()["policy-v1"], folder / "same", dirs_exist_ok=True))


ARMS: dict[str, Callable[[Path], Path]] = {"promising": promising, "babbling": babbling, "same": same}


def first_replies(negotiations: Negotiations, job: Job, replies: int) -> None:
    """Negotiate until the conversation counts: our first ``replies`` are sent, or it is over."""
    conversation = open_job(negotiations, job, seed=_SEED)

    def go_on() -> bool:
        return sum(turn.speaker is Speaker.BD for turn in negotiations.view(conversation).turns) < replies

    for _ in negotiations.play(conversation, go_on=go_on):
        pass


def until_decided(
    negotiations: Negotiations, sessions: SessionFactory, fleet: Fleet, jobs: Iterator[Job], *, most: int, at_once: int
) -> tuple[Decision | None, int]:
    """Negotiate until the watch has moved the canary, or it has held ``most`` conversations; the decision, and how many of its counted."""
    decided: list[Decision] = []
    alone, counted = Lock(), 0

    def work() -> None:
        nonlocal counted
        while True:
            with alone:
                if decided or counted >= most:
                    return
                job = next(jobs)
            first_replies(negotiations, job, ReleaseSettings().canary_replies)
            with alone:
                if decided:
                    return
                with sessions() as session:
                    watched = look(session)
                counted = watched.conversations if watched is not None else counted
                decided.extend(one for one in watch(sessions, fleet) if one.action is not Action.WAIT)

    with ThreadPoolExecutor(at_once) as pool:
        for future in [pool.submit(work) for _ in range(at_once)]:
            future.result()
    return (decided[0] if decided else None), counted


def run(arms: list[str], *, most: int, at_once: int, share: float, adapters: Path, tell: Callable[[str], None]) -> dict[str, object]:
    """The figures of each arm."""
    made = {name: ARMS[name](adapters) for name in arms}
    found: dict[str, object] = {}
    with throwaway() as place:
        engine = create_engine_from(place.database_url)
        sessions = session_factory(engine)
        settings = AgentSettings.model_validate({"model_url": place.model_url, "model_timeout_s": 600})
        jobs = simulated_jobs(n=1_000_000, seed=_SEED, today=_DAY)
        with connect(place.database_url, settings=settings) as negotiations, Fleet([place.model_url]) as fleet:
            store = AdapterStore(place.folder / "adapters")
            # A copy: publishing keeps golden tokens beside an adapter, and the shipped one's folder is not ours to write in.
            live = publish(sessions, fleet, store, same(adapters), name="shipped-again", parent_id=None, note={})
            promote(sessions, fleet, live)
            for name, adapter in made.items():
                version = publish(sessions, fleet, store, adapter, name=f"canary-{name}", parent_id=live, note={})
                start_canary(sessions, fleet, version, share=share)
                decision, counted = until_decided(negotiations, sessions, fleet, jobs, most=most, at_once=at_once)
                found[name] = {
                    "conversations": counted,
                    "came_to": "left alone" if decision is None else str(decision.action),
                    "why": "" if decision is None else decision.reason,
                }
                tell(f"{name}: {found[name]}")
                if decision is None:
                    roll_back(sessions, fleet, reason="benchmark", version_id=version)
        engine.dispose()
    return {"share": share, "at_once": at_once, "error_rate": ReleaseSettings().canary_alpha, "arms": found}


def main() -> None:
    """Run and print; status 1 where a bad one was left alone or the equal one was not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--arms", default=",".join(ARMS))
    parser.add_argument("--most", type=int, default=60, help="conversations of a canary after which it is given up")
    parser.add_argument("--at-once", type=int, default=8)
    parser.add_argument("--share", type=float, default=0.5)
    parser.add_argument("--adapters", type=Path, default=Path("build") / "canary", help="where the bad ones are kept")
    parser.add_argument("--json", type=Path, default=None, help="also write the figures here")
    asked = parser.parse_args()
    console = Console(stderr=True)
    arms = [name for name in asked.arms.split(",") if name]
    if unknown := [name for name in arms if name not in ARMS]:
        parser.error(f"there is no arm {', '.join(unknown)}; known are {', '.join(ARMS)}")
    asked.adapters.mkdir(parents=True, exist_ok=True)
    figures = run(
        arms, most=asked.most, at_once=asked.at_once, share=asked.share, adapters=asked.adapters,
        tell=lambda said: console.print(said, highlight=False),
    )  # fmt: skip
    if asked.json is not None:
        asked.json.write_text(json.dumps(figures, indent=1) + "\n")
    Console().print(figures)
    ends = {name: figures["arms"][name]["came_to"] for name in arms}  # pyright: ignore[reportIndexIssue]
    sys.exit(any((end == str(Action.ROLL_BACK)) is (name == "same") for name, end in ends.items()))


if __name__ == "__main__":
    main()
