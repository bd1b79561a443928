"""What a simulated customer does with a touch: three kinds of people.

`model`: attention wanders around a level of his own, touches tire and may blind him until it wears off (the form that
the credit model assumes, but with levels and a fatigue of his own). `habit`: nobody goes blind at once; each touch
wears interest down a little and rest brings it back, interest has seasons, levels are far from normal, pressing
irritates and irritation breeds opting out (self-exciting). `shade`: he looks at his shade once a day at an hour of his
own, reads from the oldest until bored, clears the rest; trust falls with each sales message and rises with a useful one;
without trust he does not look for weeks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]
SERVICE, USEFUL, OFFER, PRESS = range(4)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moment:
    """Touches that reach different customers; all (n,)."""

    who: Ints
    channel: Ints
    purpose: Ints
    at: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reply:
    """What was true and what happened; all (n,)."""

    welcome: Floats
    drive_away: Floats
    blind: npt.NDArray[np.bool_]
    welcomed: Floats
    drove: Floats


class Agent(Protocol):
    """Customers of one kind."""

    def receive(self, moment: Moment, luck: Floats) -> Reply:
        """What becomes of touches; `luck` is (n, 3) uniform."""
        ...

    def chances(self, moment: Moment) -> tuple[Floats, Floats]:
        """True probabilities of a welcome and of driving away, nothing changed."""
        ...

    def blind_since(self, end: float) -> Floats:
        """(customers, channels) day, NaN where he looks."""
        ...


def _sigmoid(x: Floats) -> Floats:
    return 1 / (1 + np.exp(-x))


def _drawn(welcome: Floats, drive: Floats, luck: Floats, delay: Floats) -> tuple[Floats, Floats]:
    """Delays of a welcome and of being driven away, NaN where neither. A touch that drives away is no welcome."""
    left = luck[:, 0] < drive
    glad = ~left & (luck[:, 1] < welcome)
    return np.where(glad, delay, np.nan), np.where(left, np.minimum(delay, 2.9), np.nan)


class Wanderers:
    """The form that the credit model assumes."""

    def __init__(self, customers: int, channels: int, rng: np.random.Generator):
        shape = (customers, channels)
        self.rng = rng
        own = rng.normal(0, 1.1, customers)[:, None]
        self.level = -1.9 + own + rng.normal(0, 0.5, shape)
        self.off = rng.normal(0, 0.5, shape)
        self.fatigue = np.zeros(shape)
        self.weight = np.exp(rng.normal(np.log(0.25), 0.4, customers))
        self.blind = rng.random(shape) < 0.08
        self.since = np.where(self.blind, 0.0, np.nan)
        self.last = np.zeros(shape)

    def _aged(self, moment: Moment) -> tuple[Floats, Floats]:
        i, c = moment.who, moment.channel
        age = np.maximum(moment.at - self.last[i, c], 0.0)
        return age, self.fatigue[i, c] * np.exp(-age / 5.0)

    def _chances(
        self, moment: Moment, off: Floats, fatigue: Floats, blind: npt.NDArray[np.bool_]
    ) -> tuple[Floats, Floats]:
        i, c = moment.who, moment.channel
        taste = np.array([0.6, 0.3, 0.0, -0.5])[moment.purpose]
        logit = self.level[i, c] + off + taste - self.weight[i] * fatigue
        welcome = np.where(blind, 0.004, _sigmoid(logit))
        bother = np.array([-9.0, -7.4, -6.8, -5.9])[moment.purpose]
        drive = _sigmoid(bother + 0.35 * fatigue - 0.25 * (self.level[i, c] + 1.9))
        return welcome, np.where(blind, 0.2 * drive, drive)

    def chances(self, moment: Moment) -> tuple[Floats, Floats]:
        age, fatigue = self._aged(moment)
        off = self.off[moment.who, moment.channel] * np.exp(-age / 60)
        return self._chances(moment, off, fatigue, self.blind[moment.who, moment.channel])

    def receive(self, moment: Moment, luck: Floats) -> Reply:
        i, c = moment.who, moment.channel
        age, fatigue = self._aged(moment)
        stay = np.exp(-age / 60)
        off = self.off[i, c] * stay + 0.5 * np.sqrt(1 - stay**2) * self.rng.normal(size=len(i))
        blind = self.blind[i, c] & (self.rng.random(len(i)) < np.exp(-age / 120))
        onset = _sigmoid(np.array([-7.0, -5.2, -4.4, -3.6])[moment.purpose] + 0.3 * fatigue)
        newly = ~blind & (self.rng.random(len(i)) < onset)
        self.since[i, c] = np.where(newly, moment.at, np.where(blind, self.since[i, c], np.nan))
        blind = blind | newly
        welcome, drive = self._chances(moment, off, fatigue, blind)
        delay = np.minimum(np.exp(self.rng.normal(np.log(0.15), 1.3, len(i))), 2.99)
        welcomed, drove = _drawn(welcome, drive, luck, delay)
        self.off[i, c], self.blind[i, c], self.last[i, c] = off, blind, moment.at
        self.fatigue[i, c] = fatigue + np.array([0.2, 0.7, 1.0, 1.5])[moment.purpose]
        return Reply(welcome=welcome, drive_away=drive, blind=blind, welcomed=welcomed, drove=drove)

    def blind_since(self, end: float) -> Floats:
        return np.where(self.blind, self.since, np.nan)


class Habituated:
    """Interest worn down touch by touch; seasons; irritation that breeds."""

    BLIND_AT = 0.2
    """Called blind where habit has left less than this share of his probability."""

    def __init__(self, customers: int, channels: int, rng: np.random.Generator):
        shape = (customers, channels)
        self.rng = rng
        # a third care, most hardly: levels far from normal
        keen = rng.random(customers) < 0.3
        base = np.where(keen, rng.beta(3, 7, customers), rng.beta(0.8, 14, customers))
        base = np.clip(base, 0.002, 0.9)
        self.level = np.log(base / (1 - base))[:, None] + rng.normal(0, 0.3, shape)
        self.habit = np.zeros(shape)
        self.rate = rng.gamma(2.0, 0.09, customers)
        self.rest = rng.uniform(12, 60, customers)
        self.irritation = np.zeros(shape)
        self.patience = rng.gamma(1.5, 1 / 1.5, customers) + 0.05
        self.last = np.zeros(shape)
        self.since = np.full(shape, np.nan)

    def _aged(self, moment: Moment) -> tuple[Floats, Floats]:
        i, c = moment.who, moment.channel
        age = np.maximum(moment.at - self.last[i, c], 0.0)
        return self.habit[i, c] * np.exp(-age / self.rest[i]), self.irritation[i, c] * np.exp(-age / 4.0)

    def _chances(
        self, moment: Moment, habit: Floats, irritation: Floats
    ) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
        i, c = moment.who, moment.channel
        taste = np.array([0.7, 0.4, 0.0, -0.4])[moment.purpose]
        season = 0.45 * np.sin(2 * np.pi * moment.at / 182) + np.where((moment.at // 1 % 7) >= 5, -0.25, 0.0)
        fresh = _sigmoid(self.level[i, c] + taste + season)
        welcome = _sigmoid(self.level[i, c] + taste + season - habit)
        bother = np.array([0.0001, 0.0005, 0.001, 0.003])[moment.purpose]
        drive = 1 - np.exp(-(bother + 0.004 * irritation) / self.patience[i])
        return welcome, drive, welcome < self.BLIND_AT * fresh

    def chances(self, moment: Moment) -> tuple[Floats, Floats]:
        return self._chances(moment, *self._aged(moment))[:2]

    def receive(self, moment: Moment, luck: Floats) -> Reply:
        i, c = moment.who, moment.channel
        habit, irritation = self._aged(moment)
        welcome, drive, blind = self._chances(moment, habit, irritation)
        self.since[i, c] = np.where(
            blind, np.where(np.isfinite(self.since[i, c]), self.since[i, c], moment.at), np.nan
        )
        delay = np.minimum(self.rng.exponential(0.5, len(i)), 2.99)
        welcomed, drove = _drawn(welcome, drive, luck, delay)
        glad = np.isfinite(welcomed)
        wear = self.rate[i] * np.array([0.2, 0.8, 1.2, 1.8])[moment.purpose]
        self.habit[i, c] = np.where(glad, 0.6 * habit, habit + wear)
        self.irritation[i, c] = (
            np.where(glad, 0.5, 1.0) * irritation + np.array([0.0, 0.1, 0.3, 1.2])[moment.purpose]
        )
        self.last[i, c] = moment.at
        return Reply(welcome=welcome, drive_away=drive, blind=blind, welcomed=welcomed, drove=drove)

    def blind_since(self, end: float) -> Floats:
        return self.since


class ShadeLookers:
    """A look a day, oldest first, the rest cleared; trust decides whether we are looked at."""

    def __init__(self, customers: int, channels: int, rng: np.random.Generator):
        shape = (customers, channels)
        self.rng = rng
        self.hour = rng.choice([7.5, 8.5, 13.0, 19.0, 21.5, 22.5], size=customers) / 24
        self.interest = rng.beta(0.9, 5.0, (customers, 4)) * np.array([1.3, 1.1, 0.8, 0.5])
        self.interest = np.minimum(self.interest, 0.95)
        self.boredom = rng.uniform(0.35, 0.9, customers)
        self.trust = rng.uniform(0.45, 1.0, shape)
        self.fragile = rng.uniform(0.02, 0.09, customers)
        self.waiting = np.zeros(shape)
        self.until = np.full(shape, -np.inf)
        self.since = np.full(shape, np.nan)
        self.last = np.zeros(shape)

    def _state(self, moment: Moment) -> tuple[Floats, Floats, Floats, npt.NDArray[np.bool_]]:
        i, c = moment.who, moment.channel
        next_look = np.floor(moment.at - self.hour[i]) + 1 + self.hour[i]
        looked = np.floor(self.last[i, c] - self.hour[i]) + 1 + self.hour[i] <= moment.at
        waiting = np.where(looked, 0.0, self.waiting[i, c])
        return (
            next_look,
            waiting,
            self.trust[i, c] + 0.01 * (moment.at - self.last[i, c]) * (1 - self.trust[i, c]),
            self.until[i, c] > next_look,
        )

    def _chances(
        self, moment: Moment, waiting: Floats, trust: Floats, blind: npt.NDArray[np.bool_]
    ) -> tuple[Floats, Floats]:
        i = moment.who
        welcome = self.interest[i, moment.purpose] * self.boredom[i] ** waiting * np.clip(trust, 0, 1)
        drive = np.array([0.0002, 0.0006, 0.0012, 0.004])[moment.purpose] * (1.6 - np.clip(trust, 0, 1)) ** 2
        return np.where(blind, 0.0, welcome), np.where(blind, 0.0, drive)

    def chances(self, moment: Moment) -> tuple[Floats, Floats]:
        _, waiting, trust, blind = self._state(moment)
        return self._chances(moment, waiting, trust, blind)

    def receive(self, moment: Moment, luck: Floats) -> Reply:
        i, c = moment.who, moment.channel
        next_look, waiting, trust, blind = self._state(moment)
        welcome, drive = self._chances(moment, waiting, trust, blind)
        welcomed, drove = _drawn(welcome, drive, luck, next_look - moment.at + 0.001)
        glad = np.isfinite(welcomed)
        fall = self.fragile[i] * np.array([0.0, 0.4, 1.0, 2.2])[moment.purpose]
        trust = np.clip(np.where(glad, trust + 0.15 * (moment.purpose <= USEFUL), trust - fall), 0, 1)
        turns = ~blind & (trust < 0.25) & (self.rng.random(len(i)) < 0.3)
        weeks = self.rng.uniform(4, 30, len(i))
        self.until[i, c] = np.where(turns, moment.at + 7 * weeks, self.until[i, c])
        self.since[i, c] = np.where(turns, moment.at, np.where(blind, self.since[i, c], np.nan))
        self.trust[i, c] = np.where(turns, 0.5, trust)
        self.waiting[i, c] = waiting + 1
        self.last[i, c] = moment.at
        return Reply(welcome=welcome, drive_away=drive, blind=blind, welcomed=welcomed, drove=drove)

    def blind_since(self, end: float) -> Floats:
        return np.where(self.until > end, self.since, np.nan)


AGENTS: dict[str, Any] = {"model": Wanderers, "habit": Habituated, "shade": ShadeLookers}
