"""`pm.whom`: from a lottery's orders and assignments, or a ready table, to whom to write and what it is worth."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from primeta.errors import BadInput
from primeta.reactivation.door import day_given, days_of
from primeta.reactivation.policy.inputs import Terms
from primeta.reactivation.records import Note
from primeta.reactivation.whom.result import CurvePoint, Policy, Qini, Tenth, Whom
from primeta.reactivation.whom.rivals import ALL, BY_RULE, LEARNED, NONE, RANDOM, missing_rules
from primeta.reactivation.whom.subjects import Subjects, of_orders, of_table
from primeta.reactivation.whom.value import STEPS, TENTHS, Questions
from primeta.stats.buckets import buckets
from primeta.stats.uplift import FOLDS, HeldOut, held_out
from primeta.warehouse.write_rows import check_ending, write_rows

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
REPEATS = 3
FEWEST = 100
"""Customers of the smallest arm below whom folds are too thin to learn from."""


def whom(
    rows: Any = None,
    *,
    orders: Any = None,
    assignments: Any = None,
    until: date | str = "",
    control: str = "",
    arm: str = "arm",
    outcome: str = "",
    features: Sequence[str] = (),
    cost: Mapping[str, float] | None = None,
    propensity: str = "",
    risk: str = "",
    recency: str = "",
    customer: str = "",
    horizon: str | int = "365d",
    margin: float | None = None,
    messages: Any = None,
    lines: Any = None,
    customers: Any = None,
    experiment: str = "",
    columns: Mapping[str, str] | None = None,
    timezone: str = "UTC",
    level: float = 0.95,
    currency: str = "",
    repeats: int = REPEATS,
    seed: int = 0,
    out: Path | str | None = None,
) -> Whom:
    """Whom to write: uplift learnt from a lottery, and what writing by it is worth to customers held out.

    Give either `orders` and `assignments`, or one ready table `rows`.

    Args:
        rows: One row a customer: the columns `arm`, `outcome`, `features`, optional `propensity`, `risk`, `recency`.
            A path to CSV or Parquet, an Arrow table, a data frame or a mapping of columns.
        orders: An order log: `customer_id`, `ordered_at`, `revenue`, optional `order_id`, `discount`, `margin`, `status`.
        assignments: `customer_id`, `arm`, `assigned_at`, optional `probability`, `experiment` and attributes.
        until: The last day of the log, inclusive.
        control: The arm that is left alone.
        outcome: Column of money per customer, before the contact's cost.
        features: Columns known before the assignment; of `assignments` or `customers` beside the order history.
        cost: Arm → money for the contact of each assigned customer ("*" with orders: all but the control).
        propensity: Column of the probability with which each customer got his arm; none: the shares of the arms.
        risk, recency: Columns by which the two simple rules order customers: the higher the more at risk of having left,
            the longer ago the last order. With orders they come from the log.
        horizon: Days since assignment over which money is counted.
        margin: Of list price, where orders carry none.
        messages: What was sent, with `cost`, instead of `cost`.
        lines: Order lines with `order_id` and `category`.
        customers: One row a customer with attributes.
        repeats: Divisions into folds over which everything is averaged.
        out: CSV or Parquet for one row a customer: uplift, rank, the arm that is recommended.
    Raises:
        BadTable, BadInput: what was given cannot be used, or was not known before the assignment.
    """
    if not 0.5 <= level < 1:
        raise BadInput(f"level is from .5 to below 1, such as .95; {level:g} was given")
    if repeats < 1:
        raise BadInput(f"repeats is the number of divisions into folds, 1 or more; {repeats} was given")
    target = Path(out) if out else None
    if target is not None:
        check_ending(target)
    costs = {name: float(money) for name, money in (cost or {}).items()}
    for name, money in costs.items():
        if not math.isfinite(money) or money < 0:
            raise BadInput(f"cost of {name} is {money:g}; expected money of 0 or more")
    features = list(dict.fromkeys(features))
    if rows is not None and (orders is not None or assignments is not None):
        raise BadInput("give either one ready table, or orders and assignments, not both")
    if rows is not None:
        if not outcome:
            raise BadInput("say which column is the outcome, money per customer (--outcome COL)")
        if not features:
            raise BadInput("say which columns were known before the assignment (--features a,b,c)")
        subjects = of_table(
            rows, arm=arm, control=control, outcome=outcome, features=features, costs=costs,
            propensity=propensity, risk=risk, recency=recency, customer=customer,
        )  # fmt: skip
    else:
        if orders is None or assignments is None:
            raise BadInput("give orders and assignments, or one ready table with a row for each customer")
        if not until:
            raise BadInput("say until which day the order log is complete (until 2026-11-26)")
        terms = Terms(
            control=control, horizon=days_of(horizon, "--horizon"), until=day_given(until, "--until"),
            margin=margin, contact_costs=costs, timezone=timezone, level=level, currency=currency,
        )  # fmt: skip
        subjects = of_orders(
            orders, assignments, terms=terms, features=features, messages=messages, lines=lines,
            customers=customers, columns=columns, experiment=experiment,
        )  # fmt: skip
    return whom_of(subjects, level=level, currency=currency, repeats=repeats, seed=seed, out=target)


def whom_of(
    subjects: Subjects,
    *,
    level: float = 0.95,
    currency: str = "",
    repeats: int = REPEATS,
    folds: int = FOLDS,
    seed: int = 0,
    out: Path | None = None,
) -> Whom:
    """The same for customers that are ready to learn from."""
    counts = np.bincount(subjects.taken, minlength=len(subjects.arms)) if subjects.n else np.zeros(0, int)
    common: dict[str, Any] = {
        "control": subjects.control,
        "arms": {name: int(count) for name, count in zip(subjects.arms, counts, strict=False)},
        "n": subjects.n,
        "horizon": subjects.horizon,
        "level": level,
        "currency": currency,
    }
    notes = (*subjects.notes, *subjects.known.notes)
    why_not = subjects.why_not
    if not why_not and not subjects.known.columns.shape[1]:
        why_not = "no-features"
    if why_not:
        return Whom(**common, why_not=why_not, notes=notes)
    if counts.min() < FEWEST:
        notes = (*notes, Note("few-customers", {"least": int(counts.min())}))
    # By id, so that the order of the rows changes nothing.
    by_id = np.argsort(subjects.customer.astype(str), kind="stable")
    subjects = subjects.take(by_id)
    questions = Questions.of(subjects)
    found = held_out(
        subjects.known.columns,
        subjects.taken,
        subjects.probability,
        subjects.outcome,
        arms=len(subjects.arms),
        judge=questions.judge,
        split=lambda repeat: split_of(subjects, repeat, folds=folds, seed=seed),
        repeats=repeats,
        folds=folds,
        seed=seed,
    )
    result = _result(subjects, questions, found, common, notes, df=float(counts.min() - 1), level=level)
    table = rows_of(subjects, found, result).take(pa.array(np.argsort(by_id)))
    if out is not None:
        write_rows(table, out)
    return Whom(
        **{name: getattr(result, name) for name in result.__slots__ if name not in ("out", "rows", "repeats", "folds")},
        out=out, rows=table, repeats=repeats, folds=folds,
    )  # fmt: skip


def split_of(subjects: Subjects, repeat: int, *, folds: int, seed: int) -> Ints:
    """(n,) fold of each customer by his id, whatever the order of the rows; each arm is dealt out evenly."""
    drawn = buckets(f"primeta:whom:{seed}:{repeat}", [str(name) for name in subjects.customer])
    found = np.zeros(subjects.n, dtype=np.int64)
    offset = 0
    for arm in range(len(subjects.arms)):
        rows = np.flatnonzero(subjects.taken == arm)
        # Who bought stands apart from who did not, so that no fold is left without the few who tell anything.
        bought = subjects.outcome[rows] > np.median(subjects.outcome[rows])
        order = rows[np.lexsort((drawn[rows], bought))]
        found[order] = (np.arange(len(order)) + offset) % folds
        offset += len(order)
    return found


def _result(
    subjects: Subjects,
    questions: Questions,
    found: HeldOut,
    common: dict[str, Any],
    notes: tuple[Note, ...],
    *,
    df: float,
    level: float,
) -> Whom:
    def at(name: str) -> tuple[float, float, float]:
        return questions.at(found.judged, name, df=df, level=level)

    curve = [CurvePoint(share=0.0, value=0.0, low=0.0, high=0.0)]
    curve += [
        CurvePoint(share=step / STEPS, value=v, low=low, high=high)
        for step in range(1, STEPS + 1)
        for v, low, high in [at(f"curve.{step}")]
    ]
    area, area_low, area_high = at("area")
    qini = Qini(
        area=area,
        low=area_low,
        high=area_high,
        curve=tuple(curve),
        rules={rule.name: at(f"area.{rule.name}") for rule in questions.rules if rule.kind in BY_RULE},
    )
    arm_shares = {arm: at(f"share.{arm}")[0] for arm in subjects.arms[1:]}
    share = sum(arm_shares.values())
    shares = {LEARNED: share, NONE: 0.0, ALL: 1.0}
    policies = []
    for rule in questions.rules:
        value, low, high = at(f"value.{rule.name}")
        ahead = at(f"ahead.{rule.name}") if rule.kind != LEARNED else (math.nan,) * 3
        policies.append(
            Policy(
                name=rule.name,
                arm=subjects.arms[rule.arm] if rule.kind == ALL else "",
                value=value,
                low=low,
                high=high,
                share=shares.get(rule.kind, share),
                ahead=ahead[0],
                ahead_low=ahead[1],
                ahead_high=ahead[2],
            )
        )
    policies += [Policy(name=kind, why_not=f"no-{kind}") for kind in missing_rules(subjects)]
    recommended, sure, why_not = verdict(policies)
    importance: dict[str, float] = {}
    for name, part in zip(subjects.known.names, found.importance, strict=True):
        importance[name] = importance.get(name, 0.0) + float(part)
    calibration = tuple(
        Tenth(decile=tenth + 1, predicted=at(f"predicted.{tenth}")[0], value=v, low=low, high=high)
        for tenth in range(TENTHS)
        for v, low, high in [at(f"tenth.{tenth}")]
    )
    return Whom(
        **common,
        qini=qini,
        policies=tuple(policies),
        recommended=recommended,
        recommended_sure=sure,
        arm_shares=arm_shares,
        calibration=calibration,
        features=dict(sorted(importance.items(), key=lambda entry: -entry[1])),
        why_not=why_not,
        notes=notes,
    )


def verdict(policies: Sequence[Policy]) -> tuple[str, bool, str]:
    """Name of the policy to follow, whether it surely beats writing to nobody, and why it is not the learned one.

    The learned policy is recommended only if its difference from every simple rule is surely above 0: as all must be,
    each may be held against its own interval (an intersection–union test; Berger 1982). Else the best simple rule is.
    """
    rivals = [p for p in policies if p.name not in (LEARNED, RANDOM) and not p.why_not]
    learned = next(p for p in policies if p.name == LEARNED)
    if all(p.ahead_low > 0 for p in rivals):
        return LEARNED, learned.low > 0, ""
    best = max(rivals, key=lambda p: (p.value, p.name == NONE))
    others = [p for p in rivals if p.name != NONE]
    sure = all(p.high < 0 for p in others) if best.name == NONE else best.low > 0
    worse = any(p.ahead_high < 0 for p in rivals)
    return best.name, sure, "worse-than-simple" if worse else "not-surely-better"


def rows_of(subjects: Subjects, found: HeldOut, result: Whom) -> pa.Table:
    """One row a customer: the uplift predicted without him, his rank, the arm to send by the recommended policy."""
    uplift = found.uplift
    best = 1 + np.argmax(uplift, axis=1)
    top = uplift[np.arange(subjects.n), best - 1]
    rank = np.empty(subjects.n, dtype=np.int64)
    rank[np.lexsort((subjects.customer.astype(str), -top))] = np.arange(1, subjects.n + 1)
    names = np.array(subjects.arms, dtype=object)
    learned = np.where(top > 0, names[best], subjects.control)
    chosen = learned
    name = result.recommended
    if name == NONE:
        chosen = np.full(subjects.n, subjects.control, dtype=object)
    elif name.startswith(ALL):
        chosen = np.full(subjects.n, result.of(name).arm, dtype=object)
    elif name in BY_RULE:
        order = subjects.risk if name == "risk" else subjects.recency
        assert order is not None
        first = np.argsort(-np.where(np.isnan(order), -np.inf, order), kind="stable")
        most = round(result.of(name).share * subjects.n)
        alls = [policy for policy in result.policies if policy.name.startswith(ALL)]
        chosen = np.full(subjects.n, subjects.control, dtype=object)
        chosen[first[:most]] = max(alls, key=lambda policy: policy.value).arm
    columns: dict[str, Any] = {
        "customer_id": pa.array(subjects.customer.tolist(), type=pa.string()),
        "uplift": top,
        "rank": rank,
        "arm": pa.array(chosen.tolist(), type=pa.string()),
        "learned_arm": pa.array(learned.tolist(), type=pa.string()),
    }
    if uplift.shape[1] > 1:
        columns |= {f"uplift_{arm}": uplift[:, at] for at, arm in enumerate(subjects.arms[1:])}
    return pa.table(columns)
