"""What the gate says to candidates that must not pass: ``python -m benchmarks.gate --bench FOLDER [--dialogues N] [--json]``.

A worse one (DPO on flipped preferences), a hacked one (PPO on a reward model that likes chatty over-promising), an equal one (the live
version with its weights moved by a ten-thousandth), and broken ones (no number, another base, a missing file). Trained are the first two
with ``parley bench --arms hacked_ppo,dpo_flipped --out FOLDER``. Ends with 1 if any of them passes.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table
from safetensors.torch import load_file, save_file

from agent.serving.starter import shipped_adapters
from training.bench.stages import Work, of
from training.objectives.running import last_checkpoint
from training.release.evaluation import Effort, evaluate
from training.release.gate import Verdict
from training.runs.adapters import CONFIG, WEIGHTS

LIVE = "policy-v1"
_MOVED_BY = 1e-4


def equal(folder: Path) -> None:
    """Weights that are others and do the same."""
    weights = load_file(folder / WEIGHTS)
    generator = torch.Generator().manual_seed(1)
    moved = {name: one + one.abs().mean() * _MOVED_BY * torch.randn(one.shape, generator=generator) for name, one in weights.items()}
    save_file({name: one.to(weights[name].dtype) for name, one in moved.items()}, folder / WEIGHTS)


def no_number(folder: Path) -> None:
    """One weight is NaN."""
    weights = load_file(folder / WEIGHTS)
    first = next(iter(weights))
    weights[first] = weights[first].clone()
    weights[first].flatten()[0] = float("nan")
    save_file(weights, folder / WEIGHTS)


def another_base(folder: Path) -> None:
    """Its matrices fit a wider model."""
    weights = load_file(folder / WEIGHTS)
    save_file({name: torch.cat([one, one], dim=-1) for name, one in weights.items()}, folder / WEIGHTS)


def missing_file(folder: Path) -> None:
    """Without its configuration."""
    (folder / CONFIG).unlink()


SPOILT: dict[str, Callable[[Path], None]] = {
    "equal": equal,
    "broken: not a number": no_number,
    "broken: another base": another_base,
    "broken: a missing file": missing_file,
}
TRAINED = {"worse: flipped preferences": "dpo_flipped", "hacked: likes over-promising": "hacked_ppo"}


@contextmanager
def spoilt(name: str) -> Generator[Path]:
    """The live version's adapter with one thing wrong."""
    with tempfile.TemporaryDirectory(prefix="parley-gate-") as place:
        folder = Path(place) / "adapter"
        shutil.copytree(shipped_adapters()[LIVE], folder)
        SPOILT[name](folder)
        yield folder


def main() -> None:
    """Ask the gate about each, and print what it says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bench", type=Path, help="of a benchmark with the arms hacked_ppo and dpo_flipped; without it they are left out")
    parser.add_argument("--dialogues", type=int, default=Effort().dialogues)
    parser.add_argument("--case-copies", type=int, default=Effort().case_copies)
    parser.add_argument("--keep", type=Path, help="keep what is measured here, and go on with what is there")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    console = Console(width=150)
    effort = Effort(dialogues=arguments.dialogues, case_copies=arguments.case_copies)
    with tempfile.TemporaryDirectory(prefix="parley-gate-") as place:
        kept = arguments.keep or Path(place)
        verdicts: dict[str, tuple[Verdict, float]] = {}
        for number, (name, arm) in enumerate(TRAINED.items() if arguments.bench else ()):
            # They were trained from the base, so the base is what is live beside them. As their runs ended: the best that an honest reward
            # finds on the way to flipped preferences is where it began.
            adapter = last_checkpoint(arguments.bench / of(arm, 0, Work.TRAINING))
            if adapter is None:
                parser.error(f"{arguments.bench} has no training of {arm}: parley bench --arms {','.join(TRAINED.values())} --out FOLDER")
            verdicts[name] = _asked(name, adapter, None, kept / f"trained-{number}", effort, console)
        for number, name in enumerate(SPOILT):
            with spoilt(name) as adapter:
                verdicts[name] = _asked(name, adapter, shipped_adapters()[LIVE], kept / f"spoilt-{number}", effort, console)
    table = Table("candidate", "beside", "verdict", "fails at", "minutes", title="What the gate says to candidates that must not pass")
    for name, (verdict, seconds) in verdicts.items():
        fails = "\n".join(f"{one.title}: {one.says}" for one in verdict.failed)
        table.add_row(name, verdict.live, "passed" if verdict.passed else "refused", fails, f"{seconds / 60:.1f}")
    console.print(table)
    if arguments.json:
        print(json.dumps({name: verdict.model_dump(mode="json") for name, (verdict, _) in verdicts.items()}))
    sys.exit(any(verdict.passed for verdict, _ in verdicts.values()))


def _asked(name: str, adapter: Path, live: Path | None, folder: Path, effort: Effort, console: Console) -> tuple[Verdict, float]:
    begun = time.monotonic()
    with console.status(f"measuring {name} …") as status:
        verdict = evaluate(
            adapter,
            live,
            folder,
            names=(name, "base" if live is None else LIVE),
            effort=effort,
            tell=lambda event: status.update(f"{name}: {event.phase} {event.done} of {event.total}"),
        )
    return verdict, time.monotonic() - begun


if __name__ == "__main__":
    main()
