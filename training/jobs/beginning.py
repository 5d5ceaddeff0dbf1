"""What a retrain begins with, frozen in its folder before the first step: taken up however often, it ends with the same weights.

Decided here: the version that it starts from and the reward spec are those of the moment in which it is first worked on; what people judged
is taken up to the moment in which it was asked for.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from db.engine import SessionFactory
from db.models import Retrain
from db.repositories import policy_versions
from training.files import put
from training.jobs.plan import LIVE, RetrainPlan, parse_plan
from training.rewards import approval
from training.runs.checks import BASE, adapter_named, live_version

BEGINNING, SPEC = "retrain.json", "spec.json"


class Beginning(BaseModel):
    """The frozen facts."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    retrain_id: UUID
    plan: RetrainPlan
    as_of: datetime
    """When it was asked for, by the database's clock."""
    start: str
    """Name of the version that it starts from; ``base`` is none."""
    start_adapter: Path | None = None
    start_id: UUID | None = None
    """Its row; None for a base that nobody was ever answered by."""

    @classmethod
    def of(cls, sessions: SessionFactory, row: Retrain) -> Self:
        """What the folder says, or what is so now, written down.

        Raises:
            PlanRefused: for a plan that this release does not know any more.
            RunRefused: where there is no version of the name.
            SpecError: where the spec in force cannot be used.
        """
        folder = Path(row.folder)
        if (folder / BEGINNING).is_file():
            return cls.read(folder)
        plan = parse_plan(row.plan)
        folder.mkdir(parents=True, exist_ok=True)
        name = live_version(sessions) if plan.start == LIVE else plan.start
        with sessions() as session:
            version = policy_versions.find_by_name(session, name)
            if version is None and name == BASE:
                version = policy_versions.find_bare(session)
            spec = approval.in_force(session)
        adapter = adapter_named(name, sessions)
        put(folder / SPEC, json.dumps(spec.body(), indent=1, ensure_ascii=False) + "\n")
        found = cls(
            retrain_id=row.id,
            plan=plan,
            as_of=row.created_at,
            start=name,
            start_adapter=adapter,
            start_id=None if version is None else version.id,
        )
        put(folder / BEGINNING, found.model_dump_json(indent=1) + "\n")
        return found

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The inverse, from the folder alone."""
        return cls.model_validate_json((folder / BEGINNING).read_text(encoding="utf-8"))
