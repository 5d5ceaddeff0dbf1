"""What an operator may set about retrains on this machine; every field is set by the environment with the prefix ``PARLEY_``."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from db.settings import DatabaseSettings


class JobSettings(BaseSettings):
    """Settings of workers, the tick and retention. What changes a result belongs to a retrain's own plan, never here."""

    model_config = SettingsConfigDict(env_prefix="PARLEY_", use_attribute_docstrings=True, extra="ignore", env_ignore_empty=True)

    broker_url: str | None = Field(default=None, repr=False)
    """A Redis (``redis://…``) or RabbitMQ (``amqp://…``) for Celery; ``parley up`` sets it to its own."""

    retrains_folder: Path | None = None
    """Where retrains leave their work, the same for all workers; unset: ``retrains`` in the data folder."""

    jobs_at_once: int = Field(default=1, ge=1)
    """Retrains that one worker works on at the same time; of one policy line it is never more than one."""

    jobs_lease_s: float = Field(default=60.0, gt=1)
    """Seconds that a worker which says nothing keeps what it works on."""

    jobs_tries: int = Field(default=5, ge=1)
    """Tries of a step that was ended from outside: its process killed, or its training held by another one."""

    jobs_patience_s: float = Field(default=600.0, ge=0)
    """Seconds for which a step waits for a model server or a database that is away."""

    jobs_pause_s: float = Field(default=2.0, gt=0)
    """Seconds before the second try; twice as many before each further one."""

    keep_retrains: int = Field(default=5, ge=1)
    """Of each policy line, the newest so many keep snapshot, reward model and checkpoints; of older ones reports and verdicts stay."""

    keep_adapters: int = Field(default=10, ge=1)
    """The newest so many published adapters stay on disk, and whatever is deployed, used or begun from."""

    def folder(self) -> Path:
        """Where retrains are."""
        return (self.retrains_folder or DatabaseSettings().home / "retrains").resolve()
