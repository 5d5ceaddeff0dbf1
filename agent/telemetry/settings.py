"""What an operator may switch on of traces, metrics and logs; every field is set by the environment with the prefix ``PARLEY_``."""

from enum import StrEnum

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class LogFormat(StrEnum):
    """How a log line is written."""

    TEXT = "text"
    """For people."""
    JSON = "json"
    """One object a line, for a log store."""


class TelemetrySettings(BaseSettings):
    """Settings of traces, metrics and logs. With none of them set, nothing leaves the machine."""

    model_config = SettingsConfigDict(env_prefix="PARLEY_", env_ignore_empty=True, extra="ignore", use_attribute_docstrings=True)

    otlp_endpoint: str | None = None
    """Base address of an OpenTelemetry collector (OTLP over HTTP, ``http://127.0.0.1:4318``); unset, the standard variable
    ``OTEL_EXPORTER_OTLP_ENDPOINT`` counts. Without either there are no traces."""

    otlp_content: bool = False
    """Put prompts and answers of the model into traces: what hotels wrote, and names in it, then leave for the collector."""

    log_format: LogFormat = LogFormat.TEXT
    """``text`` or ``json``."""

    metrics_token: SecretStr | None = Field(default=None, min_length=16)
    """Who sends it as a bearer token may read ``/metrics`` of the web app from anywhere. Unset: only a process on this machine may."""

    metrics_host: str = "127.0.0.1"
    """Address on which processes without web pages show their metrics, where they have a port for it. There is no token: on another
    address than loopback, a private network has to keep others out."""

    follow_up_metrics_port: int | None = Field(default=None, ge=1, le=65535)
    """Port of the follow-up process's metrics; unset: none."""

    worker_metrics_port: int | None = Field(default=None, ge=1, le=65535)
    """Port of a worker's metrics, those of training runs included; unset: none."""
