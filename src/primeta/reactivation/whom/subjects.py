"""Customers of a lottery, ready to learn from: what was known before, the arm, its probability, money per customer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from primeta.errors import BadInput, BadTable
from primeta.experiments.ids import unit_text
from primeta.experiments.imported import read_assignments
from primeta.facts import TABLES
from primeta.reactivation.policy.inputs import SMALL_ARM, Terms, read_lapsed
from primeta.reactivation.policy.outcomes import measured, probabilities
from primeta.reactivation.records import Note
from primeta.reactivation.whom.features import (
    Known,
    check_known_before,
    check_names,
    column_of,
    from_columns,
    from_orders,
)
from primeta.warehouse.files import read_table

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Objects = npt.NDArray[np.object_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Subjects:
    """n customers; arm 0 is the control."""

    customer: Objects
    arms: tuple[str, ...]
    taken: Ints
    probability: Floats
    """(n,) of the arm that each got."""
    outcome: Floats
    """(n,) money, contact and discount already taken off."""
    known: Known
    risk: Floats | None
    """(n,) the higher the more likely he has left; None: nobody knows."""
    recency: Floats | None
    """(n,) the higher the longer ago his last order."""
    control: str
    horizon: int = 0
    """Days; 0: whatever the outcome's column counts."""
    notes: tuple[Note, ...] = ()
    why_not: str = ""

    @property
    def n(self) -> int:
        return len(self.customer)

    def take(self, rows: Ints | npt.NDArray[np.bool_]) -> Subjects:
        """Some of the customers, or all in another order."""
        return replace(
            self,
            customer=self.customer[rows],
            taken=self.taken[rows],
            probability=self.probability[rows],
            outcome=self.outcome[rows],
            known=replace(self.known, columns=self.known.columns[rows]),
            risk=None if self.risk is None else self.risk[rows],
            recency=None if self.recency is None else self.recency[rows],
        )


def of_orders(
    orders: Any,
    assignments: Any,
    *,
    terms: Terms,
    features: Sequence[str] = (),
    messages: Any = None,
    lines: Any = None,
    customers: Any = None,
    columns: Mapping[str, str] | None = None,
    experiment: str = "",
) -> Subjects:
    """From an order log and the assignments of a lottery.

    Args:
        features: Columns of the assignments or of `customers`, known before, beside the order history; none named:
            all attributes of `customers`.
        customers: One row a customer, `customer_id` and attributes.
    """
    check_names(features)
    lapsed = read_lapsed(
        orders, assignments, terms=terms, messages=messages, columns=columns, experiment=experiment
    )
    if not terms.control:
        return _without("no-control", lapsed.customer, lapsed.arm, "", lapsed.notes)
    seen = measured(lapsed)
    table, where = _assignments(assignments, columns)
    rows = _first_rows(table, where, lapsed.customer, terms=terms, columns=columns, experiment=experiment)
    history = from_orders(
        orders,
        rows.select(["customer_id", "assigned_at"]),
        lines=lines,
        columns=columns,
        timezone=terms.timezone,
    )
    known = history.known
    if customers is not None:
        people, people_where = _people(customers, lapsed.customer, columns)
        mine = [name for name in features if name.lower() in {own.lower() for own in people.column_names}]
        named_there = mine if features else [n for n in people.column_names if n != "customer_id"]
        check_names(named_there)
        known = known.beside(from_columns(people, named_there, people_where))
        features = [name for name in features if name not in mine]
    if features:
        known = known.beside(from_columns(rows, features, where))
    return _checked(
        Subjects(
            customer=lapsed.customer,
            arms=seen.arms,
            taken=seen.taken,
            probability=seen.probability,
            outcome=seen.outcome,
            known=known,
            risk=history.risk,
            recency=history.recency,
            control=terms.control,
            horizon=terms.horizon,
            notes=seen.notes,
            why_not=seen.why_not,
        )
    )


