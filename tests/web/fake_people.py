"""Interviews, farms and sources of the invented workspace: small records, so that pages have something to show."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from primeta.reactivation.acquisition_result import Payback, Return, Source, Sources
from primeta.reactivation.farm_bursts import Burst
from primeta.reactivation.farm_clusters import Cluster
from primeta.reactivation.farms import Beside, Farms
from primeta.reactivation.interview_reasons import Answer, Later, Reasons, ReasonShare
from primeta.reactivation.interviews import ByUs, Call, Group, Interviews
from primeta.reactivation.interviews_words import REASONS
from primeta.reactivation.records import NAN, Rung
from primeta.workspace.reactivation_views import CampaignView, FarmsView, InterviewsView, SourcesView

PEOPLE_VERBS = ("interviews", "interviews_view", "farms_view", "sources_view")
AT = datetime(2026, 11, 16, 6, tzinfo=UTC)
QUOTE = {"en": "The seam came apart after two days", "ru": "Шов разошёлся через два дня"}


def interviews(language: str = "en") -> Interviews:
    """Four groups of two calls; three answers."""
    strata = ("left", "silent", "self", "us")
    calls = tuple(
        Call(
            call=f"{letter}{at}",
            stratum=stratum,  # type: ignore[arg-type]
            arm="control" if stratum in ("left", "self") else "reminder",
            value="high",
            silence="low",
            reserve=at > 1,
            stands_for=400.0,
        )
        for letter, stratum in zip("ABCD", strata, strict=True)
        for at in (1, 2)
    )
    answer = Answer(
        call="A1",
        stratum="left",
        said_at=datetime(2026, 9, 1, 10, tzinfo=UTC),
        reasons=("quality",),
        quote=QUOTE[language],
        would_return=False,
        language=language,
        weight=400.0,
    )
    return Interviews(
        experiment="two-letters",
        until=date(2026, 11, 15),
        window_days=30,
        groups=tuple(
            Group(
                stratum=stratum,  # type: ignore[arg-type]
                customers=420,
                may_call=400,
                calls=1,
                reserve=1,
                cells=(("high", "low", 400),),
            )
            for stratum in strata
        ),
        calls=calls,
        by_us=(ByUs(arm="reminder", returned=900, share=0.4, low=0.3, high=0.5),),
        left_out={"late": 12, "opted-out": 20},
        reasons=Reasons(
            answers=(answer,),
            shares=(
                ReasonShare(reason="quality", stratum="", people=1, share=1.0, low=0.025, high=1.0),
                ReasonShare(reason="quality", stratum="left", people=1, share=1.0, low=0.025, high=1.0),
            ),
            later=(
                Later(
                    reason="",
                    people=1,
                    ordered=0,
                    share=NAN,
                    low=NAN,
                    high=NAN,
                    revenue=NAN,
                    opted_out=-1,
                    why_not="few",
                ),
            ),
            agreement=(),
            would_return=(),
            after_days=90,
            names=REASONS,
            currency="RUB",
        ),
    )


def farms() -> Farms:
    """One farm, one family, one day with too many accounts, effects on two rungs."""

    def rung(number: int, value: float, low: float, high: float) -> Rung:
        return Rung(
            rung=number, arm="reminder", n=4_000, value_per_assigned=value, revenue_per_assigned=NAN,
            orders_per_assigned=NAN, low=low, high=high, window=30,
        )  # fmt: skip

    def cluster(name: str, size: int, reasons: tuple[Any, ...]) -> Cluster:
        return Cluster(
            cluster=name, members=tuple(range(size)), customers=size, orders=size, revenue=9_000.0,
            discount=2_000.0, only_codes=size, kinds=("device", "phone"), values=2, burst=size, burst_p=1e-9,
            reasons=reasons, born_first=date(2026, 5, 1), born_last=date(2026, 5, 3),
        )  # fmt: skip

    return Farms(
        clusters=(cluster("g1", 14, ("shares", "codes", "burst")), cluster("g2", 4, ("shares",))),
        wide=(),
        customers=12_000,
        orders=40_000,
        discount=90_000.0,
        until=date(2026, 11, 15),
        effects=(
            Beside(
                rung=2, arm="reminder", everybody=rung(2, 30.0, 5.0, 55.0), without=rung(2, 12.0, -14.0, 38.0)
            ),
        ),
        split_clusters=1,
        bursts=(
            Burst(
                kind="code",
                name="HELLO",
                day=date(2026, 5, 2),
                accounts=40,
                expected=3.1,
                p=1e-12,
                only_codes=38,
            ),
        ),
        currency="RUB",
    )


def sources() -> Sources:
    """Two sources that first orders rank otherwise than worth."""

    def source(
        name: str, n: int, ltv: float, cost: float, ranks: tuple[int, int], cohort: str = ""
    ) -> Source:
        return Source(
            source=name, cohort=cohort, customers=n, observed=ltv * 0.8, modelled=ltv * 0.2, ltv=ltv,
            low=ltv * 0.9, high=ltv * 1.1, discount_share=0.1, farm_share=0.02, spend=n * cost, cost=cost,
            returns=(Return(days=90, money=ltv / 2, value=ltv / 2 / cost, low=0.9, high=1.6),),
            payback=Payback(day=None, low=40, high=None, seen=120, why_not="not-yet"), rank_customers=ranks[0],
            rank_worth=ranks[1],
        )  # fmt: skip

    from primeta.reactivation.acquisition_result import Flip

    return Sources(
        sources=(
            source("partner", 5_000, 900.0, 500.0, (1, 2)),
            source("search", 3_000, 1_800.0, 700.0, (2, 1)),
        ),
        cohorts=(source("partner", 2_000, 900.0, 500.0, (0, 0), "2026-Q1"),),
        flips=(Flip(more="partner", better="search", difference=700.0, low=500.0, high=900.0),),
        until=date(2026, 11, 15),
        cohort="quarter",
        horizon_days=365,
        money_of="margin",
        spend_known=True,
        farms_known=True,
        currency="RUB",
    )


class FakePeople:
    """The verbs over these records: nothing is worked out of `saturday`, no identities are known of `sunday`; an empty
    workspace has read no order. Pages and the API may ask for nothing that takes work, but for the list as a file."""

    def __init__(
        self, campaign: Callable[..., CampaignView], language: str = "en", *, empty: bool = False
    ) -> None:
        self.campaign, self.language, self.empty = campaign, language, empty
        self.stale = False

    def interviews(self, name: str, *, now: datetime, out: Any) -> Interviews:
        out.write_text("call,customer_id\nA1,c7\n", encoding="utf-8")
        return interviews(self.language)

    def interviews_view(self, name: str, *, now: datetime) -> InterviewsView:
        view = self.campaign(name, now=now)
        if view.name == "saturday":
            return InterviewsView(campaign=view)
        return InterviewsView(campaign=view, result=interviews(self.language), at=AT, stale=self.stale)

    def farms_view(self, name: str, *, now: datetime) -> FarmsView:
        view = self.campaign(name, now=now)
        if view.name == "sunday":
            return FarmsView(campaign=view, problem="primeta.toml: no identities are mapped")
        if view.name == "saturday":
            return FarmsView(campaign=view, problem="saturday: c7 stands in two arms", at=AT)
        return FarmsView(campaign=view, result=farms(), at=AT, stale=self.stale)

    def sources_view(self, cohort: str = "quarter") -> SourcesView:
        if self.empty:
            return SourcesView(problem="shop: no order has been read yet; run `primeta watch shop` first")
        return SourcesView(result=sources(), at=AT, stale=self.stale)
