"""Python's garbage collector, left out while hundreds of thousands of small rows are made.

They hold no cycles, and all of them live until the figures are made: looking through them for garbage again and again takes longer than
reading them does.
"""

import gc
import threading
from collections.abc import Generator
from contextlib import contextmanager

_lock = threading.Lock()
_inside = 0
_was_on = True


@contextmanager
def uncollected() -> Generator[None]:
    """No collection in this process for the length of the block; several threads may be inside, and the last one ends it."""
    global _inside, _was_on
    with _lock:
        if not _inside:
            _was_on = gc.isenabled()
            gc.disable()
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside and _was_on:
                gc.enable()
