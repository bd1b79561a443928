"""What was known of each customer before he was assigned: his orders until then, and attributes that were given.

Nothing that happened at or after the assignment enters. What is given as an attribute is checked for it: a feature
that only one arm has, or that tells the arms of a lottery apart, became known later.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.special import ndtr

from primeta.errors import BadInput, BadTable
from primeta.facts import TABLES
from primeta.reactivation.histories import Collapsed
from primeta.reactivation.inputs import Columns, open_given
from primeta.reactivation.records import Note
from primeta.reactivation.rhythm import RhythmPrior, rhythm_prior
from primeta.warehouse.duck import arrow, connect, plain_errors, run

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Objects = npt.NDArray[np.object_]
MOST_VALUES = 20
"""Of a text: the others are put together."""
MOSTLY_OWN = 0.5
"""A text with more different values than this share of its customers is a name, not a kind."""
TELLS_APART = 1e-4
LIKE_OUTCOMES = re.compile(
    r"^(visit|visited|conversion|converted|spend|spent|response|responded|outcome|target|purchase|purchased|bought|"
    r"revenue|clicked|opened|redeemed|returned|reactivated|money|margin|arm|group|treatment|treated)$"
    r"|(_|\b)(after|since_assignment|post|after_assignment|in_window)$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Known:
    """n customers by q columns, NaN where unknown; `names` holds the feature that each column belongs to."""

    columns: Floats
    names: tuple[str, ...]
    notes: tuple[Note, ...] = ()

    def beside(self, other: Known) -> Known:
        return Known(
            columns=np.column_stack([self.columns, other.columns]),
            names=self.names + other.names,
            notes=self.notes + other.notes,
        )


# From the order log


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class History:
    """Features of the order log, and the two rules that everybody knows: by risk of churn and by recency."""

    known: Known
    risk: Floats | None
    """(n,) probability that he has left, by his own rhythm; 1 for who had never ordered."""
    recency: Floats
    """(n,) days since the last order; infinite for who had never ordered."""
    prior: RhythmPrior | None


def from_orders(
    orders: Any,
    assigned: pa.Table,
    *,
    lines: Any = None,
    columns: Mapping[str, str] | None = None,
    timezone: str = "UTC",
) -> History:
    """Features of customers from their orders before assignment, summed in the engine.

    Args:
        assigned: `customer_id`, `assigned_at` (UTC), one row a customer, in the order that is wanted.
        lines: Order lines with `category`, for how many kinds of goods were bought.
    """
    wanted = Columns(
        {name: theirs for name, theirs in (columns or {}).items() if TABLES["orders"].column(name)}
    )
    with closing(connect()) as connection, plain_errors("reading what was known before"):
        given = open_given(connection, "orders", orders, columns=wanted, timezone=timezone)
        connection.register("assigned_given", assigned)
        run(
            connection,
            "CREATE TEMP TABLE asked AS SELECT CAST(customer_id AS VARCHAR) AS customer_id, "
            "CAST(assigned_at AT TIME ZONE 'UTC' AS TIMESTAMP) AS zero, row_number() OVER () AS place FROM assigned_given",
        )
        order = "o.order_id" if "order_id" in given else "NULL"
        run(
            connection,
            f"""CREATE TEMP TABLE earlier AS SELECT a.place, a.zero, o.ordered_at,
                (epoch_us(a.zero) - epoch_us(o.ordered_at)) / 86400e6 AS ago, {order} AS order_id,
                o.revenue::DOUBLE AS revenue, coalesce({given.or_null("discount")}, 0)::DOUBLE AS discount
            FROM asked a JOIN {given.view} o ON CAST(o.customer_id AS VARCHAR) = a.customer_id
            WHERE o.ordered_at < a.zero AND o.revenue IS NOT NULL AND {given.carried_out}""",
        )
        categories = _categories(connection, lines, wanted, timezone, "order_id" in given)
        found = arrow(
            connection,
            f"""WITH bought AS (
                SELECT place, floor(ago)::BIGINT AS day, min(ago) AS ago, sum(revenue) AS revenue,
                    sum(discount) AS discount
                FROM earlier WHERE revenue >= 0 GROUP BY place, floor(ago)
            ), sums AS (
                SELECT place, min(ago) AS silent, max(ago) AS age, count(*) - 1 AS repeats,
                    count(*) FILTER (day < 365) AS orders_year, avg(revenue) AS basket,
                    sum(revenue) FILTER (day < 365) AS revenue_year, sum(revenue) AS revenue_ever,
                    sum(discount) / nullif(sum(revenue + discount), 0) AS discount_share,
                    avg((discount > 0)::INT) AS discounted_orders
                FROM bought GROUP BY place
            ), back AS (SELECT place, count(*) AS returns FROM earlier WHERE revenue < 0 GROUP BY place)
            SELECT s.*, coalesce(b.returns, 0) AS returns {", coalesce(c.categories, 0) AS categories" if categories else ""}
            FROM asked a LEFT JOIN sums s USING (place) LEFT JOIN back b USING (place)
            {"LEFT JOIN categories c USING (place)" if categories else ""} ORDER BY a.place""",
        )
        discounts = "discount" in given
    return _history(found, discounts=discounts, categories=categories)


def _categories(connection: Any, lines: Any, wanted: Columns, timezone: str, joined: bool) -> bool:
    if lines is None or not joined:
        return False
    given = open_given(connection, "order_lines", lines, columns=wanted, timezone=timezone)
    if "category" not in given:
        return False
    run(
        connection,
        f"CREATE TEMP TABLE categories AS SELECT e.place, count(DISTINCT l.category) AS categories FROM earlier e "
        f"JOIN {given.view} l ON CAST(l.order_id AS VARCHAR) = CAST(e.order_id AS VARCHAR) GROUP BY e.place",
    )
    return True


def _history(found: pa.Table, *, discounts: bool, categories: bool) -> History:
    def numbers(name: str) -> Floats:
        column = found.column(name).cast(pa.float64())
        return np.array(column.to_numpy(zero_copy_only=False), dtype=np.float64)

    silent, age, repeats = numbers("silent"), numbers("age"), numbers("repeats")
    last = age - silent
    ordered = np.isfinite(silent)
    features = {
        "recency_days": silent,
        "orders": np.where(ordered, repeats + 1, 0.0),
        "orders_year": np.nan_to_num(numbers("orders_year")),
        "age_days": age,
        "rhythm_days": np.where(repeats > 0, last / np.maximum(repeats, 1), np.nan),
        "basket": numbers("basket"),
        "revenue_year": np.nan_to_num(numbers("revenue_year")),
        "revenue_ever": np.nan_to_num(numbers("revenue_ever")),
        "returns": numbers("returns"),
    }
    if discounts:
        features["discount_share"] = numbers("discount_share")
        features["discounted_orders"] = numbers("discounted_orders")
    if categories:
        features["categories"] = numbers("categories")
    prior = _prior(repeats[ordered], last[ordered], silent[ordered])
    risk = None
    if prior is not None:
        risk = np.ones(len(silent))
        args = repeats[ordered], last[ordered], silent[ordered]
        risk[ordered] = 1 - prior.p_alive(*args)
        silence = np.full(len(silent), np.nan)
        silence[ordered] = prior.silence(*args)
        features["silence"] = silence
        features["has_left"] = risk
    telling = {name: column for name, column in features.items() if len(np.unique(column)) > 1}
    columns = np.column_stack(list(telling.values())) if telling else np.zeros((len(silent), 0))
    known = Known(columns=columns, names=tuple(telling))
    return History(known=known, risk=risk, recency=np.where(ordered, silent, np.inf), prior=prior)


def _prior(repeats: Floats, last: Floats, silent: Floats) -> RhythmPrior | None:
    """The rhythm of those assigned, from their orders before it: each one's clock ends at his own assignment."""
    if len(repeats) == 0:
        return None
    # Orders on two days within less than a day are a day apart.
    span = np.maximum(np.round(last), repeats > 0).astype(np.int64)
    quiet = np.maximum(np.round(silent), 0).astype(np.int64)
    rows, count = np.unique(
        np.column_stack([span, quiet, repeats.astype(np.int64)]), axis=0, return_counts=True
    )
    # All end on day 0.
    collapsed = Collapsed(
        first_day=-(rows[:, 0] + rows[:, 1]), last_day=-rows[:, 1], repeats=rows[:, 2],
        count=count.astype(np.float64), until_day=0, group=np.zeros(len(rows), dtype=np.int64),
    )  # fmt: skip
    return rhythm_prior(collapsed)