def of_table(
    rows: Any,
    *,
    arm: str,
    control: str,
    outcome: str,
    features: Sequence[str],
    costs: Mapping[str, float],
    propensity: str = "",
    risk: str = "",
    recency: str = "",
    customer: str = "",
) -> Subjects:
    """From a table with one row a customer that holds everything.

    Args:
        arm, outcome, propensity: Its columns; the outcome is money before the contact's cost.
        costs: Arm → money once for each assigned; taken off the outcome.
        risk, recency: Columns of the two rules beside; the higher the more at risk, the longer ago.
        customer: Column of ids; empty: `customer_id` where there is one, else the number of the row.
    Raises:
        BadTable: a column is missing, an outcome or a probability is empty, infinite or cannot be.
        BadInput: a feature that was not known before.
    """
    check_names(features, outcome)
    table, where = _table(rows, arm, customer)
    spelled = {name.lower(): name for name in table.column_names}
    if arm.lower() not in spelled:
        raise BadTable(f"{where}: no column {arm!r} (the arm); it has {', '.join(table.column_names)}")
    n = len(table)
    given = table.column(spelled[arm.lower()]).to_pylist()
    for at, value in enumerate(given):
        if value is None or not str(value).strip():
            raise BadTable(
                f"{where}, row {at + 1:,} of the data: the arm is empty; give every customer's arm"
            )
    arm_names = np.array([unit_text(value).strip() for value in given], dtype=object)
    own_id = customer or ("customer_id" if "customer_id" in spelled else "")
    if own_id and own_id.lower() not in spelled:
        raise BadTable(
            f"{where}: no column {own_id!r} (the customer); it has {', '.join(table.column_names)}"
        )
    ids = (
        np.array([unit_text(v) for v in table.column(spelled[own_id.lower()]).to_pylist()], dtype=object)
        if own_id
        else np.array([str(at + 1) for at in range(n)], dtype=object)
    )
    if own_id:
        _once(ids, where)
    names = sorted(set(arm_names.tolist()))
    if not control:
        return _without("no-control", ids, arm_names, "", ())
    if control not in names:
        raise BadTable(f"{where}: nobody is in the control {control!r}; the arms are {', '.join(names)}.")
    money = column_of(table, outcome, where, "the outcome")
    _all_there(money, where, outcome, "an amount for every customer was expected, 0 where there was none")
    arms = (control, *(name for name in names if name != control))
    for name in costs:
        if name not in arms:
            raise BadInput(f"cost of {name!r}: there is no such arm; there are {', '.join(arms)}")
    place = {name: at for at, name in enumerate(arms)}
    taken = np.array([place[name] for name in arm_names], dtype=np.int64)
    money = money - np.array([costs.get(name, 0.0) for name in arms])[taken]
    known = from_columns(table, list(features), where)
    recorded = np.full(n, np.nan)
    if propensity:
        recorded = column_of(table, propensity, where, "the probability of the arm")
        _all_there(recorded, where, propensity, "the probability of the customer's arm was expected")
        bad = np.flatnonzero((recorded <= 0) | (recorded > 1))
        if len(bad):
            raise BadTable(
                f"{where}, row {bad[0] + 1:,} of the data: {propensity} is {recorded[bad[0]]:g} ({len(bad):,} such rows); "
                f"a probability above 0 and up to 1 was expected"
            )
    probability, notes, why_not = probabilities(
        recorded, taken, [np.ones(n, dtype=bool)], np.zeros((n, 0)), arms, ids
    )
    rules = [column_of(table, name, where, "a rule") if name else None for name in (risk, recency)]
    return _checked(
        Subjects(
            customer=ids,
            arms=arms,
            taken=taken,
            probability=probability,
            outcome=money,
            known=known,
            risk=rules[0],
            recency=rules[1],
            control=control,
            notes=notes,
            why_not=why_not,
        )
    )


def _checked(subjects: Subjects) -> Subjects:
    """Small arms left out, features that were known later refused, and the rest told."""
    if subjects.why_not:
        return subjects
    counts = np.bincount(subjects.taken, minlength=len(subjects.arms))
    if counts[0] < SMALL_ARM or (counts[1:] >= SMALL_ARM).sum() == 0:
        why = "no-contact-arm" if len(subjects.arms) < 2 else "small-arm"
        return _without(
            why, subjects.customer, np.array(subjects.arms, dtype=object)[subjects.taken], subjects.control,
            subjects.notes,
        )  # fmt: skip
    if (counts < SMALL_ARM).any():
        subjects = _without_small(subjects, counts)
    if subjects.known.columns.shape[1]:
        check_known_before(
            subjects.known, subjects.taken, subjects.probability, subjects.outcome, subjects.arms
        )
    return subjects


def _without_small(subjects: Subjects, counts: Ints) -> Subjects:
    """Arms too small to say anything are left out with their customers; the others' probabilities are given that."""
    kept = [at for at, count in enumerate(counts) if count >= SMALL_ARM]
    rows = np.isin(subjects.taken, kept)
    place = {at: new for new, at in enumerate(kept)}
    left = [name for name, count in zip(subjects.arms, counts, strict=True) if count < SMALL_ARM]
    found = subjects.take(rows)
    return replace(
        found,
        arms=tuple(subjects.arms[at] for at in kept),
        taken=np.array([place[at] for at in found.taken.tolist()], dtype=np.int64),
        probability=np.minimum(found.probability / float(rows.mean()), 1.0),
        notes=(*found.notes, Note("small-arms-left-out", {"arms": left})),
    )


