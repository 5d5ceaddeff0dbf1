"""Publishing: from a trained adapter to a version that every replica answers with, before any traffic.

Decided here: the order, so that nothing is ever half published. The files are stored under a name that is never used again, the row is
written as a candidate, every replica loads it, every replica proves itself by the golden prompts, and only then is the version called
published. What fails on the way leaves the replicas as they were and the row a candidate; the same call again goes on. Whether an adapter
is good enough is the gate's business, who gets it that of ``traffic``.
"""

from pathlib import Path
from uuid import UUID

from agent.serving import AdapterRefused, AdapterStore, AdapterVersion, ModelServerUnavailable, UnknownAdapter
from db.engine import SessionFactory
from db.errors import ParleyError
from db.models import Json, PolicyVersion
from db.repositories import audit_events, deployments, policy_versions
from db.vocabulary import PolicyStatus
from training.release.fleet import Fleet
from training.release.golden import Golden, GoldenMismatch, prepare, prove, weights_sha256

PUBLISH = "policy.publish"
_LINE = "policy-v"


class NotPublishable(ParleyError):
    """The name belongs to another version, or to one that may not go out."""


def publish(
    sessions: SessionFactory,
    fleet: Fleet,
    store: AdapterStore,
    adapter: Path,
    *,
    name: str,
    parent_id: UUID | None,
    note: Json,
    created_by: UUID | None = None,
) -> UUID:
    """The id of the published version. The same call again changes nothing, or goes on where it was cut off.

    ``note`` is where the version came from, in figures; with ``"promote": true`` in it a canary that does no harm becomes live by itself.

    Raises:
        NoGolden: for an adapter that cannot be served, or says nothing with certainty.
        NotAnAdapter, AdapterStoreFull: as ``AdapterStore.publish``.
        NotPublishable: if the name belongs to another version, or to one that was rejected or removed.
        AdapterRefused, ModelServerUnavailable, ReplicasDiffer: if a replica does not take it or is away; no replica keeps it then.
        GoldenMismatch: if a replica answers with other weights; likewise.
    """
    golden = prepare(adapter)
    base_model = fleet.base_model
    stored = _stored(store, adapter, name)
    with sessions.begin() as session:
        wanted = PolicyVersion(
            name=name, base_model=base_model, adapter_path=str(stored.path), parent_id=parent_id, note=note, created_by=created_by
        )
        row, _ = policy_versions.create(session, wanted)
        _refuse_unfit(row, stored)
        version_id = row.id
    with sessions.begin() as session:
        # One at a time, and not while what nobody uses is taken out.
        deployments.lock_publishing(session)
        _load(fleet, stored, golden)
        version = policy_versions.get(session, version_id)
        if version.status is PolicyStatus.CANDIDATE:
            policy_versions.set_status(session, version_id, PolicyStatus.PUBLISHED)
            proved = {"prompts": len(golden.prompts), "tokens": sum(len(prompt.expected) for prompt in golden.prompts)}
            audit_events.record(
                session,
                actor_id=created_by,
                action=PUBLISH,
                subject_type="policy_version",
                subject_id=version_id,
                after={"name": name, "replicas": len(fleet.servers), "golden": proved},
            )
    return version_id


def next_name(sessions: SessionFactory, store: AdapterStore) -> str:
    """``policy-v`` and the number after the highest that any version has had."""
    with sessions() as session:
        names = [version.name for version in policy_versions.list_all(session)]
    names += [version.name for version in store.list()]
    numbers = [int(rest) for name in names if (rest := name.removeprefix(_LINE)) != name and rest.isdecimal()]
    return f"{_LINE}{max(numbers, default=0) + 1}"


def _stored(store: AdapterStore, adapter: Path, name: str) -> AdapterVersion:
    try:
        kept = store.get(name)
    except UnknownAdapter:
        return store.publish(adapter, name)
    if weights_sha256(kept.path) != weights_sha256(adapter):
        raise NotPublishable(f"{name} is another adapter already, in {kept.path}: versions never change. Publish under a new name.")
    return kept


def _refuse_unfit(row: PolicyVersion, stored: AdapterVersion) -> None:
    if row.adapter_path != str(stored.path):
        raise NotPublishable(f"{row.name} is the name of another version, from {row.adapter_path}. Publish under a new name.")
    if row.status in (PolicyStatus.REJECTED, PolicyStatus.REMOVED):
        raise NotPublishable(f"{row.name} is {row.status}: it does not go out. Publish under a new name.")


def _load(fleet: Fleet, stored: AdapterVersion, golden: Golden) -> None:
    """Every replica serves it and has proved it, or none does that did not before."""
    before = {url for url, names in fleet.loaded().items() if stored.name in names}
    fleet.load(stored)
    try:
        prove(fleet, stored.name, golden)
    except GoldenMismatch:
        # Whoever held it may have held something else under the name.
        fleet.unload(stored.name)
        raise
    except (AdapterRefused, ModelServerUnavailable):
        fleet.unload(stored.name, keep=before)
        raise
