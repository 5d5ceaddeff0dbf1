"""Which versions a model server must hold from its first answer on: those that the database says are in use.

A server that was killed has forgotten what it was told at run time. Whoever looks after releases would tell it again within a minute; here
it asks by itself before it starts, so that no conversation finds its version missing. A database that does not answer does not stop it.
"""

import json
import time
from pathlib import Path

import structlog
from sqlalchemy.exc import ProgrammingError

from db.engine import DatabaseBusy, DatabaseUnreachable, create_engine_from, session_factory
from db.models import PolicyVersion
from db.repositories import policy_versions

log = structlog.get_logger(__name__)

_PATIENCE_S = 10.0
"""A database that is started beside us needs a moment; the server itself needs longer to start than this."""


def needed_adapters(database_url: str | None, *, base_model: str, max_rank: int, patience_s: float = _PATIENCE_S) -> dict[str, Path]:
    """Folders by name; empty where no database is named, it does not answer in time, or has no tables yet.

    An adapter that would keep the server from starting, since its files are gone or its rank is above ``max_rank``, is left out, and so
    is one of another base than the one that is served as ``base_model``.
    """
    if database_url is None:
        return {}
    deadline = time.monotonic() + patience_s
    while True:
        try:
            engine = create_engine_from(database_url, pooled=False)
            with session_factory(engine)() as session:
                versions = policy_versions.list_needed(session)
        except (DatabaseUnreachable, DatabaseBusy) as error:
            if time.monotonic() >= deadline:
                log.warning("serving.needed_unknown", error=str(error))
                return {}
            time.sleep(0.5)
        except ProgrammingError:
            # A first start: the schema is being laid.
            return {}
        else:
            adapters = [(version, Path(version.adapter_path)) for version in versions if version.adapter_path is not None]
            return {version.name: path for version, path in adapters if _can_be_served(version, path, base_model, max_rank)}


def _can_be_served(version: PolicyVersion, path: Path, base_model: str, max_rank: int) -> bool:
    if version.base_model != base_model:
        log.warning("serving.other_base", version=version.name, trained_on=version.base_model, served=base_model)
        return False
    config = path / "adapter_config.json"
    rank = json.loads(config.read_text(encoding="utf-8")).get("r") if config.is_file() else None
    fine = isinstance(rank, int) and rank <= max_rank
    if not fine:
        log.warning("serving.cannot_be_served", version=version.name, path=str(path), rank=rank, max_rank=max_rank)
    return fine
