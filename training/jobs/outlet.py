"""Where a retrain's candidate goes out: what ``chain`` and ``tick`` need of a release, and that of ``training.release`` on the real fleet.

Decided here: nothing but the seam. How a version is published, answers hotels and is taken back is ``training.release``'s.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from agent.serving.versions import AdapterStore
from db.engine import SessionFactory
from training.release import publishing, traffic, watch
from training.release.fleet import Fleet
from training.release.settings import adapters_folder


class Outlet(Protocol):
    """A release. Every act may be asked for twice."""

    def publish(self, adapter: Path, *, name: str, parent_id: UUID | None, note: Mapping[str, Any], created_by: UUID | None) -> UUID:
        """Make the adapter a version of this name that every replica serves; its row."""
        ...

    def start_canary(self, version_id: UUID, *, share: float) -> None:
        """Give the version a share of new conversations."""
        ...

    def promote(self, version_id: UUID) -> None:
        """Let the version answer all of them."""
        ...

    def look(self) -> None:
        """Look at the canary, take back what does badly, and unload what nobody uses any more."""
        ...

    def loaded(self) -> frozenset[str]:
        """Names of versions that a replica serves now. Raises ModelServerUnavailable."""
        ...

    def remove(self, name: str) -> None:
        """Delete the files of a version."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetOutlet:
    """``training.release`` on the replicas that the settings name."""

    sessions: SessionFactory
    model_url: str = ""

    def publish(self, adapter: Path, *, name: str, parent_id: UUID | None, note: Mapping[str, Any], created_by: UUID | None) -> UUID:
        """As ``publishing.publish``."""
        with Fleet.named(self.model_url) as fleet:
            return publishing.publish(
                self.sessions, fleet, self._store(), adapter, name=name, parent_id=parent_id, note=dict(note), created_by=created_by
            )

    def start_canary(self, version_id: UUID, *, share: float) -> None:
        """As ``traffic.start_canary``."""
        with Fleet.named(self.model_url) as fleet:
            traffic.start_canary(self.sessions, fleet, version_id, share=share)

    def promote(self, version_id: UUID) -> None:
        """As ``traffic.promote``."""
        with Fleet.named(self.model_url) as fleet:
            traffic.promote(self.sessions, fleet, version_id)

    def look(self) -> None:
        """As ``watch.watch`` and ``traffic.sweep``."""
        with Fleet.named(self.model_url) as fleet:
            watch.watch(self.sessions, fleet)
            traffic.sweep(self.sessions, fleet)

    def loaded(self) -> frozenset[str]:
        """On any replica."""
        with Fleet.named(self.model_url) as fleet:
            return frozenset[str]().union(*fleet.loaded().values())

    def remove(self, name: str) -> None:
        """From the store; its name stays taken."""
        self._store().remove(name)

    def _store(self) -> AdapterStore:
        return AdapterStore(adapters_folder())
