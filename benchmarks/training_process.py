"""An arm of ``benchmarks.training`` from outside: started, asked for a step at a time, and ended.

Decided here: what the process is given of its surroundings, and that one that dies ends the benchmark with the last words of its log.
"""

import json
import os
import subprocess
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, cast

from benchmarks.training_figures import Step
from benchmarks.training_gate import GO
from benchmarks.training_setup import Setup
from db.errors import ParleyError

_ROOT = Path(__file__).parents[1]


class ArmFailed(ParleyError):
    """An arm ended before it was told to."""


class ArmProcess:
    """A running arm."""

    def __init__(self, name: str, process: "subprocess.Popen[str]", log: Path) -> None:
        """``process`` has pipes; what else it says goes into ``log``."""
        self.name = name
        self._process, self._log = process, log
        self._commands, self._answers = cast(IO[str], process.stdin), cast(IO[str], process.stdout)

    def wait_ready(self) -> float:
        """Until all is loaded; the megabytes that it has held until then. Raises ArmFailed."""
        return float(self._answer()["peak_mb"])

    def step(self) -> Step:
        """One step. Raises ArmFailed."""
        try:
            self._commands.write(GO + "\n")
            self._commands.flush()
        except BrokenPipeError:
            raise self._failed() from None
        return Step(**self._answer())

    def close(self) -> None:
        """Of its pipe, nothing more."""
        self._commands.close()

    def _answer(self) -> dict[str, Any]:
        line = self._answers.readline()
        if not line:
            raise self._failed()
        return json.loads(line)

    def _failed(self) -> ArmFailed:
        status = self._process.wait()
        last = "\n".join(self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
        return ArmFailed(f"the arm {self.name!r} ended with status {status}; its last words were:\n{last}")


@contextmanager
def running(name: str, setup: Setup, python: Path, log: Path) -> Generator[ArmProcess]:
    """An arm that has everything loaded, run by the interpreter ``python``. Raises ArmFailed."""
    own = {
        "OMP_NUM_THREADS": str(setup.threads),
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "TRL_EXPERIMENTAL_SILENCE": "1",
    }
    with log.open("w", encoding="utf-8") as said:
        process = subprocess.Popen(
            [str(python), "-m", "benchmarks.training_arm", name, setup.model_dump_json()],
            cwd=_ROOT,
            env=os.environ | own,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            start_new_session=True,  # an interrupt is for the one who measures
        )
    with process:
        arm = ArmProcess(name, process, log)
        try:
            arm.wait_ready()
            yield arm
        finally:
            # It may be in the middle of a step that nobody wants any more; nothing of it is kept.
            process.kill()
            # A command that a dead arm did not take would be written once more on closing.
            with suppress(BrokenPipeError):
                arm.close()
