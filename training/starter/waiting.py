"""How idle compute threads wait, which must be settled before torch is first imported.

OpenMP threads spin at every barrier by default. On a machine where anything else runs that costs far more than it gains: measured with
one busy neighbour on two cores, 2,000 tokens/s spinning and 3,400 sleeping; with three, the gate's look at the KL takes 90 s instead of
more than 200.
"""

import os
from collections.abc import Mapping
from types import MappingProxyType

PASSIVE: Mapping[str, str] = MappingProxyType({"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0"})
"""The environment of a process whose threads sleep while they wait."""


def let_idle_threads_sleep() -> None:
    """Ask OpenMP for passive waiting, unless the environment already says otherwise."""
    for name, value in PASSIVE.items():
        os.environ.setdefault(name, value)
