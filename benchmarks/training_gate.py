"""A step at a time on command, and what it cost: the part of an arm of ``benchmarks.training`` that talks to the one who measures.

Arms take turns within one run, each in a process of its own that stays alive: so all of them meet the same load of the machine, and each
has a peak of memory of its own. Decided here: the words on the pipe, the clocks, and how a step's time falls into parts.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import IO, Any

from transformers import TrainerCallback

from training.objectives.metrics import peak_megabytes

GO = "go"
PARTS: tuple[str, ...] = ("rollout", "rewards", "values", "update")


class Enough(Exception):
    """Whoever measures has gone or wants no more."""


class Clock:
    """Where the wall time of a step goes; a part within a part is not counted twice."""

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now
        self._stack = ["update"]
        self._mark = now()
        self._spent = dict.fromkeys(PARTS, 0.0)

    def _charge(self) -> None:
        now = self._now()
        self._spent[self._stack[-1]] += now - self._mark
        self._mark = now

    @contextmanager
    def during(self, part: str) -> Generator[None]:
        """Within, time belongs to this part."""
        self._charge()
        self._stack.append(part)
        try:
            yield
        finally:
            self._charge()
            self._stack.pop()

    def turn_to(self, part: str) -> None:
        """From now on, time that belongs to no other part belongs to this one."""
        self._charge()
        self._stack[0] = part

    def take(self) -> dict[str, float]:
        """Seconds by part since the last time."""
        self._charge()
        spent, self._spent = self._spent, dict.fromkeys(PARTS, 0.0)
        return spent


class Gate:
    """Runs no step that was not asked for, and tells what each one cost."""

    def __init__(self, commands: IO[str], answers: IO[str]) -> None:
        self._commands, self._answers = commands, answers
        self.clock = Clock()
        self.length = 0.0
        """Mean tokens of a reply in this step, to be set by the arm."""
        self._cpu = 0.0

    def open(self) -> None:
        """Say that everything is loaded, and wait. Raises Enough."""
        self._wait({"peak_mb": peak_megabytes()})

    def passed(self, parts: Mapping[str, float] | None = None) -> None:
        """A step is over: tell, and wait for the next command. ``parts`` are all but the update's, where the trainer tells them itself.

        Raises Enough.
        """
        cpu, spent = time.process_time() - self._cpu, self.clock.take()
        wall = sum(spent.values())
        if parts is not None:
            spent = {**parts, "update": wall - sum(parts.values())}
        self._wait({"wall": wall, "cpu": cpu, "length": self.length, "parts": spent, "peak_mb": peak_megabytes()})

    def _wait(self, told: Mapping[str, Any]) -> None:
        self._answers.write(json.dumps(told) + "\n")
        self._answers.flush()
        if self._commands.readline().strip() != GO:
            raise Enough
        self.clock.take()
        self._cpu = time.process_time()


def gate() -> Gate:
    """On standard input and output; what anybody else prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return Gate(sys.stdin, answers)


class Passing(TrainerCallback):
    """Passes the gate after every ``updates`` optimiser steps of a trainer."""

    def __init__(self, gate: Gate, *, updates: int, first: str = "update") -> None:
        """``first`` is the part that a step begins with."""
        self._gate, self._updates, self._first = gate, updates, first

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Called by the trainer."""
        if state.global_step % self._updates == 0:
            self._gate.clock.turn_to(self._first)
            self._gate.passed()
