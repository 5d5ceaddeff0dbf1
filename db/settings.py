"""Which database is used and how patiently: the settings of this room.

Where the database itself comes from when none is named (the embedded Postgres) is decided in ``db.embedded``.
"""

from pathlib import Path

from platformdirs import user_data_dir
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class DatabaseSettings(BaseSettings):
    """Read from the environment, prefix ``PARLEY_``."""

    model_config = SettingsConfigDict(env_prefix="PARLEY_", env_ignore_empty=True, extra="ignore", use_attribute_docstrings=True)

    database_url: str | None = Field(default=None, repr=False)
    """``postgresql://user:password@host:port/database`` of a PostgreSQL 14 or newer; unset means the embedded Postgres under ``home``."""

    home: Path = Field(default_factory=lambda: Path(user_data_dir("parley")))
    """The one data folder: embedded database, logs, adapters."""

    database_pool_size: int = Field(default=10, ge=1)
    """Connections that one process keeps open."""

    database_pool_overflow: int = Field(default=20, ge=0)
    """Further connections that one process may open for a burst."""

    database_connect_timeout_s: int = Field(default=5, ge=2)
    """Seconds that opening a connection may take."""

    database_statement_timeout_s: float = Field(default=30, gt=0)
    """Seconds after which the server cancels one statement."""

    database_lock_timeout_s: float = Field(default=10, gt=0)
    """Seconds that a statement waits for a lock, for example for a conversation that another request is working on."""

    migration_lock_timeout_s: float = Field(default=5, gt=0)
    """Seconds that a migration waits for a table lock, so that it never queues live traffic behind itself for longer."""

    migration_statement_timeout_s: float = Field(default=900, gt=0)
    """Seconds that one statement of a migration may run."""
