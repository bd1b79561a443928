"""The test of the tail: what the model, given half of each customer's follow-up, says of the other half.

A model that is right is wrong by chance only, and by how much is known from the spread between buckets. One that
misses by more, and by enough to matter, is not to be trusted further out either.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from primeta.reactivation.records import FollowUp, TailCheck
from primeta.reactivation.tail_model import Ahead, ArmFit, Standing, ahead

Floats = npt.NDArray[np.float64]
LEVEL = 0.997
"""Of all tests that bear on one arm together; promises err by more than the normal law at its ends."""
TESTS = 3
"""That bear on it: the control's, its own, their difference."""
MATTERS = 0.1
"""Share of the control's promised money by which the promise of a difference must miss before it is refused."""
MATTERS_ALONE = 0.25
"""Share of its own promised money for a single arm: what all arms have in common drops out of the difference."""


@dataclass(frozen=True, slots=True, eq=False)
class Promise:
    """Of one arm, money per assigned over the second halves."""

    promised: float
    seen: float
    parts: Floats
    """(B,) error of `seen` − `promised` that each bucket adds: of the model, and of what then happened."""
    customers: int
    from_day: int
    to_day: int

    def error(self, filled: float, *, alone: bool) -> float:
        """Standard error of `seen` − `promised`. A single arm's grows with its level, so that a promise that is too
        low would look too sure: the level seen counts, where it is higher."""
        error = math.sqrt(filled / (filled - 1) * float(self.parts @ self.parts))
        return error * max(1.0, self.seen / self.promised) if alone and self.promised > 0 else error

    def missed(self, reach: float, filled: float) -> float:
        """By what share of itself the promise missed beyond chance, which widens what is promised next."""
        se = self.error(filled, alone=True)
        beyond = max(abs(self.seen - self.promised) - reach * se, 0.0)
        return beyond / abs(self.promised) if self.promised else 0.0


def promise_of(
    follow_up: FollowUp,
    arm: int,
    then: Standing,
    model: ArmFit,
    *,
    daily: float,
    buckets: int,
    in_money: Callable[[Ahead], tuple[Floats, Floats]],
) -> Promise:
    """What was promised of the second half of each customer's follow-up, and what was seen."""
    tail = follow_up.tail
    assert tail.halfway is not None
    own = tail.arm == arm
    n = follow_up.n[0, arm]
    total = max(float(n.sum()), 1.0)
    mean, error = in_money(ahead(then, model, cuts=None, daily_discount=daily, buckets=buckets))
    promised, parts = float(mean[0]), error[:, 0]
    happened = np.bincount(
        tail.bucket[own],
        weights=np.asarray(tail.halfway["then_present"], dtype=np.float64)[own],
        minlength=buckets,
    )
    seen = float(happened.sum()) / total
    return Promise(
        promised=promised,
        seen=seen,
        parts=(happened - seen * n) / total - parts,
        customers=int(total),
        from_day=round(float(np.average(then.followed, weights=then.count))),
        to_day=round(2 * float(np.average(then.followed, weights=then.count))),
    )


def checks_of(
    follow_up: FollowUp, promises: Mapping[int, Promise]
) -> tuple[tuple[TailCheck, ...], dict[int, str], dict[int, float]]:
    """Each arm's test and each difference's; arm → "tail-failed" where one of its tests failed; arm → by what share
    its promise missed beyond chance, though not by enough to be refused: with very many customers a model that is
    only nearly right is caught at that, and its next promise must not look surer than it is."""
    filled = float((follow_up.n[0].sum(axis=0) > 0).sum())
    reach = float(stdtrit(filled - 1, 1 - (1 - LEVEL) / TESTS / 2)) if filled > 1 else math.nan
    checks, failed = [], {}

    def test(name: str, promise: Promise, least: float, *, alone: bool) -> bool:
        se = promise.error(filled, alone=alone)
        apart = promise.seen - promise.promised
        ok = abs(apart) <= max(reach * se, least)
        checks.append(
            TailCheck(
                arm=name,
                from_day=promise.from_day,
                to_day=promise.to_day,
                customers=promise.customers,
                promised=promise.promised,
                low=promise.promised - reach * se,
                high=promise.promised + reach * se,
                seen=promise.seen,
                ok=ok,
            )
        )
        return ok

    for arm, promise in promises.items():
        if not test(follow_up.arms[arm], promise, MATTERS_ALONE * abs(promise.promised), alone=True):
            failed[arm] = "tail-failed"
    for arm, promise in promises.items():
        if arm == 0 or 0 not in promises:
            continue
        control = promises[0]
        apart = Promise(
            promised=promise.promised - control.promised,
            seen=promise.seen - control.seen,
            parts=promise.parts - control.parts,
            customers=promise.customers + control.customers,
            from_day=promise.from_day,
            to_day=promise.to_day,
        )
        if not test(
            f"{follow_up.arms[arm]} − {follow_up.arms[0]}",
            apart,
            MATTERS * abs(control.promised),
            alone=False,
        ):
            failed[arm] = "tail-failed"
    missed = {arm: promise.missed(reach, filled) for arm, promise in promises.items()} if filled > 1 else {}
    return tuple(checks), failed, missed
