"""Orders after a return: the clock starts at the order by which a customer came back, and customers are of two types.

Those brought back by an offer are not those who would have come anyway: they are slower and leave sooner, and both
go together. So those who came back are a mixture of two types, each of which orders at rates of its own until it
leaves, in one of four manners of which the data choose:

- timing 1: exponential gaps; after each order, that of the return included, a customer leaves for good with his own
  probability. Each type is then the MBG/NBD with its clock at the return.
- timing 2, 3: the same with every gap made of so many hidden steps, so that orders come more regularly.
- timing 0: exponential gaps, and a lifetime that ends whatever he orders: the Pareto/NBD.

Within a type rates follow a gamma distribution among customers, leaving probabilities a beta, rates of dying a gamma.
In timings 1 to 3 everybody's rate may fade from his return on, as it does with those who learn to wait; or start low
and recover, as it does with those whose return was only pulled forward and who order next when they would have.
The share of the types, and rate and leaving of the first, may move with how late the return came, since those who
come back late are slower and of another kind than those who come back at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import betaln, expit, gammaln, psi

from primeta.stats.scoring import curved, likeliest

Floats = npt.NDArray[np.float64]

PARAMETERS = (
    "log r",
    "log alpha",
    "alpha by delay",
    "logit a / (a + b), or log beta",  # of leaving: the beta's mean; for lifetimes the gamma's scale
    "log (a + b), or log s",
    "leaving by delay",
    "second: log r",
    "second: log alpha",
    "second: logit a / (a + b), or log beta",
    "second: log (a + b), or log s",
    "logit share of the second",
    "share by delay",
    "fading, in hundredths a day",
    "slow start",  # −log of the rate at the return over the rate later
    "log days of it",
)
SPREAD = np.array([0.7, 1.5, 0.7, 1.0, 0.7, 0.7, 0.7, 1.0, 1.0, 0.7, 1.5, 0.7, 0.1, 0.1, 0.7])
"""Of the normal prior around where a fit starts, in units of one customer: it only keeps a flat likelihood from
running off. A rate is nearly even, unless the data say so."""
FREE = {"even": {}, "fading": {12: 0.5}, "slow start": {13: 1.0}}
"""What is set free where they do: place of the parameter → its spread."""
CLEARLY = 3.0
"""Log likelihood by which an uneven rate must fit better."""
FIRST = np.eye(15)[:6]
SECOND = np.eye(15)[[6, 7, 0, 8, 9, 0]] * np.array([1, 1, 0, 1, 1, 0])[:, None]
"""(6, 15) what of all parameters each type's own six are; the second does not move with the delay."""
TIMINGS = (1, 2, 3, 0)
NODES = 8
LIFE_NODES = 14
LIFE_SCALE = 10.0
"""Days: times of leaving are summed on the scale log(time + this)."""
SHORTEST = 0.5
"""Days: a later order on the day of the return counts as half a day after it."""


@dataclass(frozen=True, slots=True, eq=False)
class Returned:
    """n states of customers who came back, each held by `count` of them; times since the return in days."""

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
    """Parameters (15,), in the order of PARAMETERS, with what is needed to spread them."""

    theta: Floats
    timing: int
    log_likelihood: float
    """Comparable between timings."""
    inverse: Floats
    """(15, 15) inverse of the curvature of −log likelihood − log prior."""


@dataclass(frozen=True, slots=True, eq=False)
class _Own:
    """Each state's own distributions within a type."""

    r: float
    alpha: Floats
    a: Floats
    """Or s, of lifetimes."""
    b: Floats
    """Or beta, of lifetimes."""


def _own(theta: Floats, delay: Floats, timing: int) -> _Own:
    """Of one type, from its six parameters."""
    r = float(np.exp(np.clip(theta[0], -20, 20)))
    alpha = np.exp(np.clip(theta[1] + theta[2] * delay, -20, 20))
    size = np.exp(np.clip(theta[4], -20, 20))
    moved = theta[3] + theta[5] * delay
    if timing == 0:
        return _Own(r, alpha, np.full(delay.shape, size), np.exp(np.clip(moved, -20, 20)))
    mu = np.clip(expit(moved), 1e-9, 1 - 1e-9)
    return _Own(r, alpha, mu * size, (1 - mu) * size)


