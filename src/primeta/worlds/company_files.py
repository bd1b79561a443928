"""A simulated company as a workspace folder: Parquet files, `primeta.toml` and `truth.json`."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from primeta.config import FILE_NAME
from primeta.errors import BadInput, Conflict, DiskFull
from primeta.worlds.cell import CELL
from primeta.worlds.company import TABLES, World

TRUTH = "truth.json"
CELLS_PER_FILE = 16
"""65,536 customers a file: the most that a worker holds in memory."""

_TOML = """\
# A simulated company: {customers} customers, {weeks} weeks, seed {seed}.
# What was planted in it stands in {truth}; nothing of that is used when watching.

[workspace]
name = "{name}"
language = "en"
currency = "USD"
timezone = "UTC"
margin = 0.35                      # on list price
today = "facts"                    # a history: today is the day after its last fact

# Columns have their canonical names already, so none is mapped; region, city, age and prefers (where a
# customer likes to order) become attributes.
[tables.customers]
from = "data/customers/*.parquet"

[tables.orders]
from = "data/orders/*.parquet"

[tables.order_lines]
from = "data/order_lines/*.parquet"

[tables.messages]
from = "data/messages/*.parquet"

[tables.reactions]
from = "data/reactions/*.parquet"

[tables.visits]
from = "data/visits/*.parquet"

[tables.promotions]
from = "data/promotions/*.parquet"

[slices]
by = ["region", "age", "prefers", "source"]
cross = [["region", "city"]]       # cities within their region

[goals]
revenue_per_customer = 1.0
open_rate = 0.5

# The first year is the baseline; the promise runs over the year after it.
[watch]
promise_start = "{promise}"
promise_weeks = {promise_weeks}
false_share = 0.10
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What was written: rows per table and changes per kind."""

    directory: Path
    customers: int
    weeks: int
    seed: int
    rows: dict[str, int]
    planted: dict[str, int]

    def line(self, lang: str = "en") -> str:
        """One sentence for the terminal."""
        orders, messages = self.rows["orders"], self.rows["messages"]
        trends, shocks, artefacts = (self.planted[kind] for kind in ("trend", "shock", "artefact"))
        if lang == "ru":
            return (
                f"{self.directory}: клиентов {self.customers:_}, недель {self.weeks}, заказов {orders:_}, "
                f"сообщений {messages:_}; заложено трендов {trends}, потрясений {shocks}, "
                f"дефектов данных {artefacts} (см. {TRUTH})"
            ).replace("_", "\u00a0")
        return (
            f"{self.directory}: {self.customers:,} customers over {self.weeks} weeks, {orders:,} orders, "
            f"{messages:,} messages; planted: {trends} trends, {shocks} shocks, "
            f"{artefacts} artefacts (see {TRUTH})"
        )

    def as_dict(self) -> dict[str, object]:
        return {
            "directory": str(self.directory),
            "customers": self.customers,
            "weeks": self.weeks,
            "seed": self.seed,
            "rows": self.rows,
            "planted": self.planted,
        }


def write_company(
    world: World,
    directory: Path,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Made:
    """Write a company as a workspace that `primeta watch` reads at once.

    The files are made beside the old ones and take their place at the end, so a killed run leaves a
    former world as it was. Memory: about 500 MB, whatever the number of customers.

    Args:
        directory: New, empty, or a world that nobody has watched yet; that one is replaced.
        progress: Called with (customers done, customers in all).
    Raises:
        Conflict: `directory` holds something else.
        DiskFull: no room.
    """
    check_free(directory)
    data, part = directory / "data", directory / "data.part"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(part, ignore_errors=True)
        for name in (*TABLES, "promotions"):
            (part / name).mkdir(parents=True)
        rows = _write_tables(world, part, progress=progress)
        shutil.rmtree(data, ignore_errors=True)
        os.replace(part, data)
        _write(directory / TRUTH, json.dumps(world.truth(), indent=1, ensure_ascii=False) + "\n")
        _write(directory / FILE_NAME, _settings(world, directory))
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        if error.errno == errno.ENOSPC:
            raise DiskFull(
                f"no room in {directory}: a company needs about 1.5 KB a customer, "
                f"{world.customers * 1500 / 1e6:,.0f} MB for this one"
            ) from error
        raise BadInput(f"{directory} cannot be written: {error.strerror}; name another folder") from error
    return Made(
        directory=directory,
        customers=world.customers,
        weeks=world.weeks,
        seed=world.seed,
        rows=rows,
        planted={
            kind: sum(entry.kind == kind for entry in world.planted)
            for kind in ("trend", "shock", "artefact")
        },
    )


def check_free(directory: Path) -> None:
    """Raise Conflict unless a world may be written here."""
    if not directory.exists():
        return
    if not directory.is_dir():
        raise Conflict(f"{directory} is a file; name a new folder for the company")
    names = {entry.name for entry in directory.iterdir()}
    if (directory / "state.sqlite").exists():
        raise Conflict(f"{directory} has been watched already and holds its state; name a new folder")
    if names - {"data.part"} and TRUTH not in names:
        raise Conflict(f"{directory} is not empty and holds no simulated company; name a new folder")


def _write_tables(
    world: World, folder: Path, *, progress: Callable[[int, int], None] | None
) -> dict[str, int]:
    rows: dict[str, int] = dict.fromkeys(TABLES, 0)
    # One thread compresses and writes while the next group is drawn; more would wait for the interpreter.
    with ThreadPoolExecutor(max_workers=1) as pool:
        writing: Future[None] | None = None
        for number, first in enumerate(range(0, world.cells(), CELLS_PER_FILE)):
            cells = range(first, min(first + CELLS_PER_FILE, world.cells()))
            tables = world.tables(cells)
            for name, table in tables.items():
                rows[name] += table.num_rows
            if writing:
                writing.result()
            writing = pool.submit(_write_group, tables, folder, number)
            if progress:
                progress(min(cells.stop * CELL, world.customers), world.customers)
        if writing:
            writing.result()
    promotions = pa.table(
        {
            "name": pa.array([entry.name for entry in world.promotions], pa.string()),
            "starts_at": pa.array([entry.starts for entry in world.promotions], pa.date32()),
            "ends_at": pa.array([entry.ends for entry in world.promotions], pa.date32()),
            "depth": pa.array([entry.depth for entry in world.promotions], pa.float64()),
        }
    )
    pq.write_table(promotions, folder / "promotions" / "00000.parquet")
    rows["promotions"] = promotions.num_rows
    return rows


def _write_group(tables: dict[str, pa.Table], folder: Path, number: int) -> None:
    for name, table in tables.items():
        words = [entry.name for entry in table.schema if pa.types.is_dictionary(entry.type)]
        pq.write_table(
            table,
            folder / name / f"{number:05d}.parquet",
            compression="zstd",
            compression_level=1,
            row_group_size=1_000_000,
            use_dictionary=words,  # pyright: ignore[reportArgumentType]  (a list is allowed)
        )


def _settings(world: World, directory: Path) -> str:
    before = min(52, world.weeks // 3)
    promise = world.start.fromordinal(world.start.toordinal() + 7 * before)
    name = directory.resolve().name.replace("\\", "").replace('"', "") or "world"
    return _TOML.format(
        customers=f"{world.customers:,}",
        weeks=world.weeks,
        seed=world.seed,
        truth=TRUTH,
        name=name,
        promise=promise.isoformat(),
        promise_weeks=min(52, max(4, world.weeks - before)),
    )


def _write(target: Path, text: str) -> None:
    part = target.with_name(target.name + ".part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, target)
