"""What the verbs answer: records that pages, the terminal and JSON all read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from primeta.experiments.declare import Basis
from primeta.experiments.records import DecisionState, Plan, Step
from primeta.facts import Period
from primeta.signals.note import Note
from primeta.signals.signal import Grade
from primeta.store.experiments import ExperimentEvent, Gate, Look, PlanVersion
from primeta.trends.records import Trend
from primeta.warehouse.metric import Metric
from primeta.workspace.attention_calls import AttentionCalls

Reading = Literal["more", "less", "better", "worse", "usual", "cannot-tell"]
JobState = Literal["waiting", "running", "done", "failed", "cancelled"]
ExperimentStatus = Literal["draft", "running", "ended", "decided", "rolling", "halted"]
EXPERIMENT_STATUSES: tuple[ExperimentStatus, ...] = (
    "draft",
    "running",
    "ended",
    "decided",
    "rolling",
    "halted",
)
VersionState = Literal["draft", "superseded", "running", "ended"]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class GlanceRow:
    """One metric, everybody, last finished week against what was expected."""

    metric: Metric
    value: float
    history: tuple[float, ...]
    """The last 13 weeks, oldest first; NaN where unknown."""
    usual_low: tuple[float, ...]
    usual_high: tuple[float, ...]
    """The band of what was expected in those weeks."""
    relative: float
    """(observed − expected) / expected, with its 95% interval."""
    low: float
    high: float
    reading: Reading
    why_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A grade that moved in the last watched week."""

    at: datetime
    name: str
    was: Grade | None
    now: Grade
    origins: int
    trend: str | None = None
    signal: str | None = None
    note: tuple[str, dict[str, object]] = ("", {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The Today page: what waits, what is late, the week, what changed."""

    today: date
    week: Period | None
    """The last finished and watched week; None before the first watch."""
    seen_until: datetime | None
    waiting: tuple[Trend, ...]
    """Holding or better and without a decision, most money at stake first."""
    overdue: tuple[Trend, ...]
    deciding_days: dict[str, int]
    """Trend → days that it has waited."""
    glance: tuple[GlanceRow, ...]
    changes: tuple[Change, ...]
    watched: int
    """Series (metric × slice) that the last watch looked at."""
    reported: int
    """Of them holding or better now."""
    false_share: float
    """At most so much of what is reported is expected to be false."""
    notes: tuple[Note, ...]
    """Logged by hand in the last seven days."""
    facts_problem: str = ""
    """A message code when the last watch failed or facts have stopped coming."""
    experiments: tuple[ExperimentView, ...] = ()
    """Experiments whose answer waits for a decision, oldest first."""
    attention: AttentionCalls | None = None
    """What of attention needs a person; None where nothing is known of it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SeriesView:
    """One series with what was expected of it; arrays are (T,), NaN where unknown."""

    metric: Metric
    slice: str
    grain: str
    starts: npt.NDArray[np.datetime64]
    observed: Floats
    se: Floats
    customers: Floats
    numerator: Floats
    expected: Floats
    low: Floats
    high: Floats
    """95% band of what was expected."""
    since: date | None = None
    first_seen: date | None = None
    why_not: str = ""
    """Why there is no expectation, where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricView:
    """One metric as the list of metrics shows it."""

    metric: Metric
    value: float
    """Last finished week, everybody; NaN where unknown."""
    se: float
    slices: int
    signals: int
    why_not: str = ""
    """Why it cannot be measured here: which table or column is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Work over a second, started from a page."""

    id: str
    kind: str
    state: JobState
    done: int = 0
    total: int = 0
    message: str = ""
    created_at: datetime | None = None
    result: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentDecision:
    """What a person decided about an experiment, and on which look it rests."""

    number: int
    """Of its event in the history."""
    version: int
    state: DecisionState
    arm: str
    """The arm to be scaled; empty for the other states, where all arms are meant."""
    reason: str
    by: str
    at: datetime
    look: int
    """Number of the look that it rests on; 0: there was none."""
    said: str
    """What the analysis said at that look."""
    said_arm: str = ""

    @property
    def overruled(self) -> bool:
        """The person decided otherwise than the analysis; the reason says why."""
        other_arm = self.state == "scale" and self.arm != self.said_arm
        return bool(self.look) and (self.state != self.said or other_arm)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What was learnt from an experiment, with the numbers of its primary metric."""

    experiment: str
    version: int
    text: str
    by: str
    at: datetime
    hypothesis: str
    metric: str
    """The primary metric with its window: `revenue_per_customer.30d`."""
    state: str = ""
    """What had been decided; empty where nothing was."""
    look: int = 0
    figures: tuple[dict[str, Any], ...] = ()
    """Rows of the primary metric as the look saw them, an arm each: `arm`, `difference`, `low`, `high`, `lift` …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentView:
    """An experiment: what was declared, what runs, what was seen, what was decided, how far it is rolled out.

    The current version is the newest that was started; before any start, the newest. `looks`, `decision`
    and `steps` are the current version's; `events` are all.
    """

    name: str
    status: ExperimentStatus
    plan: Plan
    basis: Basis
    version: int
    versions: tuple[PlanVersion, ...]
    events: tuple[ExperimentEvent, ...]
    looks: tuple[Look, ...]
    """Oldest first; of a list only the newest."""
    decision: ExperimentDecision | None
    steps: tuple[Step, ...]
    """Of the rollout that follows the decision."""
    gates: tuple[Gate, ...]
    """What the last step asked."""
    lessons: tuple[Lesson, ...]
    created_at: datetime
    created_by: str
    started_at: datetime | None = None
    stopped_at: datetime | None = None
    """When a person stopped it or decided: nobody enters from then on."""

    @property
    def revision(self) -> int:
        """Changes with every change; a form sends it back, so that nobody overwrites what he has not seen."""
        return self.events[-1].number

    @property
    def look(self) -> Look | None:
        """The newest look at the current version."""
        return self.looks[-1] if self.looks else None

    @property
    def decided_look(self) -> Look | None:
        """The look that the decision rests on, with its numbers."""
        number = self.decision.look if self.decision else 0
        return next((look for look in self.looks if look.number == number), None)

    @property
    def last_day(self) -> date:
        """The day on which the last customer's window for the primary metric has passed."""
        return self.plan.ends + timedelta(days=self.plan.primary.window_days)

    @property
    def draft(self) -> PlanVersion | None:
        """A version that was declared after the current one was started; it does not run."""
        newest = self.versions[-1]
        return newest if self.started_at is not None and newest.version > self.version else None

    @property
    def share(self) -> float:
        """Share of the customers to whom the winner is rolled out; 0 before the first step."""
        return max((step.share for step in self.steps if step.state == "passed"), default=0.0)

    @property
    def rolled_out(self) -> bool:
        return self.status == "rolling" and self.share == 1.0

    @property
    def late_days(self) -> int:
        """Days after its first day on which it was started; what was known by then is no surprise."""
        return next((int(e.what.get("late_days", 0)) for e in reversed(self._of("started"))), 0)

    @property
    def waits(self) -> bool:
        """A person has something to decide: the test is over, or its newest look has an answer."""
        answered = self.look is not None and self.look.state in ("scale", "harm", "futile", "invalid")
        return self.status == "ended" or (self.status == "running" and answered)

    @property
    def wants_lesson(self) -> bool:
        """Decided, not to be scaled, and nobody has written down what was learnt."""
        decided = self.decision is not None and self.decision.state in ("harm", "futile", "invalid")
        return decided and not any(lesson.version == self.version for lesson in self.lessons)

    def state_of(self, version: int) -> VersionState:
        if any(event.kind == "started" and event.version == version for event in self.events):
            return "running" if version == self.version and self.status == "running" else "ended"
        return "draft" if version == self.versions[-1].version else "superseded"

    def _of(self, kind: str) -> tuple[ExperimentEvent, ...]:
        return tuple(e for e in self.events if e.kind == kind and e.version == self.version)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncNote:
    """What taking over the workspace file did to one experiment."""

    experiment: str
    code: Literal["new", "changed", "kept-beside", "as-before", "gone"]
    """`new`: declared. `changed`: a new version of one that does not run. `kept-beside`: the plan of a running
    one was changed: it runs on unaltered, the new text is a draft. `as-before`: the file again says what runs.
    `gone`: the file no longer declares it; nothing was changed."""
    version: int
    """The version that holds what the file says."""
    runs: int = 0
    """The version that runs on unaltered."""

    def line(self, lang: str = "en") -> str:
        return _SYNCED[self.code]["ru" if lang == "ru" else "en"].format(
            name=self.experiment, version=self.version, runs=self.runs
        )


_SYNCED = {
    "new": {
        "en": "{name} is declared (version {version}).",
        "ru": "Эксперимент {name} объявлен (версия {version}).",
    },
    "changed": {
        "en": "{name} was changed: it is now at version {version}.",
        "ru": "План эксперимента {name} изменён: теперь это версия {version}.",
    },
    "kept-beside": {
        "en": "{name} runs on as version {runs}, unaltered: a running experiment is never changed. What the file says "
        "now is kept as version {version}, a draft; stop version {runs} before you start it.",
        "ru": "Эксперимент {name} идёт по версии {runs} без изменений: план на ходу не меняется. То, что теперь "
        "написано в файле, сохранено как черновик, версия {version}; чтобы запустить её, сначала остановите "
        "версию {runs}.",
    },
    "as-before": {
        "en": "{name}: the file says again what runs (version {runs}); the draft is withdrawn.",
        "ru": "{name}: в файле снова то, что идёт (версия {runs}); черновик отозван.",
    },
    "gone": {
        "en": "{name} is no longer in the file; it is kept as it was.",
        "ru": "Эксперимента {name} больше нет в файле; он сохранён как был.",
    },
}
