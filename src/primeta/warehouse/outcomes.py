"""What a metric means in an experiment: sums over each customer's own window, which begins when he enters.

A metric of watching is a ratio of two sums over a period; an experiment asks the same of everybody who was
assigned, in the days after his entry. What that makes of the sums that have names:

| numerator | in an experiment |
|---|---|
| revenue, orders, discount, list_price, full_price_orders, margin, items, visits | summed over the customer's window |
| delivered, opened, clicked, unsubscribed, complained | of the messages sent in the window (reactions within 72 hours) |
| categories | different categories bought in the window |
| buyers, converted, returned, retained_N | 1 where he orders in the window, after his entry |
| touched | 1 where a message is sent to him in the window |
| churned | 1 where he does not order in the window |
| base, silent | cannot be moved by an experiment: they describe the time before it |
| a sum of the team's own | summed over the customer's window |

| denominator | in an experiment |
|---|---|
| base, buyers, silent, touched | 1 for everybody assigned: the metric is a mean or a share |
| everything else | summed over the window as above: the metric is a ratio of two sums |

So `conversion` compares arms of which one gets no message at all, and nobody is left out because he did not buy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from primeta.config import Config
from primeta.stats.staggered import block_edges
from primeta.warehouse.facts_store import Facts
from primeta.warehouse.metric import Measure, Metric
from primeta.warehouse.metrics import BUILT_IN, REACTION_DAYS
from primeta.warehouse.window_sums import hash_of, row_sums, sum_of

EVERYBODY = ("base", "buyers", "silent", "touched")
"""Denominators that are 1 for each customer assigned."""
BEFORE = ("base", "silent")
"""Numerators that are settled before the experiment begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One sum over a customer.

    `sum`: of `sql` over rows of `table`. `first`: 1 where any row counts (`order`: an order that is no return).
    `kinds`: how many different categories.
    """

    name: str
    table: str
    sql: str = ""
    manner: Literal["sum", "first", "kinds"] = "sum"
    turned: bool = False
    """1 less the value: who did not."""
    lag_days: int = 0
    """Days after a row until all is known of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A side times `weight`, over the customer's first `window_days`, counted up to `cap` in all of them."""

    side: Side
    window_days: int
    weight: float = 1.0
    cap: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What is summed over each customer for one goal, cut into the blocks of its window.

    Columns of its moments: the numerator (the sum of `terms`) in each block, the denominator in each block where
    there is one, then the covariates: each different side over the days before the entry, the denominator last.
    """

    name: str
    kind: Literal["mean", "share", "ratio"]
    terms: tuple[Term, ...]
    denominator: Side | None = None
    covariate_days: int = 0

    @property
    def window_days(self) -> int:
        return max(term.window_days for term in self.terms)

    @property
    def edges(self) -> tuple[int, ...]:
        """Days at which blocks begin and end; B + 1 of them."""
        return tuple(sorted({edge for term in self.terms for edge in block_edges(term.window_days)}))

    @property
    def blocks(self) -> int:
        return len(self.edges) - 1

    @property
    def width(self) -> int:
        """Columns of outcomes."""
        return self.blocks * (1 if self.denominator is None else 2)

    @property
    def before(self) -> tuple[Term, ...]:
        """What the covariates are: each different side of the terms, then the denominator."""
        if not self.covariate_days:
            return ()
        found = {term.side.name: term for term in self.terms}
        if self.denominator is not None:
            below = Term(side=self.denominator, window_days=self.window_days)
            found.setdefault(self.denominator.name, below)
        return tuple(found.values())

    @property
    def columns(self) -> int:
        return self.width + len(self.before)

    @property
    def sides(self) -> tuple[Side, ...]:
        found = {term.side.name: term.side for term in self.terms}
        if self.denominator is not None:
            found.setdefault(self.denominator.name, self.denominator)
        return tuple(found.values())

    @property
    def tables(self) -> tuple[str, ...]:
        """Tables whose last whole day says how far this has been seen."""
        return tuple(dict.fromkeys(side.table for side in self.sides))

    @property
    def lag_days(self) -> int:
        return max(side.lag_days for side in self.sides)

    @property
    def key(self) -> str:
        """Changes with everything that changes the sums."""
        return hash_of(replace(self, name=""))


def outcome_of(
    metric: Metric,
    config: Config,
    *,
    name: str,
    window_days: int,
    cap: float | None = None,
    covariate_days: int = 0,
) -> Outcome | str:
    """What a metric is made of in an experiment, or the code of why it cannot be had: `known-before`."""
    if metric.numerator in BEFORE:
        return "known-before"
    top = _side(metric, metric.numerator, config)
    everybody = isinstance(metric.denominator, str) and metric.denominator in EVERYBODY
    bottom = None if everybody else _side(metric, metric.denominator, config)
    kind = "ratio" if bottom else "share" if top.manner == "first" else "mean"
    return Outcome(
        name=name,
        kind=kind,
        terms=(Term(side=top, window_days=window_days, cap=None if top.manner == "first" else cap),),
        denominator=bottom,
        covariate_days=covariate_days,
    )


def valued(outcomes: Sequence[tuple[Outcome, float]], *, name: str) -> Outcome:
    """Money per customer: the means and shares among the outcomes, each times what one unit of it is worth."""
    terms = tuple(
        replace(term, weight=term.weight * worth) for outcome, worth in outcomes for term in outcome.terms
    )
    days = max(outcome.covariate_days for outcome, _ in outcomes)
    return Outcome(name=name, kind="mean", terms=terms, covariate_days=days)


def no_rows(outcome: Outcome, facts: Facts) -> tuple[str, ...]:
    """Tables that it needs and that hold no rows."""
    return tuple(table for table in outcome.tables if not facts.parts.get(table))


def needs_of(metric: Metric, config: Config) -> dict[str, tuple[str, ...]]:
    """Table → the columns of it that an outcome of this metric is made of."""
    found: dict[str, tuple[str, ...]] = {}
    for side, below in ((metric.numerator, False), (metric.denominator, True)):
        if isinstance(side, Measure):
            needs: tuple[tuple[str, tuple[str, ...]], ...] = ((side.table, ()),)
        elif (below and side in EVERYBODY) or side in BEFORE:
            needs = ()
        elif _ordered(side) or (side == "margin" and config.margin is not None):
            needs = (("orders", ()),)
        elif side == "categories":
            needs = (("order_lines", ("category",)),)
        else:
            needs = BUILT_IN[side].needs
        for table, columns in needs:
            found[table] = tuple(dict.fromkeys((*found.get(table, ()), *columns)))
    return found


def event_of(metric: Metric) -> str:
    """`order`, `order.not` or `message` where a metric asks if a customer did it; empty for a sum."""
    if metric.numerator == "churned":
        return "order.not"
    if _ordered(metric.numerator):
        return "order"
    return "message" if metric.numerator == "touched" else ""


def _ordered(side: str | Measure) -> bool:
    """Whether it asks if the customer ordered."""
    return isinstance(side, str) and (
        side in ("buyers", "converted", "returned", "churned") or side.startswith("retained_")
    )


def _side(metric: Metric, side: str | Measure, config: Config) -> Side:
    if _ordered(side):
        return Side(name="order", table="orders", manner="first", turned=side == "churned")
    if side == "touched":
        return Side(name="message", table="messages", manner="first")
    if side == "categories":
        return Side(name="categories", table="order_lines", manner="kinds")
    if side in BEFORE:
        # As a denominator these are everybody, as a numerator nothing.
        raise ValueError(f"{side} is no sum over a window")
    table, name, _ = sum_of(side)
    reacted = isinstance(side, str) and ("reactions", ()) in BUILT_IN[side].needs
    known = row_sums(config, [replace(metric, numerator=side, denominator=side)])
    return Side(name=name, table=table, sql=known[table][name], lag_days=REACTION_DAYS if reacted else 0)
