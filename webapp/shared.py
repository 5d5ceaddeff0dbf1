"""One value a process, made on first use and shared by all threads.

A failure to make it is not remembered, so that a page works again as soon as the cause is gone.
"""

from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Shared(Generic[T]):
    """Call it to have the value; ``close`` ends it, and the next call makes another."""

    def __init__(self, make: Callable[[], tuple[T, Callable[[], object]]]) -> None:
        """``make`` returns the value, with what closes it."""
        self._make = make
        self._lock = Lock()
        self._made: tuple[T, Callable[[], object]] | None = None

    def __call__(self) -> T:
        """The value, made now if it is the first call."""
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made[0]

    def close(self) -> None:
        """End the value, if there is one."""
        with self._lock:
            made, self._made = self._made, None
        if made is not None:
            made[1]()
