"""A worker that works on one retrain and ends: ``python -m tests.training.jobs.work_once DATABASE_URL FOLDER RETRAIN STEPS``.

``STEPS`` are ``real``, or quick ones in ``processes`` or ``within`` this one.
"""

import sys
from pathlib import Path
from uuid import UUID

from db.engine import create_engine_from, session_factory
from tests.training.jobs.job_scenes import Shelf, settings_in
from tests.training.jobs.quick_step import within
from training.jobs import child
from training.jobs.work import work


def main() -> None:
    database_url, folder, retrain_id = sys.argv[1], Path(sys.argv[2]), UUID(sys.argv[3])
    match sys.argv[4]:
        case "processes":
            child.STEP = "tests.training.jobs.quick_step"
        case "within":
            child.carry_out = within
        case _:
            pass
    sessions = session_factory(create_engine_from(database_url))
    state = work(sessions, retrain_id, outlet=Shelf(sessions, folder / "store"), settings=settings_in(folder))
    print(f"came to {state}", flush=True)


if __name__ == "__main__":
    main()
