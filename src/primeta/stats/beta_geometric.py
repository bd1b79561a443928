"""Customers who may leave after an order: the family of BG/NBD, MBG/NBD and their regular-timing kin.

While he is here a customer orders at his own rate; the gaps between orders are Erlang with k stages of rate λ
(k = 1: a Poisson process), λ ~ Gamma(r, α). After each repeat order, and in the modified models also after the
first one, he leaves for good with his own probability p ~ Beta(a, b).

With x repeat orders, the last at t_x, seen to T, c = r + kx, y = (T − t_x)/(α + T) and e = 1 in the modified
models, else 0:

    L = (r)_kx α^r (α + T)^−c · B(a, b + x + e)/B(a, b) · [ Σ_{j<k} (c)_j y^j / j!  +  a/(b + x − 1 + e) ((α + T)/(α + t_x))^c ]

(the second term only where an order can have been the last one: x > 0 or e = 1). The first term in brackets is
"still here", the second "left at t_x". For k = 1 these are eq. 6 of Fader, Hardie & Lee (2005), "Counting your
customers the easy way", and eq. 4 of Batislam, Denizel & Filiztekin (2007); for k > 1 Reutterer, Platzer &
Schröder (2020), "Leveraging purchase regularity for predicting customer behavior the easy way". Every term is
positive, so nothing cancels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import betainc, gammaln

from primeta.stats.beta_average import beta_nodes
from primeta.stats.customer_models import Floats, Natural, Terms, full
from primeta.stats.histories import distinct
from primeta.stats.rising import log_rising, rising_slopes

CELLS = 200_000
"""Numbers that are worked on at a time: they stay in the cache."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BetaGeometric:
    """One model of the family."""

    name: str
    leaves_at_start: bool
    """Whether a customer can have left right after his first order (MBG)."""
    stages: int = 1
    """k: 1 is random timing; the higher, the more regular."""

    @property
    def parameters(self) -> tuple[str, str, str, str]:
        return ("r", "alpha", "a", "b")

    @property
    def covaried(self) -> tuple[tuple[int, float], ...]:
        # Fader & Hardie (2007), "Incorporating time-invariant covariates", §3: α = α₀ e^−γ₁′z, a = a₀ e^γ₂′z, b = b₀ e^γ₃′z
        return ((1, -1.0), (2, 1.0), (3, 1.0))

    def looks_only_at_age(self) -> bool:
        return self.stages == 1

    def age_scale(self, at: Natural) -> float | Floats:
        return at[1]

    @property
    def _early(self) -> int:
        return 1 if self.leaves_at_start else 0

    def pair_terms(self, at: Natural, x: Floats) -> Terms:
        r, _, a, b = at
        orders = x * self.stages
        left = x + self._early
        r1, r2 = rising_slopes(r, orders)
        b1, b2 = rising_slopes(b, left)
        ab1, ab2 = rising_slopes(a + b, left)
        zero = np.zeros_like(x)
        slope_b = b * (b1 - ab1)
        return Terms(
            log_rising(r, orders) + (log_rising(b, left) - log_rising(a + b, left)),
            (r * r1, zero, -a * ab1, slope_b),
            (
                (0, 0, r * r1 + r * r * r2),
                (2, 2, -a * ab1 - a * a * ab2),
                (2, 3, -a * b * ab2),
                (3, 3, slope_b + b * b * (b2 - ab2)),
            ),
        )

    def row_terms(self, at: Natural, x: Floats, last: Floats, age: Floats) -> Terms:
        r, alpha, a, b = at
        if self.stages > 1:
            return self._regular_terms(at, x, last, age)
        c = r + x
        at_end = alpha + age
        u = alpha / at_end
        since = (age - last) / (alpha + last)
        between = np.log1p(since)
        down = -u * since  # α/(α + T) − α/(α + t_x)
        waited = np.log1p(age / alpha)
        odds, share_b = self._leaving(a, b, x)
        z = odds + c * between
        soft = np.logaddexp(0.0, z)
        w = np.exp(z - soft)
        q = w * (1 - w)
        z_r = r * between
        z_alpha = c * down
        v = alpha / (alpha + last)
        own_alpha = u * (1 - u)
        rest = r * (1 - u)
        q_r = q * z_r
        q_alpha = q * z_alpha
        log_r = w * z_r - r * waited
        return Terms(
            soft - r * waited - x * np.log(at_end),
            (log_r, rest - x * u + w * z_alpha, w, -w * share_b),
            (
                (0, 0, log_r + q_r * z_r),
                (0, 1, rest + w * (r * down) + q_r * z_alpha),
                (0, 2, q_r),
                (0, 3, -q_r * share_b),
                (1, 1, c * (w * (own_alpha - v * (1 - v)) - own_alpha) + q_alpha * z_alpha),
                (1, 2, q_alpha),
                (1, 3, -q_alpha * share_b),
                (2, 2, q),
                (2, 3, -q * share_b),
                (3, 3, share_b * (q * share_b - w * (1 - share_b))),
            ),
        )

    def _leaving(self, a: float | Floats, b: float | Floats, x: Floats) -> tuple[Floats, Floats]:
        """Log of a/(b + x − 1 + e), −inf where no order can have been the last one, and b/(b + x − 1 + e)."""
        if self.leaves_at_start:
            below = b + x
            return np.log(a / below), b / below
        can = x > 0
        below = np.where(can, b + x - 1, 1.0)
        return np.where(can, np.log(a / below), -np.inf), np.where(can, b / below, 0.0)

    def _parts(self, at: Natural, x: Floats, last: Floats, age: Floats) -> Floats:
        """(k + 1, n) logs of the terms in brackets: the stages of who is still here, then "left"."""
        r, alpha, a, b = at
        c = r + self.stages * x
        with np.errstate(divide="ignore"):
            log_y = np.log((age - last) / (alpha + age))
        parts = [np.zeros(len(x))]
        for j in range(1, self.stages):
            parts.append(parts[-1] + np.log((c + (j - 1)) / j) + log_y)
        odds, _ = self._leaving(a, b, x)
        parts.append(odds + c * np.log1p((age - last) / (alpha + last)))
        return np.stack(parts)

    def _regular_terms(self, at: Natural, x: Floats, last: Floats, age: Floats) -> Terms:
        """`row_terms` for k > 1: a mixture of k + 1 terms, whose derivatives are averages over it."""
        r, alpha, a, b = at
        k = self.stages
        c = r + k * x
        at_end = alpha + age
        u = alpha / at_end
        since = (age - last) / (alpha + last)
        down = -u * since
        waited = np.log1p(age / alpha)
        parts = self._parts(at, x, last, age)
        top = parts.max(axis=0)
        weights = np.exp(parts - top)
        total = weights.sum(axis=0)
        weights /= total
        _, share_b = self._leaving(a, b, x)
        between = np.log1p(since)
        v = alpha / (alpha + last)
        w = weights[k]
        z_r, z_alpha = r * between, c * down
        # averages over the mixture of each term's slopes, of their products and of their own curvature
        m_r, m_alpha = w * z_r, w * z_alpha
        m_rr = w * (z_r + z_r * z_r)
        m_ra = w * (r * down + z_r * z_alpha)
        m_aa = w * (c * (u * (1 - u) - v * (1 - v)) + z_alpha * z_alpha)
        ones = np.zeros(len(x))
        squares = np.zeros(len(x))
        for j in range(1, k):
            ones = ones + 1 / (c + (j - 1))
            squares = squares + 1 / (c + (j - 1)) ** 2
            s_r, s_alpha = r * ones, -j * u
            m_r = m_r + weights[j] * s_r
            m_alpha = m_alpha + weights[j] * s_alpha
            m_rr = m_rr + weights[j] * (s_r - r * r * squares + s_r * s_r)
            m_ra = m_ra + weights[j] * s_r * s_alpha
            m_aa = m_aa + weights[j] * (s_alpha * s_alpha - j * u * (1 - u))
        rest = r * (1 - u)
        return Terms(
            top + np.log(total) - r * waited - k * x * np.log(at_end),
            (m_r - r * waited, rest - k * x * u + m_alpha, w, -w * share_b),
            (
                (0, 0, m_rr - m_r * m_r - r * waited),
                (0, 1, m_ra - m_r * m_alpha + rest),
                (0, 2, w * (z_r - m_r)),
                (0, 3, -w * share_b * (z_r - m_r)),
                (1, 1, m_aa - m_alpha * m_alpha - c * u * (1 - u)),
                (1, 2, w * (z_alpha - m_alpha)),
                (1, 3, -w * share_b * (z_alpha - m_alpha)),
                (2, 2, w * (1 - w)),
                (2, 3, -w * (1 - w) * share_b),
                (3, 3, share_b * (w * (1 - w) * share_b - w * (1 - share_b))),
            ),
        )

    def p_alive(self, at: Natural, x: Floats, last: Floats, age: Floats) -> Floats:
        parts = self._parts(at, x, last, age)
        top = parts.max(axis=0)
        weights = np.exp(parts - top)
        return weights[:-1].sum(axis=0) / weights.sum(axis=0)

    def expected_alive(self, at: Natural, x: Floats, last: Floats, age: Floats, ahead: Floats) -> Floats:
        """E[(1 − q^N(t))/p] over p ~ Beta(a, b + x + e), where N counts what he would order if he never left.

        For k = 1 and a given p this is (1 − (1 + pt/(α + T))^−c)/p: eq. 10 of Fader, Hardie & Lee (2005) before
        the average over p, which they take by a hypergeometric function.
        """
        n, columns = ahead.shape
        r, alpha, a, b = full(at, n)
        scaled = ahead / (alpha + age)[:, None]
        c = r + self.stages * x
        kind, place = distinct(a, b, x)
        reach = np.zeros(len(kind))
        np.maximum.at(reach, place, (c + self.stages) * scaled.max(axis=1))
        result = np.empty((n, columns))
        # kinds of one size of work together
        shares, weights = beta_nodes(a[kind], b[kind] + x[kind] + self._early, reach)
        stage = None
        if self.stages > 1:
            parts = self._parts(at, x, last, age)[:-1]
            stage = np.exp(parts - parts.max(axis=0))
            stage = (stage / stage.sum(axis=0)).T
        block = max(1, CELLS // (shares.shape[1] * columns * self.stages))
        for start in range(0, n, block):
            rows = slice(start, start + block)
            p = shares[place[rows]][:, None, :]
            weight = weights[place[rows]]
            time = scaled[rows][:, :, None]
            if stage is None:
                per_share = -np.expm1(-c[rows, None, None] * np.log1p(p * time)) / p
            else:
                per_share = _regular_orders(self.stages, stage[rows], c[rows], p, time)
            result[rows] = np.einsum("njp,np->nj", per_share, weight)
        return result

    def expected_ever(self, at: Natural, x: Floats, age: Floats) -> Floats:
        """E 1/p = (a + b + x + e − 1)/(a − 1), without end where a ≤ 1."""
        _, _, a, b = full(at, len(x))
        return np.where(a > 1, (a + b + x + self._early - 1) / np.where(a > 1, a - 1, 1.0), np.inf)

    def share_with(self, at: Natural, orders: Floats, age: Floats) -> Floats:
        """Eq. 8 of Fader, Hardie & Lee (2005), with the tail of the negative binomial as an incomplete beta."""
        r, alpha, a, b = full(at, len(orders))
        e, k = self._early, self.stages
        stay = np.exp(log_rising(b, orders + e) - log_rising(a + b, orders + e))
        quit_now = np.where(orders + e > 0, stay * a / np.where(orders + e > 0, b + orders + e - 1, 1.0), 0.0)
        odds = age / (alpha + age)
        at_least = np.where(orders > 0, betainc(np.maximum(k * orders, 1e-300), r, odds), 1.0)
        if k == 1:
            with np.errstate(divide="ignore", invalid="ignore"):
                power = np.where(orders > 0, orders * np.log(odds), 0.0)
            exact = np.exp(log_rising(r, orders) - gammaln(orders + 1) - r * np.log1p(age / alpha) + power)
        else:
            exact = at_least - betainc(k * (orders + 1), r, odds)
        return stay * exact + quit_now * at_least

    def draw(
        self, at: Natural, x: Floats, last: Floats, age: Floats, horizon: float, rng: np.random.Generator
    ) -> Floats:
        n = len(x)
        r, alpha, a, b = full(at, n)
        k = self.stages
        alive = rng.random(n) < self.p_alive(at, x, last, age)
        stage = np.zeros(n)
        if k > 1:
            parts = self._parts(at, x, last, age)[:-1]
            weights = np.exp(parts - parts.max(axis=0)).cumsum(axis=0)
            stage = (rng.random(n) * weights[-1] > weights).sum(axis=0).astype(np.float64)
        rate = rng.gamma(r + k * x + stage) / (alpha + age)
        happened = rng.poisson(np.minimum(rate * horizon, 1e15)).astype(np.float64)
        leaves = rng.beta(a, b + x + self._early)
        # the order after which he leaves, by inversion: ⌈ln U / ln(1 − p)⌉
        # (where next to nobody leaves it has no end)
        with np.errstate(divide="ignore", over="ignore"):
            final = np.ceil(np.log(1 - rng.random(n)) / np.log1p(-np.minimum(leaves, 1 - 1e-16)))
        final = np.where(leaves > 0, np.maximum(final, 1.0), np.inf)
        return np.where(alive, np.minimum(np.floor((stage + happened) / k), final), 0.0)


def _regular_orders(k: int, stage: Floats, c: Floats, p: Floats, time: Floats) -> Floats:
    """E[(1 − q^⌊(j + M)/k⌋)/p | p] with the stage j ~ `stage` and M ~ NB(c + j), by the k roots of unity.

    With ρ = q^(1/k), ρ^−(m mod k) = Σ_l d_l ω^lm with d_l = mean_i ρ^−i ω^−li, so that
    q^⌊m/k⌋ = Σ_l d_l (ρω^l)^m, and E z^M = (1 + t(1 − z)/A)^−(c + j).

    Args:
        stage: (n, k) probabilities; c: (n,); p: (n, 1, P); time: (n, J, 1), over α + T.
    Returns:
        (n, J, P)
    """
    log_rho = np.log1p(-np.minimum(p, 1 - 1e-8)) / k
    steps = np.arange(k)
    lifted = [np.expm1(-i * log_rho) for i in steps]  # ρ^−i − 1
    total = np.zeros(np.broadcast_shapes(p.shape, time.shape))
    mean_lift = sum(lifted[1:], start=lifted[0]) / k
    log_first = np.log1p(mean_lift)
    base = np.log1p(-np.expm1(log_rho) * time)
    powers = c[:, None, None]
    for j in range(k):
        gone = -np.expm1(log_first + j * log_rho - (powers + j) * base)
        total += stage[:, j, None, None] * gone
    for turn in range(1, k):
        omega = np.exp(2j * np.pi * turn / k)
        first = sum(lifted[i] * omega ** (-i) for i in steps[1:]) / k
        z = np.exp(log_rho) * omega
        log_tail = np.log1p((1 - z) * time)
        for j in range(k):
            part = first * z**j * np.exp(-(powers + j) * log_tail)
            total -= stage[:, j, None, None] * part.real
    return total / p
