"""The verb `detect`: change points of any series, from a file, a table or a plain row of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from primeta.errors import BadInput
from primeta.show import locale
from primeta.show.chart import Picture
from primeta.show.result import Head, Table
from primeta.signals.detect_picture import segments_picture
from primeta.signals.detect_table import Label, Rows, Text, rows_of
from primeta.signals.detect_words import ROWS_SHOWN, WORDS, counted
from primeta.stats.changepoint_scan import SHORTEST_SERIES
from primeta.stats.changepoints import Change, segmentation, stable_p
from primeta.stats.multiplicity import calibrated, e_bh

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Found:
    """One series with its change points."""

    name: str
    changes: tuple[Change, ...]
    values: Floats
    fitted: Floats
    """(n,) the level or line of each piece, season left out; NaN where the value is missing."""
    times: pa.Array | None
    """(n,) or None where there is no time."""
    e_value: float
    """Against "short-memory noise round one level and a season"; NaN with `why_not`."""
    story: str = ""
    """`levels`, `lines`, `broken line`, `drift` or `curve`; empty where it stayed at one level."""
    why_not: str = ""

    @property
    def labels(self) -> list[Label]:
        """The time of each point; its index where there is no time."""
        return list(range(len(self.values))) if self.times is None else self.times.to_pylist()

    def at(self, change: Change) -> Label:
        """The time of the first point of the new regime, or its index."""
        return change.index if self.times is None else self.times[change.index].as_py()

    def as_dict(self) -> dict[str, Any]:
        changes = [
            {
                "index": change.index,
                "at": written(self.at(change)),
                "before": change.before,
                "after": change.after,
                "low": change.low,
                "high": change.high,
                "e_value": change.e_value,
            }
            for change in self.changes
        ]
        return {
            "name": self.name,
            "changes": changes,
            "e_value": self.e_value,
            "story": self.story or None,
            "why_not": self.why_not or None,
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Detection:
    """What `detect` found in a list of series (often of one)."""

    series: tuple[Found, ...]
    value: str
    """What was looked at: the column's name, or empty."""
    error: float
    fdr: float | None
    notes: tuple[Text, ...]
    """What was done to the rows, each in both languages: sorted, left out."""

    @property
    def changed(self) -> tuple[Found, ...]:
        return tuple(found for found in self.series if found.changes)

    def line(self, lang: str = "en") -> str:
        """The finding in one sentence."""
        words = WORDS[lang]
        if len(self.series) == 1:
            found = self.series[0]
            if found.why_not:
                return words[found.why_not].format(least=SHORTEST_SERIES)
            subject = found.name or words["series"]
            if not found.changes:
                return words["no_change"].format(subject=subject) + words.get(f"no_change.{found.story}", "")
            return words["changes"].format(
                subject=subject, changes="; ".join(_said(found, change, lang) for change in found.changes)
            )
        changed = self.changed
        text = words["of_many"].format(
            changed=locale.number(len(changed), lang), series=counted(len(self.series), lang)
        )
        if changed:
            strongest = max(changed, key=lambda found: found.e_value)
            text += words["strongest"].format(
                name=strongest.name, change=_said(strongest, _largest(strongest), lang)
            )
        return text

    def table(self, lang: str = "en") -> Table:
        """One row for each change."""
        words = WORDS[lang]
        many = len(self.series) > 1
        heads = [
            Head(words[code], "left" if code in ("series_head", "at") else "right") for code in ROWS_SHOWN
        ]
        rows = []
        for found in self.changed:
            for change in found.changes:
                digits = _digits(change)
                row = (
                    found.name,
                    shown(found.at(change), lang),
                    locale.number(change.before, lang, digits=digits),
                    locale.number(change.after, lang, digits=digits),
                    locale.number(change.after - change.before, lang, digits=digits, sign=True),
                    locale.interval(change.low, change.high, lang, digits=digits),
                    locale.bet(change.e_value, lang),
                )
                rows.append(row if many else row[1:])
        note = (
            words["fdr_note"].format(share=locale.percent(self.fdr, lang))
            if self.fdr
            else (words["error_note"].format(share=locale.percent(self.error, lang)))
        )
        return Table(heads=tuple(heads if many else heads[1:]), rows=tuple(rows), note=note)

    def picture(self, lang: str = "en", *, name: str | None = None) -> Picture:
        """One series with its pieces: `name`, else the one with the most evidence.

        Raises:
            BadInput: there is no series of that name.
        """
        if name is None:
            drawn = max(self.series, key=lambda found: (bool(found.changes), np.nan_to_num(found.e_value)))
        else:
            drawn = next((found for found in self.series if found.name == name), None)
            if drawn is None:
                raise BadInput(f"no series is called {name!r}")
        alone = Detection(series=(drawn,), value=self.value, error=self.error, fdr=self.fdr, notes=())
        note = self.table(lang).note
        return segments_picture(
            values=drawn.values,
            fitted=drawn.fitted,
            labels=[shown(label, lang) for label in drawn.labels],
            starts=[change.index for change in drawn.changes],
            lang=lang,
            title=alone.line(lang),
            subtitle=self.value if len(self.series) > 1 else "",
            source=note,
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "value": self.value or None,
            "error": self.error,
            "fdr": self.fdr,
            "changed": [found.name for found in self.changed],
            "series": [found.as_dict() for found in self.series],
            "notes": [note.en for note in self.notes],
        }

    def _repr_html_(self) -> str:
        return self.picture()._repr_html_() + self.table().html()


