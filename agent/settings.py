"""How the agent talks to its model and when it loses patience; every field is set by the environment with the prefix ``PARLEY_``."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class AgentSettings(BaseSettings):
    """Settings of the agent room. A value out of range is refused at start, with the name of its variable."""

    model_config = SettingsConfigDict(env_prefix="PARLEY_", use_attribute_docstrings=True, extra="ignore")

    model_url: str = "http://127.0.0.1:8400/v1"
    """Base address of an OpenAI-compatible server; ``parley up`` sets it to its own."""

    model_name: str = "parley-starter"
    """Name under which the base model is served."""

    model_timeout_s: float = Field(default=60.0, gt=0)
    """Seconds to wait for one answer of the model."""

    model_retries: int = Field(default=2, ge=0)
    """Further tries after a connection error or an overloaded server."""

    temperature: float = Field(default=0.3, ge=0, le=2)
    """Sampling temperature of replies; reading is always greedy."""

    redraws: int = Field(default=8, ge=0, le=16)
    """Further drafts where the model finds its own one unlikely, or where that is no reply. 0 switches it off."""

    redraw_below: float = Field(default=-0.7, le=0)
    """A draft's fluency (``agent.language.writer``) below which that is done. Measured with the starter model; others differ."""

    most_message_chars: int = Field(default=20_000, gt=0)
    """Longest message that is taken from a hotel or a person."""

    follow_up_after_h: float = Field(default=24.0, gt=0)
    """Hours of silence after which the hotel is reminded."""

    busy_wait_s: float = Field(default=30.0, gt=0)
    """Seconds that a request waits for another one on the same conversation."""
