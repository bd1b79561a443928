"""Invented experiments in every state, kept by a real state in a folder that goes with them: for pages that show and change them."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import weakref
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from primeta.config import parse_config
from primeta.experiments.analyse import Rules, analyse
from primeta.experiments.certificate import Certificate, Certified, Rung
from primeta.experiments.look import Baseline
from primeta.experiments.records import Plan
from primeta.store.database import Database
from primeta.store.experiments import Look
from primeta.workspace import Workspace
from primeta.workspace.experiment_size import PlanSize, size_of_plan
from primeta.workspace.looks import Audience

NAN = float("nan")
NAMES = ("evening-push", "reminder", "two-letters", "saturday", "short-form", "big-banner", "morning-sms")
SOUND = {"doctor": "", "facts-stopped": ""}
TEXTS = {
    "en": {
        "anna": "Anna Kim",
        "oleg": "Oleg Petrov",
        "push": "A push at 17:00 with a ready dinner raises revenue per customer by at least 2%.",
        "letter": "A letter after 40 days of silence brings some back.",
        "lesson": "The discount only moved purchases from Friday to Saturday.",
        "why": "Shown, and it pays.",
        "halt": "The shops ran out of dinners.",
    },
    "ru": {
        "anna": "Анна Ким",
        "oleg": "Олег Петров",
        "push": "Пуш в 17:00 с готовым ужином поднимет выручку на клиента хотя бы на 2%.",
        "letter": "Письмо через 40 дней тишины вернёт часть ушедших.",
        "lesson": "Скидка только перенесла покупки с пятницы на субботу.",
        "why": "Показано и окупается.",
        "halt": "В магазинах кончились ужины.",
    },
}
COLUMNS = {
    "revenue_per_customer": "spend",
    "average_order_value": "spend/orders",
    "unsubscribe_rate": "unsubscribed:share",
    "orders_per_customer": "orders",
}


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def declaration(language: str, **more: str) -> dict[str, str]:
    """The texts of a form: two equal arms, revenue decides, baskets may not shrink."""
    return {
        "hypothesis": TEXTS[language]["letter"],
        "owner": TEXTS[language]["anna"],
        "starts": "2026-09-01",
        "ends": "2026-11-25",
        "arms": "control; 50%\nletter; 50%; 0.4; a letter",
        "control": "control",
        "primary": "revenue_per_customer",
        "window_days": "30",
        "smallest_effect": "2%",
        "value": "0.25",
        "guardrails": "average_order_value:30 = 4%",
        "metrics": "orders_per_customer",
        **more,
    }


@lru_cache(maxsize=64)
def seen(
    plan: Plan, lifts: tuple[float, ...], customers: int, split: tuple[float, ...] = (), by: bool = False
) -> dict[str, Any]:
    """What the analyser says of simulated customers of whom each arm's spend is raised by its lift."""
    rng = np.random.default_rng(8)
    arm = rng.choice(len(plan.arms), size=40_000, p=split or [entry.share for entry in plan.arms])[:customers]
    base, extra = rng.gamma(2, 600, 40_000)[:customers], rng.gamma(1.2, 500, 40_000)[:customers]
    columns = {
        "arm": np.array([entry.name for entry in plan.arms])[arm],
        "spend": base * 0.6 + extra * (1 + np.array(lifts)[arm]),
        "orders": 1.0 + rng.poisson(0.4, 40_000)[:customers],
        "unsubscribed": (rng.random(40_000)[:customers] < 0.012).astype(float),
        "before": base,
        "age": rng.choice(["age=18-34", "age=35-54"], 40_000)[:customers],
    }
    found = analyse(
        columns,
        arm="arm",
        control=plan.control,
        metrics={goal.name: COLUMNS[goal.metric] for goal in plan.goals},
        covariates={plan.primary.name: "before"},
        rules=Rules(
            smallest={plan.primary.name: plan.primary.smallest} if plan.primary.smallest else {},
            guardrails={goal.name: goal.margin for goal in plan.goals if goal.margin},
            values={plan.primary.name: 0.25},
            costs={entry.name: entry.cost for entry in plan.arms},
            shares={entry.name: entry.share for entry in plan.arms},
        ),
        by="age" if by else "",
    )
    document = found.as_dict()
    for entry, decision in zip(document["decisions"], found.decisions, strict=True):
        entry["figures"] = dict(decision.figures)
    return document


def _forget(workspace: Workspace, folder: Path) -> None:
    workspace.close()
    shutil.rmtree(folder, ignore_errors=True)


