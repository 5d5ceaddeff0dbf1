"""What an operator may set about training on this machine. What changes a result is in the run's own configuration, never here."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class TrainingSettings(BaseSettings):
    """Read from the environment, prefix ``PARLEY_TRAINING_``."""

    model_config = SettingsConfigDict(env_prefix="PARLEY_TRAINING_")

    threads: int | None = Field(default=None, ge=1, description="CPU threads of a training process; every core where it is not set.")
    folder: Path = Field(default=Path("build") / "starter", description="Where builds leave their work and their models.")
