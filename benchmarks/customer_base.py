"""Customer-base models on large bases, side by side with lifetimes 0.11.3 in one run.

Both are given the same arrays (x, t_x, T), one row a customer, simulated day by day from the model that is fitted;
our time contains the collapsing of equal rows.
"""

from __future__ import annotations

import os
import resource
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from primeta.stats.customer_base import (
    Fit,
    Histories,
    ModelName,
    expected_discounted_orders,
    expected_orders,
    fit,
    p_alive,
)

NAME = "customer-base models"
Floats = npt.NDArray[np.float64]
DAYS = 730
"""First orders fall into two years; all are watched to the end of them."""


def drawn(
    model: ModelName,
    parameters: Sequence[Any],
    age: Floats,
    rng: np.random.Generator,
    *,
    stages: int = 1,
) -> tuple[Floats, Floats]:
    """Repeat orders and the time of the last one, in continuous time, by the model's own story.

    Given how many events a steady process had within a time, they are spread evenly over it, so that the moment of
    the i-th of m is a Beta(i, m + 1 − i) share of that time.
    """
    n = len(age)
    r, alpha, third, fourth = parameters
    rate = rng.gamma(r, 1.0, n) / alpha
    if model == "pareto-nbd":
        seen = np.minimum(rng.standard_exponential(n) / (rng.gamma(third, 1.0, n) / fourth), age)
        events = rng.poisson(rate * seen)
        x = events
    else:
        seen = age
        events = rng.poisson(rate * age)
        leaves = np.minimum(rng.beta(third, fourth, n), 1 - 1e-12)
        final = np.maximum(np.ceil(np.log(1 - rng.random(n)) / np.log1p(-leaves)), 1)
        # the modified models count the first order too
        x = np.minimum(events // stages, final - (0 if model == "bg-nbd" else 1))
    at = stages * x
    share = rng.beta(np.maximum(at, 1), np.maximum(events + 1 - at, 1))
    return x.astype(np.float64), np.where(x > 0, np.maximum(seen * share, 1e-9), 0.0)


def base(n: int, *, model: ModelName, seed: int = 0) -> Histories:
    """`n` customers in whole days, one order a day at most."""
    rng = np.random.default_rng(seed)
    age = rng.integers(28, DAYS, n).astype(np.float64)
    tail = (0.7, 60.0) if model == "pareto-nbd" else (0.8, 2.5)
    x, last = drawn(model, (0.6, 30.0, *tail), age, rng)
    last = np.where(x > 0, np.clip(np.ceil(last), 1, age), 0.0)
    x = np.minimum(x, last)
    return Histories(repeats=x, last=last, age=age, unit="day")


@dataclass(frozen=True, slots=True)
class Timed:
    """What was found, and what it took."""

    found: Any
    seconds: float
    processor_seconds: float


def timed(work: Callable[[], Any]) -> Timed:
    began, busy = time.perf_counter(), time.process_time()
    found = work()
    return Timed(found, time.perf_counter() - began, time.process_time() - busy)


def theirs(histories: Histories, model: ModelName) -> tuple[Timed, list[float], float]:
    """What the fitter of lifetimes took, its parameters and its log-likelihood."""
    from lifetimes import BetaGeoFitter, ParetoNBDFitter

    fitter = (ParetoNBDFitter if model == "pareto-nbd" else BetaGeoFitter)()
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        took = timed(lambda: fitter.fit(histories.repeats, histories.last, histories.age))
        own = fitter.params_.to_numpy(dtype=float).tolist()
    # theirs is a mean over customers, in scaled time; ours is the same function at their parameters
    return took, own, _likelihood_at(histories, model, own)


def _likelihood_at(histories: Histories, model: ModelName, parameters: list[float]) -> float:
    found = fit(histories, model=model, start=np.log(parameters), gain=np.inf)
    return found.log_likelihood


def side_by_side(n: int, model: ModelName, aim: str) -> list[dict[str, str]]:
    """Both fits, then what ours expects of every customer."""
    histories = base(n, model=model)
    ours = min((timed(lambda: fit(histories, model=model)) for _ in range(3)), key=lambda took: took.seconds)
    own: Fit = ours.found
    their, parameters, their_height = theirs(histories, model)
    rows = [
        {
            "what": f"{model}: fit of {n:,} customers ({len(histories.collapsed()):,} distinct)",
            "aim": aim,
            "reached": f"{ours.seconds:.2f} s, {their.seconds / ours.seconds:.0f} times faster",
            "peer": f"lifetimes {their.seconds:.1f} s",
            "note": f"processor time {their.processor_seconds / ours.processor_seconds:.0f} times less; log-likelihood "
            f"{own.log_likelihood:.3f}, at theirs {their_height:.3f}; {_told(own)} against "
            f"{', '.join(f'{value:.4g}' for value in parameters)}",
        }
    ]
    for what, work in (
        ("P(alive)", lambda: p_alive(own, histories)),
        ("expected orders, 365 days", lambda: expected_orders(own, histories, horizon=365)),
        (
            "discounted, without end",
            lambda: expected_discounted_orders(own, histories, annual_discount=0.15),
        ),
    ):
        took = timed(work)
        rows.append(
            {
                "what": f"{model}: {what} of the same",
                "aim": "",
                "reached": f"{took.seconds:.2f} s",
                "note": f"total {took.found.sum():,.0f}; peak memory "
                f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GiB",
            }
        )
    return rows


def refits(n: int, model: ModelName, draws: int = 20) -> dict[str, str]:
    """A Poisson bootstrap over customers, each refit started from the fit."""
    histories = base(n, model=model).collapsed()
    own = fit(histories, model=model)
    rng = np.random.default_rng(1)
    seconds = []
    for _ in range(draws):
        again = Histories(
            repeats=histories.repeats,
            last=histories.last,
            age=histories.age,
            count=rng.poisson(histories.weights).astype(np.float64),
            unit="day",
        )
        took = timed(lambda again=again: fit(again, model=model, start=own, gain=1e-4))
        assert took.found.converged
        seconds.append(took.seconds)
    return {
        "what": f"{model}: refit with bootstrap weights, {len(histories):,} distinct rows",
        "aim": "",
        "reached": f"{1000 * float(np.median(seconds)):.0f} ms",
        "note": f"median of {draws}",
    }


def _told(found: Fit) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in found.parameters.items())


def run(*, quick: bool) -> list[dict[str, str]]:
    """1,000,000 customers for BG/NBD and 100,000 for Pareto/NBD (quick: a twentieth)."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    part = 20 if quick else 1
    return [
        *side_by_side(1_000_000 // part, "bg-nbd", "≥ 10 times"),
        *side_by_side(100_000 // part, "pareto-nbd", "≥ 50 times"),
        refits(50_000, "bg-nbd"),
        refits(50_000, "pareto-nbd"),
    ]
