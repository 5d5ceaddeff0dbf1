"""The model server and the versions of the policy that it serves."""

from agent.serving.settings import ServingSettings
from agent.serving.swap import AdapterRefused, DrainTimeout, Loadable, ModelServer, ModelServerUnavailable
from agent.serving.versions import (
    AdapterNameTaken,
    AdapterNotReady,
    AdapterStore,
    AdapterStoreFull,
    AdapterVersion,
    NotAnAdapter,
    UnknownAdapter,
)

__all__ = [
    "AdapterNameTaken",
    "AdapterNotReady",
    "AdapterRefused",
    "AdapterStore",
    "AdapterStoreFull",
    "AdapterVersion",
    "DrainTimeout",
    "Loadable",
    "ModelServer",
    "ModelServerUnavailable",
    "NotAnAdapter",
    "ServingSettings",
    "UnknownAdapter",
]
