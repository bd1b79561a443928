"""Data: what is wrong with the facts, rule by rule. Reading them can take long, so it runs beside."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response

from primeta.errors import PrimetaError
from primeta.web.page import Sent, done, page, reader_of, site_of
from primeta.web.pages.delivery import delivery_of

router = APIRouter()
PATIENCE_SECONDS = 1.0


@dataclass(slots=True)
class Doctor:
    """The last diagnosis and the one that is being made; one at a time."""

    diagnosis: Any = None
    problem: str = ""
    looked_at: datetime | None = None
    thread: threading.Thread | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def looking(self) -> bool:
        return self.thread is not None and self.thread.is_alive()

    def look(self, diagnose: Callable[[], Any], *, now: datetime, patience: float = PATIENCE_SECONDS) -> None:
        """Start a diagnosis unless one is being made, and wait a moment for it."""
        with self.lock:
            if not self.looking:
                # No daemon: the engine may not be cut off in the middle when the server ends.
                self.thread = threading.Thread(target=self._run, args=(diagnose, now))
                self.thread.start()
            thread = self.thread
        if thread is not None:
            thread.join(patience)

    def _run(self, diagnose: Callable[[], Any], now: datetime) -> None:
        try:
            self.diagnosis, self.problem = diagnose(), ""
        except PrimetaError as error:
            self.diagnosis, self.problem = None, str(error)
        except Exception as error:
            self.diagnosis, self.problem = None, f"{type(error).__name__}: {error}"
            raise
        finally:
            self.looked_at = now


@router.get("/data")
def data(request: Request) -> Response:
    site, reader, doctor = site_of(request), reader_of(request), request.app.state.doctor
    if doctor.looked_at is None or doctor.looking:
        now = site.now()
        doctor.look(lambda: site.workspace.diagnosis(now=now), now=now)
    tables = sorted(site.workspace.config.tables)
    return page(
        request,
        "data.html",
        reader,
        status=503 if doctor.problem and not doctor.looking else 200,
        diagnosis=None if doctor.looking else doctor.diagnosis,
        problem="" if doctor.looking else doctor.problem,
        looking=doctor.looking,
        looked_at=doctor.looked_at,
        tables=tables,
        table_names=[reader.word(f"table.{name}").casefold() for name in tables],
        delivery=delivery_of(request),
    )


@router.post("/data")
def look_again(request: Request, sent: Sent) -> Response:
    site = site_of(request)
    now = site.now()
    request.app.state.doctor.look(lambda: site.workspace.diagnosis(now=now), now=now)
    return done("/data")
