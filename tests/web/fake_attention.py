"""Attention of the invented workspace: replays as they are kept, of the year and of drafts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from primeta.attention.account import (
    Breach,
    Breaker,
    Left,
    PromiseAccount,
    PromiseMonth,
    Sent,
    Sufferer,
    WeekCount,
)
from primeta.attention.checks import PromiseCheck
from primeta.attention.health import (
    STATES,
    UNKNOWN,
    Bears,
    Health,
    Move,
    Share,
    Standing,
    Starters,
    Tenth,
)
from primeta.attention.policy import policy_from, policy_values, seal_of
from primeta.attention.records import Promise
from primeta.attention.report import CampaignsReport, HealthReport, PromisesReport, Report, Spent
from primeta.errors import NotFound
from primeta.store.replays import KeptReplay
from primeta.workspace.attention_kept import ReplayState, Reports

ATTENTION_VERBS = (
    "replay_state", "keep_replay", "ask_replay", "kept_replay", "kept_replays", "attention_reports",
)  # fmt: skip
AT = datetime(2026, 11, 16, 6, tzinfo=UTC)


def draft_document() -> dict[str, Any]:
    """What a stricter cap would have stopped, as `keep_replay` keeps it."""
    return {
        "policy": {
            "sends": 150_948,
            "stopped": 12_310,
            "by_rule": {"cap": 11_020, "quiet-hours": 890, "first-touches": 400},
            "welcomes": {"value": 812.0, "low": 744.0, "high": 880.0},
            "opt_outs": {"value": 64.0, "low": 48.0, "high": 80.0},
            "cost": 615.5,
            "orders": {"value": None, "low": None, "high": None},
            "why_not": "no-lottery",
            "broken": [
                {"promise": "few-offers", "before": 2077, "after": 0},
                {"promise": "four-a-week", "before": 6026, "after": 310},
            ],
            "basis": "observational",
        },
        "promises": [],
        "log": {"sends": 150_948, "withheld": 0, "customers": 2000, "unreadable": 0, "duplicates": 0, "strangers": 0},
    }  # fmt: skip


MONTHS = ("2026-08", "2026-09", "2026-10")
TEXTS = {
    "en": ("At most two offers a week by push", "Only news of your order", "With love"),
    "ru": ("Не больше двух предложений в неделю в пушах", "Только новости о вашем заказе", "С любовью"),
}


def share(value: float, half: float = 0.01) -> Share:
    return Share(value=value, low=max(value - half, 0.0), high=value + half)


def health() -> Health:
    """Three months of push and email: more and more no longer look at push."""
    standings: list[Standing] = []
    moves: list[Move] = []
    for number, month in enumerate(MONTHS):
        for channel, customers, blind in (("", 1000, 0.15), ("push", 800, 0.2), ("email", 600, 0.05)):
            silent = blind + (0.067 * number if channel == "push" else 0.0)
            states = dict(
                zip(STATES, (0.1, 0.3, 0.4 - 0.02 * number, 0.05, 0.1, 0.05 + 0.02 * number), strict=True)
            )
            standings.append(
                Standing(
                    month=month, until=datetime(2026, 8 + number, 28, tzinfo=UTC), channel=channel,
                    customers=float(customers), states={state: share(value) for state, value in states.items()},
                    blind=share(silent, 0.08), blind_steady=share(silent, 0.02), credit=share(0.12 - 0.01 * number),
                )
            )  # fmt: skip
            if number:
                for was, now, count in (
                    ("useful", "useful", 250), ("useful", "sell", 40), ("sell", "useful", 70), ("sell", "blind", 12),
                    ("useful", "gone", 16), ("new", "useful", 30), ("blind", "useful", 3),
                ):  # fmt: skip
                    moves.append(Move(month=month, channel=channel, was=was, now=now, customers=float(count)))  # type: ignore[arg-type]
    return Health(
        channels=("push", "email"),
        standings=tuple(standings),
        moves=tuple(moves),
        tenths=tuple(
            Tenth(channel=channel, tenth=n, credit=share(0.4 / n), welcomes=share(0.4 / n))
            for channel in ("push", "email")
            for n in range(1, 11)
        ),
        bears=tuple(
            Bears(channel=channel, sell=share(0.5), press=share(0.3)) for channel in ("push", "email")
        ),
        starters=(
            Starters(month="2026-10", customers=30, useful=share(0.5), welcomed=share(0.2), gone=share(0.03)),
        ),
    )


def _promise(name: str, text: str, state: Any, *, broken: int = 0, why_not: str = "") -> PromiseAccount:
    return PromiseAccount(
        check=PromiseCheck(
            promise=Promise(name=name, text=text, channel="push", purpose="offer", max=2, window=timedelta(days=7)),
            state=state, checked=0 if why_not else 2000, broken=broken, knowable=broken - broken // 4,
            customers=broken // 2, why_not=why_not,
        ),
        made_to=0,
        share=share(broken / 2000) if not why_not else UNKNOWN,
        months=tuple(PromiseMonth(month=month, checked=600, broken=broken // 3, share=share(broken / 1800)) for month in MONTHS) if not why_not else (),
        breakers=(
            Breaker(kind="programme", name="sales", checked=900, broken=broken, knowable=broken, share=share(broken / 900)),
            Breaker(kind="campaign", name="autumn 50%", checked=500, broken=broken, knowable=broken, share=share(broken / 500)),
        ) if broken else (),
        newest=(
            Breach(customer="C-AAAA-BBBB-CCCC", message_id="m1", at=AT, campaign="autumn 50%", programme="sales", channel="push", knowable=True),
        ) if broken else (),
        worst=(Sufferer(customer="C-AAAA-BBBB-CCCC", broken=9, last=AT),) if broken else (),
    )  # fmt: skip


def _spent(kind: str, name: str, credit: float, half: float, basis: str, *, told: bool, loss: float) -> Spent:
    return Spent(
        sent=Sent(
            kind=kind, name=name, programme="sales" if kind == "campaign" else "", team="", messages=500, customers=480,
            cost=19.5, welcomed=40, opt_outs=6, broken=120, first=AT - timedelta(days=30), last=AT - timedelta(days=20),
            purposes=(("offer", 500),), channels=(("push", 500),),
            weeks=tuple(WeekCount(week=date(2026, 10, 12) + timedelta(weeks=n), messages=125, welcomed=10, opt_outs=2, broken=30 * n) for n in range(4)),
            left=(Left(customer="C-DDDD-EEEE-FFFF", at=AT),),
        ),
        credit=credit, low=credit - half, high=credit + half, basis=basis, told=told,
        money=Share(value=credit * loss, low=(credit - half) * loss, high=(credit + half) * loss),
    )  # fmt: skip


def report(language: str = "en", *, loss: float = 900.0, promises: bool = True) -> Report:
    """What a replay of three months would tell."""
    offers, news, love = TEXTS[language]
    told = (
        _promise("few-offers", offers, "broken", broken=90),
        _promise("news/only", news, "kept"),
        _promise("love", love, "unverifiable", why_not="no-predicate"),
    )
    return Report(
        health=health(),
        promises=told if promises else (),
        spent=(
            _spent("campaign", "autumn 50%", 42.0, 12.0, "randomised", told=True, loss=loss),
            _spent("campaign", "digest", -8.0, 3.0, "observational", told=True, loss=loss),
            _spent("campaign", "", 3.0, 9.0, "observational", told=False, loss=loss),
            _spent("programme", "sales", 40.0, 15.0, "randomised", told=True, loss=loss),
        ),
        left_out=2, broken_week=9, blind_share=0.21, blind_since={"2026-09": 0.1}, used="state-space", judged=True, learnt_from=90_000, share=0.5,
        scores={"model": -0.17, "counts": -0.2, "beta_binomial": -0.18}, why_not="",
        log={"sends": 12_000, "withheld": 0, "customers": 1000, "unreadable": 0, "duplicates": 0, "strangers": 0},
        first=datetime(2026, 8, 1, tzinfo=UTC), last=AT, loss_of_customer=loss,
    )  # fmt: skip


def reports(told: Report) -> Reports:
    return Reports(
        health=HealthReport(report=told, at=AT),
        promises=PromisesReport(report=told, at=AT),
        campaigns=CampaignsReport(report=told, at=AT),
    )


class FakeAttention:
    """The verbs over records in memory; `empty`: nothing is mapped; `state` and `told` may be set to any other."""

    def __init__(self, language: str = "en", *, empty: bool = False):
        self.drafts: dict[str, KeptReplay] = {}
        self.whole: KeptReplay | None = None
        self.told: Reports | None = None
        if not empty:
            self.told = reports(report(language))
            self.whole = KeptReplay(
                id="r-1", at=AT, by="job", policy=None, seal="s", mark="m", document={}, code="1", seconds=38.0
            )  # fmt: skip
        self.state = ReplayState(
            mapped=not empty,
            promised=not empty,
            kept=self.whole.id if self.whole else "",
            at=AT if self.whole else None,
            stale=False,
        )

    def replay_state(self, *, now: datetime) -> ReplayState:
        return self.state

    def keep_replay(self, *, now: datetime, by: str, draft: str = "", **options: Any) -> KeptReplay:
        done = replace(self.kept_replay(draft=draft), document=draft_document(), at=now, code="1")  # type: ignore[type-var]
        self.drafts[done.id] = done
        return done

    def ask_replay(self, policy: Mapping[str, Any], *, by: str, now: datetime) -> KeptReplay:
        draft = policy_from(policy)
        made = KeptReplay(
            id=f"d-{len(self.drafts) + 1}", at=now, by=by, policy=policy_values(draft), seal=seal_of(draft), mark="m",
            document=None, code="", seconds=0.0,
        )  # fmt: skip
        self.drafts[made.id] = made
        return made

    def kept_replay(self, *, draft: str = "") -> KeptReplay | None:
        if not draft:
            return self.whole
        if draft not in self.drafts:
            raise NotFound(f"there is no replay {draft!r}; it may have been superseded by newer ones")
        return self.drafts[draft]

    def attention_reports(self) -> Reports | None:
        return self.told

    def kept_replays(self) -> tuple[KeptReplay, ...]:
        return tuple(reversed(self.drafts.values()))
