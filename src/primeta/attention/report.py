"""A replay as it is kept: counts, shares with their intervals and a few examples; never every breach.

Three results are read from it: health of the base, promises and who breaks them, campaigns by credit spent.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from math import isfinite, nan
from typing import Any

import numpy as np

from primeta.attention.account import PromiseAccount, Sent
from primeta.attention.checks_sql import moment_of
from primeta.attention.health import STATES, UNKNOWN, Z95, Health, Share, Standing
from primeta.attention.records import CampaignCredit, Policy
from primeta.attention.replay_result import AttentionReplay
from primeta.attention.replay_words import tell as tell_replay
from primeta.attention.report_words import channel_name, counted, in_month, nth_of, tell
from primeta.show import locale
from primeta.show.chart import Picture
from primeta.show.locale import Language
from primeta.show.result import Head, Table
from primeta.stats.multiplicity import bh

FEW = 0.02
"""A share of customers who no longer look below which nothing is made of it."""
FALSE_SHARE = 0.05
"""Of campaigns that are said to have moved credit."""
SETTLES = timedelta(days=14)
SHOWN = 20
"""Rows of a table for a terminal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a campaign, programme or team sent, and the credit that it spent; negative: earned."""

    sent: Sent
    credit: float
    """In customers: the credit of an average customer is 1; NaN where it cannot be told."""
    low: float
    high: float
    basis: str
    """`randomised`, `observational`; empty where it cannot be told."""
    money: Share
    """Unknown where the policy names no loss of a customer."""
    why_not: str = ""
    """Why it cannot be told: `too-early`, `not-known`."""
    told: bool = False
    """Whether it can be told from nothing: of those of one kind and basis for which that is said at most 5% are false."""

    def as_dict(self) -> dict[str, Any]:
        sent = self.sent
        return {
            "kind": sent.kind,
            "name": sent.name,
            "programme": sent.programme,
            "team": sent.team,
            "messages": sent.messages,
            "customers": sent.customers,
            "cost": sent.cost,
            "welcomed": sent.welcomed,
            "opt_outs": sent.opt_outs,
            "broken": sent.broken,
            "first": sent.first,
            "last": sent.last,
            "purposes": dict(sent.purposes),
            "channels": dict(sent.channels),
            "credit_spent": self.credit,
            "low": self.low,
            "high": self.high,
            "basis": self.basis or None,
            "told": self.told,
            "why_not": self.why_not,
            "money": self.money.as_dict(),
            "weeks": [
                {
                    "week": week.week,
                    "messages": week.messages,
                    "welcomed": week.welcomed,
                    "opt_outs": week.opt_outs,
                    "broken": week.broken,
                }
                for week in sent.weeks
            ],
            "left": [{"customer": entry.customer, "at": entry.at} for entry in sent.left],
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class Report:
    """All of it."""

    health: Health | None
    promises: tuple[PromiseAccount, ...]
    spent: tuple[Spent, ...]
    left_out: int
    """Campaigns that are not told one by one."""
    broken_week: int
    """Breaches in the last seven days of the log."""
    blind_share: float
    blind_since: Mapping[str, float]
    scores: Mapping[str, float]
    used: str
    judged: bool
    """Whether the model was held against its rivals."""
    learnt_from: int
    """Messages that credit was learnt from."""
    share: float
    """Of the customers whom credit was worked out over."""
    why_not: str
    log: Mapping[str, int]
    first: datetime
    last: datetime
    loss_of_customer: float


def report_of(found: AttentionReplay, *, policy: Policy) -> Report:
    """From a replay with its account.

    Args:
        policy: The one in force: its loss of a customer makes money of credit.
    """
    assert found.account is not None
    credit = found.credit
    mean = _mean_credit(credit.health)
    return Report(
        health=credit.health,
        promises=found.account.promises,
        spent=_spent(found, mean, policy.loss_of_customer),
        left_out=found.account.left_out,
        broken_week=found.account.broken_week,
        blind_share=credit.blind_share,
        blind_since=dict(credit.blind_since),
        scores=dict(credit.scores),
        used=credit.used,
        judged=bool(credit.verdict.get("marks")),
        learnt_from=credit.verdict.get("learnt_from", 0),
        share=credit.share,
        why_not=credit.why_not,
        log={name: int(value) for name, value in found.log_dict().items()},
        first=moment_of(found.log.first),
        last=moment_of(found.log.last),
        loss_of_customer=policy.loss_of_customer,
    )


def _mean_credit(health: Health | None) -> float:
    """Over all pairs of customer and channel, at the end of the log."""
    last = [entry for entry in latest(health) if not entry.channel]
    return last[0].credit.value if last else nan


def _spent(found: AttentionReplay, mean: float, loss: float) -> tuple[Spent, ...]:
    assert found.account is not None
    told: dict[tuple[str, str], CampaignCredit] = {}
    for kind, rows in (
        ("campaign", found.credit.campaigns),
        ("programme", found.credit.programmes),
        ("team", found.credit.teams),
    ):
        told.update({(kind, getattr(row, kind)): row for row in rows})
    made: list[Spent] = []
    unit = 1 / mean if mean > 0 else nan
    for sent in found.account.sent:
        row = told.get((sent.kind, sent.name))
        if row is None or row.why_not or not isfinite(unit):
            why_not = (row.why_not if row is not None else "") or "not-known"
            made.append(
                Spent(sent=sent, credit=nan, low=nan, high=nan, basis="", money=UNKNOWN, why_not=why_not)
            )
            continue
        value, low, high = (number * unit for number in (row.credit_spent, row.low, row.high))
        made.append(
            Spent(
                sent=sent,
                credit=value,
                low=low,
                high=high,
                basis=row.basis,
                money=Share(value=value * loss, low=low * loss, high=high * loss),
            )
        )
    order = {"campaign": 0, "programme": 1, "team": 2}
    return tuple(
        sorted(
            _told(made),
            key=lambda row: (
                order[row.sent.kind],
                -row.credit if isfinite(row.credit) else 1e300,
                row.sent.name,
            ),
        )
    )


def _told(rows: Sequence[Spent]) -> list[Spent]:
    """With `told`, by Benjamini & Hochberg (1995) within a kind and a basis: a list of hundreds always has some whose
    own interval leaves out zero."""
    from scipy.special import ndtr

    found = list(rows)
    for group in {(row.sent.kind, row.basis) for row in rows if row.basis}:
        places = [place for place, row in enumerate(rows) if (row.sent.kind, row.basis) == group]
        errors = np.array([(rows[place].high - rows[place].low) / (2 * Z95) for place in places])
        values = np.array([rows[place].credit for place in places])
        z = np.divide(values, errors, out=np.zeros(len(places)), where=errors > 0)
        for place, passes in zip(places, bh(2 * ndtr(-np.abs(z)), share=FALSE_SHARE), strict=True):
            found[place] = replace(rows[place], told=bool(passes))
    return found


def latest(health: Health | None) -> tuple[Standing, ...]:
    """Where customers stand at the end of the log: all together first, then each channel."""
    if health is None or not health.standings:
        return ()
    month = health.standings[-1].month
    return tuple(entry for entry in health.standings if entry.month == month)


def of_channel(health: Health | None, channel: str) -> tuple[Standing, ...]:
    """Month after month."""
    return tuple(entry for entry in health.standings if entry.channel == channel) if health else ()


@dataclass(frozen=True, kw_only=True, eq=False)
class HealthReport:
    """Health of the base."""

    report: Report
    at: datetime
    """When it was worked out."""

    @property
    def health(self) -> Health | None:
        return self.report.health

    @cached_property
    def today(self) -> Mapping[str, float]:
        """How many customers may be sent what, by their best channel: `sell` (pressing among them), `useful`, `rest`,
        `gone`; empty where it cannot be told."""
        last = [entry for entry in latest(self.health) if not entry.channel]
        if not last:
            return {}
        states = {state: last[0].states[state].value * last[0].customers for state in STATES}
        return {
            "sell": states["press"] + states["sell"],
            "useful": states["useful"],
            "rest": states["blind"] + states["none"],
            "gone": states["gone"],
        }

    @cached_property
    def moved(self) -> tuple[Standing, Standing, bool] | None:
        """The channel of which to speak: its first month, its last one, and whether more no longer look than then."""
        best: tuple[float, Standing, Standing, bool] | None = None
        for channel in self.health.channels if self.health else ():
            rows = of_channel(self.health, channel)
            known = [entry for entry in rows if entry.blind.value == entry.blind.value]
            if not known:
                continue
            first, last = known[0], known[-1]
            rose = last.blind_steady.low > first.blind_steady.high
            weight = last.blind.value * last.customers * (2 if rose else 1)
            if best is None or weight > best[0]:
                best = (weight, first, last, rose)
        return None if best is None else best[1:]

    def finding(self, lang: Language = "en") -> str:
        """The sentence that a person should read first."""
        if self.health is None or not self.health.standings:
            return tell(lang, "no-credit", why=tell(lang, f"why.{self.report.why_not or 'no-sends'}"))
        moved = self.moved
        if moved is None:
            return tell(lang, "few") + tell(lang, "stop")
        first, last, rose = moved
        if last.blind.value < FEW:
            return tell(lang, "few") + tell(lang, "stop")
        now, then = nth_of(last.blind.value, lang), nth_of(first.blind.value, lang)
        name, month = channel_name(last.channel, lang), in_month(first.month, lang)
        alone = first.month == last.month
        in_words = bool(now) and (alone or not rose or (bool(then) and now != then))
        if in_words:
            said = tell(lang, "every", nth=now, channel=name)
        else:
            said = tell(lang, "part", share=locale.percent(last.blind.value, lang, digits=0), channel=name)
        if alone:
            return said + tell(lang, "stop")
        if not rose:
            return said + tell(lang, "as-before", month=month)
        if in_words:
            return said + tell(lang, "was-every", month=month, nth=then)
        share = locale.percent(first.blind.value, lang, digits=0)
        return said + tell(lang, "was-part", month=month, share=share)

    def today_line(self, lang: Language = "en") -> str:
        """What may be sent to how many; empty where it cannot be told."""
        if not self.today:
            return ""
        told = {
            name: counted(
                round(self.today[name]),
                "to",
                lang,
                written=count_text(self.today[name], self.report.share, lang),
            )
            for name in ("sell", "useful", "rest")
        }
        sell, useful, rest = (round(self.today[name]) for name in ("sell", "useful", "rest"))
        code = (
            ("today" if useful else "today-sell") if sell else "today-nobody" if useful else "today-service"
        )
        return tell(lang, code, **told) + tell(
            lang, "today-rest" if rest and (sell or useful) else "stop", **told
        )

    @cached_property
    def silence(self) -> tuple[float, float]:
        """Customers × channels that fell silent over the months of the report, and those that opted out."""
        fell = left = 0.0
        for channel in self.health.channels if self.health else ():
            rows = of_channel(self.health, channel)
            first, last = rows[0], rows[-1]
            here = [entry.customers * (1 - entry.states["gone"].value) for entry in (first, last)]
            if first.month != last.month and all(
                entry.blind.value == entry.blind.value for entry in (first, last)
            ):
                fell += max(last.blind.value * here[1] - first.blind.value * here[0], 0.0)
                left += (
                    last.states["gone"].value * last.customers - first.states["gone"].value * first.customers
                )
        return fell, left

    def model_line(self, lang: Language = "en") -> str:
        """Which way credit was worked out, and why."""
        report = self.report
        code = "unjudged" if report.used == "state-space" and not report.judged else report.used
        said = [tell(lang, f"model.{code}")]
        if report.share < 1:
            said.append(tell(lang, "model.sample", share=locale.percent(report.share, lang, digits=0)))
        if self.health is not None and self.health.standings:
            said.append(tell(lang, "model.level"))
        return " ".join(said)

    def line(self, lang: Language = "en") -> str:
        """One line for a chat."""
        return " ".join(part for part in (self.finding(lang), self.today_line(lang)) if part)

    def table(self, lang: Language = "en") -> Table:
        """Where customers stand, channel by channel."""
        heads = [Head(tell(lang, "channel")), Head(tell(lang, "customers"), "right")]
        heads += [Head(tell(lang, state), "right") for state in STATES]
        heads += [Head(tell(lang, "silent"), "right"), Head(tell(lang, "mean-credit"), "right")]
        rows = tuple(
            (
                entry.channel or tell(lang, "everybody"),
                count_text(entry.customers, self.report.share, lang),
                *(locale.percent(entry.states[state].value, lang, digits=1) for state in STATES),
                with_interval(entry.blind, lang),
                with_interval(entry.credit, lang),
            )
            for entry in latest(self.health)
        )
        return Table(heads=tuple(heads), rows=rows, note=self.model_line(lang))

    def picture(self, lang: Language = "en", *, channel: str = "") -> Picture:
        """Where customers stood month after month, and how they moved."""
        from primeta.attention.report_picture import flow_picture

        assert self.health is not None
        return flow_picture(self.health, channel, lang, title=tell(lang, "flow.title"))

    def as_dict(self) -> dict[str, Any]:
        report, health = self.report, self.health
        return {
            "at": self.at,
            "since": report.first,
            "until": report.last,
            "used": report.used,
            "judged": report.judged,
            "learnt_from": report.learnt_from,
            "scores": dict(report.scores),
            "customers_share": report.share,
            "today": dict(self.today) or None,
            "blind_share": report.blind_share,
            "blind_since": [{"month": month, "share": share} for month, share in report.blind_since.items()],
            "standings": [_standing_dict(entry) for entry in health.standings] if health else [],
            "moves": [
                {
                    "month": entry.month,
                    "channel": entry.channel or None,
                    "was": entry.was,
                    "now": entry.now,
                    "customers": entry.customers,
                }
                for entry in (health.moves if health else ())
            ],
            "tenths": [
                {
                    "channel": entry.channel,
                    "tenth": entry.tenth,
                    "credit": entry.credit.as_dict(),
                    "welcomes": entry.welcomes.as_dict(),
                }
                for entry in (health.tenths if health else ())
            ],
            "bears": [
                {"channel": entry.channel, "sell": entry.sell.as_dict(), "press": entry.press.as_dict()}
                for entry in (health.bears if health else ())
            ],
            "starters": [
                {
                    "month": entry.month,
                    "customers": entry.customers,
                    "useful": entry.useful.as_dict(),
                    "welcomed": entry.welcomed.as_dict(),
                    "gone": entry.gone.as_dict(),
                }
                for entry in (health.starters if health else ())
            ],
            "why_not": report.why_not,
        }


def _standing_dict(entry: Standing) -> dict[str, Any]:
    return {
        "month": entry.month,
        "until": entry.until,
        "channel": entry.channel or None,
        "customers": entry.customers,
        "states": {state: entry.states[state].as_dict() for state in STATES},
        "blind": entry.blind.as_dict(),
        "blind_steady": entry.blind_steady.as_dict(),
        "credit": entry.credit.as_dict(),
    }


@dataclass(frozen=True, kw_only=True, eq=False)
class PromisesReport:
    """Promises and who breaks them."""

    report: Report
    at: datetime

    @property
    def promises(self) -> tuple[PromiseAccount, ...]:
        """The worst first, those that cannot be checked last."""
        order = {"broken": 0, "kept": 1, "pending": 2, "unverifiable": 3}
        return tuple(
            sorted(
                self.report.promises,
                key=lambda entry: (
                    order[entry.check.state],
                    -entry.check.broken,
                    entry.check.promise.name,
                    -entry.check.promise.version,
                ),
            )
        )

    def line(self, lang: Language = "en") -> str:
        """One line for a chat: the promise that was broken most, and what cannot be checked."""
        return " ".join(self.sentences(lang))

    def sentences(self, lang: Language = "en") -> list[str]:
        """The finding, then what else is to be known."""
        told = self.promises
        if not told:
            return [tell(lang, "promises.none")]
        unverifiable = [entry for entry in told if entry.check.why_not and not entry.check.broken]
        broken = [entry for entry in told if entry.check.broken]
        parts: list[str] = []
        if broken:
            worst = max(broken, key=lambda entry: entry.check.broken)
            check = worst.check
            parts.append(
                tell(
                    lang,
                    "promises.broken",
                    text=(check.promise.text or check.promise.name).rstrip("."),
                    broken=counted(check.broken, "times", lang),
                    share=locale.percent(worst.share.value, lang, digits=1),
                )
            )
            share = locale.percent(check.knowable / check.broken, lang, digits=0)
            always = check.knowable == check.broken
            parts.append(tell(lang, "promises.knowable-all" if always else "promises.knowable", share=share))
        elif kept := [entry for entry in told if entry.check.state == "kept"]:
            parts.append(tell(lang, "promises.kept", n=len(kept)))
        elif len(unverifiable) == len(told):
            return [tell(lang, "promises.untold")]
        if unverifiable:
            parts.append(tell(lang, "promises.unverifiable", n=len(unverifiable)))
        return parts

    def table(self, lang: Language = "en") -> Table:
        """Each promise and what came of it."""
        heads = (
            Head(tell_replay(lang, "promise")),
            Head(tell_replay(lang, "state")),
            *(
                Head(tell_replay(lang, code), "right")
                for code in ("checked", "broken-head", "knowable", "customers")
            ),
            Head(tell(lang, "share-broken"), "right"),
        )
        rows = tuple(
            (
                f"{entry.check.promise.name}: {entry.check.promise.text}".removesuffix(": "),
                tell_replay(lang, f"{entry.check.state}-state"),
                locale.number(entry.check.checked, lang),
                locale.number(entry.check.broken, lang),
                locale.number(entry.check.knowable, lang),
                locale.number(entry.check.customers, lang),
                with_interval(entry.share, lang),
            )
            for entry in self.promises
        )
        return Table(heads=heads, rows=rows)

    def as_dict(self) -> dict[str, Any]:
        return {
            "at": self.at,
            "since": self.report.first,
            "until": self.report.last,
            "broken_week": self.report.broken_week,
            "promises": [_promise_dict(entry) for entry in self.promises],
        }


def _promise_dict(entry: PromiseAccount) -> dict[str, Any]:
    return {
        **entry.check.as_dict(),
        "channel": entry.check.promise.channel,
        "purpose": entry.check.promise.purpose,
        "made_to": entry.made_to or None,
        "share": entry.share.as_dict(),
        "months": [
            {
                "month": month.month,
                "checked": month.checked,
                "broken": month.broken,
                "share": month.share.as_dict(),
            }
            for month in entry.months
        ],
        "breakers": [
            {
                "kind": breaker.kind,
                "name": breaker.name,
                "checked": breaker.checked,
                "broken": breaker.broken,
                "knowable": breaker.knowable,
                "share": breaker.share.as_dict(),
            }
            for breaker in entry.breakers
        ],
        "newest": [
            {
                "customer": breach.customer,
                "message_id": breach.message_id or None,
                "at": breach.at,
                "campaign": breach.campaign,
                "programme": breach.programme,
                "channel": breach.channel,
                "knowable": breach.knowable,
            }
            for breach in entry.newest
        ],
        "worst": [{"customer": who.customer, "broken": who.broken, "last": who.last} for who in entry.worst],
    }


@dataclass(frozen=True, kw_only=True, eq=False)
class CampaignsReport:
    """Campaigns, programmes and teams by the credit that they spent."""

    report: Report
    at: datetime

    def of_kind(self, kind: str) -> tuple[Spent, ...]:
        """`campaign`, `programme`, `team`: the most spent first, those of which it cannot be told last."""
        return tuple(row for row in self.report.spent if row.sent.kind == kind)

    def line(self, lang: Language = "en") -> str:
        """One line for a chat: who spent most; causal words only after a lottery."""
        named = [row for row in self.of_kind("campaign") if row.sent.name]
        if not named:
            return tell(lang, "campaigns.none")
        # where no single campaign stands out of its like, programmes and teams may; a lottery tells more than a look
        for basis, kind in itertools.product(
            ("randomised", "observational"), ("campaign", "programme", "team")
        ):
            sure = [
                row
                for row in self.of_kind(kind)
                if row.told and row.credit > 0 and row.sent.name and row.basis == basis and self._settled(row)
            ]
            if sure:
                break
        else:
            return tell(lang, "campaigns.unsure")
        row = max(sure, key=lambda entry: entry.credit)
        return tell(
            lang,
            "campaigns.spent" if row.basis == "randomised" else "campaigns.fell",
            name=row.sent.name,
            customers=counted(round(per_thousand(row.credit, row)), "of", lang),
            interval=locale.interval(
                per_thousand(row.low, row), per_thousand(row.high, row), lang, digits=0, sentence=True
            ),
        )

    def _settled(self, row: Spent) -> bool:
        """Right after a message credit is low; of one that has just ended it is not known whether it comes back."""
        return row.basis == "randomised" or self.report.last - row.sent.last >= SETTLES

    def table(self, lang: Language = "en", *, kind: str = "campaign") -> Table:
        """The most spent first."""
        heads = (kind, "messages", "credit", "interval", "basis", "broken", "opt-outs")
        rows = tuple(
            (
                row.sent.name or "—",
                locale.number(row.sent.messages, lang),
                locale.number(row.credit, lang, digits=1) if row.basis else "",
                locale.interval(row.low, row.high, lang, digits=1) if row.basis else "",
                tell(lang, row.basis or row.why_not),
                locale.number(row.sent.broken, lang),
                locale.number(row.sent.opt_outs, lang),
            )
            for row in self.of_kind(kind)[:SHOWN]
        )
        return Table(
            heads=tuple(
                Head(tell(lang, code), "left" if code in (kind, "basis") else "right") for code in heads
            ),
            rows=rows,
        )

    def as_dict(self) -> dict[str, Any]:
        return {
            "at": self.at,
            "since": self.report.first,
            "until": self.report.last,
            "loss_of_customer": self.report.loss_of_customer,
            "campaigns": [row.as_dict() for row in self.of_kind("campaign")],
            "programmes": [row.as_dict() for row in self.of_kind("programme")],
            "teams": [row.as_dict() for row in self.of_kind("team")],
            "left_out": self.report.left_out,
        }


def per_thousand(credit: float, row: Spent) -> float:
    """Of each 1,000 messages: credit comes back with rest, so that a sum over a year may be more than all that there is."""
    return 1000 * credit / row.sent.messages


def count_text(customers: float, share: float, lang: Language | str) -> str:
    """A number of customers; where only a part was looked at, no more digits than it bears."""
    if share < 1 and customers >= 100:
        size = 10 ** (len(str(int(customers))) - 2)
        customers = round(customers / size) * size
    return locale.number(round(customers), lang, digits=0)


def with_interval(share: Share, lang: Language | str) -> str:
    """`14.2% (12.9 to 15.5)`."""
    return str(locale.figure(share.value, str(lang), unit="share", low=share.low, high=share.high))
