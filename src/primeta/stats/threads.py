"""Independent pieces of array work on all cores: numpy lets go of the interpreter while it counts."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

FROM = 2
"""Pieces from which threads pay."""


def each(pieces: Sequence[tuple], work: Callable[..., None]) -> None:
    """Call `work(*piece)` for every piece; the pieces must write to places of their own.

    The order does not matter to the result, so it is the same on any number of cores.
    """
    cores = min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2, len(pieces))
    if len(pieces) < FROM or cores < 2:
        for piece in pieces:
            work(*piece)
        return
    with ThreadPoolExecutor(cores) as pool:
        for done in [pool.submit(work, *piece) for piece in pieces]:
            done.result()
