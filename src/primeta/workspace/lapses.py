"""Lapse over a workspace's own orders."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from primeta.reactivation.histories import open_facts
from primeta.reactivation.lapse import FIXED_DAYS, Lapse, State, lapse_of
from primeta.warehouse.engine import open_warehouse
from primeta.warehouse.facts_store import load_facts, refresh_facts

if TYPE_CHECKING:
    from primeta.workspace.workspace import Workspace


def lapse_in(
    ws: Workspace,
    *,
    now: datetime,
    until: date | str | None = None,
    silence: float = 0.05,
    cooling: float = 0.2,
    days: int = FIXED_DAYS,
    weeks: int = 26,
    out: Path | None = None,
    only: State | Literal[""] = "",
) -> Lapse:
    """Who is silent longer than his own rhythm allows; see `reactivation.lapse`.

    Args:
        until: The last day, inclusive; None: the last day of the facts.
    Raises:
        BadTable: there are no orders. BadConfig, EngineFailed: the facts cannot be read.
    """
    facts = load_facts(ws.folder / "facts")
    if facts is None:
        with open_warehouse(ws.config) as warehouse:
            facts = refresh_facts(warehouse, now=now).facts
    with open_facts(facts, until=until) as log:
        return lapse_of(log, silence=silence, cooling=cooling, days=days, weeks=weeks, out=out, only=only)