@lru_cache(maxsize=4)
def _filled(language: str) -> Path:
    """The state with all that was invented, made once; every workspace works on a copy."""
    folder = Path(tempfile.mkdtemp(prefix="primeta-fake-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    made = FakeExperiments(language, folder=folder)
    made.fill()
    made.real.close()
    return folder / "state.sqlite"


class FakeExperiments:
    """The verbs of experiments, over a state of its own."""

    def __init__(self, language: str, *, folder: Path):
        text = f'''[workspace]
name = "Kalina"
language = "{language}"
currency = "RUB"
timezone = "Europe/Moscow"
margin = 0.25
'''
        path = folder / "primeta.toml"
        path.write_text(text, encoding="utf-8")
        database = Database(f"sqlite:///{folder / 'state.sqlite'}")
        database.migrate()
        self.language = language
        self.real = Workspace(parse_config(text, path), database)
        self.text = TEXTS[language]

    @classmethod
    def made(cls, language: str, *, empty: bool) -> FakeExperiments:
        """A state of its own, which goes when nobody needs it any more."""
        folder = Path(tempfile.mkdtemp(prefix="primeta-fake-"))
        if not empty:
            shutil.copy(_filled(language), folder / "state.sqlite")
        found = cls(language, folder=folder)
        weakref.finalize(found, _forget, found.real, folder)
        return found

    def fill(self) -> None:
        language = self.language
        text, three = (
            self.text,
            "control; 20%\ndinner; 40%; 1.2; a push\ndiscount; 40%; 9; the same with 10% off",
        )
        guards = "average_order_value:30 = 4%\nunsubscribe_rate:30 = 40%"
        self._run(
            "evening-push",
            declaration(language, hypothesis=text["push"], arms=three, guardrails=guards, segments="age", starts="2026-10-05", ends="2026-11-30", planned_n="12000"),
            (0, 0.05, 0.02), (600, 2500, 7400), by=True,
        )  # fmt: skip
        self._run("reminder", declaration(language), (0, 0.16), (4000, 30_000))
        self._declare(
            "two-letters", declaration(language, starts="2026-11-30", ends="2027-01-11", segments="age")
        )
        self._run(
            "saturday",
            declaration(language, starts="2026-05-04", ends="2026-06-15"),
            (0, 0.01),
            (9000, 21_000),
        )
        self.real.decide_experiment(
            "saturday", state="futile", reason=text["lesson"], by=text["anna"], now=day("2026-07-20")
        )
        for name in ("short-form", "big-banner"):
            self._run(
                name,
                declaration(language, starts="2026-06-01", ends="2026-07-13"),
                (0, 0.16),
                (20_000, 38_000),
            )
            self.real.decide_experiment(
                name, state="scale", reason=text["why"], by=text["anna"], now=day("2026-08-20")
            )
            self.real.roll_out(name, by=text["oleg"], now=day("2026-08-21"), guards=SOUND)
        self.real.halt_rollout("big-banner", reason=text["halt"], by=text["oleg"], now=day("2026-08-25"))
        self._run(
            "morning-sms",
            declaration(language, starts="2026-10-12", ends="2026-11-30"),
            (0, 0.05),
            (5600,),
            split=(0.55, 0.45),
        )

    def _declare(self, name: str, texts: dict[str, str]) -> Plan:
        plan = self.real.plan_from_texts(name, texts)
        self.real.declare_experiment(plan, by=self.text["anna"], now=day(texts["starts"]) - timedelta(days=7))
        return plan

    def _run(self, name: str, texts: dict[str, str], lifts: Any, sizes: Any, **more: Any) -> None:
        plan = self._declare(name, texts)
        self.real.start_experiment(name, by=self.text["oleg"], now=day(texts["starts"]))
        for number, customers in enumerate(sizes, 1):
            at = day(texts["starts"]) + timedelta(days=14 * number)
            document = seen(plan, tuple(lifts), customers, **more)
            counts = {arm: entry["n"] for arm, entry in document["arms"].items()}
            look = Look(
                version=1, seen_until=at, at=at, analysis=document, counts=counts, facts_version=str(number)
            )
            self.real.save_look(name, look)

    def baselines(self, plan: Plan, *, now: datetime) -> tuple[Baseline, ...]:
        """An invented past: 900 customers now, 120 come in a week."""
        return tuple(
            Baseline(
                metric=goal.name, kind="mean", mean=1300.0, sd=700.0, variance_kept=0.6, n_per_week=120.0, n_now=900,
                customers=5000, skewness=1.5, starts=date(2026, 7, 1),
            )
            for goal in plan.goals
        )  # fmt: skip

    def size(self, workspace: Any, plan: Plan, **more: Any) -> PlanSize:
        return size_of_plan(workspace, plan, **more)

    def audience(self, name: str, *, arm: str, out: Path, now: datetime) -> Audience:
        view = self.real.experiment(name, now=now)
        view.plan.arm(arm)
        Path(out).write_text("customer_id,arm,bucket,entered_at\nc1,dinner,0.3,2026-10-05T00:00:00Z\n")
        return Audience(experiment=name, arm=arm, file=Path(out), customers=1)


def certificate() -> Certificate:
    """Two metrics that were tried, one that cannot be."""

    def rung(n: int, *, covered: int, false: int) -> Rung:
        counts = dict.fromkeys(
            ("covered_smallest", "covered_plain", "seen", "seen_plain", "seen_smallest"), 1600
        )
        counts |= {
            "splits": 2000, "answered": 2000, "answered_smallest": 2000, "answered_plain": 2000,
            "false": false, "false_plain": false, "covered": covered, "covered_smallest": covered, "scaled": 40,
            "always": 30, "peeked": 400,
        }  # fmt: skip
        return Rung.judged(
            n=2 * n, n_per_arm=n, counts=counts, looked=20, effect=0.05, promised=0.8, promised_plain=0.7, smallest=0.02,
            promised_smallest=0.8, kept=0.6, level=0.95, band=0.999, tolerance=0.01,
        )  # fmt: skip

    def about(en: str, ru: str) -> dict[str, Any]:
        return {"label": {"en": en, "ru": ru}, "unit": "money"}

    return Certificate(
        metrics=(
            Certified.of(name="orders_per_customer", base=4000, rungs=(rung(2000, covered=1900, false=98),), about=about("Orders per customer", "Заказов на клиента"), good="up"),
            Certified.of(name="revenue_per_customer", base=4000, rungs=(rung(2000, covered=1700, false=240),), about=about("Revenue per customer", "Выручка на клиента"), good="up"),
            Certified.unknown(name="nps", n=0, why_not="no-rows", about={**about("NPS", "NPS"), "figures": {"tables": ["voices"]}}, good="up"),
        ),
        hashed=None, splits=2000, seed=0, level=0.95, power=0.8, share=0.5, looks=20, most=100_000, band=0.999,
        window_days=28, currency="RUB", at="2026-11-16T09:00:00Z", facts_version="1",
    )  # fmt: skip