def _shares(theta: Floats, delay: Floats) -> tuple[Floats, Floats]:
    """Of the first and of the second type, by how late the return came."""
    second = np.clip(expit(theta[10] + theta[11] * delay), 1e-12, 1 - 1e-12)
    return 1 - second, second


def by_customer(theta: Floats, states: Returned, timing: int = 1) -> tuple[Floats, Floats]:
    """Log likelihood (n,) of each state and its gradient (n, 15).

    Source:
        Batislam, Denizel & Filiztekin (2007) for timing 1; Reutterer, Platzer & Schröder (2021), "Leveraging
        purchase regularity", for more steps: the wait since the last order is longer than j < k steps took;
        Schmittlein, Morrison & Colombo (1987) for lifetimes. The constants that depend on the timing alone are
        kept, so that fits of different timing compare.
    """
    z = states.delay
    shares = _shares(theta, z)
    clock, uneven = _uneven(theta, states, timing)
    values, slopes = [], []
    for share, place in zip(shares, (FIRST, SECOND), strict=True):
        own = _own(place @ theta, z, timing)
        value, by_r, by_alpha, by_place, by_size, by_last, by_age = (_life if timing == 0 else _leaves)(
            own, clock, timing
        )
        values.append(np.log(share) + value)
        by_clock = by_last[:, None] * uneven.last + by_age[:, None] * uneven.age
        slopes.append(
            (np.stack([by_r, by_alpha, by_alpha * z, by_place, by_size, by_place * z], axis=1), by_clock)
        )
    total = np.logaddexp(*values)
    gradient = np.zeros((len(z), len(PARAMETERS)))
    for value, (slope, by_clock), place in zip(values, slopes, (FIRST, SECOND), strict=True):
        weight = np.exp(value - total)
        gradient += weight[:, None] * slope @ place
        gradient[:, 12:] += weight[:, None] * by_clock
    by_share = np.exp(values[1] - total) - shares[1]
    gradient[:, 10] = by_share
    gradient[:, 11] = by_share * z
    gradient[:, 12:] += uneven.density_slope
    return total + uneven.density, gradient


@dataclass(frozen=True, slots=True, eq=False)
class _Uneven:
    """What the clock of an uneven rate changes: slopes by its three parameters, and the density of the last order."""

    last: Floats
    age: Floats
    density: Floats
    density_slope: Floats


def _pattern(theta: Floats) -> tuple[float, float, float]:
    """The rate at u days after the return, over what it would be: e^(−fading·u) (1 − low·e^(−u/days))."""
    fading = float(np.clip(theta[12] / 100, -0.01, 0.1))
    low = float(-np.expm1(-np.clip(theta[13], -2, 20)))
    return fading, low, float(np.exp(np.clip(theta[14], 0, 7)))


def _run(time: Floats, falling: float) -> tuple[Floats, Floats]:
    """∫ e^(−falling·u) du up to `time`, and its slope by `falling`."""
    if abs(falling) < 1e-7:
        return time - falling * time**2 / 2, -(time**2) / 2
    run = -np.expm1(-falling * time) / falling
    return run, (time * np.exp(-falling * time) - run) / falling


def _clock(time: Floats, theta: Floats) -> tuple[Floats, Floats]:
    """Time that runs as fast as the rate, the shape of `time`, and its slopes by the three parameters, last axis."""
    fading, low, days = _pattern(theta)
    whole, by_whole = _run(time, fading)
    slow, by_slow = _run(time, fading + 1 / days)
    by_fading = (by_whole - low * by_slow) / 100
    slopes = np.stack([by_fading, -(1 - low) * slow, low * by_slow / days], axis=-1)
    return whole - low * slow, slopes


