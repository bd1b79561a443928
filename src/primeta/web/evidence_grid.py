"""Evidence as a grid for a template: origins by weeks, months and quarters."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from primeta.facts import GRAINS, Grain
from primeta.show.locale import NBSP
from primeta.signals.signal import MEASURED, Block
from primeta.trends.records import OriginEvidence
from primeta.web.reader import Reader, capital

SHOWN: dict[Grain, int] = {"week": 4, "month": 3, "quarter": 2}
NEEDED: dict[Grain, int] = {"week": 3, "month": 2, "quarter": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One block: `yes` counts, `no` does not, `open` is not over, `none` was not seen."""

    state: str
    picture: Markup | str
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The columns of one grain, with how many of them count."""

    name: str
    heads: tuple[str, ...]
    counted: str
    needs: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One origin."""

    origin: str
    what: str
    parts: tuple[tuple[Cell, ...], ...]
    bet: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """What the macro `evidence` draws."""

    parts: tuple[Part, ...]
    rows: tuple[Row, ...]


def blocks_of(origin: OriginEvidence, grain: Grain) -> tuple[Block, ...]:
    return {"week": origin.weeks, "month": origin.months, "quarter": origin.quarters}[grain]


def grid_of(
    reader: Reader,
    origins: Sequence[OriginEvidence],
    *,
    counted: Mapping[Grain, tuple[int, int]],
    matters: float,
) -> Grid:
    """Arrange the blocks of several origins under the same columns.

    Args:
        counted: Grain → (passing, finished), as the grade counts them.
        matters: The smallest effect that matters, relative; NaN where no metric is among the origins.
    """
    codes: dict[Grain, tuple[str, ...]] = {grain: _codes(origins, grain) for grain in GRAINS}
    shown: list[Grain] = [grain for grain in GRAINS if codes[grain]]
    names: dict[Grain, str] = {
        "week": reader._("Weeks"),
        "month": reader._("Months"),
        "quarter": reader._("Quarters"),
    }
    parts = []
    for grain in shown:
        passing, finished = counted[grain]
        parts.append(
            Part(
                name=str(names[grain]),
                heads=tuple(reader.period_head(code) for code in codes[grain]),
                counted=str(reader._("{n} of {of}", n=passing, of=finished)) if finished else "",
                needs=str(reader._("needs {n}", n=NEEDED[grain])),
            )
        )
    rows = tuple(
        Row(
            origin=capital(reader.word(origin.origin)),
            what=what_of(reader, origin),
            parts=tuple(_cells(reader, origin, grain, codes[grain], matters) for grain in shown),
            bet=reader.bet(origin.e_value).replace(NBSP, " ") if math.isfinite(origin.e_value) else "·",
        )
        for origin in origins
    )
    return Grid(parts=tuple(parts), rows=rows)


def what_of(reader: Reader, origin: OriginEvidence) -> str:
    """What an origin saw, in words: a metric with its direction and slice, or a note's subject."""
    if origin.origin not in MEASURED or origin.what.count("|") != 2:
        return origin.what
    about, direction, slice_code = origin.what.split("|")
    name = reader.metric_name(about)
    told = str(reader._("{name} up", name=name) if direction == "up" else reader._("{name} down", name=name))
    return told if slice_code in ("", "all") else f"{told}, {reader.slice_name(slice_code)}"


def _codes(origins: Sequence[OriginEvidence], grain: Grain) -> tuple[str, ...]:
    """The last finished periods; where they are fewer than a grade looks at, the open one too."""
    finished = {block.code: block.finished for origin in origins for block in blocks_of(origin, grain)}
    closed = sorted(code for code, over in finished.items() if over)[-SHOWN[grain] :]
    still_open = sorted(code for code, over in finished.items() if not over)
    return tuple((closed + still_open)[: SHOWN[grain]])


def _cells(
    reader: Reader, origin: OriginEvidence, grain: Grain, codes: Sequence[str], matters: float
) -> tuple[Cell, ...]:
    by_code = {block.code: block for block in blocks_of(origin, grain)}
    every = [block for each in GRAINS for block in blocks_of(origin, each)]
    ends = [end for block in every for end in (block.low, block.high) if math.isfinite(end)]
    limit = matters if math.isfinite(matters) else 0.0
    reach = (min([0.0, *ends]), max([limit, *ends]))
    return tuple(_cell(reader, by_code.get(code), reach, limit) for code in codes)


def _cell(reader: Reader, block: Block | None, reach: tuple[float, float], matters: float) -> Cell:
    if block is None:
        return Cell(state="none", picture="·")
    if not block.finished:
        return Cell(state="open", picture="…", words=str(reader._("not over yet")))
    state = "yes" if block.passes else "no"
    if not math.isfinite(block.low):
        return Cell(state=state if block.passes else "", picture=reader.number(block.effect))
    figure = reader.figure(block.effect, "relative", block.low, block.high, sign=True)
    words = (
        reader._("counts: {figure}", figure=str(figure))
        if block.passes
        else reader._("does not count: {figure}", figure=str(figure))
    )
    picture = reader.cell(block.effect, block.low, block.high, reach=reach, matters=matters)
    return Cell(state=state, picture=picture, words=str(words) + " ")
