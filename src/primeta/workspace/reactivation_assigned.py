"""What the canonical table `assignments` holds: who was drawn into what, and what the lottery varied.

Assignments are no facts: they stand in the sources and may lie ahead. A copy of the canonical rows is kept in
`cache/reactivation/`, so that pages and ladders need no warehouse.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from primeta.errors import BadInput, PrimetaError
from primeta.facts import TABLES
from primeta.warehouse.duck import connect, named, plain_errors, quoted, run
from primeta.warehouse.engine import open_warehouse
from primeta.warehouse.sources import files_of, is_file
from primeta.warehouse.window_sums import hash_of
from primeta.workspace.files import write_whole
from primeta.workspace.reactivation_kept import keep, kept

if TYPE_CHECKING:
    from primeta.warehouse.facts_store import Facts
    from primeta.workspace.workspace import Workspace

ROWS = "cache/reactivation/assignments.parquet"
LIST = "cache/reactivation/assignments.json"
TOLD = "experiments/controls.json"
"""Which arm was left alone, as people told it on a page: not to be computed again, so it is no cache."""
LEFT_ALONE = ("control", "never", "контроль")
"""Names that say themselves that an arm was left alone; `never` is what our own lottery calls it."""
FORMAT = 1
MOST_LEVELS, MOST_PARTS = 40, 6
FIRST_STAGE = "coalesce(nullif(regexp_extract(stage, '([0-9]+)$', 1), ''), '1') = '1'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """One experiment as the assignments tell of it."""

    name: str
    first: date
    last: date
    customers: int
    arms: tuple[str, ...]
    """Of the first stage."""
    delays: tuple[float, ...] = ()
    """Different days from the lapse to the contact, the first `MOST_LEVELS`."""
    discounts: tuple[float, ...] = ()
    second_stage: bool = False
    probabilities: bool = False
    middle: date | None = None
    """The day by which half of the customers had been drawn."""
    attributes: tuple[str, ...] = ()
    """Columns beside the canonical ones that hold anything: known at the lottery, so they may split the customers."""
    splits: tuple[str, ...] = ()
    """Of them, those with 2 to `MOST_PARTS` values: the first one splits the customers unless another is asked for."""

    @property
    def varied(self) -> tuple[str, ...]:
        """What the lottery varied: any of `moment`, `sequence`, `discount`."""
        found = {
            "moment": len(self.delays) > 1,
            "sequence": self.second_stage,
            "discount": len(self.discounts) > 1,
        }
        return tuple(name for name, is_so in found.items() if is_so)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignedList:
    """All of them, the latest first."""

    experiments: tuple[Assigned, ...] = ()
    mark: str = ""
    """Changes with the rows."""
    problem: str = ""
    """Why the table could not be read."""

    def named(self, name: str) -> Assigned | None:
        return next((entry for entry in self.experiments if entry.name == name), None)


def assigned_rows(ws: Workspace) -> Path:
    """The copy of the canonical rows, there once `assigned` has found any."""
    return (ws.folder / ROWS).absolute()


def assigned(ws: Workspace, facts: Facts | None) -> AssignedList:
    """Every experiment in the assignments; read again where their files have changed, or, without files, the facts.

    A table that cannot be read does not take the other campaigns from a page: its complaint is the `problem`.
    """
    table = ws.config.tables.get("assignments")
    if table is None or facts is None:
        return AssignedList()
    files: Any = facts.version
    if not table.sql and is_file(table.from_):
        try:
            stats = [(path.name, path.stat()) for path in files_of(ws.config, table)]
        except (PrimetaError, OSError) as error:
            return AssignedList(problem=str(error))
        files = [(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats]
    mark = hash_of(FORMAT, asdict(table), files, ws.config.timezone)
    place = ws.folder / LIST
    known = kept(place, AssignedList)
    if known is not None and known.mark == mark and assigned_rows(ws).exists():
        return known.record
    try:
        found = _read(ws, mark)
    except PrimetaError as error:
        return AssignedList(problem=str(error))
    if facts.seen_until is not None:
        keep(place, found, mark=mark, at=facts.seen_until)
    return found


def _read(ws: Workspace, mark: str) -> AssignedList:
    """Copy the rows, then look what they hold."""
    out = assigned_rows(ws)
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    with open_warehouse(ws.config) as warehouse:
        view = warehouse.clean("assignments")
        columns = [
            *(column.name for column in TABLES["assignments"].columns if column.name != "assigned_at"),
            *warehouse.mapped("assignments").attributes,
        ]
        attributes = warehouse.mapped("assignments").attributes
        connection = warehouse.connection
        listed = ", ".join(named(name) for name in columns)
        try:
            with plain_errors("[tables.assignments]"):
                # Canonical times are in UTC and say so nowhere; the copy does.
                run(
                    connection,
                    f"COPY (SELECT {listed}, assigned_at AT TIME ZONE 'UTC' AS assigned_at, day FROM {view} "
                    f"WHERE experiment IS NOT NULL AND arm IS NOT NULL) TO {quoted(str(part))} (FORMAT parquet)",
                )
            part.replace(out)
        finally:
            part.unlink(missing_ok=True)
    with connect() as connection, plain_errors("reading the assignments"):
        return AssignedList(experiments=_told(connection, out, attributes), mark=mark)


def _told(connection: Any, file: Path, attributes: tuple[str, ...]) -> tuple[Assigned, ...]:
    source = f"read_parquet({quoted(str(file))})"
    known = "".join(f", count(DISTINCT {named(name)})" for name in attributes)
    rows = run(
        connection,
        "SELECT experiment, min(day), max(day), count(DISTINCT customer_id), "
        f"list_sort(list(DISTINCT arm) FILTER (WHERE {FIRST_STAGE})), "
        f"list_sort(list(DISTINCT delay_days) FILTER (WHERE {FIRST_STAGE} AND delay_days IS NOT NULL)), "
        f"list_sort(list(DISTINCT discount) FILTER (WHERE {FIRST_STAGE} AND discount IS NOT NULL)), bool_or(NOT ({FIRST_STAGE})), "
        f"bool_or(probability IS NOT NULL), quantile_disc(day, .5) FILTER (WHERE {FIRST_STAGE}){known} FROM {source} GROUP BY experiment ORDER BY 3 DESC, 1",
    )
    found = []
    for name, first, last, customers, arms, delays, depths, second, probable, middle, *values in rows:
        told = dict(zip(attributes, values, strict=True))
        found.append(
            Assigned(
                name=name,
                first=first,
                last=last,
                customers=customers,
                arms=tuple(arms or ()),
                delays=tuple(map(float, (delays or ())[:MOST_LEVELS])),
                discounts=tuple(map(float, (depths or ())[:MOST_LEVELS])),
                second_stage=bool(second),
                probabilities=bool(probable),
                middle=middle,
                attributes=tuple(entry for entry, count in told.items() if count),
                splits=tuple(entry for entry, count in told.items() if 2 <= count <= MOST_PARTS),
            )
        )
    return tuple(found)


# Who was left alone


def control_of(ws: Workspace, name: str, arms: tuple[str, ...]) -> str:
    """The arm that was left alone: by `[reactivation.controls]`, by what a person said, by its name; else empty.

    Raises:
        BadInput: the file names an arm that there is not.
    """
    wanted = ws.config.reactivation.controls.get(name)
    if wanted:
        if wanted not in arms:
            raise BadInput(
                f"{ws.config.path.name}, [reactivation.controls]: {name} has no arm {wanted!r}; its arms are "
                f"{', '.join(arms)}"
            )
        return wanted
    said = told_controls(ws).get(name, {}).get("control", "")
    if said in arms:
        return said
    return next((arm for arm in arms if arm.strip().casefold() in LEFT_ALONE), "")


def tell_control(ws: Workspace, name: str, arm: str, *, by: str, now: datetime) -> None:
    """Write down which arm of an experiment without a plan was left alone.

    Raises:
        BadInput: there is no such experiment in the assignments, or no such arm.
    """
    from primeta.warehouse.facts_store import load_facts

    entry = assigned(ws, load_facts(ws.folder / "facts")).named(name)
    if entry is None:
        raise BadInput(f"the table of assignments holds no experiment {name!r}")
    if arm not in entry.arms:
        raise BadInput(f"{name} has no arm {arm!r}; its arms are {', '.join(entry.arms)}")
    said = {**told_controls(ws), name: {"control": arm, "by": by, "at": now.isoformat()}}
    place = ws.folder / TOLD
    place.parent.mkdir(parents=True, exist_ok=True)
    write_whole(place, json.dumps(said, ensure_ascii=False, indent=1))


def told_controls(ws: Workspace) -> Mapping[str, Mapping[str, str]]:
    """Experiment → `control`, `by`, `at`, as people told it."""
    try:
        found = json.loads((ws.folder / TOLD).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError:
        raise BadInput(f"{ws.folder / TOLD} is no JSON any more; mend it or delete it") from None
    return {name: entry for name, entry in found.items() if isinstance(entry, dict)}
