"""Work that may take longer than a page: it runs beside, the page says so and reloads itself until it is there."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from primeta.errors import PrimetaError

T = TypeVar("T")
PATIENCE_SECONDS = 1.0
"""So long a page waits before it is shown without the answer."""
MOST_KEPT = 64


@dataclass(slots=True)
class Beside(Generic[T]):
    """One piece of work: its thread, then its answer or its problem."""

    thread: threading.Thread | None = None
    answer: T | None = None
    problem: str = ""

    @property
    def working(self) -> bool:
        return self.thread is not None and self.thread.is_alive()


@dataclass(slots=True)
class Answers(Generic[T]):
    """Answers by what was asked; the oldest are forgotten."""

    kept: OrderedDict[Hashable, Beside[T]] = field(default_factory=OrderedDict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, question: Hashable, work: Callable[[], T]) -> Beside[T]:
        """The answer, or the work that goes on; a question that failed is asked anew."""
        with self.lock:
            found = self.kept.get(question)
            if found is None or (found.problem and not found.working):
                found = Beside[T]()
                # No daemon: the engine may not be cut off in the middle when the server ends.
                found.thread = threading.Thread(target=_run, args=(found, work))
                self.kept[question] = found
                found.thread.start()
            self.kept.move_to_end(question)
            while len(self.kept) > MOST_KEPT:
                self.kept.popitem(last=False)
        if found.thread is not None:
            found.thread.join(PATIENCE_SECONDS)
        return found


def _run(found: Beside[T], work: Callable[[], T]) -> None:
    try:
        found.answer = work()
    except PrimetaError as error:
        found.problem = str(error)
    except Exception as error:
        found.problem = f"{type(error).__name__}: {error}"
        raise