def _uneven(theta: Floats, states: Returned, timing: int) -> tuple[Returned, _Uneven]:
    """The states on the clock of the uneven rate, on which orders come evenly."""
    known = states.later > 0
    last = np.where(known, np.maximum(states.last, SHORTEST), 0.0)
    age = np.maximum(states.age, last)
    if timing == 0:  # lifetimes do not stretch with it
        nothing = np.zeros((len(last), 3))
        clock = Returned(states.later, last, age, states.delay, states.count)
        return clock, _Uneven(nothing, nothing, np.zeros(len(last)), nothing)
    fading, low, days = _pattern(theta)
    run_last, by_last = _clock(last, theta)
    run_age, by_age = _clock(age, theta)
    clock = Returned(states.later, run_last, run_age, states.delay, states.count)
    recovering = np.exp(-last / days)
    rate = 1 - low * recovering
    density = np.where(known, -fading * last + np.log(rate), 0.0)
    slope = np.stack(
        [-last / 100, -(1 - low) * recovering / rate, -low * recovering * last / days / rate], axis=1
    )
    return clock, _Uneven(by_last, by_age, density, np.where(known[:, None], slope, 0.0))


def _leaves(own: _Own, states: Returned, k: int) -> tuple[Floats, ...]:
    """Leaving at orders: log likelihood and its slopes by log r, log alpha, logit mean and log size of leaving, last
    order and age."""
    x, last, age = states.later, states.last, states.age
    r, alpha, a, b = own.r, own.alpha, own.a, own.b
    phi = a + b
    kx = k * x
    silent = np.maximum(age - last, 1e-9)
    wait = np.log(silent)
    log_alpha = np.log(alpha)
    log_age, log_last = np.log(alpha + age), np.log(alpha + last)
    before = -gammaln(r) + r * log_alpha - betaln(a, b)

    alive, gone = betaln(a, b + x + 1), betaln(a + 1, b + x)
    shapes = [r + kx + j for j in range(k)]
    terms = [
        alive + gammaln(shape) - shape * log_age + j * wait - gammaln(j + 1) for j, shape in enumerate(shapes)
    ]
    terms.append(gone + gammaln(shapes[0]) - shapes[0] * log_last)
    stack = np.stack(terms)
    top = stack.max(axis=0)
    weight = np.exp(stack - top)
    total = weight.sum(axis=0)
    weight /= total
    value = before + top + np.log(total)
    known = np.where(x > 0, last, 1.0)
    value = value + np.where(x > 0, (kx - 1) * np.log(known) - gammaln(np.maximum(kx, 1)), 0.0)

    left = weight[-1]
    here = 1 - left
    by_r = left * (psi(shapes[0]) - log_last) - psi(r) + log_alpha
    by_alpha = -left * shapes[0] / (alpha + last) + r / alpha
    by_last = -left * shapes[0] / (alpha + last) + np.where(x > 0, (kx - 1) / known, 0.0)
    by_age = np.zeros(len(x))
    for j, shape in enumerate(shapes):
        by_r = by_r + weight[j] * (psi(shape) - log_age)
        longer = weight[j] * shape / (alpha + age)
        by_alpha = by_alpha - longer
        by_age = by_age - longer + weight[j] * j / silent
        by_last = by_last - weight[j] * j / silent
    psi_a, psi_b, psi_whole = psi(a), psi(b), psi(phi + x + 1)
    by_a = here * psi_a + left * (psi_a + 1 / a) - psi_whole - psi_a + psi(phi)
    psi_bx = psi(b + x)
    by_b = psi_bx + here / (b + x) - psi_whole - psi_b + psi(phi)
    by_place, by_size = (by_a - by_b) * a * b / phi, by_a * a + by_b * b
    return value, by_r * r, by_alpha * alpha, by_place, by_size, by_last, by_age


