"""How our own model server runs; every field is set by the environment with the prefix ``PARLEY_``.

Where the agent finds its model is decided by ``agent.settings``; nothing here is used when ``PARLEY_MODEL_URL`` names a server of yours.
"""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from agent.serving.starter import MODEL_FOLDER, MODEL_NAME


class ServingSettings(BaseSettings):
    """Settings of the model server. The defaults fit the starter model on a CPU."""

    model_config = SettingsConfigDict(env_prefix="PARLEY_", use_attribute_docstrings=True, extra="ignore", env_ignore_empty=True)

    model_path: Path = MODEL_FOLDER
    """Folder with the base model's weights and tokenizer."""

    model_name: str = MODEL_NAME
    """Name under which the base model is served."""

    model_port: int = Field(default=8400, ge=1, le=65535)
    """Port on 127.0.0.1; the server has admin routes and is never bound to another address."""

    model_window: int = Field(default=1024, ge=64)
    """Longest prompt and answer together, in tokens."""

    model_threads: int = Field(default=1, ge=1)
    """CPU threads of the model; a GPU ignores it. Threads wait for each other by spinning: beside other busy processes a second one made
    the starter model eight times slower, so more pay only for a larger model on cores that nothing else wants."""

    model_cache_mib: int = Field(default=512, ge=16)
    """Memory for attention keys and values on a CPU, in MiB; a GPU takes what vLLM finds free."""

    max_lora_rank: int = Field(default=8, ge=1)
    """Largest rank of an adapter. It sets the cost of every adapter on a CPU, also of smaller ones."""

    max_loras: int = Field(default=2, ge=1)
    """Adapters that may answer in the same batch."""

    max_cpu_loras: int = Field(default=8, ge=1)
    """Adapters kept in memory."""
