"""What the master shares with its workers: a place in memory for each connection, which outlives the worker.

The first octet of a slot says whether the connection waits for an answer (``SharedState``). So the master knows,
when a worker dies, which of its connections another worker can carry on without a question being lost.
"""

from __future__ import annotations

import mmap
import os

from pipebackend.server.sharedstate import SharedState

__all__ = ["CHUNK", "SLOT", "Slots", "memory_file"]

SLOT = 4096  # octets; a page, so that a slot never used costs no memory
CHUNK = 3072  # of it, for one read; the rest is for the request that opens a session


def memory_file(count: int) -> int:
    """A descriptor of memory for so many slots, which other processes can map."""
    descriptor = os.memfd_create("connections")
    os.ftruncate(descriptor, count * SLOT)
    return descriptor


class Slots:
    """The memory behind a descriptor."""

    def __init__(self, descriptor: int) -> None:
        self.count = os.fstat(descriptor).st_size // SLOT
        self._view = memoryview(mmap.mmap(descriptor, self.count * SLOT))

    def memory(self, slot: int) -> SharedState:
        """The memory of one connection, as it was left."""
        return SharedState(self._view[slot * SLOT : (slot + 1) * SLOT], CHUNK)

    def is_waiting(self, slot: int) -> bool:
        """Whether a request of this connection was read and not answered."""
        return self.memory(slot).is_waiting

    def clear(self, slot: int) -> None:
        """Make a slot ready for a new connection."""
        self._view[slot * SLOT : (slot + 1) * SLOT] = bytes(SLOT)
