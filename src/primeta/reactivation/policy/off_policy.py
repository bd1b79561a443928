"""What a policy would have earned, had everybody been treated by it: read off an experiment that ran without it.

A policy says for each customer, or for each segment, what to do. Its value rests on those who by lot got just that.
What nobody could have got has no value here: the answer is then a refusal, not a guess.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from primeta.errors import BadTable
from primeta.experiments.ids import unit_text
from primeta.reactivation.policy.inputs import SMALL_ARM, Lapsed, read_rows
from primeta.reactivation.policy.outcomes import Measured, measured
from primeta.reactivation.policy.result import Kind, Valued
from primeta.stats.buckets import buckets
from primeta.stats.doubly_robust import FOLDS, linear_predictions, policy_value, support

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
COLUMN = {"moment": "delay_days", "discount": "discount", "sequence": "sequence"}
NO_CONTACT = ("", "none", "never", "null", "nan")
NOT_THERE = -1
FOLD_SALT = "primeta:folds"


def folds_by_id(customers: npt.NDArray[np.object_], folds: int = FOLDS) -> Ints:
    """(n,) part of each customer by his id, so that the same customers make the same folds in any order."""
    return (buckets(FOLD_SALT, [str(name) for name in customers]) * folds).astype(np.int64)


def valued(policy: Any, lapsed: Lapsed, *, kind: Kind) -> Valued:
    """The value, per eligible customer, of a policy given as a table, over no contact where there is a control.

    Args:
        policy: A path or a table with `customer_id` or `segment` (a value of `by`), and what to do: `arm`, or
            `delay_days` (moment), `discount` (discount). Empty, `none` and `never` mean no contact.
    Raises:
        BadTable: none of these columns, a customer twice with two answers, an arm that is not there.
    """
    seen = measured(lapsed)
    actions, names = actions_of(seen, kind)
    wanted, listed = read_policy(policy, seen, names, kind=kind)
    return value_of(seen, actions, wanted, listed)


def actions_of(seen: Measured, kind: Kind) -> tuple[Ints, dict[str, Ints]]:
    """(n,) what each customer got, and how a policy may name it: column → its value for each action.

    An action is an arm, or the delays or depths within it where these differ.
    """
    lapsed = seen.lapsed
    number = {"moment": lapsed.delay, "discount": lapsed.depth, "sequence": np.full(lapsed.n, np.nan)}[kind]
    number = np.where(lapsed.is_control, np.nan, number)
    pairs = np.column_stack(
        [seen.taken.astype(np.float64), np.where(np.isnan(number), -1.0, np.round(number, 9))]
    )
    distinct, taken = np.unique(pairs, axis=0, return_inverse=True)
    return taken.reshape(-1).astype(np.int64), {
        "arm": distinct[:, 0].astype(np.int64),
        COLUMN[kind]: distinct[:, 1],  # pyright: ignore[reportReturnType]
    }


def read_policy(
    policy: Any, seen: Measured, names: dict[str, Ints], *, kind: Kind
) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """(n,) the action wanted for each customer (`NOT_THERE`: nobody got such a one), and whom the policy names."""
    return wanted_by(
        policy,
        seen.lapsed,
        ("arm", COLUMN[kind]),
        lambda value, column: _action(value, column, seen, names),
        expected=f"arm or {COLUMN[kind]}",
    )


def wanted_by(
    policy: Any,
    lapsed: Lapsed,
    columns: tuple[str, ...],
    action_of: Callable[[Any, str], int],
    *,
    expected: str,
) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """(n,) the action wanted for each customer (`NOT_THERE` where the policy names none), and whom it names.

    Args:
        policy: A path or a table with `customer_id` or `segment`, and the first of `columns` that is there.
        action_of: The number of an action by its value and the name of its column.
        expected: The columns in words, for a message.
    """
    table = policy if isinstance(policy, pa.Table) else read_rows(policy, "the policy")
    have = table.column_names
    key = next((name for name in ("customer_id", "segment") if name in have), "")
    column = next((name for name in columns if name in have), "")
    if not key or not column:
        raise BadTable(
            f"the policy has the columns {', '.join(have)}; expected customer_id (or segment, a value of --by) and "
            f"{expected}"
        )
    said: dict[str, int] = {}
    for unit, value in zip(table.column(key).to_pylist(), table.column(column).to_pylist(), strict=True):
        name, action = unit_text(unit), action_of(value, column)
        if said.setdefault(name, action) != action:
            raise BadTable(f"the policy says two things for {key} {name}; keep one")
    mine = lapsed.customer if key == "customer_id" else lapsed.segment
    listed = np.array([name in said for name in mine])
    if not listed.any():
        raise BadTable(f"the policy names none of the {lapsed.n:,} customers of the experiment by {key}")
    return np.array([said.get(name, NOT_THERE) for name in mine], dtype=np.int64), listed


def _action(value: Any, column: str, seen: Measured, names: dict[str, Ints]) -> int:
    control = seen.lapsed.terms.control
    text = unit_text(value).strip() if value is not None else ""
    if column == "arm":
        if text in seen.arms:
            arm = seen.arms.index(text)
        elif text.casefold() in NO_CONTACT and control:
            arm = 0
        else:
            raise BadTable(f"the policy wants arm {text!r}, and the experiment has {', '.join(seen.arms)}")
        found = np.flatnonzero(names["arm"] == arm)
        if len(found) > 1:
            raise BadTable(
                f"arm {text!r} holds several delays or discounts; name these in the policy instead"
            )
        return int(found[0])
    if text.casefold() in NO_CONTACT:
        return 0 if control else NOT_THERE
    try:
        number = float(text.replace("%", "")) / (100 if text.endswith("%") else 1)
    except ValueError:
        raise BadTable(
            f"the policy's {column} is {text!r}; expected a number, or none for no contact"
        ) from None
    found = np.flatnonzero(np.abs(np.asarray(names[column], dtype=np.float64) - number) < 1e-6)
    return int(found[0]) if len(found) == 1 else NOT_THERE


def value_of(seen: Measured, actions: Ints, wanted: Ints, listed: npt.NDArray[np.bool_]) -> Valued:
    """The value of a policy for the customers that it names."""
    lapsed = seen.lapsed
    probability = seen.probability * _share_within_arm(seen.taken, actions)
    use = listed
    taken, wanted = actions[use], wanted[use]
    context = np.unique(lapsed.segment[use].astype(str), return_inverse=True)[1]
    ok = support(taken, wanted, context)
    missing = float((~ok).mean())
    plain = Valued(n=int(use.sum()), followed=int((taken == wanted).sum()), unsupported=missing)
    if seen.why_not:
        return _refused(plain, seen.why_not)
    if missing > 0:
        return _refused(plain, "no-support")
    predictions = linear_predictions(
        seen.outcome[use],
        taken,
        seen.features[use],
        actions=int(actions.max()) + 1,
        fold=folds_by_id(lapsed.customer[use]),
    )
    against = np.zeros(int(use.sum()), dtype=np.int64) if lapsed.terms.control else None
    found = policy_value(
        seen.outcome[use],
        taken,
        probability[use],
        wanted,
        against=against,
        predictions=predictions,
        level=lapsed.terms.level,
    )
    if found.effective < SMALL_ARM:
        return _refused(plain, "few-followed")
    return Valued.of(
        found.doubly_robust,
        found.weighted,
        found.normalised,
        effective=found.effective,
        followed=found.followed,
        n=found.n,
    )


def _refused(plain: Valued, why_not: str) -> Valued:
    return Valued(n=plain.n, followed=plain.followed, unsupported=plain.unsupported, why_not=why_not)


def _share_within_arm(arm: Ints, actions: Ints) -> Floats:
    """(n,) share of each customer's action within his arm: what was drawn inside an arm was drawn evenly."""
    per_action = np.bincount(actions)[actions]
    per_arm = np.bincount(arm)[arm]
    return per_action / per_arm
