"""What an operator may set about releases; every field is set by the environment with the prefix ``PARLEY_``."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from db.settings import DatabaseSettings


class ReleaseSettings(BaseSettings):
    """Settings of publishing, canaries and draining. How strict the gate is belongs to each retrain, not here."""

    model_config = SettingsConfigDict(env_prefix="PARLEY_", use_attribute_docstrings=True, extra="ignore", env_ignore_empty=True)

    model_admin_urls: str = ""
    """Addresses of all replicas of the model server, with commas between; empty: the one at PARLEY_MODEL_URL. Chats go to PARLEY_MODEL_URL
    alone, which may be a router before the replicas; versions are loaded on each replica by itself. Each must see the adapters' folder
    under the same path."""

    canary_share: float = Field(default=0.1, gt=0, lt=1)
    """Share of new conversations that a canary gets where nobody says otherwise."""

    canary_alpha: float = Field(default=0.05, gt=0, lt=1)
    """Chance, over the whole life of a canary that is as good as what is live, that it is rolled back all the same."""

    canary_replies: int = Field(default=4, ge=1)
    """Our first so many replies of a conversation are what it tells about its version; with them it counts, also if it goes on."""

    canary_enough: int = Field(default=300, ge=20)
    """Conversations of a canary after which it may become live by itself."""

    canary_promotes: bool = False
    """Whether it then does, where its publisher did not say otherwise."""

    canary_slow_s: float = Field(default=20.0, gt=0)
    """Replies slower than this are all alike to the comparison of latencies."""

    canary_slower: float = Field(default=0.05, ge=0, lt=1)
    """By how much of ``canary_slow_s`` a canary's replies may be slower on the mean without being called slow."""

    drain_days: float = Field(default=14.0, ge=0)
    """Days after which a conversation that is still held by a version which is no longer deployed goes on with the live one."""

    drain_grace_s: float = Field(default=60.0, ge=0)
    """Seconds that a version stays loaded after nobody uses it any more: somebody may be opening a conversation with it right now."""


def adapters_folder() -> Path:
    """Where published adapters lie: ``adapters`` in the data folder."""
    return DatabaseSettings().home / "adapters"
