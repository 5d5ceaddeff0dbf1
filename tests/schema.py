"""Checks that the models say nothing that no migration has done, on an embedded database: ``python -m tests.schema``."""

import sys
import tempfile
from pathlib import Path

from db.embedded import embedded_postgres
from db.errors import ParleyError
from db.migrate import check, upgrade


def main() -> None:
    """Migrate an empty database and compare."""
    with tempfile.TemporaryDirectory(prefix="parley-schema-") as folder:
        Path(folder).chmod(0o755)
        with embedded_postgres(Path(folder), durable=False) as server:
            url = server.create_database("schema")
            try:
                upgrade(url)
                check(url)
            except ParleyError as error:
                sys.exit(str(error))
    print("The migrations and the models agree.")


if __name__ == "__main__":
    main()