def _without(why: str, customer: Objects, arm: Objects, control: str, notes: tuple[Note, ...]) -> Subjects:
    """Customers of whom nothing can be told."""
    names = sorted(set(arm.tolist()) - {control})
    arms = ((control,) if control else ()) + tuple(names)
    place = {name: at for at, name in enumerate(arms)}
    n = len(customer)
    return Subjects(
        customer=customer,
        arms=arms,
        taken=np.array([place[name] for name in arm], dtype=np.int64),
        probability=np.full(n, np.nan),
        outcome=np.full(n, np.nan),
        known=Known(columns=np.zeros((n, 0)), names=()),
        risk=None,
        recency=None,
        control=control,
        notes=notes,
        why_not=why,
    )


# Tables


def _table(rows: Any, arm: str, customer: str) -> tuple[pa.Table, str]:
    if isinstance(rows, str | Path):
        return read_table(rows, text=[name for name in (arm, customer or "customer_id") if name]), str(rows)
    try:
        return (rows if isinstance(rows, pa.Table) else pa.table(rows)), "the table"
    except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError, ValueError) as error:
        raise BadTable(f"the table cannot be read: {error}") from None


def _assignments(rows: Any, columns: Mapping[str, str] | None) -> tuple[pa.Table, str]:
    table, where = _table(rows, "arm", "customer_id")
    return _renamed(
        table, columns, "assignments"
    ), where if where != "the table" else "the table of assignments"


def _people(rows: Any, customer: Objects, columns: Mapping[str, str] | None) -> tuple[pa.Table, str]:
    table, where = _table(rows, "arm", "customer_id")
    table = _renamed(table, columns, "customers")
    if "customer_id" not in table.column_names:
        raise BadTable(f"{where}: no column customer_id; it has {', '.join(table.column_names)}")
    ids = [unit_text(value) for value in table.column("customer_id").to_pylist()]
    _once(np.array(ids, dtype=object), where)
    return _in_order(table, ids, customer), where


def _renamed(table: pa.Table, columns: Mapping[str, str] | None, name: str) -> pa.Table:
    for ours, theirs in (columns or {}).items():
        if theirs in table.column_names and theirs != ours and TABLES[name].column(ours):
            table = table.drop([ours]) if ours in table.column_names else table
            table = table.rename_columns([ours if own == theirs else own for own in table.column_names])
    return table


def _first_rows(
    table: pa.Table,
    where: str,
    customer: Objects,
    *,
    terms: Terms,
    columns: Mapping[str, str] | None,
    experiment: str,
) -> pa.Table:
    """Each customer's first row of the experiment, with times in UTC and the columns as they came."""
    del columns
    canonical = read_assignments(table, experiment=experiment or "experiment", timezone=terms.timezone)
    names = canonical.column("experiment").to_pylist()
    ids = canonical.column("customer_id").to_pylist()
    times = canonical.column("assigned_at").to_pylist()
    first: dict[str, Any] = {}
    for name, own, at in zip(names, ids, times, strict=True):
        if experiment and name != experiment:
            continue
        if own not in first or at < first[own]:
            first[own] = at
    found = _in_order(table, [unit_text(v) for v in table.column("customer_id").to_pylist()], customer)
    at = found.column_names.index("assigned_at")
    zero = pa.array([first[own] for own in customer], type=pa.timestamp("us", tz="UTC"))
    found = found.set_column(at, "assigned_at", zero)
    return found.set_column(
        found.column_names.index("customer_id"), "customer_id", pa.array(customer.tolist(), type=pa.string())
    )


def _in_order(table: pa.Table, ids: Sequence[str], customer: Objects) -> pa.Table:
    """The first row of each customer, nulls for whom there is none."""
    row: dict[str, int] = {}
    for at, own in enumerate(ids):
        row.setdefault(own, at)
    return table.take(pa.array([row.get(own) for own in customer], type=pa.int64()))


def _once(ids: Objects, where: str) -> None:
    distinct, count = np.unique(ids.astype(str), return_counts=True)
    if (count > 1).any():
        name = distinct[np.argmax(count > 1)]
        raise BadTable(
            f"{where}: customer {name} stands there {int(count.max())} times ({int((count > 1).sum()):,} such customers); one "
            f"row a customer was expected"
        )


def _all_there(values: Floats, where: str, name: str, expected: str) -> None:
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        given = "empty" if np.isnan(values[bad[0]]) else f"{values[bad[0]]:g}"
        raise BadTable(
            f"{where}, row {bad[0] + 1:,} of the data: {name} is {given} ({len(bad):,} such rows); {expected}"
        )
