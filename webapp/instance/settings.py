"""What an operator may choose about a running instance; every field is set by the environment with the prefix ``PARLEY_``."""

from pathlib import Path

from platformdirs import user_data_dir
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class InstanceSettings(BaseSettings):
    """Settings of ``parley up``. A service that is named here is used as it is; one that is not is started from a package."""

    model_config = SettingsConfigDict(env_prefix="PARLEY_", env_ignore_empty=True, extra="ignore", use_attribute_docstrings=True)

    home: Path = Field(default_factory=lambda: Path(user_data_dir("parley")))
    """The one data folder: database, broker, adapters, logs, secrets."""

    web_port: int | None = Field(default=None, ge=1, le=65535)
    """Port of the web app; unset: 8501, or a free one where that is taken."""

    web_host: str = "127.0.0.1"
    """Address that the web app listens on; 0.0.0.0 for every network."""

    database_url: str | None = Field(default=None, repr=False)
    """A PostgreSQL of yours; unset: the embedded one."""

    broker_url: str | None = Field(default=None, repr=False)
    """A Redis or RabbitMQ of yours; unset: the embedded Redis."""

    model_url: str | None = None
    """An OpenAI-compatible server of yours; unset: our own vLLM."""

    model_port: int | None = Field(default=None, ge=1, le=65535)
    """Port of our own model server on 127.0.0.1; unset: a free one."""

    jobs: bool = True
    """Run a worker and a beat, so that retrains are carried out; off where other machines do, or nobody retrains."""

    demo: bool = True
    """Add the demo hotels and tickets on a start."""
