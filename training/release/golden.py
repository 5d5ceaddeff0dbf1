"""Golden prompts: a few fixed beginnings with the tokens that the trainer's own model goes on with, kept beside the adapter.

A server that has loaded the version must go on with the same tokens, greedily; then the adapter is on, over the right base. A version that
says the same wherever it is certain, as one with its weights a quarter larger does, is not told from it by tokens. These are
worked out once (``golden_tokens``, a process of its own, since it needs torch) and written as ``golden.json``; nothing here needs torch.
"""

import hashlib
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from agent.serving.starter import MODEL_FOLDER
from db.errors import ParleyError
from training.release.fleet import Fleet
from training.runs.adapters import WEIGHTS, refuse_misfit
from training.runs.errors import RunRefused

GOLDEN = "golden.json"
_TIMEOUT_S = 900.0


class NoGolden(ParleyError):
    """The golden tokens of an adapter cannot be worked out: it is broken, or says nothing with certainty."""


class GoldenMismatch(ParleyError):
    """A replica that serves a version answers with other tokens than the version's own."""


class _Kept(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class GoldenPrompt(_Kept):
    """One beginning."""

    prompt: tuple[int, ...]
    """Token ids: a prompt, and the first tokens of the reply where there are any."""
    expected: tuple[int, ...]
    """What comes next. At each of them the second choice is far behind, so that sums in another order do not change it."""
    telling: int
    """How many of them the bare base would not have said."""


class Golden(_Kept):
    """All of an adapter's."""

    adapter_sha256: str
    """Of its weights."""
    end_id: int
    prompts: tuple[GoldenPrompt, ...]


def prepare(adapter: Path, base: Path = MODEL_FOLDER) -> Golden:
    """The golden tokens of an adapter; where they are not there yet, a process is started for them (some ten seconds).

    Call it as soon as an adapter is trained: what goes live waits for it otherwise.

    Raises:
        NoGolden: with the reason, for an adapter that cannot be served.
    """
    kept = read_golden(adapter)
    if kept is None:
        try:
            refuse_misfit(adapter, base)
        except RunRefused as error:
            raise NoGolden(str(error)) from error
        command = [sys.executable, "-m", "training.release.golden_tokens", str(adapter), "--base", str(base)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S)
        kept = read_golden(adapter)
        if done.returncode or kept is None:
            reason = (done.stderr.strip().splitlines() or ["no reason was given"])[-1]
            raise NoGolden(f"The golden tokens of {adapter} cannot be worked out: {reason}")
    return kept


def read_golden(adapter: Path) -> Golden | None:
    """What is kept beside the adapter; None where that is nothing, or was made for other weights."""
    try:
        kept = Golden.model_validate_json((adapter / GOLDEN).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValidationError):
        return None
    return kept if kept.adapter_sha256 == weights_sha256(adapter) else None


def weights_sha256(adapter: Path) -> str:
    """Of the adapter's weights; of nothing where there are none."""
    path = adapter / WEIGHTS
    return hashlib.sha256(path.read_bytes() if path.is_file() else b"").hexdigest()


def prove(fleet: Fleet, name: str, golden: Golden) -> None:
    """Ask every replica to go on with every golden prompt.

    Raises:
        GoldenMismatch: for the first replica that says anything else.
        AdapterRefused, ModelServerUnavailable: for one that does not serve the version, or is away.
    """
    asked = [(prompt.prompt, len(prompt.expected)) for prompt in golden.prompts]
    refuse_other(golden, fleet.greedy(name, asked, end_id=golden.end_id), name)


def refuse_other(golden: Golden, answers: Mapping[str, Sequence[Sequence[int]]], name: str) -> None:
    """Raises GoldenMismatch unless all answers, by replica, are the expected ones."""
    for url, said in answers.items():
        for number, (prompt, tokens) in enumerate(zip(golden.prompts, said, strict=True), start=1):
            if tuple(tokens) != prompt.expected:
                same = next((at for at, (one, two) in enumerate(zip(tokens, prompt.expected, strict=False)) if one != two), len(tokens))
                raise GoldenMismatch(
                    f"The model server at {url} does not answer as {name} should: golden prompt {number} of {len(golden.prompts)} differs "
                    f"from token {same + 1} of {len(prompt.expected)} on. "
                    "It serves other weights, or another base model. Nothing was published."
                )


def write_golden(adapter: Path, golden: Golden) -> None:
    """Put it beside the adapter, whole or not at all."""
    part = adapter / f".{GOLDEN}.part"
    part.write_text(json.dumps(golden.model_dump(), separators=(",", ":")) + "\n", encoding="utf-8")
    part.replace(adapter / GOLDEN)