def _life(own: _Own, states: Returned, timing: int) -> tuple[Floats, ...]:
    """Lifetimes: log likelihood and its slopes by log r, log alpha, log beta and log s; nothing by last and age.

    The time of leaving, between the last order and the end, is summed by Gauss-Legendre; every term is positive.
    """
    del timing
    x, last, age = states.later, states.last, states.age
    r, alpha, s, beta = own.r, own.alpha, own.a, own.b
    points, weights = np.polynomial.legendre.leggauss(LIFE_NODES)
    low, high = np.log(last + LIFE_SCALE), np.log(np.maximum(age, last + 1e-6) + LIFE_SCALE)
    half = (high - low)[:, None] / 2
    scale = np.exp((high + low)[:, None] / 2 + half * points)
    when = scale - LIFE_SCALE
    shape = (r + x)[:, None]
    a_then, b_then = alpha[:, None] + when, beta[:, None] + when
    log_a, log_b = np.log(a_then), np.log(b_then)
    log_alpha, log_beta = np.log(alpha), np.log(beta)
    left = np.log(weights * half * scale) + (np.log(s) + s * log_beta)[:, None] - (s + 1)[:, None] * log_b
    left = left - shape * log_a
    here = s * (log_beta - np.log(beta + age)) - (r + x) * np.log(alpha + age)
    stack = np.concatenate([here[:, None], left], axis=1)
    top = stack.max(axis=1)
    share = np.exp(stack - top[:, None])
    total = share.sum(axis=1)
    share /= total[:, None]
    value = gammaln(r + x) - gammaln(r) + r * log_alpha + top + np.log(total)
    known = np.where(x > 0, last, 1.0)
    value = value + np.where(x > 0, (x - 1) * np.log(known) - gammaln(np.maximum(x, 1)), 0.0)
    all_a = np.concatenate([(alpha + age)[:, None], a_then], axis=1)
    all_b = np.concatenate([(beta + age)[:, None], b_then], axis=1)
    dead = 1 - share[:, 0]
    mean_log_a = share[:, 0] * np.log(alpha + age) + np.einsum("nm,nm->n", share[:, 1:], log_a)
    mean_log_b = share[:, 0] * np.log(beta + age) + np.einsum("nm,nm->n", share[:, 1:], log_b)
    by_r = psi(r + x) - psi(r) + log_alpha - mean_log_a
    by_alpha = r / alpha - (r + x) * (share / all_a).sum(axis=1)
    by_s = log_beta - mean_log_b + dead / s
    by_beta = s / beta - s * (share / all_b).sum(axis=1) - (share[:, 1:] / b_then).sum(axis=1)
    nothing = np.zeros(len(x))
    return value, by_r * r, by_alpha * alpha, by_beta * beta, by_s * s, nothing, nothing


def fit(
    states: Returned,
    *,
    timing: int = 1,
    centre: Floats | None = None,
    rate: str = "even",
    spread_known: bool = True,
) -> RepeatFit:
    """The likeliest parameters under a weak normal prior around `centre`, which is also the start.

    Args:
        rate: Of FREE: whether it may be uneven.
        spread_known: Whether `inverse` is wanted; else it is NaN, at half the cost.
    """
    if centre is None:
        centre = start(states, timing)
    return _fit(states, timing, _begin(centre, rate), centre, _width(rate), spread_known)


def fit_freely(states: Returned, *, timing: int, centre: Floats) -> tuple[RepeatFit, str]:
    """The fit in which rates are nearly even, or, where it is clearly likelier, one in which they are not; and which.

    Rates that grow for good after a return are not tried: a rate that grows exponentially is no forecast.
    """
    best, rate = fit(states, timing=timing, centre=centre), "even"
    if timing == 0:
        return best, rate
    likelihood = best.log_likelihood + CLEARLY
    plain = best.theta
    for one in ("fading", "slow start"):
        (place,) = FREE[one]
        found = _fit(states, timing, _begin(plain, one), centre, _width(one), False)
        if found.theta[place] > 0 and found.log_likelihood > likelihood:
            best, rate, likelihood = found, one, found.log_likelihood
    if rate != "even":
        best = _fit(states, timing, best.theta, centre, _width(rate), True)
    return best, rate


