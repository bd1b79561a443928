"""A workspace in memory with invented content: for the looks of rare states, without facts or a database."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from fake_attention import ATTENTION_VERBS, FakeAttention
from fake_experiments import FakeExperiments, certificate
from fake_people import PEOPLE_VERBS, FakePeople
from fake_policy import POLICY_VERBS, FakePolicy
from fake_reactivation import REACTIVATION_VERBS, FakeReactivation
from fake_texts import TEXTS_VERBS, FakeTexts, topic_signals

from primeta.config import Config, DeliveryConfig, FiltersConfig
from primeta.errors import Conflict, NotFound
from primeta.facts import Period
from primeta.signals.note import Note, NoteFile
from primeta.signals.signal import Block, Frozen, Signal
from primeta.store.deliveries import Delivery
from primeta.trends.records import (
    Card,
    Decision,
    Event,
    Evidence,
    FilterScore,
    Input,
    OriginEvidence,
    Scenario,
    Trend,
    Weighing,
)
from primeta.trends.stories import Suggestion
from primeta.warehouse.metric import Metric
from primeta.workspace.views import (
    Change,
    ExperimentView,
    GlanceRow,
    Job,
    MetricView,
    Overview,
    SeriesView,
)

NOW = datetime(2026, 11, 16, 9, 30, tzinfo=UTC)
EXPERIMENT_VERBS = (
    "lessons", "plan_experiment", "plan_from_texts", "plan_problems", "declare_experiment", "start_experiment",
    "stop_experiment", "decide_experiment", "roll_out", "halt_rollout", "reopen_rollout", "lesson", "save_look",
)  # fmt: skip
NAN = float("nan")


def _metric(name: str, en: str, ru: str, unit: Any, good: Any, effect: float = 0.02) -> Metric:
    return Metric(
        name=name,
        numerator="",
        denominator="",
        unit=unit,
        good=good,
        smallest_effect=effect,
        label={"en": en, "ru": ru},
    )


METRICS = {
    metric.name: metric
    for metric in (
        _metric("revenue_per_customer", "Revenue per customer", "Выручка на покупателя", "money", "up"),
        _metric("orders_per_customer", "Orders per customer", "Заказов на покупателя", "count", "up"),
        _metric("items_per_order", "Items per order", "Товаров в чеке", "count", "neither"),
        _metric("retention_30", "Retention, 30 days", "Удержание, 30 дней", "share", "up"),
        _metric("discount_share", "Discount share", "Доля скидки", "share", "down"),
        _metric("open_rate", "Open rate, people only", "Открытия, только люди", "share", "up"),
        _metric("unsubscribe_rate", "Unsubscribes", "Отписки", "share", "down", 0.1),
    )
}

TEXTS = {
    "en": {
        "name": "Small evening baskets replace the weekly big shop",
        "description": "City shoppers aged 18 to 34 come after work, more often, for a dinner or two.",
        "push": "Push offers are opened less by card holders over 55",
        "status": "Order status in a messenger instead of SMS",
        "label": "Shoppers trade down to the store’s own label",
        "coffee": "A coffee subscription brings people in the morning",
        "law": "Consent for profiling becomes a separate tick",
        "review": "“Dinner after work” in reviews",
        "criteria": "Orders per customer at least 2% above the control group, margin not lower.",
        "hypothesis": "A push at 17:00 with a ready dinner raises orders per customer by at least 2%.",
        "kalina": "Kalina, 214 stores",
        "anna": "Anna Kim",
        "oleg": "Oleg Petrov",
        "press": "Retail Week",
    },
    "ru": {
        "name": "Маленькие вечерние корзины вместо большой закупки на неделю",
        "description": "Горожане 18–34 лет заходят после работы: чаще, чем раньше, и за одним-двумя ужинами.",
        "push": "Держатели карт старше 55 реже открывают пуши со скидками",
        "status": "Статус заказа в мессенджере вместо СМС",
        "label": "Покупатели переходят на собственную марку магазина",
        "coffee": "Кофейная подписка приводит людей по утрам",
        "law": "Согласие на профилирование становится отдельной галочкой",
        "review": "«Ужин после работы» в отзывах",
        "criteria": "Заказов на покупателя хотя бы на 2% больше, чем в контрольной группе, маржа не ниже.",
        "hypothesis": "Пуш в 17:00 с готовым ужином поднимет число заказов на покупателя хотя бы на 2%.",
        "kalina": "Калина, 214 магазинов",
        "anna": "Анна Ким",
        "oleg": "Олег Петров",
        "press": "Отраслевая газета",
    },
}


def _block(code: str, effect: float, half: float, *, passes: bool = True, finished: bool = True) -> Block:
    return Block(
        code=code,
        effect=effect,
        low=effect - half,
        high=effect + half,
        e_value=3.0,
        passes=passes,
        finished=finished,
    )


WEEKS = (
    _block("2026-W43", 0.046, 0.014),
    _block("2026-W44", 0.014, 0.018, passes=False),
    _block("2026-W45", 0.044, 0.014),
    _block("2026-W46", 0.041, 0.012),
)
MONTHS = (_block("2026-08", 0.029, 0.008), _block("2026-09", 0.036, 0.008), _block("2026-10", 0.042, 0.008))
QUARTERS = (_block("2026-Q3", 0.031, 0.006), _block("2026-Q4", 0.04, 0.01, passes=False, finished=False))


def _signal(
    identity: str, about: str, where: str, change: float, grade: Any, *, e_value: float = 96.0
) -> Signal:
    base = {"revenue_per_customer": 1214.0, "items_per_order": 8.8, "orders_per_customer": 1.28}.get(
        about, 0.2
    )
    half = abs(change) * base * 0.35
    return Signal(
        id=identity,
        frozen=Frozen(
            about=about,
            slice=where,
            direction="up" if change > 0 else "down",
            since=date(2026, 6, 29),
            smallest_effect=METRICS[about].smallest_effect,
            first_seen=datetime(2026, 8, 10, tzinfo=UTC),
            expected=base,
            origin="metric",
        ),
        observed=base * (1 + change),
        expected=base,
        low=change * base - half,
        high=change * base + half,
        e_value=e_value,
        grade=grade,
        halves=(change * base * 0.9, change * base * 1.1),
        weeks=WEEKS if grade != "noticed" else (),
        months=MONTHS if grade != "noticed" else (),
        quarters=QUARTERS if grade != "noticed" else (),
    )


def _weighing(p10: float, p50: float, p90: float, basis: Any = "guess", weeks: float = 7.0) -> Weighing:
    scores = (
        FilterScore(name="relevance", value=0.8, unit="share of goals", score=82, threshold=50, basis="measured",
                    reason=("relevance-goals", {"touched": 2, "goals": 3, "names": ["revenue_per_customer", "retention_30"]})),
        FilterScore(name="economic", value=p50, unit="money a year", score=64, threshold=40, basis=basis,
                    reason=("economic-money", {"p10": p10, "p50": p50, "p90": p90, "full": 2e7})),
        FilterScore(name="feasibility", value=0.7, unit="share of events", score=71, threshold=60, basis="measured",
                    reason=("feasibility-events", {"exist": 4, "needed": 5, "missing": [], "weakest": "visits", "full": 0.71})),
        FilterScore(name="horizon", value=weeks, unit="weeks", score=78, threshold=50, basis="computed",
                    reason=("horizon-quick", {"weeks": weeks, "effect": 0.02})),
        FilterScore(name="compliance", value=NAN, unit="share with consent", score=NAN, threshold=70, basis="measured",
                    reason=("compliance-no-consents", {})),
    )  # fmt: skip
    scenarios = (
        Scenario(outcome="money", p10=p10, p50=p50, p90=p90, unit="money", basis=basis),
        Scenario(outcome="retention", p10=-0.002, p50=0.006, p90=0.014, unit="points", basis="measured"),
        Scenario(outcome="arpu", p10=-0.003, p50=0.011, p90=0.024, unit="relative", basis=basis),
        Scenario(
            outcome="conversion",
            p10=NAN,
            p50=NAN,
            p90=NAN,
            unit="points",
            basis="measured",
            why_not="not-measured",
        ),
    )
    inputs = (
        Input(name="reach", value=0.184, low=0.184, high=0.184, unit="share", basis="measured"),
        Input(
            name="adoption",
            value=0.35,
            low=0.2,
            high=0.5,
            unit="share",
            basis="guess",
            by="Anna Kim",
            at=date(2026, 11, 9),
        ),
        Input(name="effect", value=0.031, low=0.002, high=0.06, unit="relative", basis="measured"),
        Input(name="margin", value=0.25, low=0.25, high=0.25, unit="share", basis="declared"),
        Input(name="cost", value=1.6e6, low=1.6e6, high=1.6e6, unit="money", basis="declared"),
    )
    return Weighing(filters=scores, scenarios=scenarios, inputs=inputs, chance_of_loss=0.14, weighed_at=NOW)


class FakeWorkspace:
    """The verbs of `primeta.workspace.Workspace` over tuples; `empty` is a workspace before its first watch."""

    def __init__(self, language: str = "en", *, empty: bool = False, folder: Path = Path("kalina")):
        self.text = TEXTS[language]
        self.empty = empty
        people = () if empty else (self.text["anna"], self.text["oleg"])
        self.config = Config(
            path=folder / "primeta.toml", name=self.text["kalina"], language=language, currency="RUB",
            timezone="Europe/Moscow", margin=0.25, people=people, filters=FiltersConfig(),
            delivery={} if empty else {"team": DeliveryConfig(name="team", to="tgram://${TOKEN}/-100")}, tables={"orders": None, "customers": None},  # type: ignore[dict-item]
        )  # fmt: skip
        self._signals = () if empty else self._make_signals()
        self._notes = [] if empty else self._make_notes()
        self._trends = {} if empty else {trend.id: trend for trend in self._make_trends()}
        self._jobs: dict[str, Job] = {}
        self.diagnosis_result: Any = None if empty else _diagnosis()

        self._experiments: FakeExperiments | None = None
        self.winback = FakeReactivation(language, empty=empty)
        for verb in REACTIVATION_VERBS:
            setattr(self, verb, getattr(self.winback, verb))
        self.policies = FakePolicy(self.winback.campaign)
        for verb in POLICY_VERBS:
            setattr(self, verb, getattr(self.policies, verb))
        self.called = FakePeople(self.winback.campaign, language, empty=empty)
        for verb in PEOPLE_VERBS:
            setattr(self, verb, getattr(self.called, verb))
        self.attention = FakeAttention(language, empty=empty)
        for verb in ATTENTION_VERBS:
            setattr(self, verb, getattr(self.attention, verb))
        self.token = "first-secret"
        self.kept: dict[str, tuple[NoteFile, bytes]] = {}
        self.delivered = (
            Delivery(channel="team", subject="digest 2026-W46", state="delivered", first_at=NOW, at=NOW - timedelta(hours=3)),
            Delivery(channel="team", subject="review t-4 2026-11-05 +1w", state="refused", why="login", answer="535", first_at=NOW, at=NOW - timedelta(days=4)),
        )  # fmt: skip
        self.said = FakeTexts(language, empty=empty, log=self.log_signal)
        for verb in TEXTS_VERBS:
            setattr(self, verb, getattr(self.said, verb))

    @property
    def tests(self) -> FakeExperiments:
        """Made when first asked for: most tests of pages show no experiment."""
        if self._experiments is None:
            self._experiments = FakeExperiments.made(self.config.language, empty=self.empty)
        return self._experiments

    def experiments(self, *, now: datetime | None = None) -> tuple[ExperimentView, ...]:
        return tuple(self._of_trend(view) for view in self.tests.real.experiments(now=now))

    def experiment(self, name: str, *, now: datetime | None = None) -> ExperimentView:
        return self._of_trend(self.tests.real.experiment(name, now=now))

    def _of_trend(self, view: ExperimentView) -> ExperimentView:
        """The first one came from the first trend, which the other state does not know."""
        return replace(view, plan=replace(view.plan, trend="t-1")) if view.name == "evening-push" else view

    def experiments_of(self, trend: str, *, now: datetime | None = None) -> tuple[ExperimentView, ...]:
        return tuple(view for view in self.experiments(now=now) if view.plan.trend == trend)

    def size_experiment(self, experiment: Any, *, now: datetime, **more: Any) -> Any:
        plan = self.experiment(experiment).plan if isinstance(experiment, str) else experiment
        return self.tests.size(self, plan, now=now, **more)

    def baselines(self, plan: Any, *, now: datetime) -> Any:
        return self.tests.baselines(plan, now=now)

    def look_history(self, name: str, *, now: datetime) -> tuple[Any, ...]:
        return ()

    def audience(self, name: str, **more: Any) -> Any:
        return self.tests.audience(name, **more)

    def last_certificate(self) -> Any:
        return None if self.empty else certificate()

    def attributes(self) -> tuple[str, ...]:
        return () if self.empty else ("age", "region")

    def __getattr__(self, verb: str) -> Any:
        """The other verbs of experiments are those of a real workspace."""
        if verb in EXPERIMENT_VERBS:
            return getattr(self.tests.real, verb)
        raise AttributeError(verb)

    def day(self, now: datetime) -> date:
        return now.astimezone(self.config.zone).date()

    def _make_signals(self) -> tuple[Signal, ...]:
        return (
            _signal("s-1", "items_per_order", "age=18-34", -0.041, "repeating"),
            _signal("s-2", "open_rate", "age=55+&channel=push", -0.16, "repeating", e_value=14.2),
            _signal("s-3", "orders_per_customer", "all", 0.029, "holding", e_value=3.1),
            _signal("s-4", "unsubscribe_rate", "region=Volga", 0.24, "noticed", e_value=2.0),
            _signal("s-5", "discount_share", "all", 0.018, "refuted", e_value=1.0),
            *topic_signals(self.config.language),
        )

    def _make_notes(self) -> list[Note]:
        return [
            Note(id="n-1", text=self.text["review"] + ".\n" + self.text["description"], origin="voice", subject=self.text["review"],
                 source=self.text["anna"], happened_at=date(2026, 11, 12), logged_at=NOW - timedelta(days=3), by=self.text["anna"]),
            Note(id="n-2", text=self.text["name"], origin="outside", subject=self.text["name"], source=self.text["press"],
                 happened_at=date(2026, 10, 28), logged_at=NOW - timedelta(days=18), by=self.text["oleg"], url="https://example.org/report"),
        ]  # fmt: skip

    def _make_trends(self) -> tuple[Trend, ...]:
        text = self.text
        metric = OriginEvidence(
            origin="metric",
            what="items_per_order|down|age=18-34",
            weeks=WEEKS,
            months=MONTHS,
            quarters=QUARTERS,
            e_value=96.0,
            grade="repeating",
        )
        voice = OriginEvidence(
            origin="voice", what=text["review"], e_value=NAN,
            weeks=tuple(Block(code=f"2026-W{week}", effect=float(count), low=NAN, high=NAN, e_value=NAN, passes=count > 0) for week, count in ((43, 0), (44, 2), (45, 0), (46, 1))),
            months=(Block(code="2026-10", effect=3.0, low=NAN, high=NAN, e_value=NAN, passes=True),),
        )  # fmt: skip
        card = Card(
            name=text["name"], description=text["description"], signal_sources=text["review"], metrics=("items_per_order", "orders_per_customer"),
            hypothesis=text["hypothesis"], experiment_plan=text["hypothesis"], resources=text["status"], risks=text["push"],
            review=date(2026, 12, 14), owner=text["anna"], decomposition={"mechanism": text["description"]},
        )  # fmt: skip
        history = (
            Event(at=NOW - timedelta(days=140), who="primeta", kind="new", what={"name": text["name"]}),
            Event(
                at=NOW - timedelta(days=70),
                who="primeta",
                kind="grade",
                what={"was": "holding", "now": "repeating"},
            ),
            Event(
                at=NOW - timedelta(days=20),
                who=text["anna"],
                kind="signal",
                what={"signal": "s-1", "state": "attached", "what": "items_per_order · age=18-34"},
            ),
            Event(
                at=NOW - timedelta(days=6),
                who=text["anna"],
                kind="card",
                what={"fields": ["description", "adoption", "mechanism"]},
            ),
            Event(
                at=NOW - timedelta(days=1),
                who="primeta",
                kind="grade",
                what={"was": "repeating", "now": "confirmed"},
            ),
        )

        def one(
            identity: str,
            name: str,
            grade: Any,
            type: Any,
            weighing: Weighing | None,
            decisions: tuple[Decision, ...] = (),
        ) -> Trend:
            return Trend(
                id=identity, card=Card(name=name, type=type, owner=text["oleg"]),
                evidence=Evidence(grade=grade, since=date(2026, 9, 7), origins=(metric,), weeks=(3, 4), months=(1, 3), quarters=(0, 1), why=("one_origin",), refute="down"),
                signals=("s-2",), weighing=weighing, decisions=decisions, history=(), version=1, created_at=NOW - timedelta(days=60),
            )  # fmt: skip

        def decided(identity: str, answer: Any, due: date) -> tuple[Decision, ...]:
            return (
                Decision(
                    trend=identity,
                    answer=answer,
                    criteria=text["criteria"],
                    due=due,
                    owner=text["oleg"],
                    decided_by=text["anna"],
                    decided_at=NOW - timedelta(days=40),
                ),
            )

        return (
            Trend(
                id="t-1", card=card,
                evidence=Evidence(grade="confirmed", since=date(2026, 6, 29), origins=(metric, voice), weeks=(3, 4), months=(3, 3), quarters=(1, 1), why=("two_origins",), refute="down"),
                signals=("s-1", "n-1"), weighing=_weighing(-2.1e6, 11.4e6, 24.8e6), decisions=(), history=history, version=3, created_at=NOW - timedelta(days=140),
            ),
            one("t-2", text["push"], "repeating", "behavioural", _weighing(-6.9e6, -3.2e6, -0.4e6, "measured", 20.0)),
            one("t-3", text["status"], "holding", "technological", _weighing(0.3e6, 1.9e6, 4.1e6, "measured", 4.0)),
            one("t-4", text["label"], "repeating", "commercial", _weighing(-1e6, 2e6, 5e6, "guess", 40.0), decided("t-4", "observe", date(2026, 11, 5))),
            one("t-5", text["coffee"], "refuted", "socio-cultural", None),
            one("t-6", text["law"], "noticed", "regulatory", _weighing(NAN, NAN, NAN, "guess", math.inf), decided("t-6", "prepare", date(2026, 12, 20))),
        )  # fmt: skip

    # Verbs

    def overview(self, *, now: datetime) -> Overview:
        trends = tuple(self._trends.values())
        if self.empty:
            return Overview(
                today=self.day(now),
                week=None,
                seen_until=None,
                waiting=(),
                overdue=(),
                deciding_days={},
                glance=(),
                changes=(),
                watched=0,
                reported=0,
                false_share=0.1,
                notes=(),
            )
        waiting = tuple(
            trend
            for trend in trends
            if trend.decision is None and trend.evidence.grade in ("confirmed", "repeating", "holding")
        )
        overdue = tuple(
            trend for trend in trends if trend.decision and trend.decision.days_late(self.day(now))
        )
        rng = np.random.default_rng(1)
        glance = []
        for metric, value, (relative, low, high), reading in zip(
            METRICS.values(), (1214.0, 1.31, 8.4, 0.618, 0.119, 0.186, 0.0021),
            ((0.006, -0.008, 0.02), (0.029, 0.016, 0.042), (-0.041, -0.053, -0.029), (0.002, -0.01, 0.014), (0.018, 0.003, 0.033), (-0.022, -0.046, 0.002), (NAN, NAN, NAN)),
            ("usual", "better", "less", "usual", "worse", "usual", "cannot-tell"), strict=True,
        ):  # fmt: skip
            past = (
                value * (1 - relative if relative == relative else 1) * (1 + 0.01 * rng.standard_normal(13))
            )
            past[-1] = value
            glance.append(GlanceRow(metric=metric, value=value, history=tuple(past), usual_low=tuple(past * 0 + value * 0.98), usual_high=tuple(past * 0 + value * 1.02),
                                    relative=relative, low=low, high=high, reading=reading, why_not="" if relative == relative else "no-expectation"))  # fmt: skip
        changes = (
            Change(at=NOW - timedelta(days=1), name=self.text["name"], was="repeating", now="confirmed", origins=2, trend="t-1", note=("two_origins", {"names": ["metric", "voice"]})),
            Change(at=NOW - timedelta(days=2), name=self.text["push"], was="holding", now="repeating", origins=1, trend="t-2", note=("one_origin", {})),
            Change(at=NOW - timedelta(days=3), name=self.text["coffee"], was="fading", now="refuted", origins=1, trend="t-5"),
            Change(at=NOW - timedelta(days=4), name="Unsubscribes", was=None, now="noticed", origins=1, signal="s-4", note=("in-slice", {"slice": "region=Volga"})),
        )  # fmt: skip
        return Overview(today=self.day(now), week=Period(date(2026, 11, 9), "week"), seen_until=datetime(2026, 11, 15, 20, 59, tzinfo=UTC), waiting=waiting, overdue=overdue,
                        deciding_days={"t-1": 4, "t-2": 1, "t-3": 0}, glance=tuple(glance), changes=changes, watched=312, reported=4, false_share=0.1, notes=tuple(self._notes[:1]))  # fmt: skip

    def signals(self) -> tuple[Signal, ...]:
        return self._signals

    def signal(self, identity: str) -> Signal:
        return next((entry for entry in self._signals if entry.id == identity), None) or _missing(identity)

    def notes(self) -> tuple[Note, ...]:
        return tuple(self._notes)

    def sign(self, identity: str) -> Signal | Note:
        return next(
            (entry for entry in (*self._signals, *self._notes) if entry.id == identity), None
        ) or _missing(identity)

    def signal_series(self, identity: str) -> SeriesView:
        frozen = self.signal(identity).frozen
        return replace(
            self.metric_series(frozen.about, frozen.slice),
            since=frozen.since,
            first_seen=frozen.first_seen.date(),
        )

    def metrics(self) -> tuple[MetricView, ...]:
        values = (1214.0, 1.31, 8.4, 0.618, 0.119, 0.186, 0.0021)
        why = "not-measured-yet" if self.empty else ""
        return tuple(
            MetricView(metric=metric, value=NAN if self.empty else value, se=value * 0.004, slices=0 if self.empty else 46, signals=1, why_not=why or ("not-measured-yet" if metric.name == "unsubscribe_rate" else ""))
            for metric, value in zip(METRICS.values(), values, strict=True)
        )  # fmt: skip

    def metric_series(self, name: str, slice_code: str = "all", grain: str = "week") -> SeriesView:
        if self.empty or name not in METRICS:
            raise NotFound(f"{name!r} is not measured here")
        rng = np.random.default_rng(3)
        level = {"revenue_per_customer": 1214.0, "items_per_order": 9.0, "orders_per_customer": 1.3}.get(
            name, 0.2
        )
        weeks = np.arange(26)
        starts = np.datetime64("2026-05-18") + 7 * weeks
        expected = level * (1 + 0.01 * np.sin(weeks / 3))
        observed = expected * (1 + 0.006 * rng.standard_normal(26)) - level * 0.05 * np.clip(
            (weeks - 6) / 6, 0, 1
        )
        return SeriesView(metric=METRICS[name], slice=slice_code, grain=grain, starts=starts, observed=observed, se=observed * 0.005, customers=np.full(26, 41300.0), numerator=observed * 41300, expected=expected, low=expected * 0.98, high=expected * 1.02)  # fmt: skip

    def metric_slices(self, name: str) -> tuple[str, ...]:
        return () if self.empty else ("all", "age=18-34", "age=55+", "age=18-34&region=Volga")

    def in_language(self, language: str) -> FakeWorkspace:
        return self

    def trends(self) -> tuple[Trend, ...]:
        return tuple(self._trends.values())

    def trend(self, wanted: str) -> Trend:
        return self._trends.get(wanted) or _missing(wanted)

    def suggestions(self, trend: str) -> tuple[Suggestion, ...]:
        return (
            (Suggestion(trend_id=trend, signal_id="s-3", score=0.6, why=("same-family", "same-time")),)
            if trend == "t-1"
            else (Suggestion(trend_id=trend, signal_id="s-9", score=0.7, why=("same-words", "same-time")),)
            if trend == "t-3"
            else ()
        )

    def log_signal(self, **values: Any) -> Note:
        now, trend = values.pop("now"), values.pop("trend", None)
        given = values.pop("files", ())
        files = tuple(NoteFile(digest=f"f{len(content)}", name=name, media="image/png" if name.endswith(".png") else "text/plain", size=len(content)) for name, content in given)  # fmt: skip
        self.kept |= {file.digest: (file, content) for file, (_, content) in zip(files, given, strict=True)}
        subject = values.pop("subject") or values["text"].splitlines()[0]
        note = Note(id=f"n-{len(self._notes) + 1}", subject=subject, logged_at=now, files=files, **values)
        self._notes.insert(0, note)
        if trend:
            self.attach(trend, note.id, by=note.by, now=now)
        return note

    def new_trend(
        self, *, name: str, by: str, now: datetime, signals: Any = (), type: Any = "behavioural"
    ) -> Trend:
        trend = Trend(
            id=f"t-{len(self._trends) + 1}", card=Card(name=name, type=type, owner=by),
            evidence=Evidence(grade="noticed", since=None, origins=(), weeks=(0, 0), months=(0, 0), quarters=(0, 0), why=("notes_only",)),
            signals=tuple(signals), weighing=None, decisions=(), history=(Event(at=now, who=by, kind="new", what={"name": name}),), version=1, created_at=now,
        )  # fmt: skip
        self._trends[trend.id] = trend
        return trend

    def attach(self, trend: str, signal: str, *, by: str, now: datetime, refuse: bool = False) -> Trend:
        target = self.trend(trend)
        self.sign(signal)
        kept = tuple(entry for entry in target.signals if entry != signal)
        self._trends[trend] = replace(target, signals=kept if refuse else (*kept, signal))
        return self._trends[trend]

    def edit_card(
        self, trend: str, *, changes: Any, by: str, now: datetime, version: int | None = None
    ) -> Trend:
        target = self.trend(trend)
        if version is not None and version != target.version:
            raise Conflict("somebody saved this card meanwhile")
        known = {
            name: value for name, value in changes.items() if hasattr(target.card, name) and name != "metrics"
        }
        self._trends[trend] = replace(target, card=replace(target.card, **known), version=target.version + 1)
        return self._trends[trend]

    def decide(
        self,
        trend: str,
        *,
        answer: Any,
        criteria: str,
        due: date,
        owner: str,
        by: str,
        now: datetime,
        reason: str = "",
    ) -> Decision:
        decision = Decision(
            trend=trend,
            answer=answer,
            criteria=criteria,
            due=due,
            owner=owner,
            decided_by=by,
            decided_at=now,
            reason=reason,
        )
        target = self.trend(trend)
        told = Event(
            at=now,
            who=by,
            kind="decision",
            what={"answer": answer, "criteria": criteria, "due": due.isoformat(), "owner": owner},
        )
        self._trends[trend] = replace(
            target, decisions=(*target.decisions, decision), history=(*target.history, told)
        )
        return decision

    def diagnosis(self, *, now: datetime) -> Any:
        if self.diagnosis_result is None:
            raise NotFound("data/orders.parquet: no such file; give its place in [tables.orders]")
        return self.diagnosis_result

    def start_job(self, kind: str, *, now: datetime) -> Job:
        job = Job(id=f"j-{len(self._jobs) + 1}", kind=kind, state="waiting", created_at=now)
        self._jobs[job.id] = job
        return job

    def job(self, identity: str) -> Job:
        return self._jobs.get(identity) or _missing(identity)

    def cancel_job(self, identity: str) -> Job:
        self._jobs[identity] = replace(self.job(identity), state="cancelled")
        return self._jobs[identity]

    def note_file(self, note: str, digest: str) -> tuple[NoteFile, bytes]:
        return self.kept.get(digest) or _missing(digest)

    def deliveries(self, *, channel: str = "") -> tuple[Delivery, ...]:
        return () if self.empty else self.delivered

    def calendar_token(self, *, now: datetime, by: str, new: bool = False) -> str:
        self.token = "second-secret" if new else self.token
        return self.token

    def is_calendar_token(self, token: str) -> bool:
        return token == self.token

    def calendar(self, *, now: datetime, language: str = "") -> bytes:
        return b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"

    def put_trend(self, trend: Trend) -> None:
        self._trends[trend.id] = trend

    def put_job(self, **values: Any) -> Job:
        job = Job(**values)
        self._jobs[job.id] = job
        return job


def _missing(name: str) -> Any:
    raise NotFound(f"there is nothing called {name!r}")


def _diagnosis() -> Any:
    def rule(name: str, table: str, rows: int, action: str, *, money: float = NAN, example: str = "") -> Any:
        return SimpleNamespace(
            rule=name, table=table, rows=rows, share=rows / 541_909, money=money, example=example, action=action,
            before=541_909, after=541_909 - (rows if action == "drops" else 0), note={"en": "", "ru": ""},
        )  # fmt: skip

    def table(name: str, rows: int) -> Any:
        return SimpleNamespace(
            table=name, source=f"data/{name}.parquet", rows=rows, used=rows - 5268, customers=4372,
            first="2024-12-01T08:26:00Z", last="2026-11-15T12:50:00Z",
        )  # fmt: skip

    rules = (
        rule(
            "exact-duplicates", "orders", 5268, "drops", money=22_000.0, example="order 536409, product 21866"
        ),
        rule("null-customers", "orders", 135_080, "keeps", money=1_447_682.0, example="order 536414"),
        rule("future-dates", "orders", 12, "asks", example="2031-01-01"),
        rule("null-ids", "customers", 0, "drops"),
    )
    return SimpleNamespace(
        ok=False,
        rules=rules,
        tables=(table("orders", 541_909), table("customers", 9640)),
        as_dict=lambda: {"ok": False, "rules": [vars(entry) for entry in rules]},
    )
