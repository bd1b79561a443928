"""Wishes: found in what customers said, shown to a person, confirmed or released by him."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from primeta.attention.ledger import Event, key_of
from primeta.attention.ledger_words import tell
from primeta.attention.records import Entry
from primeta.attention.wish_meaning import wishes_in_all
from primeta.attention.wishes import VERSION, events_of
from primeta.errors import BadInput, Conflict, NotFound
from primeta.show import locale
from primeta.show.locale import Language
from primeta.show.result import Head, Table
from primeta.sources.records import GROUP_OF
from primeta.store.documents import documents_after
from primeta.store.keys import keys_of
from primeta.store.ledger import append_all, load_kind
from primeta.workspace.files import write_whole

if TYPE_CHECKING:
    from primeta.workspace.workspace import Workspace

READ_UP_TO = "cache/wishes.json"
"""Up to which document wishes were looked for, by which rules. Lost, all are read again: nothing is written twice."""
AT_ONCE = 2_000
SHORT_KEY = 8
"""Letters of a key that are shown; a person may give as few as are unique."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WishView:
    """A wish that waits for a person."""

    key: str
    customer: str
    """A pseudonym."""
    said_at: datetime
    means: str
    channels: tuple[str, ...]
    max_per_week: int | None
    sentence: str
    found_in: str

    def words(self, lang: Language) -> str:
        if self.means == "less-often" and self.max_per_week is not None:
            return tell(lang, "less-often-n", n=self.max_per_week)
        return tell(lang, self.means, channels=", ".join(self.channels) or "—")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """All that wait, oldest first, and what a search has just found."""

    waiting: tuple[WishView, ...]
    zone: ZoneInfo
    found: int = 0
    texts: int = 0
    """Read just now."""
    nobody: int = 0
    """Texts with a wish of which nobody knows who wrote them."""
    why_not: str = ""
    """Why wishes were looked for by rules alone; empty: by meaning too."""

    def line(self, lang: Language = "en") -> str:
        n = len(self.waiting)
        code = "no-wishes" if n == 0 else "one-wish" if n == 1 else "wishes"
        said = [tell(lang, code, n=locale.number(n, lang))]
        if self.texts:
            texts = locale.number(self.texts, lang)
            said.append(tell(lang, "found", n=locale.number(self.found, lang), texts=texts))
        if self.nobody:
            said.append(tell(lang, "nobody", n=locale.number(self.nobody, lang)))
        if self.why_not:
            said.append(tell(lang, "by-rules-alone"))
        return " ".join(said)

    def table(self, lang: Language = "en") -> Table:
        heads = tuple(Head(tell(lang, code)) for code in ("key", "said", "who", "means", "sentence"))
        rows = tuple(
            (
                wish.key[:SHORT_KEY],
                locale.moment(wish.said_at, lang, self.zone),
                wish.customer,
                wish.words(lang),
                wish.sentence,
            )
            for wish in self.waiting
        )
        return Table(heads=heads if rows else (), rows=rows, note=self.line(lang))

    def as_dict(self) -> dict[str, Any]:
        return {
            "waiting": [
                {
                    "key": wish.key,
                    "customer": wish.customer,
                    "said_at": wish.said_at,
                    "means": wish.means,
                    "channels": list(wish.channels),
                    "max_per_week": wish.max_per_week,
                    "sentence": wish.sentence,
                    "found_in": wish.found_in,
                }
                for wish in self.waiting
            ],
            "found": self.found,
            "texts": self.texts,
            "nobody": self.nobody,
            "why_not": self.why_not,
        }


def wishes(
    ws: Workspace,
    *,
    now: datetime,
    by: str,
    find: bool = False,
    confirm: str = "",
    release: str = "",
    max_per_week: int | None = None,
    channels: tuple[str, ...] = (),
) -> Wishes:
    """What waits for a person, after looking for new ones or settling one.

    Raises:
        NotFound, Conflict, BadInput: as `settle_wish`.
    """
    if confirm and release:
        raise BadInput("a wish is confirmed or released: give --confirm or --release, not both")
    if max_per_week is not None and not confirm:
        raise BadInput("--max-per-week belongs to --confirm")
    if channels and not confirm:
        raise BadInput("--channels belongs to --confirm")
    if confirm or release:
        settle_wish(
            ws,
            confirm or release,
            verdict="confirmed" if confirm else "released",
            by=by,
            now=now,
            max_per_week=max_per_week,
            channels=channels,
        )
    found, texts, nobody, why_not = find_wishes(ws, now=now) if find else (0, 0, 0, "")
    return Wishes(
        waiting=waiting_wishes(ws, now=now),
        zone=ws.config.zone,
        found=found,
        texts=texts,
        nobody=nobody,
        why_not=why_not,
    )


def waiting_wishes(ws: Workspace, *, now: datetime) -> tuple[WishView, ...]:
    """Wishes without a person's word, oldest first."""
    keys = keys_of(ws.database, now=now)
    told, verdicts = _wishes(ws)
    return tuple(
        view_of(entry, keys.pseudonym(entry.customer_id))
        for entry in sorted(told, key=lambda entry: (entry.happened_at, entry.number))
        if entry.key not in verdicts
    )


