"""What a candidate is held against: the version that is live and the bad cases that are in force when its measuring begins, frozen."""

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from agent.records import list_from_json, to_json
from db.engine import SessionFactory
from db.vocabulary import RetrainStep
from training.badcases import BadCase, stored
from training.files import put
from training.runs.checks import adapter_named, live_version

AGAINST, CASES = "against.json", "cases.json"


class Against(BaseModel):
    """A version by name; without an adapter it is the base."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    adapter: Path | None = None


def freeze_against(sessions: SessionFactory, folder: Path) -> Against:
    """What the folder says, or what is live now, written down. Raises RunRefused where its adapter is gone."""
    place = folder / RetrainStep.EVALUATE
    if (place / AGAINST).is_file():
        return read_against(folder)
    place.mkdir(parents=True, exist_ok=True)
    name = live_version(sessions)
    with sessions() as session:
        own = stored.kept(session)
    found = Against(name=name, adapter=adapter_named(name, sessions))
    put(place / CASES, json.dumps(to_json(own), ensure_ascii=False) + "\n")
    put(place / AGAINST, found.model_dump_json(indent=1) + "\n")
    return found


def read_against(folder: Path) -> Against:
    """The inverse, from the folder alone."""
    return Against.model_validate_json((folder / RetrainStep.EVALUATE / AGAINST).read_text(encoding="utf-8"))


def read_cases(folder: Path) -> tuple[BadCase, ...]:
    """The instance's own bad cases."""
    kept = json.loads((folder / RetrainStep.EVALUATE / CASES).read_text(encoding="utf-8"))
    return tuple(stored.of_kept(one) for one in list_from_json(stored.Kept, kept))
