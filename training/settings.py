"""What an operator may set about training on this machine. What changes a result is in the run's own configuration, never here."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class TrainingSettings(BaseSettings):
    """Read from the environment, prefix ``PARLEY_TRAINING_``."""

    model_config = SettingsConfigDict(env_prefix="PARLEY_TRAINING_", env_ignore_empty=True)

    threads: int | None = Field(default=None, ge=1, description="CPU threads of a training process; every core where it is not set.")
    folder: Path = Field(default=Path("build") / "starter", description="Where builds leave their work and their models.")
    mlflow_url: str | None = Field(default=None, description="Address of an MLflow server that is told of runs as well; unset: none.")
    mlflow_experiment: str = Field(default="parley", description="Experiment on that server; it is made where it is not there.")
    mlflow_token: SecretStr | None = Field(default=None, description="Sent to that server as a bearer token.")
    approve_own_specs: bool = Field(default=False, description="Whether who proposes a reward spec may also approve it.")