def view_of(entry: Entry, customer: str) -> WishView:
    """A wish as it is shown."""
    return WishView(
        key=entry.key,
        customer=customer,
        said_at=entry.happened_at,
        means=entry.payload["means"],
        channels=tuple(entry.payload.get("channels") or ()),
        max_per_week=entry.payload.get("max_per_week"),
        sentence=entry.payload.get("sentence", ""),
        found_in=entry.payload.get("found_in", ""),
    )


def settle_wish(
    ws: Workspace,
    key: str,
    *,
    verdict: str,
    by: str,
    now: datetime,
    max_per_week: int | None = None,
    channels: tuple[str, ...] = (),
    note: str = "",
) -> None:
    """A person has looked: the wish becomes an opt-out or a preference, or marketing goes on.

    Args:
        key: Of the wish, or as many of its first letters as are unique.
        max_per_week: What a wish for fewer messages means.
        channels: Those that he meant, where it was understood otherwise; empty: as it was understood.
        note: Why it was decided so.
    Raises:
        NotFound: there is no such wish.
        BadInput: several begin so; or nobody says how many messages a wish for fewer means.
        Conflict: it was confirmed before: only a new consent of the customer undoes that.
    """
    told, verdicts = _wishes(ws)
    found = [entry for entry in told if entry.key == key] or [
        entry for entry in told if key and entry.key.startswith(key)
    ]
    if not found:
        raise NotFound(f"there is no wish {key!r}; `primeta attention wishes {ws.folder}` lists them")
    if len(found) > 1:
        raise BadInput(f"{len(found)} wishes begin with {key!r}; give more of the key")
    wish = found[0]
    before = verdicts.get(wish.key)
    if before is not None and before.payload["verdict"] == "confirmed" and verdict == "released":
        raise Conflict(
            f"{before.by} confirmed this wish; only a new consent that the customer gives himself undoes it"
        )
    meant = wish.payload.get("max_per_week") if max_per_week is None else max_per_week
    if verdict == "confirmed" and wish.payload["means"] == "less-often" and meant is None:
        raise BadInput("he asks for fewer messages; say how many a week are meant: --max-per-week 1")
    if max_per_week is not None and max_per_week < 0:
        raise BadInput(f"--max-per-week {max_per_week}: 0 or more was expected")
    if channels and (
        verdict != "confirmed" or wish.payload["means"] not in ("stop-channel", "only-channels")
    ):
        raise BadInput("channels belong to the confirmation of a wish about channels")
    payload: dict[str, Any] = {"wish": wish.key, "verdict": verdict}
    if channels:
        payload["channels"] = list(channels)
    if note.strip():
        payload["note"] = note.strip()[:2_000]
    if max_per_week is not None:
        payload["max_per_week"] = max_per_week
    event = Event(
        key=key_of("wish-confirmed", wish.key, verdict, max_per_week, *channels, by, now),
        kind="wish-confirmed",
        customer_id=wish.customer_id,
        happened_at=now,
        payload=payload,
        by=by,
    )
    append_all(ws.database, [event], now=now)


def find_wishes(ws: Workspace, *, now: datetime) -> tuple[int, int, int, str]:
    """Look for wishes in what customers said since the last time.

    Returns:
        New wishes, texts read, texts with a wish and without a customer; why meaning was not looked at, if so.
    """
    place = ws.folder / READ_UP_TO
    try:
        kept = json.loads(place.read_text("utf-8"))
        # What rules alone have read is read again once meaning can be looked at.
        after = int(kept["number"]) if kept["rules"] == VERSION and not kept.get("why_not") else 0
    except (OSError, KeyError, TypeError, ValueError):
        after = 0
    new = texts = nobody = 0
    without = ""
    # Newer rules may read a text a little otherwise: what was found in it once is not found again.
    known = {entry.key for entry in _wishes(ws)[0]}

    def events() -> Iterator[Event]:
        nonlocal texts, nobody, after, without
        while True:
            with ws.database.read() as connection:
                some = documents_after(connection, after, AT_ONCE)
            if not some:
                return
            voices = [entry.document for entry in some if GROUP_OF[entry.document.kind] == "voice"]
            texts += len(voices)
            read = wishes_in_all(
                [f"{said.title}\n{said.text}" if said.title else said.text for said in voices]
            )
            without = without or read.why_not
            for said, wishes in zip(voices, read.wishes, strict=True):
                if said.customer_id:
                    found = events_of(
                        wishes,
                        customer_id=said.customer_id,
                        said_at=said.published_at or said.seen_at,
                        found_in=said.id,
                    )
                    yield from (event for event in found if event.key not in known)
                elif wishes:
                    nobody += 1
            after = some[-1].number

    new = append_all(ws.database, events(), now=now).new
    place.parent.mkdir(parents=True, exist_ok=True)
    write_whole(place, json.dumps({"number": after, "rules": VERSION, "why_not": without}))
    return new, texts, nobody, without


def _wishes(ws: Workspace) -> tuple[list[Entry], dict[str, Entry]]:
    """All wishes that are not erased, and the word on each that holds."""
    with ws.database.read() as connection:
        entries = [entry for entry in load_kind(connection, "wish", "wish-confirmed") if entry.salt]
    verdicts: dict[str, Entry] = {}
    for entry in entries:
        if entry.kind == "wish-confirmed":
            wish = entry.payload["wish"]
            known = verdicts.get(wish)
            if known is None or known.payload["verdict"] != "confirmed":
                verdicts[wish] = entry
    return [entry for entry in entries if entry.kind == "wish"], verdicts