# Attributes


def from_columns(table: pa.Table, names: Sequence[str], where: str) -> Known:
    """Columns of a table as features: numbers as they are, texts as one column for each of their values.

    Raises:
        BadTable: a column is missing, or holds nothing but names (ids).
    """
    parts: list[Floats] = []
    owners: list[str] = []
    notes: list[Note] = []
    spelled = {name.lower(): name for name in table.column_names}
    for name in names:
        own = spelled.get(name.lower())
        if own is None:
            raise BadTable(f"{where}: no column {name!r} (a feature); it has {', '.join(table.column_names)}")
        column = table.column(own)
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        numeric = _numeric(column)
        found = _texts(column, own, where) if numeric is None else [numeric]
        if all(np.ptp(part[np.isfinite(part)]) == 0 if np.isfinite(part).any() else True for part in found):
            gaps = [~np.isfinite(part) for part in found]
            if not any(0 < gap.sum() < len(gap) for gap in gaps):
                notes.append(Note("constant-feature", {"feature": own}))
                continue
        parts += found
        owners += [own] * len(found)
    columns = np.column_stack(parts) if parts else np.zeros((len(table), 0))
    return Known(columns=columns, names=tuple(owners), notes=tuple(notes))


def _numeric(column: pa.ChunkedArray) -> Floats | None:
    kind = column.type
    if pa.types.is_boolean(kind):
        column = column.cast(pa.int8())
    elif pa.types.is_temporal(kind) and not pa.types.is_time(kind) and not pa.types.is_duration(kind):
        column = column.cast(pa.timestamp("us")).cast(pa.int64())
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        return None
    value = np.array(column.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
    return np.where(np.isfinite(value), value, np.nan)


def _texts(column: pa.ChunkedArray, name: str, where: str) -> list[Floats]:
    values = np.array(["" if value is None else str(value).strip() for value in column.to_pylist()])
    distinct, place, count = np.unique(values, return_inverse=True, return_counts=True)
    if len(distinct) > MOST_VALUES and len(distinct) > MOSTLY_OWN * len(values):
        raise BadTable(
            f"{where}: feature {name!r} has {len(distinct):,} different texts for {len(values):,} customers; that is a name, "
            f"not a kind. Leave it out, or put its values into at most {MOST_VALUES} kinds."
        )
    order = np.argsort(-count, kind="stable")[:MOST_VALUES]
    place = place.reshape(-1)
    # The first value is what the others are told from.
    return [(place == at).astype(np.float64) for at in order[1 if len(distinct) <= MOST_VALUES else 0 :]]


# What must not be there


def check_names(names: Sequence[str], outcome: str = "") -> None:
    """Raises BadInput where a feature is called like something that happens after the assignment."""
    for name in names:
        if outcome and name.lower() == outcome.lower():
            raise BadInput(f"{name!r} is the outcome and cannot be a feature as well")
        if LIKE_OUTCOMES.search(name):
            raise BadInput(
                f"feature {name!r} is called like something that happens after the assignment. Only what was known before "
                f"may be a feature; leave it out, or rename the column if it was known before (such as {name}_before)."
            )


def check_known_before(
    known: Known, taken: Ints, probability: Floats, outcome: Floats, arms: Sequence[str]
) -> None:
    """A lottery leaves features alike in all arms; what is not alike became known later, and is refused.

    Raises:
        BadInput: names the feature and how the arms differ.
    """
    n, q = known.columns.shape
    limit = TELLS_APART / max(q * len(arms), 1)
    for at, name in enumerate(known.names):
        column = known.columns[:, at]
        there = np.isfinite(column)
        for arm, word in enumerate(arms):
            inside = taken == arm
            if (
                there.any()
                and not there[inside].any()
                and inside.sum() >= 10
                and there[~inside].mean() > 0.05
            ):
                raise BadInput(
                    f"feature {name!r} is empty for all of {word!r} and filled for others: it became known only after the "
                    f"assignment. Leave it out."
                )
        filled = np.where(there, column, np.nanmean(column) if there.any() else 0.0)
        for values in (filled, (~there).astype(np.float64)):
            centred = values - values.mean()
            if not centred.any():
                continue
            # Few values that stand far out must not look like a difference.
            centred = np.clip(centred, *np.quantile(centred, (0.001, 0.999)))
            centred = centred - centred.mean()
            for arm, word in enumerate(arms):
                part = np.where(taken == arm, 1 / probability, 0.0) * centred
                se = float(part.std(ddof=1)) / np.sqrt(n)
                if se > 0 and 2 * ndtr(-abs(part.mean()) / se) < limit and (taken == arm).sum() >= 30:
                    raise BadInput(
                        f"feature {name!r} differs between {word!r} and the others more than a lottery allows "
                        f"({abs(part.mean()) / se:.1f} standard errors). Either it became known after the assignment, and "
                        f"must be left out, or the probabilities of the arms depended on it and are not recorded."
                    )
        spread = filled.std() * outcome.std()
        if spread > 0 and there.all():
            alike = float(((filled - filled.mean()) * (outcome - outcome.mean())).mean() / spread)
            if abs(alike) > 0.999:
                raise BadInput(f"feature {name!r} is the outcome itself under another name. Leave it out.")


def column_of(table: pa.Table, name: str, where: str, what: str) -> Floats:
    """(n,) a column of numbers, NaN where it is empty.

    Raises:
        BadTable: no such column, or texts in it.
    """
    own = next((entry for entry in table.column_names if entry.lower() == name.lower()), None)
    if own is None:
        raise BadTable(f"{where}: no column {name!r} ({what}); it has {', '.join(table.column_names)}")
    column = table.column(own)
    if pa.types.is_null(column.type):
        return np.full(len(table), np.nan)
    try:
        value = column.cast(pa.int8()) if pa.types.is_boolean(column.type) else column
        return np.array(value.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise BadTable(
            f"{where}: column {own!r} ({what}) holds {column.type}, numbers were expected"
        ) from None
