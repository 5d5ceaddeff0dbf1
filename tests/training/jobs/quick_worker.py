"""A real worker on a real broker, whose steps take a moment and whose release is a shelf."""

import os
from pathlib import Path
from typing import Any

from tests.training.jobs.job_scenes import Shelf
from tests.training.jobs.quick_step import within
from training.jobs import child, outlet, worker


def main() -> None:
    """As ``training.jobs.worker``."""
    store = Path(os.environ["PARLEY_HOME"]) / "adapters"

    def shelf(**named: Any) -> Shelf:
        return Shelf(named["sessions"], store)

    child.carry_out = within
    outlet.FleetOutlet = shelf  # pyright: ignore[reportAttributeAccessIssue]
    worker.main()


if __name__ == "__main__":
    main()
