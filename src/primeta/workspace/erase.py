"""`erase`: all that the workspace holds about one customer goes; a receipt says what went, what stayed and why."""

from __future__ import annotations

import gzip
import mmap
import re
import shutil
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from sqlalchemy import func, select

from primeta.attention.records import EntryKind
from primeta.errors import BadInput, PrimetaError
from primeta.privacy.erased import Erased, ErasedCustomer
from primeta.show import locale
from primeta.store.erased import load_erased
from primeta.store.erasure import end_erasure, erase_customer
from primeta.store.keys import keys_of
from primeta.store.schema import documents, ledger, reservations, touch_marks
from primeta.warehouse.duck import quoted, run
from primeta.warehouse.engine import open_warehouse
from primeta.warehouse.erased import OWNERS
from primeta.warehouse.facts_forget import forget_in_facts, forget_in_file
from primeta.workspace.collect import LOCK as COLLECT_LOCK
from primeta.workspace.lock import only_one
from primeta.workspace.looks import one_at_a_time
from primeta.workspace.receipts import Elsewhere, Receipt, write_receipt
from primeta.workspace.rights_words import tell

if TYPE_CHECKING:
    from primeta.workspace.workspace import Progress, Workspace

OWN_LISTS = ("experiments", "interviews")
"""Folders of files that cannot be computed again and name customers."""
SUMS = re.compile(r"(series-.*\.npz|.*\.sums|about\.json|series\.json|certificate\.json|credit\.json)")
"""Files of the cache that hold sums over all customers and no text: they stay. All else is worked out again."""
STAYS = ("robots",)
OURS = ("cache", "facts", "raw", "receipts", *OWN_LISTS)
"""Folders whose files are Primeta's own."""
LISTS = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".parquet")
"""Kinds of files in which people keep lists of customers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasePreview:
    """What would be erased."""

    entries: int
    rows: int
    copies: dict[str, int]
    elsewhere: tuple[Elsewhere, ...]

    def line(self, lang: str = "en") -> str:
        return tell(
            lang,
            "preview",
            entries=locale.number(self.entries, lang),
            rows=locale.number(self.rows, lang),
            copies=locale.number(sum(self.copies.values()), lang),
        )

    def as_dict(self) -> dict[str, Any]:
        return {
            "erased": False,
            "entries": self.entries,
            "rows": self.rows,
            "copies": self.copies,
            "elsewhere": [{"what": one.what, "where": one.where, "rows": one.rows} for one in self.elsewhere],
        }


def erase(
    ws: Workspace,
    customer_id: str,
    *,
    now: datetime,
    by: str,
    reason: str,
    request: str = "",
    keep: Collection[str] = (),
    progress: Progress | None = None,
) -> Receipt:
    """Erase a customer everywhere in the workspace, and remember by a keyed digest not to take him up again.

    The state goes first, in one transaction, with the list of what is still to do; then copies and files. Killed at any
    moment, the same call finishes it. The receipt is written last.

    Args:
        reason: Why; never anything about him.
        request: The number of his request.
        keep: Kinds of entries that the law lets you keep, such as `consent`.
    Raises:
        BadInput: no customer or no reason is given, a kind is not known, or reason and request name him.
        Locked: a watch or a collector works in this workspace, or somebody reads the state for too long.
    """
    _checked(customer_id, reason, request, keep)
    step = progress or (lambda _step, _done, _total: None)
    keys = keys_of(ws.database, now=now)
    alone = Erased(
        key=keys.suppression_key,
        customers=(ErasedCustomer(digest=keys.suppression_digest(customer_id), since=now, lifted=False),),
    )
    with ExitStack() as held:
        held.enter_context(only_one(ws.folder / "watch.lock", "a watch"))
        held.enter_context(only_one(ws.folder / COLLECT_LOCK, "a collector"))
        step("count", 0, 3)
        copies = _copies(ws, alone)
        files = raw_files(ws, customer_id)
        if files:
            copies["raw"] = len(files)
        elsewhere = elsewhere_of(ws, customer_id)
        step("state", 1, 3)
        told = erase_customer(
            ws.database,
            customer_id,
            now=now,
            by=by,
            reason=reason.strip(),
            request=request.strip(),
            keep_kinds=tuple(keep),
            files=files,
            copies=copies,
        )
        step("copies", 2, 3)
        forget_copies(ws)
        for name in told.files:
            (ws.folder / name).unlink(missing_ok=True)
        receipt = Receipt(erased=told, workspace=ws.config.name, elsewhere=elsewhere, folder=ws.folder)
        write_receipt(ws, receipt)
        end_erasure(ws.database, told.number)
        step("copies", 3, 3)
    return receipt


def preview(ws: Workspace, customer_id: str, *, now: datetime, keep: Collection[str] = ()) -> ErasePreview:
    """What `erase` would take away; nothing is touched."""
    _checked(customer_id, "preview", "", keep)
    keys = keys_of(ws.database, now=now)
    alone = Erased(
        key=keys.suppression_key,
        customers=(ErasedCustomer(digest=keys.suppression_digest(customer_id), since=now, lifted=False),),
    )
    with ws.database.read() as connection:
        entries = connection.scalar(
            select(func.count())
            .select_from(ledger)
            .where(ledger.c.customer_id == customer_id, ledger.c.kind.not_in(list(keep)))
        )
        rows = sum(
            int(
                connection.scalar(
                    select(func.count()).select_from(table).where(table.c.customer_id == customer_id)
                )
                or 0
            )
            for table in (documents, reservations, touch_marks)
        )
    copies = _copies(ws, alone)
    if files := raw_files(ws, customer_id):
        copies["raw"] = len(files)
    return ErasePreview(
        entries=int(entries or 0), rows=rows, copies=copies, elsewhere=elsewhere_of(ws, customer_id)
    )


def _checked(customer_id: str, reason: str, request: str, keep: Collection[str]) -> None:
    if not customer_id.strip():
        raise BadInput("--customer: the id of the customer to erase was expected")
    if not reason.strip():
        raise BadInput("--reason: why he is erased was expected, such as 'asked by mail'")
    kinds = get_args(EntryKind)
    for kind in keep:
        if kind not in kinds:
            raise BadInput(f"--keep {kind!r} is no kind of entry; expected some of {', '.join(kinds)}")
    for name, said in (("--reason", reason), ("--request", request)):
        if customer_id in said and len(customer_id) > 2:
            raise BadInput(
                f"{name} names the customer; it stays in the ledger and on the receipt for good, so say it without him"
            )


# Copies and files


def _copies(ws: Workspace, alone: Erased) -> dict[str, int]:
    """Rows that copies and files hold of him."""
    counts = forget_in_facts(ws.folder / "facts", alone, only_count=True)
    for folder, file in _lists(ws):
        found = forget_in_file(file, alone, only_count=True)
        if found:
            counts[folder] = counts.get(folder, 0) + found
    return counts


def forget_copies(ws: Workspace) -> None:
    """Bring copies and files to what the state says: nobody who was erased is in them, the cache holds no text and no
    list."""
    with ws.database.read() as connection:
        erased = load_erased(connection)
    if erased is None:
        return
    forget_in_facts(ws.folder / "facts", erased)
    for _, file in _lists(ws):
        # A look at an experiment adds who is new to its list.
        with one_at_a_time(file.with_name(f".{file.name}.lock")):
            forget_in_file(file, erased)
    forget_cache(ws)


def _lists(ws: Workspace) -> list[tuple[str, Path]]:
    return [(folder, file) for folder in OWN_LISTS for file in sorted((ws.folder / folder).glob("*.parquet"))]


def forget_cache(ws: Workspace) -> None:
    """Delete of the cache what may name a customer or quote a text; sums over all customers stay."""
    cache = ws.folder / "cache"
    if not cache.is_dir():
        return
    for path in sorted(cache.rglob("*"), reverse=True):
        inside = path.relative_to(cache).parts
        if inside[0] in STAYS or path.is_dir() or path.name.endswith(".lock"):
            continue
        if not SUMS.fullmatch(path.name):
            path.unlink(missing_ok=True)
    for path in sorted(cache.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            shutil.rmtree(path, ignore_errors=True)


def raw_files(ws: Workspace, customer_id: str) -> list[str]:
    """Files of `raw/` in which what he said, or his id, stands: of those sources that brought anything of him."""
    with ws.database.read() as connection:
        query = select(documents.c.source, documents.c.text, documents.c.raw)
        rows = connection.execute(query.where(documents.c.customer_id == customer_id)).all()
    sources, digests = {row.source for row in rows}, {row.raw for row in rows if row.raw}
    needles = [customer_id.encode("utf-8", "replace")] if len(customer_id) > 4 else []
    needles += [row.text[:200].encode("utf-8", "replace") for row in rows if len(row.text) >= 20]
    found: list[str] = []
    for file in sorted((ws.folder / "raw").rglob("*.gz")):
        if file.name.split(".")[0] in digests:
            found.append(str(file.relative_to(ws.folder)))
        elif sources & set(file.relative_to(ws.folder / "raw").parts[:-1]):
            try:
                content = gzip.decompress(file.read_bytes())
            except (OSError, EOFError):
                continue
            if any(needle in content for needle in needles):
                found.append(str(file.relative_to(ws.folder)))
    return found


# What is the team's own


def elsewhere_of(ws: Workspace, customer_id: str) -> tuple[Elsewhere, ...]:
    """Rows of a customer in the mapped tables, and files of the workspace that name him: Primeta only reads them."""
    found: list[Elsewhere] = []
    with open_warehouse(replace(ws.config, erased=None)) as warehouse:
        for name in ws.config.tables:
            try:
                view, mapped = warehouse.rows(name), warehouse.mapped(name)
                condition = f"customer_id = {quoted(customer_id)}"
                if "customer_id" not in mapped.mapped:
                    owner, key = OWNERS.get(name, ("", ""))
                    if owner not in ws.config.tables:
                        continue
                    condition = f"{key} IN (SELECT {key} FROM {warehouse.rows(owner)} WHERE {condition})"
                rows = run(warehouse.connection, f"SELECT count(*) FROM {view} WHERE {condition}")[0][0]
            except PrimetaError as error:
                # What cannot be read is told all the same: it may hold him.
                found.append(Elsewhere(what=name, where=str(error), rows=0))
                continue
            if rows:
                found.append(Elsewhere(what=name, where=mapped.source.wording, rows=int(rows)))
    found += _own_files(ws, customer_id)
    return tuple(found)


def _own_files(ws: Workspace, customer_id: str) -> Sequence[Elsewhere]:
    """`primeta.toml`, the promises that it names and lists that people have had written into the folder, such as a
    filtered audience, may name customers."""
    if len(customer_id) <= 4:
        return []
    wanted = re.compile(rb"(?<![\w@.-])" + re.escape(customer_id.encode()) + rb"(?![\w@-])")
    named = {ws.config.path.name, ws.config.attention.promises}
    mapped = [table.from_ for table in ws.config.tables.values() if table.from_]
    found: list[Elsewhere] = []
    for file in sorted(ws.folder.rglob("*")):
        place = file.relative_to(ws.folder)
        name = place.as_posix()
        theirs = file.suffix in LISTS and not any(place.match(one) or name == one for one in mapped)
        if place.parts[0] in OURS or place.parts[0].startswith(".") or not (theirs or name in named):
            continue
        if file.is_file() and (times := _times(file, wanted, customer_id)):
            found.append(Elsewhere(what="file", where=name, rows=times))
    return found


def _times(file: Path, wanted: re.Pattern[bytes], customer_id: str) -> int:
    """How often a file names a customer; what cannot be read is told as one."""
    if file.suffix != ".parquet":
        with file.open("rb") as opened:
            if not file.stat().st_size:
                return 0
            with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
                return sum(1 for _ in wanted.finditer(content))
    import pyarrow.parquet as pq
    from pyarrow import ArrowException

    try:
        if "customer_id" not in pq.read_schema(file).names:
            return 0
        return pq.read_table(
            file, filters=[("customer_id", "=", customer_id)], columns=["customer_id"]
        ).num_rows
    except (OSError, ArrowException):
        return 1
