"""A rater without a browser, as a process that can be killed: ``python -m benchmarks.scripted_rater ADDRESS COOKIE JOURNAL SEED PACE``.

It talks to the desk's JSON routes as the page does: the key of a save is written down (the page: in the browser's own store) before it is
sent, a request is repeated with the same key until it is answered, and after a restart what was not acknowledged is sent first. Only the
standard library is used, so that twenty of them fit beside a server on two cores.
"""

import http.client
import json
import os
import random
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

CALLER = "parley-desk"
SKIPPED = 0.05
"""Share of the tasks that are skipped."""
UNREAD = 0.03
"""Share of the saves whose answer is never read: the process ends as soon as they are sent."""
PATIENCE_S = 20.0
PAUSE_S = 0.3


def entries(journal: Path) -> Iterator[dict[str, Any]]:
    """What a rater has written down; a line that a kill cut off says nothing."""
    if journal.exists():
        for line in journal.read_text().splitlines():
            with suppress(json.JSONDecodeError):
                yield json.loads(line)


class Rater:
    """One person at one window."""

    def __init__(self, address: str, cookie: str, journal: Path, *, seed: int, pace: float) -> None:
        self._address = urlsplit(address)
        self._headers = {"Content-Type": "application/json", "Cookie": cookie, "Origin": address, "X-Requested-With": CALLER}
        self._rng = random.Random(seed)
        self._pace = pace
        self._unanswered = {entry["key"]: entry for entry in entries(journal) if entry["event"] == "sending"}
        for entry in entries(journal):
            if entry["event"] in ("acknowledged", "refused"):
                self._unanswered.pop(entry["key"], None)
        self._out = journal.open("a")

    def work(self) -> None:
        """Send what waits, then judge until the process is ended from outside."""
        for entry in list(self._unanswered.values()):
            self._deliver(entry)
        while True:
            status, answer = self._ask("next", {"n": 2})
            for task in answer["tasks"][:1] if status == 200 else ():
                time.sleep(self._rng.uniform(0.5, 1.5) * self._pace)
                self._judge(task)
            if status != 200 or not answer["tasks"]:
                time.sleep(PAUSE_S)

    def _judge(self, task: Mapping[str, Any]) -> None:
        key = f"{self._rng.getrandbits(64):016x}{time.time_ns():x}"
        body: dict[str, Any] = {"assignment_id": task["assignment_id"], "key": key}
        route = "skip" if self._rng.random() < SKIPPED else "save"
        body |= {"reason": "not mine"} if route == "skip" else {"judgement": {"stars": self._rng.randint(1, 5), "seconds": self._pace}}
        entry = {"event": "sending", "key": key, "route": route, "body": body, "item": task["item_id"]}
        self._note(entry)
        if self._rng.random() < UNREAD:
            with suppress(OSError):
                self._connection().request("POST", f"/annotate/api/{route}", json.dumps(body), self._headers)
            os._exit(0)
        self._deliver(entry)

    def _deliver(self, entry: Mapping[str, Any]) -> None:
        status, answer = self._ask(entry["route"], entry["body"])
        told = {"event": "acknowledged" if status == 200 else "refused", "key": entry["key"], "route": entry["route"]}
        self._note(told | {"rating": answer.get("rating_id"), "code": answer.get("code")})

    def _ask(self, route: str, body: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """The answer, once there is one that will not get better."""
        while True:
            connection = self._connection()
            try:
                connection.request("POST", f"/annotate/api/{route}", json.dumps(body), self._headers)
                response = connection.getresponse()
                answer = json.loads(response.read())
                if response.status < 500:
                    return response.status, answer
            except (OSError, http.client.HTTPException, json.JSONDecodeError):
                pass
            finally:
                connection.close()
            time.sleep(PAUSE_S * self._rng.uniform(0.5, 1.5))

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self._address.hostname or "", self._address.port, timeout=PATIENCE_S)

    def _note(self, entry: Mapping[str, Any]) -> None:
        self._out.write(json.dumps(entry) + "\n")
        self._out.flush()
        os.fsync(self._out.fileno())


def main() -> None:
    """Rate until killed."""
    address, cookie, journal, seed, pace = sys.argv[1:]
    Rater(address, cookie, Path(journal), seed=int(seed), pace=float(pace)).work()


if __name__ == "__main__":
    main()
