"""`retain`: what is older than `[attention.retention]` allows is emptied, by class; safe to repeat and to kill."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from primeta.attention.reserve import looks_back
from primeta.config import config_error
from primeta.errors import PrimetaError
from primeta.show import locale
from primeta.show.result import Head, Table
from primeta.store import retention as store
from primeta.store.erasure import off_the_disk
from primeta.store.keys import keys_of
from primeta.workspace.collect import LOCK as COLLECT_LOCK
from primeta.workspace.erase import forget_cache
from primeta.workspace.lock import only_one
from primeta.workspace.may_send import policy_in_force, promises_in_force
from primeta.workspace.rights_words import name_of, tell
from primeta.workspace.voices import VOICES

if TYPE_CHECKING:
    from primeta.workspace.workspace import Progress, Workspace

LEDGER = ("touch", "reaction", "decision", "kept", "access")
COUNTED_IN_WINDOWS = ("touch", "reservation")
"""Windows of caps and promises look back at them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retained:
    """What went, or would go, by class."""

    spans: Mapping[str, timedelta]
    """Class → how long it is kept; a class without one is kept."""
    gone: Mapping[str, int]
    dry_run: bool

    def line(self, lang: str = "en") -> str:
        if not self.spans:
            return tell(lang, "retained.none")
        code = "retained.would" if self.dry_run else "retained.done"
        return tell(lang, code, count=locale.number(sum(self.gone.values()), lang))

    def table(self, lang: str = "en") -> Table:
        heads = (
            Head(tell(lang, "retained.what")),
            Head(tell(lang, "retained.span"), "right"),
            Head(tell(lang, "retained.went" if not self.dry_run else "retained.goes"), "right"),
        )
        rows = tuple(
            (
                name_of(lang, name),
                tell(lang, "retained.days", days=locale.number(span.days, lang)),
                locale.number(self.gone.get(name, 0), lang),
            )
            for name, span in self.spans.items()
        )
        return Table(heads=heads if rows else (), rows=rows, note=self.line(lang))

    def as_dict(self) -> dict[str, Any]:
        return {
            "dry_run": self.dry_run,
            "classes": [
                {"class": name, "days": span.days, "count": self.gone.get(name, 0)}
                for name, span in self.spans.items()
            ],
        }


def retain(
    ws: Workspace,
    *,
    now: datetime,
    by: str = "primeta",
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Retained:
    """Empty what is too old. Batch by batch, so that a killed one is simply run again; senders are not held up.

    Consents, refusals, promises, wishes, opt-outs and erasures have no span: they are proof, and what they decide stays
    decided. What caps, first messages and broken promises need stands in the states, which keep it.

    Raises:
        BadConfig: a span is shorter than a window of a cap or promise that looks back at it.
        Locked: a collector works in this workspace (where voices have a span).
    """
    spans = dict(ws.config.attention.retention)
    _long_enough(ws, spans, now)
    step = progress or (lambda _step, _done, _total: None)
    gone: dict[str, int] = {}
    for number, (name, span) in enumerate(spans.items()):
        step(name, number, len(spans))
        before = now - span
        if name in LEDGER:
            gone[name] = _entries(ws, name, before, now=now, by=by, dry_run=dry_run)
        elif name == "voice":
            gone[name] = _voices(ws, before, dry_run=dry_run)
        elif name == "raw":
            gone[name] = _raw(ws, before, dry_run=dry_run)
        elif dry_run:
            with ws.database.read() as connection:
                gone[name] = store.count_old_rows(connection, name, before=before)
        else:
            with ws.database.write() as connection:
                gone[name] = store.drop_old_rows(connection, name, before=before)
    if not dry_run and any(gone.values()):
        off_the_disk(ws.database)
    return Retained(spans=spans, gone=gone, dry_run=dry_run)


def retain_quietly(ws: Workspace, *, now: datetime) -> Retained | None:
    """After a watch: what is declared; None where nothing is, or where it cannot be done now: `retain` itself says why, and
    the next watch tries again."""
    if not ws.config.attention.retention:
        return None
    try:
        return retain(ws, now=now)
    except PrimetaError:
        return None


def _long_enough(ws: Workspace, spans: Mapping[str, timedelta], now: datetime) -> None:
    back = looks_back(policy_in_force(ws, now=now), promises_in_force(ws))
    for name in COUNTED_IN_WINDOWS:
        if name in spans and spans[name] < back:
            raise config_error(
                ws.config,
                "attention.retention",
                name,
                f"{name} is kept {spans[name].days} days, but a cap or promise counts messages over {back.days} days; give "
                "at least that",
            )


def _entries(ws: Workspace, kind: str, before: datetime, *, now: datetime, by: str, dry_run: bool) -> int:
    if dry_run:
        with ws.database.read() as connection:
            return store.count_old(connection, kind, before=before)
    keys = keys_of(ws.database, now=now)
    done = after = 0
    while True:
        with ws.database.read() as connection:
            old = store.old_entries(connection, kind, before=before, after=after)
        if old.numbers:
            with ws.database.write() as connection:
                store.empty_entries(connection, kind, old.numbers, before=before, now=now, by=by, keys=keys)
            done += len(old.numbers)
        if not old.looked_up_to:
            return done
        after = old.looked_up_to


def _voices(ws: Workspace, before: datetime, *, dry_run: bool) -> int:
    if dry_run:
        with ws.database.read() as connection:
            return store.count_old_documents(connection, VOICES, before=before)
    done = 0
    with only_one(ws.folder / COLLECT_LOCK, "a collector"):
        while True:
            with ws.database.read() as connection:
                ids = store.old_documents(connection, VOICES, before=before)
            if not ids:
                break
            with ws.database.write() as connection:
                done += store.empty_documents(connection, ids)
        if done:
            forget_cache(ws)
    return done


def _raw(ws: Workspace, before: datetime, *, dry_run: bool) -> int:
    """Files as sources brought them lie in folders of their months: a month that is over by then goes."""
    done = 0
    for file in sorted((ws.folder / "raw").rglob("*.gz")):
        if file.parent.name < f"{before:%Y-%m}":
            done += 1
            if not dry_run:
                file.unlink(missing_ok=True)
    return done
