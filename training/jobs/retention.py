"""What is thrown away: the bulk of old retrains, and the files of old versions that nobody serves or needs.

Decided here: what is never touched. A version that is deployed, held by an open conversation, loaded on a replica, that one of these or a
retrain which is not over begins from; and whatever a retrain which is not over has made. Reports, verdicts and logs stay.
"""

import json
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from agent.serving.versions import UnknownAdapter
from db.engine import SessionFactory
from db.models import PolicyVersion
from db.repositories import policy_versions, retrains
from db.vocabulary import PolicyStatus, RetrainState, RetrainStep
from training.jobs.beginning import BEGINNING
from training.jobs.outlet import Outlet
from training.jobs.settings import JobSettings
from training.release.settings import adapters_folder

_OPEN = (RetrainState.QUEUED, RetrainState.RUNNING, RetrainState.CANARY)
_BULK = (RetrainStep.SNAPSHOT, RetrainStep.REWARD_MODEL)
_log = structlog.get_logger(__name__)


def clean(sessions: SessionFactory, outlet: Outlet, settings: JobSettings) -> Sequence[str]:
    """Throw away what is older than the settings keep; what it was. Raises ModelServerUnavailable where a replica cannot be asked."""
    return [*_bulk_of_old_retrains(sessions, settings), *_old_versions(sessions, outlet, settings)]


def _bulk_of_old_retrains(sessions: SessionFactory, settings: JobSettings) -> list[str]:
    with sessions() as session:
        old = [row for line in retrains.list_lines(session) for row in retrains.list_ended_of_line(session, line)[settings.keep_retrains :]]
        folders = [Path(row.folder) for row in old]
    thrown: list[str] = []
    for folder in folders:
        for place in (*(folder / step for step in _BULK), folder / RetrainStep.POLICY / "checkpoints"):
            if place.is_dir():
                shutil.rmtree(place)
                thrown.append(str(place))
    return thrown


def _old_versions(sessions: SessionFactory, outlet: Outlet, settings: JobSettings) -> list[str]:
    with sessions() as session:
        published = [version for version in policy_versions.list_all(session) if _is_ours(version)]
        old = published[settings.keep_adapters :]
        if not old:
            return []
        kept = _needed(session, published)
    loaded = outlet.loaded()
    thrown: list[str] = []
    for version in old:
        if version.id in kept or version.name in loaded:
            continue
        with sessions.begin() as session:
            # First the row: nobody may deploy what is about to go.
            if version.id in {needed.id for needed in policy_versions.list_needed(session)}:
                continue
            policy_versions.set_status(session, version.id, PolicyStatus.REMOVED)
        try:
            outlet.remove(version.name)
        except UnknownAdapter as error:
            _log.warning("retention.gone", version=version.name, error=str(error))
        thrown.append(version.name)
    return thrown


def _is_ours(version: PolicyVersion) -> bool:
    """Whether its files lie in our store: what ships with the model, and what somebody serves from elsewhere, is not ours to remove."""
    if version.adapter_path is None or version.status is PolicyStatus.REMOVED:
        return False
    return Path(version.adapter_path).parent == adapters_folder()


def _needed(session: Session, published: Iterable[PolicyVersion]) -> set[UUID]:
    """Versions that are served or begun from, with their parents."""
    by_id = {version.id: version for version in published}
    by_name = {version.name: version.id for version in published}
    needed = {version.id for version in policy_versions.list_needed(session)}
    for row in retrains.list_newest(session, states=_OPEN, limit=1000):
        needed |= {by_name[name] for name in _begins_at(Path(row.folder)) if name in by_name}
        if row.candidate_id is not None:
            needed.add(row.candidate_id)
    parents = {parent for version_id in needed if version_id in by_id and (parent := by_id[version_id].parent_id) is not None}
    return needed | parents


def _begins_at(folder: Path) -> Sequence[str]:
    """The version that a retrain starts from and the one that its candidate is held against."""
    against = folder / RetrainStep.EVALUATE / "against.json"
    found: list[str] = []
    for path, field in ((folder / BEGINNING, "start"), (against, "name")):
        if path.is_file():
            found.append(json.loads(path.read_text(encoding="utf-8"))[field])
    return found