def detect(
    rows: Any,
    *,
    value: str = "",
    time: str | None = None,
    series: str | None = None,
    se: str | Sequence[float] | Floats | None = None,
    error: float = 0.05,
    fdr: float | None = None,
) -> Detection:
    """Change points of one series or of a list of them.

    Args:
        rows: A path to a CSV or Parquet file, an Arrow table, a data frame, a mapping of columns, or the
            numbers themselves (then `value`, `time` and `series` are not needed).
        value, time, series: Names of columns. Without `time` the order is the order of rows; without
            `series` all rows are one series.
        se: Column of standard errors (or the numbers themselves), up to a common factor.
        error: Share of stationary short-memory series without change that are reported as changed, per
            series over its whole length.
        fdr: Instead of `error`, for a list: the expected share of unchanged series among those reported
            as changed is at most this (e-BH on one calibrated e-value a series; any dependence).
    Returns:
        `index` of a change counts the points of its series from 0 in the order of time; missing values
        keep their place.
    Raises:
        BadTable: a file, a column or a row that cannot be used. BadInput: an option or a number that cannot.
    """
    for name, share in (("error", error), ("fdr", fdr)):
        if share is not None and not 0 < share < 1:
            raise BadInput(f"{name} is a share between 0 and 1, such as .05; {share:g} was given")
    table = rows_of(rows, value=value, time=time, series=series, se=se)
    p_values = _p_values(table)
    found = _within_error(table, p_values, error) if fdr is None else _within_fdr(table, p_values, fdr)
    return Detection(series=tuple(found), value=value, error=error, fdr=fdr, notes=table.notes)


def _within_error(table: Rows, p_values: Floats, error: float) -> list[Found]:
    return [_found(table, which, p, changed=p <= error) for which, p in enumerate(p_values)]


def _within_fdr(table: Rows, p_values: Floats, fdr: float) -> list[Found]:
    """e-BH; a series that trends or wanders without a change bets nothing, and the list is drawn again.

    Lowering an e-value leaves it an e-value, so the stated share holds for the list that is left.
    """
    e_values = np.where(np.isnan(p_values), 0.0, calibrated(np.nan_to_num(p_values, nan=1.0)))
    cut: dict[int, Found] = {}
    while True:
        listed = np.flatnonzero(e_bh(e_values, share=fdr))
        new = [int(which) for which in listed if int(which) not in cut]
        for which in new:
            cut[which] = _found(table, which, p_values[which], changed=True)
            if not cut[which].changes:
                e_values[which] = 0.0
        if not new:
            break
    kept = set(listed.tolist())
    return [
        cut[which] if which in kept else _found(table, which, p, changed=False)
        for which, p in enumerate(p_values)
    ]


def _p_values(table: Rows) -> Floats:
    """(m,) p-values of "never changed"; series of equal length are tested together."""
    lengths = np.array([part.stop - part.start for part in table.parts], dtype=int)
    p_values = np.full(len(lengths), np.nan)
    for n in np.unique(lengths):
        which = np.flatnonzero(lengths == n)
        places = np.array([table.parts[w].start for w in which])[:, None] + np.arange(n)
        p_values[which] = stable_p(table.values[places], None if table.se is None else table.se[places])
    return p_values


def _found(table: Rows, which: int, p_value: float, *, changed: bool) -> Found:
    part = table.parts[which]
    values = table.values[part]
    se = None if table.se is None else table.se[part]
    seen = segmentation(values, se=se, p_value=float(p_value), changed=bool(changed))
    return Found(
        name=table.names[which],
        changes=seen.changes,
        values=values,
        fitted=seen.fitted,
        times=None if table.times is None else table.times[part],
        e_value=seen.e_value,
        story=seen.story,
        why_not=seen.why_not,
    )


def written(label: Label) -> Any:
    """A time for JSON: ISO 8601, with Z where it has an hour; a number or a word as it stands."""
    if isinstance(label, datetime):
        zoned = label.replace(tzinfo=UTC) if label.tzinfo is None else label.astimezone(UTC)
        return zoned.strftime("%Y-%m-%dT%H:%M:%SZ")
    return label.isoformat() if isinstance(label, date) else label


def shown(label: Label, lang: str) -> str:
    """A time for a person."""
    if isinstance(label, datetime):
        return locale.moment(label, lang, UTC)
    return locale.day(label, lang) if isinstance(label, date) else str(label)


def _largest(found: Found) -> Change:
    return max(found.changes, key=lambda change: abs(change.after - change.before))


def _digits(change: Change) -> int:
    if change.high - change.low > 1e-9 * abs(change.after - change.before):
        return locale.decimals_for(change.low, change.high)
    return locale.decimals_alone(change.after - change.before)


def _said(found: Found, change: Change, lang: str) -> str:
    digits = _digits(change)
    return WORDS[lang]["change"].format(
        way=WORDS[lang]["up" if change.after > change.before else "down"],
        before=locale.number(change.before, lang, digits=digits),
        after=locale.number(change.after, lang, digits=digits),
        at=WORDS[lang]["point"].format(index=change.index)
        if found.times is None
        else shown(found.at(change), lang),
        interval=locale.interval(change.low, change.high, lang, digits=digits, sentence=True),
    )
