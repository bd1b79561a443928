"""What watching metrics and watching attention share: first sights, settings, zones."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from primeta.signals.signal import Frozen, Origin, Signal
from primeta.signals.watch import WatchSettings
from primeta.store import signals as signal_rows
from primeta.warehouse.series import Series

if TYPE_CHECKING:
    from primeta.workspace.workspace import Workspace


def first_sights(ws: Workspace, promise_start: date, *, origin: Origin) -> dict[str, Frozen]:
    """Of that promise year and origin; those of topics are known by `store.topics`."""
    with ws.database.read() as connection:
        frozen = signal_rows.load_frozen(connection, promise_start)
    return {name: entry for name, entry in frozen.items() if entry.origin == origin}


def settings_of(ws: Workspace) -> WatchSettings:
    given = ws.config.watch
    return WatchSettings(
        false_share=given.false_share,
        promise_weeks=given.promise_weeks,
        smallest_effect=given.smallest_effect,
    )


def placed(signals: Sequence[Signal], ws: Workspace, *, baseline_weeks: int) -> tuple[Signal, ...]:
    """Signals with their first sight in the workspace's zone, and a warning where no last year is known."""
    told = ("no_last_year",) if baseline_weeks < 52 else ()
    found = []
    for signal in signals:
        seen = signal.frozen.first_seen.replace(tzinfo=ws.config.zone)
        frozen = dataclasses.replace(signal.frozen, first_seen=seen)
        found.append(dataclasses.replace(signal, frozen=frozen, why=(*signal.why, *told)))
    return tuple(found)


def weeks_before(weekly: Sequence[Series], promise_start: date) -> int:
    first = min((entry.starts[0] for entry in weekly if len(entry.starts)), default=None)
    return 0 if first is None else int((np.datetime64(promise_start, "D") - first) // np.timedelta64(7, "D"))
