"""One watch at a time, by a lock file that a dead process does not keep."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from primeta.errors import Locked


@contextmanager
def only_one(path: Path, what: str) -> Iterator[None]:
    """Hold `path` while `what` runs; the kernel lets go when the process dies, however it dies.

    Raises:
        Locked: another living process holds it; the message names that process.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
            raise Locked(
                f"{what} runs already in this workspace (process {holder}); wait until it has finished"
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        yield
    finally:
        os.close(descriptor)
