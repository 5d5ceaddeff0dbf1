"""How our own model server runs; every field is set by the environment with the prefix ``PARLEY_``.

Where the agent finds its model is decided by ``agent.settings``; nothing here is used when ``PARLEY_MODEL_URL`` names a server of yours.
"""

from pathlib import Path
from typing import Literal

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
    """Port that the server listens on."""

    model_host: str = "127.0.0.1"
    """Address that the server listens on. It has admin routes and asks nobody who they are: on another address than loopback, a private
    network has to keep everybody out but Parley's own processes."""

    model_window: int = Field(default=1024, ge=64)
    """Longest prompt and answer together, in tokens."""

    model_threads: int = Field(default=1, ge=1)
    """CPU threads of the model; a GPU ignores it. Threads wait for each other by spinning: beside other busy processes a second one made
    the starter model eight times slower, so more pay only for a larger model on cores that nothing else wants."""

    model_dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """Number format that the model computes in. ``auto`` is the one that this processor multiplies fast; on a GPU, the model's own."""

    model_cache_mib: int = Field(default=512, ge=16)
    """Memory for attention keys and values on a CPU, in MiB; a GPU takes what vLLM finds free."""

    max_lora_rank: int = Field(default=8, ge=1)
    """Largest rank of an adapter. It sets the cost of every adapter on a CPU, also of smaller ones."""

    max_loras: int = Field(default=2, ge=1)
    """Adapters that may answer in the same batch."""

    max_cpu_loras: int = Field(default=8, ge=1)
    """Adapters kept in memory."""
