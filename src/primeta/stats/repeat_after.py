"""Orders after a return: the clock starts at the order by which a customer came back, and he may leave at any order.

A customer orders at his own rate and, after each order, that of the return included, leaves for good with his own
probability. With Poisson timing (`k` = 1) this is the MBG/NBD with its clock at the return; with `k` > 1 every
order takes k hidden steps, so that orders come more regularly. Rates follow a gamma and leaving probabilities a
beta distribution among customers; both may move with how late the return came, since those who come back late are
slower and of another kind than those who come back at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import betaln, expit, gammaln, psi

Floats = npt.NDArray[np.float64]

PARAMETERS = ("log r", "log alpha", "alpha by delay", "logit leaving", "log a + b", "leaving by delay")
SPREAD = np.array([1.5, 3.0, 1.0, 2.0, 1.5, 1.0])
"""Of the normal prior around `CENTRE`, in units of one customer: it only keeps a flat likelihood from running off."""
KINDS = (1, 2, 3)
"""Hidden steps per order that are tried."""
NODES = 8
SHORTEST = 0.5
"""Days: a later order on the day of the return counts as half a day after it."""


@dataclass(frozen=True, slots=True, eq=False)
class Returned:
    """n states of customers who came back, each held by `count` of them; times since the return in one unit."""

    later: Floats
    """Orders after the return."""
    last: Floats
    """From the return to the last of them; 0 where there is none."""
    age: Floats
    """From the return to the end of what was seen."""
    delay: Floats
    """How late the return came, on any scale with a spread of about 1."""
    count: Floats

    def __getitem__(self, place: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> Returned:
        return Returned(
            self.later[place], self.last[place], self.age[place], self.delay[place], self.count[place]
        )


@dataclass(frozen=True, slots=True, eq=False)
class RepeatFit:
    """Parameters (6,), in the order of PARAMETERS, with what is needed to spread them."""

    theta: Floats
    k: int
    log_likelihood: float
    """Comparable between `k`."""
    inverse: Floats
    """(6, 6) inverse of the curvature of −log likelihood − log prior."""


def by_customer(theta: Floats, states: Returned, k: int = 1) -> tuple[Floats, Floats]:
    """Log likelihood (n,) of each state and its gradient (n, 6).

    Source:
        Batislam, Denizel & Filiztekin (2007) for k = 1; Reutterer, Platzer & Schröder (2021), "Leveraging purchase
        regularity", for k > 1: the wait since the last order is longer than j < k steps took. The constants that
        depend on k alone are kept, so that fits of different k compare.
    """
    x, last, age, z = states.later, states.last, states.age, states.delay
    r = np.exp(theta[0])
    alpha = np.exp(theta[1] + theta[2] * z)
    mu = expit(theta[3] + theta[5] * z)
    mu = np.clip(mu, 1e-9, 1 - 1e-9)
    phi = np.exp(np.clip(theta[4], -20, 20))
    a, b = mu * phi, (1 - mu) * phi
    kx = k * x
    wait = np.maximum(age - last, 1e-9)
    log_alpha = np.log(alpha)
    before = -gammaln(r) + r * log_alpha - betaln(a, b)
    psi_r, psi_a, psi_b, psi_phi = psi(r), psi(a), psi(b), psi(phi)
    log_age, log_last = np.log(alpha + age), np.log(alpha + last)

    alive = betaln(a, b + x + 1)
    gone = betaln(a + 1, b + x)
    psi_whole = psi(phi + x + 1)
    terms, slopes = [], []
    for j in range(k):
        shape = r + kx + j
        terms.append(alive + gammaln(shape) - shape * log_age + j * np.log(wait) - gammaln(j + 1))
        by_r = psi(shape) - log_age
        by_alpha = -shape / (alpha + age)
        by_a = psi_a - psi_whole
        by_b = psi(b + x + 1) - psi_whole
        slopes.append((by_r, by_alpha, by_a, by_b))
    shape = r + kx
    terms.append(gone + gammaln(shape) - shape * log_last)
    slopes.append(
        (psi(shape) - log_last, -shape / (alpha + last), psi(a + 1) - psi_whole, psi(b + x) - psi_whole)
    )
    stack = np.stack(terms)
    top = stack.max(axis=0)
    weight = np.exp(stack - top)
    total = weight.sum(axis=0)
    weight /= total
    value = before + top + np.log(total)
    value = value + np.where(
        x > 0, (kx - 1) * np.log(np.maximum(last, SHORTEST)) - gammaln(np.maximum(kx, 1)), 0.0
    )

    by_r, by_alpha, by_a, by_b = (
        (weight * np.stack(parts)).sum(axis=0) for parts in zip(*slopes, strict=True)
    )
    by_r = by_r - psi_r + log_alpha
    by_alpha = (by_alpha + r / alpha) * alpha
    by_a = by_a - psi_a + psi_phi
    by_b = by_b - psi_b + psi_phi
    by_mu = (by_a - by_b) * phi * mu * (1 - mu)
    gradient = np.stack([by_r * r, by_alpha, by_alpha * z, by_mu, by_a * a + by_b * b, by_mu * z], axis=1)
    return value, gradient


def fit(states: Returned, *, k: int = 1, centre: Floats | None = None, spread: Floats = SPREAD) -> RepeatFit:
    """The likeliest parameters under a weak normal prior around `centre`, which is also the start."""
    if centre is None:
        centre = start(states)
    n = max(float(states.count.sum()), 1.0)

    def minus(theta: Floats) -> tuple[float, Floats]:
        value, gradient = by_customer(theta, states, k)
        apart = (theta - centre) / spread
        total = float(states.count @ value) - 0.5 * float(apart @ apart)
        slope = states.count @ gradient - apart / spread
        return -total / n, -slope / n

    found = minimize(minus, centre, jac=True, method="BFGS", options={"gtol": 1e-6, "maxiter": 200})
    theta = np.asarray(found.x, dtype=np.float64)
    size = theta.size
    curvature = np.zeros((size, size))
    for place in range(size):
        step = np.zeros(size)
        step[place] = 1e-4
        curvature[place] = (minus(theta + step)[1] - minus(theta - step)[1]) / 2e-4
    curvature = n * (curvature + curvature.T) / 2
    values, vectors = np.linalg.eigh(curvature)
    inverse = (vectors / np.maximum(values, np.min(spread**-2) / 4)) @ vectors.T
    value, _ = by_customer(theta, states, k)
    return RepeatFit(theta, k, float(states.count @ value), inverse)


def start(states: Returned) -> Floats:
    """Where a fit begins: the rate at which those who ordered again did, and a third leaving at each order."""
    weight = states.count * (states.later > 0)
    rate = (weight @ states.later + 1.0) / (
        weight @ np.maximum(states.last, SHORTEST) + states.age.mean() + 1.0
    )
    return np.array([0.0, -np.log(rate), 0.0, -0.7, 0.5, 0.0])


def expected(
    theta: Floats,
    states: Returned,
    *,
    k: int,
    begin: Floats,
    cuts: Floats,
    daily_discount: float,
    steps: int = 3,
) -> Floats:
    """(n, J) orders to expect from each state between successive `cuts`, each order worth exp(−discount × day).

    Args:
        begin: (n,) day at which each state stands; only later orders count.
        cuts: (J + 1,) or (n, J + 1) rising days, on the clock of `begin`. A state at its very return is `later` = `last` =
            `age` = 0.
    Source:
        Given rate and leaving probability p, an order that the customer survives comes with probability 1 − p, so
        orders thin out as exp(−rate × p × u) for k = 1; for k > 1 the renewal density is a sum over the k-th roots
        of unity. The gamma over rates is integrated in closed form, p by Gauss-Jacobi, time by Gauss-Legendre.
    """
    x, last, age, z = states.later, states.last, states.age, states.delay
    r = np.exp(theta[0])
    alpha = np.exp(theta[1] + theta[2] * z)
    mu = np.clip(expit(theta[3] + theta[5] * z), 1e-9, 1 - 1e-9)
    phi = np.exp(np.clip(theta[4], -20, 20))
    a, b = mu * phi, (1 - mu) * phi
    kx = k * x
    wait = np.maximum(age - last, 1e-9)
    shapes = np.stack([r + kx + j for j in range(k)])
    alive = np.stack(
        [
            betaln(a, b + x + 1)
            + gammaln(shapes[j])
            - shapes[j] * np.log(alpha + age)
            + j * np.log(wait)
            - gammaln(j + 1)
            for j in range(k)
        ]
    )
    gone = betaln(a + 1, b + x) + gammaln(r + kx) - (r + kx) * np.log(alpha + last)
    top = np.maximum(alive.max(axis=0), gone)
    alive, gone = np.exp(alive - top), np.exp(gone - top)
    phase = alive / (alive.sum(axis=0) + gone)  # (k, n): still here, with j steps of the next order done

    points, masses = np.polynomial.legendre.leggauss(steps)
    cuts = np.atleast_2d(cuts)
    low, high = (np.maximum(side, begin[:, None]) for side in (cuts[:, :-1], cuts[:, 1:]))
    half = (high - low)[:, :, None] / 2
    day = low[:, :, None] + half * (points + 1)  # (n, J, steps)
    worth = (masses * half * np.exp(-daily_discount * day)).reshape(len(x), -1)
    ahead = (day.reshape(len(x), -1) - begin[:, None]) / (alpha + age)[:, None]
    leaving, mass = _beta_nodes(a, b + x + 1)  # (n, NODES)
    pace = shapes / (alpha + age)
    if k == 1:
        power = (-(shapes[0] + 1))[:, None, None]
        density = np.exp(power * np.log1p(leaving[:, :, None] * ahead[:, None, :]))
        rate = np.einsum("np,npu->nu", mass, density) * (phase[0] * pace[0])[:, None]
    else:
        rate = np.zeros(ahead.shape)
        kept = np.maximum(1 - leaving, 1e-12) ** (1.0 / k)
        for turn in range(k // 2 + 1):  # the other roots are conjugates of these
            root = np.exp(2j * np.pi * turn / k)
            twice = 2.0 if 0 < turn < k / 2 else 1.0
            far = np.log1p((1 - root * kept)[:, :, None] * ahead[:, None, :])
            term = np.exp(-(shapes[0] + 1)[:, None, None] * far)
            for j in range(k):
                due = k - j - 1
                share = mass * kept ** (-due) * root ** (-due) * (twice / k)
                rate += np.einsum("np,npu->nu", share, term).real * (phase[j] * pace[j])[:, None]
                if j < k - 1:
                    term = term * np.exp(-far)
    return (rate * worth).reshape(len(x), cuts.shape[1] - 1, steps).sum(axis=-1)


def _beta_nodes(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """(n, NODES) points and weights that integrate polynomials over Beta(a, b) exactly.

    Rows of equal (a, b) share one rule.

    Source:
        Golub & Welsch (1969): eigenvalues of the Jacobi matrix, here of all pairs in one batch.
    """
    pairs = np.stack([np.broadcast_to(a, b.shape), b], axis=1)
    distinct, place = np.unique(pairs, axis=0, return_inverse=True)
    place = place.reshape(-1)
    up, down = distinct[:, :1] - 1, distinct[:, 1:] - 1  # powers of p and of 1 − p
    n = np.arange(1, NODES)
    both = up + down
    middle = np.empty((len(distinct), NODES))
    middle[:, :1] = (up - down) / (both + 2)
    middle[:, 1:] = (up - down) * both / ((2 * n + both) * (2 * n + both + 2))
    beside = np.empty((len(distinct), NODES - 1))
    beside[:, :1] = 4 * (1 + up) * (1 + down) / ((both + 2) ** 2 * (both + 3))
    m = n[1:]
    beside[:, 1:] = (
        4
        * m
        * (m + up)
        * (m + down)
        * (m + both)
        / ((2 * m + both) ** 2 * (2 * m + both + 1) * (2 * m + both - 1))
    )
    matrix = np.zeros((len(distinct), NODES, NODES))
    at = np.arange(NODES)
    matrix[:, at, at] = middle
    root = np.sqrt(np.maximum(beside, 0.0))
    matrix[:, at[1:], at[:-1]] = root
    matrix[:, at[:-1], at[1:]] = root
    points, vectors = np.linalg.eigh(matrix)
    points = np.clip((points + 1) / 2, 0.0, 1.0)
    return points[place], (vectors[:, 0, :] ** 2)[place]
