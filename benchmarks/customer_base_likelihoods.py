"""Random likelihoods and forecasts of every customer-base model against high precision arithmetic.

The reference is written from the closed forms of the papers with hypergeometric functions, at 60 digits and more,
so that it shares no formula with what it checks.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import mpmath as mp
import numpy as np

from primeta.stats.bg_nbd import BG_NBD
from primeta.stats.customer_models import CustomerModel
from primeta.stats.gamma_gamma import log_likelihood_gamma_gamma
from primeta.stats.mbg_nbd import MBG_NBD
from primeta.stats.pareto_nbd import PARETO_NBD
from primeta.stats.regular_timing import regular

NAME = "customer-base likelihoods"
PROMISE = 1e-8
"""Of the log-likelihood; absolute where it is below 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One customer under one set of parameters."""

    parameters: tuple[float, float, float, float]
    x: int
    last: float
    age: float
    stages: int = 1
    ahead: float = 1.0


def random_case(rng: np.random.Generator, *, regular_timing: bool = False) -> Case:
    """Parameters log-uniform: shapes over 10⁻³ … 10³, scales over 10⁻² … 10⁴; x up to 1,000; ages up to 10⁴."""
    r, third = 10 ** rng.uniform(-3, 3, 2)
    alpha = 10 ** rng.uniform(-2, 4)
    fourth = 10 ** rng.uniform(-3, 3)
    age = 10 ** rng.uniform(-1, 4)
    x = 0 if rng.random() < 0.2 else int(np.floor(10 ** rng.uniform(0, 3)))
    kind = rng.random()
    last = 0.0
    if x:
        # spread over the age, crowded at its start, crowded at its end, at the very end
        part = (
            10 ** rng.uniform(-4, 0)
            if kind < 0.3
            else 1 - 10 ** rng.uniform(-6, 0)
            if kind < 0.6
            else rng.random()
        )
        last = age if kind > 0.95 else age * part
    return Case(
        parameters=(float(r), float(alpha), float(third), float(fourth)),
        x=x,
        last=float(max(last, 1e-9) if x else 0.0),
        age=float(age),
        stages=int(rng.integers(2, 13)) if regular_timing else 1,
        ahead=float(10 ** rng.uniform(-1, np.log10(5000))),
    )


def pareto_case(rng: np.random.Generator) -> Case:
    """The same with the fourth parameter a scale."""
    case = random_case(rng)
    r, alpha, s, _ = case.parameters
    return Case(
        parameters=(r, alpha, s, float(10 ** rng.uniform(-2, 4))), x=case.x, last=case.last, age=case.age,
        ahead=case.ahead,
    )  # fmt: skip


def exact_beta_geometric(case: Case, *, leaves_at_start: bool) -> mp.mpf:
    """Log-likelihood: Fader, Hardie & Lee (2005), eq. 6; Batislam et al. (2007); Platzer & Reutterer (2016), eq. 5."""
    with mp.workdps(60):
        r, alpha, a, b = (mp.mpf(value) for value in case.parameters)
        x, last, age, k = mp.mpf(case.x), mp.mpf(case.last), mp.mpf(case.age), case.stages
        e = 1 if leaves_at_start else 0
        c = r + k * x
        front = mp.loggamma(c) - mp.loggamma(r) + r * mp.log(alpha)
        log_beta = mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b)

        def log_b(first: mp.mpf, second: mp.mpf) -> mp.mpf:
            return mp.loggamma(first) + mp.loggamma(second) - mp.loggamma(first + second) - log_beta

        waiting = mp.fsum(
            mp.rf(c, j) / mp.factorial(j) * ((age - last) / (alpha + age)) ** j for j in range(k)
        )
        here = log_b(a, b + x + e) - c * mp.log(alpha + age) + mp.log(waiting)
        total = mp.exp(here)
        if x > 0 or e:
            total += mp.exp(log_b(a + 1, b + x - 1 + e) - c * mp.log(alpha + last))
        return front + mp.log(total)


def exact_pareto(case: Case) -> mp.mpf:
    """Log-likelihood: Fader & Hardie (2005), "A note on deriving the Pareto/NBD model", eq. 18–20."""
    coarse, fine = _pareto_at(case, 60), _pareto_at(case, 90)
    # the difference of hypergeometric functions loses digits without warning; more are taken until they agree
    digits = 90
    while abs(coarse - fine) > mp.mpf(10) ** -12 * max(1, abs(fine)) and digits < 3000:
        digits *= 2
        coarse, fine = fine, _pareto_at(case, digits)
    return fine


def _pareto_at(case: Case, digits: int) -> mp.mpf:
    with mp.workdps(digits):
        r, alpha, s, beta = (mp.mpf(value) for value in case.parameters)
        x, last, age = mp.mpf(case.x), mp.mpf(case.last), mp.mpf(case.age)
        large, small = max(alpha, beta), min(alpha, beta)
        second = s + 1 if alpha >= beta else r + x
        power = r + s + x

        def part(at: mp.mpf) -> mp.mpf:
            return mp.hyp2f1(power, second, power + 1, (large - small) / (large + at)) / (large + at) ** power

        front = mp.loggamma(r + x) - mp.loggamma(r) + r * mp.log(alpha) + s * mp.log(beta)
        left = s / power * (part(last) - part(age))
        here = (alpha + age) ** (-(r + x)) * (beta + age) ** (-s)
        return front + mp.log(here + left)


def exact_orders_beta_geometric(case: Case, *, leaves_at_start: bool) -> mp.mpf:
    """Orders within `ahead` of who is still here: ∫ (1 − (1 + pτ)^−c)/p over Beta(a, b + x + e), as a 2F1 of the papers.

    E 1/p − E (1 + pτ)^−c / p by analytic continuation in a: Fader, Hardie & Lee (2005), eq. 10, where a ≠ 1.
    """
    with mp.workdps(60):
        r, alpha, a, b = (mp.mpf(value) for value in case.parameters)
        x, age, ahead = mp.mpf(case.x), mp.mpf(case.age), mp.mpf(case.ahead)
        b = b + x + (1 if leaves_at_start else 0)
        c = r + x
        tau = ahead / (alpha + age)
        if abs(a - 1) < mp.mpf(10) ** -12:
            a += mp.mpf(10) ** -20
        # E p^−1 (1 + pτ)^−c = B(a − 1, b)/B(a, b) · 2F1(c, a − 1; a + b − 1; −τ); Pfaff keeps the argument in (0, 1)
        factor = (a + b - 1) / (a - 1)
        return factor * (1 - (1 + tau) ** (-c) * mp.hyp2f1(c, b, a + b - 1, tau / (1 + tau)))


def exact_orders_pareto(case: Case) -> mp.mpf:
    """The same: Fader & Hardie (2005), eq. 41."""
    with mp.workdps(60):
        r, alpha, s, beta = (mp.mpf(value) for value in case.parameters)
        age, ahead = mp.mpf(case.age), mp.mpf(case.ahead)
        ratio = (beta + age) / (beta + age + ahead)
        return (r + case.x) * (beta + age) / ((alpha + age) * (s - 1)) * (1 - ratio ** (s - 1))


def exact_gamma_gamma(parameters: tuple[float, float, float], x: int, value: float) -> mp.mpf:
    """Log density of a mean: Fader & Hardie, note 025, eq. 1a."""
    with mp.workdps(60):
        p, q, gamma = (mp.mpf(part) for part in parameters)
        z = mp.mpf(value)
        return (
            mp.loggamma(p * x + q) - mp.loggamma(p * x) - mp.loggamma(q) + q * mp.log(gamma)
            + (p * x - 1) * mp.log(z) + p * x * mp.log(mp.mpf(x)) - (p * x + q) * mp.log(gamma + x * z)
        )  # fmt: skip


def one(value: float) -> np.ndarray:
    return np.array([float(value)])


def ours(model: CustomerModel, case: Case) -> float:
    """Log-likelihood of one customer."""
    x = one(case.x)
    with np.errstate(under="ignore"):
        pairs = model.pair_terms(case.parameters, x)
        rows = model.row_terms(case.parameters, x, one(case.last), one(case.age))
    return float(pairs.value[0] + rows.value[0])


def our_orders(model: CustomerModel, case: Case) -> float:
    with np.errstate(under="ignore"):
        found = model.expected_alive(
            case.parameters, one(case.x), one(case.last), one(case.age), np.array([[case.ahead]])
        )
    return float(found[0, 0])


def error(found: float, true: mp.mpf) -> float:
    """Relative to the true value; absolute where that is below 1."""
    return float(abs(mp.mpf(found) - true) / max(1, abs(true)))


MODELS: dict[
    str,
    tuple[Callable[[np.random.Generator], Case], Callable[[Case], CustomerModel], Callable[[Case], mp.mpf]],
]
MODELS = {
    "BG/NBD": (random_case, lambda _: BG_NBD, lambda case: exact_beta_geometric(case, leaves_at_start=False)),
    "MBG/NBD": (
        random_case,
        lambda _: MBG_NBD,
        lambda case: exact_beta_geometric(case, leaves_at_start=True),
    ),
    "Pareto/NBD": (pareto_case, lambda _: PARETO_NBD, exact_pareto),
    "MBG/CNBD-k": (
        lambda rng: random_case(rng, regular_timing=True),
        lambda case: regular(case.stages),
        lambda case: exact_beta_geometric(case, leaves_at_start=True),
    ),
}
"""Name → how its cases are drawn, the model, its reference."""

ORDERS: dict[str, tuple[Callable[[np.random.Generator], Case], CustomerModel, Callable[[Case], mp.mpf]]]
ORDERS = {
    "BG/NBD": (random_case, BG_NBD, lambda case: exact_orders_beta_geometric(case, leaves_at_start=False)),
    "MBG/NBD": (random_case, MBG_NBD, lambda case: exact_orders_beta_geometric(case, leaves_at_start=True)),
    "Pareto/NBD": (pareto_case, PARETO_NBD, exact_orders_pareto),
}


def random_spend(rng: np.random.Generator) -> tuple[tuple[float, float, float], int, float]:
    p, q = 10 ** rng.uniform(-3, 3, 2)
    gamma = 10 ** rng.uniform(-2, 4)
    return (float(p), float(q), float(gamma)), int(10 ** rng.uniform(0, 3)), float(10 ** rng.uniform(-2, 5))


def likelihood_errors(name: str, cases: int, seed: int) -> np.ndarray:
    """(cases,) errors; NaN where ours is not finite."""
    rng = np.random.default_rng(seed)
    found = np.empty(cases)
    for i in range(cases):
        if name == "Gamma-Gamma":
            parameters, x, value = random_spend(rng)
            mine = float(log_likelihood_gamma_gamma(parameters, one(x), one(value))[0])
            true = exact_gamma_gamma(parameters, x, value)
        else:
            draw, model, exact = MODELS[name]
            case = draw(rng)
            mine, true = ours(model(case), case), exact(case)
        found[i] = error(mine, true) if np.isfinite(mine) else np.nan
    return found


def orders_errors(name: str, cases: int, seed: int) -> np.ndarray:
    """(cases,) relative errors of the orders expected of who is still here."""
    rng = np.random.default_rng(seed)
    draw, model, exact = ORDERS[name]
    found = np.empty(cases)
    for i in range(cases):
        case = draw(rng)
        mine, true = our_orders(model, case), exact(case)
        found[i] = float(abs(mine / true - 1)) if np.isfinite(mine) else np.nan
    return found


def run(*, quick: bool) -> list[dict[str, str]]:
    """10,000 random likelihoods and 2,000 forecasts of each model (quick: a fiftieth)."""
    cases, forecasts = (200, 40) if quick else (10_000, 2_000)
    rows = []
    for what, number, names, measure in (
        ("log-likelihood", cases, [*MODELS, "Gamma-Gamma"], likelihood_errors),
        ("expected orders", forecasts, list(ORDERS), orders_errors),
    ):
        for seed, name in enumerate(names):
            began = time.perf_counter()
            errors = measure(name, number, seed)
            lost = int(np.isnan(errors).sum())
            rows.append(
                {
                    "what": f"{name}: {what}, {number:,} random cases",
                    "aim": f"≤ {PROMISE:g}, none non-finite",
                    "reached": f"{np.nanmax(errors):.1e}, {lost} non-finite",
                    "note": f"{(errors > PROMISE).sum()} above {PROMISE:g}, median {np.nanmedian(errors):.0e}; "
                    f"{time.perf_counter() - began:.0f} s, nearly all of it high precision",
                }
            )
    return rows
