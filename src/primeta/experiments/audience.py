"""The verb `experiment assign`: a file in, the same file with arms out, and an audience for each arm."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from primeta.errors import BadInput, BadTable
from primeta.experiments.assignment import Lottery, UnitSource, check_cuts
from primeta.experiments.cuts import Cuts, read_cuts
from primeta.experiments.evaluate import sample_ratio
from primeta.experiments.records import SampleRatio
from primeta.experiments.words import WORDS
from primeta.show import locale
from primeta.show.result import Head, Table
from primeta.warehouse.duck import connect, plain_errors, quoted, run
from primeta.warehouse.files import FileFormat, csv_errors, csv_source, narrow, readable, sniff

if TYPE_CHECKING:
    import duckdb

_ENDINGS = (".parquet", ".pq", ".csv.gz", ".tsv.gz", ".txt.gz", ".csv", ".tsv", ".txt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """What came out of a lottery over a file; a unit on several rows counts once."""

    source: Path
    out: Path
    unit: str
    lottery: Lottery
    rows: int
    units: int
    ratio: SampleRatio
    """Counts of those who take part, by arm."""
    files: dict[str, Path] = field(default_factory=dict)
    """Arm → its audience, where they were asked for."""
    cuts: Path | None = None
    cuts_made: bool = False
    strata: int = 0
    """Strata that have cut points."""
    elsewhere: int = 0
    """Rows in strata without cut points: the planned shares hold for them."""

    @property
    def outside(self) -> int:
        """Units that take no part: held out, in another slot, not yet let in."""
        return self.units - sum(self.ratio.counts.values())

    @property
    def shares(self) -> dict[str, float]:
        """Share of each arm among those who take part; NaN where nobody does."""
        total = sum(self.ratio.counts.values())
        return {name: count / total if total else float("nan") for name, count in self.ratio.counts.items()}

    def line(self, lang: str = "en") -> str:
        """How many got which arm, in one sentence."""
        shares = self.shares
        arms = ", ".join(
            f"{name} {locale.number(count, lang)} ({locale.percent(shares[name], lang)})"
            for name, count in self.ratio.counts.items()
        )
        text = WORDS["assigned"][lang].format(units=locale.number(self.units, lang), arms=arms)
        if self.outside:
            text += " " + WORDS["assigned.outside"][lang].format(count=locale.number(self.outside, lang))
        return text

    def table(self, lang: str = "en") -> Table:
        """One row for each arm."""
        heads = [Head(WORDS["arm"][lang])]
        heads += [
            Head(WORDS[code][lang], "right") for code in ("assigned.planned", "customers", "assigned.share")
        ]
        rows = [
            (
                name,
                locale.percent(self.ratio.planned[name], lang),
                locale.number(count, lang),
                locale.percent(self.shares[name], lang),
            )
            for name, count in self.ratio.counts.items()
        ]
        return Table(heads=tuple(heads), rows=tuple(rows))

    def notes(self, lang: str = "en") -> list[str]:
        """What a person should know about the file and the draw."""
        found: list[str] = []

        def say(code: str, **figures: Any) -> None:
            shown = {
                name: locale.number(value, lang) if isinstance(value, int) else value
                for name, value in figures.items()
            }
            found.append(WORDS[code][lang].format(**shown))

        if self.rows > self.units:
            say("assigned.repeated", rows=self.rows - self.units)
        if self.cuts:
            code = "assigned.cuts-made" if self.cuts_made else "assigned.cuts-read"
            say(code, strata=self.strata, file=self.cuts)
        if self.elsewhere:
            say("assigned.elsewhere", rows=self.elsewhere, file=self.cuts)
        if not self.ratio.ok:
            say("assigned.uneven", p=locale.number(self.ratio.p, lang))
        return found

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        lottery = self.lottery
        return {
            "file": str(self.source),
            "out": str(self.out),
            "unit": self.unit,
            "salt": lottery.salt,
            "hash": lottery.hash,
            "ramp": lottery.ramp,
            "layer": lottery.layer or None,
            "slots": list(lottery.slots),
            "holdout": lottery.holdout,
            "rows": self.rows,
            "units": self.units,
            "outside": self.outside,
            "counts": self.ratio.counts,
            "shares": self.shares,
            "planned": self.ratio.planned,
            "checks": {"sample_ratio": {"p": self.ratio.p, "ok": self.ratio.ok}},
            "files": {name: str(path) for name, path in self.files.items()},
            "cuts": str(self.cuts) if self.cuts else None,
            "strata": self.strata,
            "elsewhere": self.elsewhere,
        }


def assign_file(
    file: Path | str,
    *,
    unit: str,
    lottery: Lottery,
    out: Path | str,
    cuts: Path | str | None = None,
    split: Path | str | None = None,
) -> Assigned:
    """Write the rows of a file, in their order, with their `arm` and `bucket`.

    Everything is written under temporary names and renamed when all of it is there. A CSV file comes out as
    CSV with every cell as it was, in UTF-8 and with its own delimiter.

    Args:
        out: CSV or Parquet by its ending.
        cuts: JSON file of cut points, for a lottery with strata: read where it is there, else made.
        split: Folder for one file an arm, of the same kind as `out`.
    Raises:
        BadInput: names of files that cannot be used, cut points of another lottery.
        BadTable: as `read_table`; a column that is missing or there already; an id that is null or empty.
    """
    file, out = Path(file), Path(out)
    cuts, split = Path(cuts) if cuts else None, Path(split) if split else None
    form = sniff(file)
    ending = _check_out(file, out)
    if lottery.strata and cuts is None:
        raise BadInput(
            "strata need a file for their cut points (--cuts strata.json): without it whoever comes later "
            "could not be assigned alike"
        )
    kept = read_cuts(cuts) if cuts is not None and cuts.exists() else None
    if kept is not None:
        check_cuts(lottery, kept)
    elif cuts is not None and not lottery.strata:
        raise BadInput(f"{cuts} is not there yet, and no strata are named: nothing to place cut points in")
    audiences = _audiences(lottery.names, split, ending)
    pending = _Pending(last=out)
    with (
        pending,
        closing(connect()) as connection,
        plain_errors(f"assigning {file}"),
        _source(form) as source,
    ):
        run(connection, "SET preserve_insertion_order = true")
        given = UnitSource(connection, source, unit=unit, where=str(file))
        given.check_strata(lottery.strata or (kept.strata if kept else ()))
        points = kept
        if cuts is not None and kept is None:
            points = given.place_cuts(lottery)
            pending.file(cuts).write_text(
                json.dumps(points.as_dict(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
            )
        parquet = ending in (".parquet", ".pq")
        # Its own columns are read back for the counts: Parquet is the cheapest to read a column of.
        direct = parquet and form.kind == "parquet"
        rows_file = pending.file(out) if direct else pending.scratch(out)
        run(connection, f"COPY ({given.query(lottery, points)}) TO {quoted(str(rows_file))} (FORMAT parquet)")
        drawn = f"read_parquet({quoted(str(rows_file))})"
        rows, units, counts = _counted(connection, drawn, given)
        elsewhere = _elsewhere(connection, drawn, given, points) if points else 0
        selected = "*"
        if parquet and form.kind == "csv":
            texts = {unit, *(points.strata if points else ())}
            selected = narrow(connection, drawn, form, keep_text=texts) + ", arm, bucket"
        how = _written(ending, form)
        if not direct:
            run(
                connection,
                f"COPY (SELECT {selected} FROM {drawn}) TO {quoted(str(pending.file(out)))} ({how})",
            )
        if split is not None:
            split.mkdir(parents=True, exist_ok=True)
        for name, path in audiences.items():
            run(
                connection,
                f"COPY (SELECT {selected} FROM {drawn} WHERE arm = {quoted(name)}) "
                f"TO {quoted(str(pending.file(path)))} ({how})",
            )
        pending.done = True
    return Assigned(
        source=file,
        out=out,
        unit=unit,
        lottery=lottery,
        rows=rows,
        units=units,
        ratio=sample_ratio({name: counts.get(name, 0) for name in lottery.names}, dict(lottery.arms)),
        files=audiences,
        cuts=cuts,
        cuts_made=kept is None,
        strata=len(points.points) if points else 0,
        elsewhere=elsewhere,
    )


def _counted(
    connection: duckdb.DuckDBPyConnection, drawn: str, given: UnitSource
) -> tuple[int, int, dict[str | None, int]]:
    """Rows, units, and units by arm (None: outside)."""
    rows, without, buckets = run(
        connection, f"SELECT count(*), count(*) FILTER (bucket IS NULL), count(DISTINCT bucket) FROM {drawn}"
    )[0]
    if rows == 0:
        raise BadTable(f"{given.where}: a header and no rows; there is nobody to assign")
    if without:
        given.complain_of_no_unit()
    # As many buckets as rows: no unit is there twice, and nobody has to compare ids.
    counted = "count(*)" if buckets == rows else f"count(DISTINCT {given.id})"
    counts = dict(run(connection, f"SELECT arm, {counted} FROM {drawn} GROUP BY arm"))
    units = sum(counts.values())
    if buckets < rows and units > run(connection, f"SELECT count(DISTINCT {given.id}) FROM {drawn}")[0][0]:
        unit, low, high = run(
            connection,
            f"SELECT {given.id}, min(arm), max(arm) FROM {drawn} GROUP BY 1 HAVING min(arm) <> max(arm) "
            f"ORDER BY 1 LIMIT 1",
        )[0]
        raise BadTable(
            f"{given.where}: {given.unit} {unit} stands in two strata and would get two arms, {low} and {high}. "
            f"A stratum is what is known of a customer at the start: give each one value."
        )
    return rows, units, counts


def _elsewhere(connection: duckdb.DuckDBPyConnection, drawn: str, given: UnitSource, points: Cuts) -> int:
    known = ", ".join(quoted(key) for key in points.points) or "''"
    return run(
        connection,
        f"SELECT count(*) FROM {drawn} WHERE arm IS NOT NULL AND {given.stratum(points.strata)} NOT IN ({known})",
    )[0][0]


@contextmanager
def _source(form: FileFormat) -> Iterator[str]:
    """What DuckDB selects from; of a CSV file every cell as the text that stands there."""
    if form.kind == "parquet":
        yield f"read_parquet({quoted(str(form.path))})"
        return
    with readable(form) as file, csv_errors(form):
        yield csv_source(form, file)


def _check_out(file: Path, out: Path) -> str:
    """The ending of the file to write."""
    ending = next((ending for ending in _ENDINGS if out.name.lower().endswith(ending)), "")
    if not ending:
        raise BadInput(
            f"{out}: a file is CSV (.csv, .tsv, .txt, also .gz) or Parquet (.parquet) by its ending"
        )
    if out.is_dir():
        raise BadInput(f"{out} is a folder; name the file to write")
    if not out.parent.is_dir():
        raise BadInput(f"{out}: there is no folder {out.parent}; make it first")
    if out.exists() and out.samefile(file):
        raise BadInput(
            f"{out} is the file that is read; write to another one, so that the list as it was drawn is kept"
        )
    return ending


def _audiences(arms: tuple[str, ...], split: Path | None, ending: str) -> dict[str, Path]:
    """Arm → the file of its audience."""
    if split is None:
        return {}
    if split.exists() and not split.is_dir():
        raise BadInput(f"{split} is a file; --split names a folder for one file an arm")
    names = [name.casefold() for name in arms]
    for name in arms:
        if any(letter in '/\\:*?"<>|\0' for letter in name) or name.startswith("."):
            raise BadInput(f"arm {name!r} cannot be the name of a file; rename it, or leave --split out")
        if names.count(name.casefold()) > 1:
            raise BadInput(f"arm {name!r} and another one differ only in capitals; their files would be one")
    return {name: split / f"{name}{ending}" for name in arms}


def _written(ending: str, form: FileFormat) -> str:
    """The options of COPY."""
    if ending in (".parquet", ".pq"):
        return "FORMAT parquet"
    delimiter = "\t" if ending.startswith(".tsv") else form.delimiter or ","
    packed = "gzip" if ending.endswith(".gz") else "none"
    return f"FORMAT csv, HEADER, DELIMITER {quoted(delimiter)}, COMPRESSION {packed}"


class _Pending:
    """Files under temporary names: renamed at the end of the block when it is `done`, else deleted.

    `last` is renamed after all others: where it is new, they are too.
    """

    def __init__(self, *, last: Path) -> None:
        self.done = False
        self._last = last
        self._files: dict[Path, Path] = {}
        self._scratch: list[Path] = []

    def file(self, path: Path) -> Path:
        """Where to write what shall become `path`."""
        if path not in self._files:
            self._files[path] = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        return self._files[path]

    def scratch(self, path: Path) -> Path:
        """A file beside `path` that is deleted in the end."""
        self._scratch.append(path.with_name(f".{path.name}.{os.getpid()}.rows.tmp"))
        return self._scratch[-1]

    def __enter__(self) -> _Pending:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if self.done:
                for unfinished in self._files.values():
                    with unfinished.open("rb") as file:
                        os.fsync(file.fileno())
                for path in sorted(self._files, key=lambda path: path == self._last):
                    os.replace(self._files[path], path)
        finally:
            for leftover in (*self._files.values(), *self._scratch):
                leftover.unlink(missing_ok=True)