def _width(rate: str) -> Floats:
    width = SPREAD.copy()
    for place, spread in FREE[rate].items():
        width[place] = spread
    return width


def _begin(theta: Floats, rate: str) -> Floats:
    """A start well inside of what is set free."""
    begin = theta.copy()
    for place, spread in FREE[rate].items():
        begin[place] = max(begin[place], spread)
    return begin


def _fit(
    states: Returned, timing: int, begin: Floats, centre: Floats, width: Floats, spread_known: bool
) -> RepeatFit:
    def climbing(theta: Floats) -> tuple[float, Floats, Floats]:
        value, gradient = by_customer(theta, states, timing)
        apart = (theta - centre) / width
        total = float(states.count @ value) - 0.5 * float(apart @ apart)
        return total, states.count @ gradient - apart / width, gradient

    theta = likeliest(climbing, begin, states.count, width)
    inverse = np.full((len(theta), len(theta)), np.nan)
    if spread_known:
        inverse, theta = curved(lambda at: climbing(at)[1], theta, width)
    value, _ = by_customer(theta, states, timing)
    return RepeatFit(theta, timing, float(states.count @ value), inverse)


def start(states: Returned, timing: int) -> Floats:
    """Where a fit begins: the rate at which those who ordered again did, and a third leaving at each order, more of the
    second type."""
    weight = states.count * (states.later > 0)
    mean_age = float(states.count @ states.age / max(states.count.sum(), 1e-9))
    rate = (weight @ states.later + 1.0) / (weight @ np.maximum(states.last, SHORTEST) + mean_age + 1.0)
    leaving = (np.log(mean_age + 1.0), 0.0) if timing == 0 else (-0.7, 1.0)
    pace = -np.log(rate * max(timing, 1))
    sooner = leaving[0] + (-1.5 if timing == 0 else 1.5)
    return np.array(
        [0.4, pace, 0.0, *leaving, 0.0, 0.4, pace + 0.4, sooner, leaving[1], -1.0, 0.0, 0.0, 0.0, 3.8]
    )


def expected(
    theta: Floats,
    states: Returned,
    *,
    timing: int,
    begin: Floats,
    cuts: Floats,
    daily_discount: float,
    steps: int = 3,
) -> Floats:
    """(n, J) orders to expect from each state between successive `cuts`, each order worth exp(−discount × day).

    Args:
        begin: (n,) day at which each state stands; only later orders count.
        cuts: (J + 1,) or (n, J + 1) rising days, on the clock of `begin`. A state at its very return is `later` =
            `last` = `age` = 0.
    Source:
        Given rate and leaving probability p, an order that the customer survives comes with probability 1 − p, so
        orders thin out as exp(−rate × p × u) for k = 1; for k > 1 the renewal density is a sum over the k-th roots
        of unity. The gamma over rates is integrated in closed form, p by Gauss-Jacobi, time by Gauss-Legendre.
    """
    points, masses = np.polynomial.legendre.leggauss(steps)
    cuts = np.atleast_2d(cuts)
    low, high = (np.maximum(side, begin[:, None]) for side in (cuts[:, :-1], cuts[:, 1:]))
    half = (high - low)[:, :, None] / 2
    day = low[:, :, None] + half * (points + 1)  # (n, J, steps)
    worth = (masses * half * np.exp(-daily_discount * day)).reshape(len(begin), -1)
    ahead = day.reshape(len(begin), -1) - begin[:, None]

    shares = _shares(theta, states.delay)
    owns = [_own(place @ theta, states.delay, timing) for place in (FIRST, SECOND)]
    clock, _ = _uneven(theta, states, timing)
    if timing:
        fading, slow, days = _pattern(theta)
        real = np.maximum(states.age, np.where(states.later > 0, SHORTEST, 0.0))[:, None] + ahead
        worth = worth * np.exp(-fading * real) * (1 - slow * np.exp(-real / days))
        ahead = _clock(real, theta)[0] - clock.age[:, None]
    values = [(_life if timing == 0 else _leaves)(own, clock, timing)[0] for own in owns]
    joined = [np.log(share) + value for share, value in zip(shares, values, strict=True)]
    total = np.logaddexp(*joined)
    rate = np.zeros(ahead.shape)
    for own, value, mine in zip(owns, values, joined, strict=True):
        pace = _living(own, clock, value, ahead) if timing == 0 else _pace(own, clock, timing, ahead)
        rate += np.exp(mine - total)[:, None] * pace
    return (rate * worth).reshape(len(begin), cuts.shape[1] - 1, steps).sum(axis=-1)


