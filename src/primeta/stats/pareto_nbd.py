"""Pareto/NBD: orders at random while here, and a lifetime that may end at any moment.

Schmittlein, Morrison & Colombo (1987), "Counting your customers: who are they and what will they do next?",
Management Science 33, 1. A customer orders at his own rate λ ~ Gamma(r, α) and leaves at his own rate
μ ~ Gamma(s, β). With x repeat orders, the last at t_x, seen to T, and c = r + x,

    L = (r)_x α^r β^s [ (α + T)^−c (β + T)^−s  +  ∫ s (α + τ)^−c (β + τ)^−(s + 1) dτ  over t_x … T ]

(Fader & Hardie 2005, "A note on deriving the Pareto/NBD model", eq. 15 before the integral is written with
hypergeometric functions). The integral is done by Gauss–Legendre nodes in ln(min(α, β) + τ): every term is
positive, so nothing cancels, and derivatives are averages over the same nodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.special import exprel, gammaln

from primeta.stats.customer_models import Floats, Natural, Terms, full, rows_of
from primeta.stats.rising import log_rising, rising_slopes

FALL = 37.0
"""The integrand is followed down to e^−37 of its peak."""
CELLS = 100_000
"""Rows × nodes that are worked on at a time: they stay in the cache."""
GRADES = (
    (10, 1.0, 3.0),
    (14, 2.0, 10.0),
    (24, 4.0, np.inf),
    (48, 9.0, np.inf),
    (96, 20.0, np.inf),
    (256, np.inf, np.inf),
)
"""Nodes, and the length in logs and the fall of the integrand for which so many are enough."""


@lru_cache(maxsize=16)
def _legendre(nodes: int) -> tuple[Floats, Floats]:
    """Nodes on (0, 1) and logs of their weights."""
    at, weight = np.polynomial.legendre.leggauss(nodes)
    return (at + 1) / 2, np.log(weight / 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParetoNBD:
    """The model."""

    name: str = "pareto-nbd"

    @property
    def parameters(self) -> tuple[str, str, str, str]:
        return ("r", "alpha", "s", "beta")

    @property
    def covaried(self) -> tuple[tuple[int, float], ...]:
        # Fader & Hardie (2007), §2: α = α₀ e^−γ₁′z, β = β₀ e^−γ₂′z
        return ((1, -1.0), (3, -1.0))

    def looks_only_at_age(self) -> bool:
        return True

    def age_scale(self, at: Natural) -> float | Floats:
        return np.minimum(at[1], at[3])

    def pair_terms(self, at: Natural, x: Floats) -> Terms:
        r, alpha, _, _ = at
        first, second = rising_slopes(r, x)
        return Terms(
            log_rising(r, x) - x * np.log(alpha),
            (r * first, -x, np.zeros_like(x), np.zeros_like(x)),
            ((0, 0, r * first + r * r * second),),
        )

    def row_terms(self, at: Natural, x: Floats, last: Floats, age: Floats) -> Terms:
        n = len(x)
        value = np.empty(n)
        slope = [np.empty(n) for _ in range(4)]
        curvature = {pair: np.empty(n) for pair in PAIRS}
        for rows, nodes, near, length in self._graded(at, x, last, age):
            part = _mixture(
                rows_of(at, rows),
                x[rows],
                age[rows],
                *_nodes(rows_of(at, rows), x[rows], near, length, nodes),
            )
            value[rows] = part.value
            for i in range(4):
                slope[i][rows] = part.slope[i]
            for i, j, entry in part.curvature:
                curvature[i, j][rows] = entry
        return Terms(value, tuple(slope), tuple((i, j, entry) for (i, j), entry in curvature.items()))

    def _graded(self, at: Natural, x: Floats, last: Floats, age: Floats):
        """Rows in blocks that need equally many nodes, with the nearer scale + t_x and the length in logs."""
        near, length, grade = _stretch(at, x, last, age)
        for index, (nodes, _, _) in enumerate(GRADES):
            rows = np.flatnonzero(grade == index)
            block = max(1, CELLS // nodes)
            for start in range(0, len(rows), block):
                part = rows[start : start + block]
                yield part, nodes, (near[part], last[part]), length[part]

    def p_alive(self, at: Natural, x: Floats, last: Floats, age: Floats) -> Floats:
        result = np.empty(len(x))
        for rows, nodes, near, length in self._graded(at, x, last, age):
            own = rows_of(at, rows)
            _, log_node = _nodes(own, x[rows], near, length, nodes)
            here = _here(own, x[rows], age[rows])
            result[rows] = 1 / (1 + np.exp(log_node - here[:, None]).sum(axis=1))
        return result

    def expected_alive(self, at: Natural, x: Floats, last: Floats, age: Floats, ahead: Floats) -> Floats:
        """c/(α + T) · ∫ (1 + u/(β + T))^−s du over 0 … t: Fader & Hardie (2005), eq. 41, without its 1/(s − 1)."""
        r, alpha, s, beta = (part[:, None] for part in full(at, len(x)))
        waits = np.log1p(ahead / (beta + age[:, None]))
        return (
            (r + x[:, None])
            * (beta + age[:, None])
            / (alpha + age[:, None])
            * waits
            * exprel((1 - s) * waits)
        )

    def expected_ever(self, at: Natural, x: Floats, age: Floats) -> Floats:
        """c (β + T)/((α + T)(s − 1)), without end where s ≤ 1."""
        r, alpha, s, beta = full(at, len(x))
        scale = (r + x) * (beta + age) / (alpha + age)
        return np.where(s > 1, scale / np.where(s > 1, s - 1, 1.0), np.inf)

    def share_with(self, at: Natural, orders: Floats, age: Floats) -> Floats:
        """Fader & Hardie (2006), "Deriving an expression for P(X(t) = x) under the Pareto/NBD model", as an integral."""
        own = full(at, len(orders))
        result = np.empty(len(orders))
        block = max(1, CELLS // 256)
        for start in range(0, len(orders), block):
            rows = slice(start, start + block)
            result[rows] = _share_with(rows_of(own, rows), orders[rows], age[rows])
        return result

    def draw(
        self, at: Natural, x: Floats, last: Floats, age: Floats, horizon: float, rng: np.random.Generator
    ) -> Floats:
        n = len(x)
        r, alpha, s, beta = full(at, n)
        alive = rng.random(n) < self.p_alive(at, x, last, age)
        rate = rng.gamma(r + x) / (alpha + age)
        leaves = rng.gamma(s) / (beta + age)
        # where next to nobody leaves a lifetime has no end
        with np.errstate(divide="ignore", over="ignore"):
            lifetime = np.where(leaves > 0, rng.standard_exponential(n) / leaves, np.inf)
        orders = rng.poisson(np.minimum(rate * np.minimum(lifetime, horizon), 1e15))
        return np.where(alive, orders, 0).astype(np.float64)


PAIRS = tuple((i, j) for i in range(4) for j in range(i, 4))


def _share_with(at: Natural, orders: Floats, age: Floats) -> Floats:
    r, alpha, s, beta = full(at, len(orders))
    nodes, log_weight = _legendre(256)
    here = _count_log(r, alpha, orders, age) - s * np.log1p(age / beta)
    # time on a scale on which both the count and the lifetime change slowly
    scale = np.minimum(beta, alpha / np.maximum(r, 1.0))
    length = np.log1p(age / scale)
    tau = scale[:, None] * np.expm1(length[:, None] * nodes)
    with np.errstate(divide="ignore"):
        span = np.log(length * scale)
    left = (
        _count_log(r[:, None], alpha[:, None], orders[:, None], tau)
        + (np.log(s / beta)[:, None] - (s + 1)[:, None] * np.log1p(tau / beta[:, None]))
        + (span[:, None] + log_weight + length[:, None] * nodes)
    )
    return np.exp(here) + np.exp(left).sum(axis=1)


def _count_log(r: Floats, alpha: Floats, orders: Floats, time: Floats) -> Floats:
    """Log P(N = orders) of a gamma–Poisson count over `time`."""
    with np.errstate(divide="ignore", invalid="ignore"):
        power = np.where(orders > 0, orders * np.log(time / (alpha + time)), 0.0)
    return log_rising(r, orders) - gammaln(orders + 1) - r * np.log1p(time / alpha) + power


def _here(at: Natural, x: Floats, age: Floats) -> Floats:
    r, alpha, s, beta = at
    return -(r + x) * np.log1p(age / alpha) - s * np.log1p(age / beta)


def _stretch(
    at: Natural, x: Floats, last: Floats, age: Floats
) -> tuple[Floats, Floats, npt.NDArray[np.int64]]:
    """min(α, β) + t_x; how far in logs the integrand is worth following; and the grade of nodes it needs.

    The log integrand is concave in v = ln(min(α, β) + τ), so that Newton's steps from the right close in on the
    point where it has fallen by e^−37, and never pass it.
    """
    r, alpha, s, beta = at
    c = r + x
    smaller = np.minimum(alpha, beta)
    near = smaller + last
    length = np.log1p((age - last) / near)
    gap_alpha, gap_beta = alpha - smaller, beta - smaller

    def log_integrand(v: Floats, rows: npt.NDArray[np.int64] | slice) -> tuple[Floats, Floats]:
        """At τ = (near) e^v − smaller, against v = 0; value and slope."""
        grown = near[rows] * np.exp(v)
        own_c, own_s = c[rows], _take(s, rows)
        to_alpha, to_beta = _take(gap_alpha, rows), _take(gap_beta, rows)
        value = (
            v
            - own_c * np.log((to_alpha + grown) / (to_alpha + near[rows]))
            - (own_s + 1) * np.log((to_beta + grown) / (to_beta + near[rows]))
        )
        slope = 1 - own_c * grown / (to_alpha + grown) - (own_s + 1) * grown / (to_beta + grown)
        return value, slope

    end, _ = log_integrand(length, slice(None))
    fall = -end
    long = np.flatnonzero(fall > FALL)
    if len(long):
        v = length[long]
        for _ in range(5):
            value, slope = log_integrand(v, long)
            v = np.where(value < -FALL, v - (value + FALL) / np.minimum(slope, -1e-300), v)
        length[long] = v
        fall[long] = -log_integrand(v, long)[0]
    grade = np.full(len(x), len(GRADES) - 1)
    for index in range(len(GRADES) - 2, -1, -1):
        _, longest, most = GRADES[index]
        grade[(length <= longest) & (fall <= most)] = index
    return near, length, grade


def _take(part: float | Floats, rows: npt.NDArray[np.int64] | slice) -> float | Floats:
    return part[rows] if isinstance(part, np.ndarray) else part


def _nodes(
    at: Natural, x: Floats, near: tuple[Floats, Floats], length: Floats, nodes: int
) -> tuple[Floats, Floats]:
    """(n, J) times τ, and logs of the integrand with its weights."""
    r, alpha, s, beta = (_column(part) for part in at)
    where, log_weight = _legendre(nodes)
    v = length[:, None] * where
    start, last = near
    tau = last[:, None] + start[:, None] * np.expm1(v)
    with np.errstate(divide="ignore"):
        jump = np.log(length * start)[:, None] + (v + log_weight)
    log_node = (
        jump + np.log(s / beta) - (s + 1) * np.log1p(tau / beta) - (r + x[:, None]) * np.log1p(tau / alpha)
    )
    return tau, log_node


def _column(part: float | Floats) -> float | Floats:
    return part[:, None] if isinstance(part, np.ndarray) else part


def _mixture(at: Natural, x: Floats, age: Floats, tau: Floats, log_node: Floats) -> Terms:
    """The log of "still here" plus "left at one of the nodes", and its derivatives as averages over these."""
    r, alpha, s, beta = at
    c = r + x
    here = _here(at, x, age)
    top = np.maximum(here, log_node.max(axis=1))
    stay = np.exp(here - top)
    weight = np.exp(log_node - top[:, None])
    total = stay + weight.sum(axis=1)
    stay = stay / total
    weight /= total[:, None]
    gone = 1 - stay

    alpha_, beta_ = _column(alpha), _column(beta)
    log_a, log_b = np.log1p(tau / alpha_), np.log1p(tau / beta_)
    far_a, far_b = tau / (alpha_ + tau), tau / (beta_ + tau)
    log_a_end, log_b_end = np.log1p(age / alpha), np.log1p(age / beta)
    far_a_end, far_b_end = age / (alpha + age), age / (beta + age)

    def mean(of: Floats) -> Floats:
        return np.einsum("nj,nj->n", weight, of)

    m_la, m_lb, m_fa, m_fb = mean(log_a), mean(log_b), mean(far_a), mean(far_b)
    w_la, w_lb = weight * log_a, weight * log_b
    w_fa, w_fb = weight * far_a, weight * far_b

    def both(left: Floats, right: Floats) -> Floats:
        return np.einsum("nj,nj->n", left, right)

    aa, ab_, af, ag = both(w_la, log_a), both(w_la, log_b), both(w_la, far_a), both(w_la, far_b)
    bb, bf, bg = both(w_lb, log_b), both(w_lb, far_a), both(w_lb, far_b)
    ff, fg, gg = both(w_fa, far_a), both(w_fa, far_b), both(w_fb, far_b)
    # slopes of one term: r: −r·log_a; α: c·far_a; s: (1 if left) − s·log_b; β: (s + 1 if left, else s)·far_b − (1 if left)
    m_r = -r * (m_la + stay * log_a_end)
    m_a = c * (m_fa + stay * far_a_end)
    m_s = gone - s * (m_lb + stay * log_b_end)
    m_b = (s + 1) * m_fb - gone + stay * s * far_b_end
    e_r, e_a, e_s, e_b = -r * log_a_end, c * far_a_end, -s * log_b_end, s * far_b_end
    t = s + 1
    rr = r * r * aa + stay * e_r * e_r
    ra = -r * c * af + stay * e_r * e_a
    rs = -r * m_la + r * s * ab_ + stay * e_r * e_s
    rb = -r * t * ag + r * m_la + stay * e_r * e_b
    a2 = c * c * ff + stay * e_a * e_a
    as_ = c * m_fa - c * s * bf + stay * e_a * e_s
    ab = c * t * fg - c * m_fa + stay * e_a * e_b
    ss = gone - 2 * s * m_lb + s * s * bb + stay * e_s * e_s
    sb = t * m_fb - gone - s * t * bg + s * m_lb + stay * e_s * e_b
    b2 = t * t * gg - 2 * t * m_fb + gone + stay * e_b * e_b
    # each term's own curvature: α: −c·far_a(1 − far_a); rα: r·far_a; s: −s·log_b; sβ: s·far_b; β: −(s + 1)·far_b(1 − far_b)
    own_a = -c * (m_fa - ff + stay * far_a_end * (1 - far_a_end))
    own_ra = r * (m_fa + stay * far_a_end)
    own_s = -s * (m_lb + stay * log_b_end)
    own_sb = s * (m_fb + stay * far_b_end)
    own_b = -t * (m_fb - gg) - stay * s * far_b_end * (1 - far_b_end)
    return Terms(
        top + np.log(total),
        (m_r, m_a, m_s, m_b),
        (
            (0, 0, rr - m_r * m_r + m_r),
            (0, 1, ra - m_r * m_a + own_ra),
            (0, 2, rs - m_r * m_s),
            (0, 3, rb - m_r * m_b),
            (1, 1, a2 - m_a * m_a + own_a),
            (1, 2, as_ - m_a * m_s),
            (1, 3, ab - m_a * m_b),
            (2, 2, ss - m_s * m_s + own_s),
            (2, 3, sb - m_s * m_b + own_sb),
            (3, 3, b2 - m_b * m_b + own_b),
        ),
    )


PARETO_NBD = ParetoNBD()