def _living(own: _Own, states: Returned, value: Floats, ahead: Floats) -> Floats:
    """(n, m) orders per day so many days ahead, of a type with lifetimes; `value`: its log likelihood (n,)."""
    x, last, age = states.later, states.last, states.age
    here = (
        gammaln(own.r + x)
        - gammaln(own.r)
        + own.r * np.log(own.alpha)
        - (own.r + x) * np.log(own.alpha + age)
        + own.a * (np.log(own.b) - np.log(own.b + age))
        + np.where(x > 0, (x - 1) * np.log(np.where(x > 0, last, 1.0)) - gammaln(np.maximum(x, 1)), 0.0)
    )
    alive = np.exp(here - value) * (own.r + x) / (own.alpha + age)
    return alive[:, None] * np.exp(-own.a[:, None] * np.log1p(ahead / (own.b + age)[:, None]))


def _pace(own: _Own, states: Returned, k: int, ahead: Floats) -> Floats:
    """(n, m) orders per day so many days ahead, of a type that leaves at orders."""
    x, last, age = states.later, states.last, states.age
    kx = k * x
    wait = np.log(np.maximum(age - last, 1e-9))
    shapes = np.stack([own.r + kx + j for j in range(k)])
    steps = np.arange(k)[:, None]
    alive = (
        betaln(own.a, own.b + x + 1)
        + gammaln(shapes)
        - shapes * np.log(own.alpha + age)
        + steps * wait
        - gammaln(steps + 1)
    )
    gone = betaln(own.a + 1, own.b + x) + gammaln(own.r + kx) - (own.r + kx) * np.log(own.alpha + last)
    top = np.maximum(alive.max(axis=0), gone)
    alive, gone = np.exp(alive - top), np.exp(gone - top)
    phase = alive / (alive.sum(axis=0) + gone)  # (k, n): still here, with j steps of the next order done
    leaving, mass = _beta_nodes(own.a, own.b + x + 1)  # (n, NODES)
    scale = own.alpha + age
    far_ahead = ahead / scale[:, None]
    pace = shapes / scale
    power = -(shapes[0] + 1)[:, None, None]
    if k == 1:
        density = np.exp(power * np.log1p(leaving[:, :, None] * far_ahead[:, None, :]))
        return np.einsum("np,npu->nu", mass, density) * (phase[0] * pace[0])[:, None]
    rate = np.zeros(ahead.shape)
    kept = np.maximum(1 - leaving, 1e-12) ** (1.0 / k)
    for turn in range(k // 2 + 1):  # the other roots are conjugates of these
        root = np.exp(2j * np.pi * turn / k)
        twice = 2.0 if 0 < turn < k / 2 else 1.0
        far = np.log1p((1 - root * kept)[:, :, None] * far_ahead[:, None, :])
        term = np.exp(power * far)
        for j in range(k):
            due = k - j - 1
            share = mass * kept ** (-due) * root ** (-due) * (twice / k)
            rate += np.einsum("np,npu->nu", share, term).real * (phase[j] * pace[j])[:, None]
            if j < k - 1:
                term = term * np.exp(-far)
    return rate


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
