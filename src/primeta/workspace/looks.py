"""Looks at running experiments: who entered, what they did, what it says; kept, so that the next one is cheap.

Who entered is written down in `experiments/` beside the state: it cannot be computed again. The sums are a cache
in `cache/experiments/`. A look itself is frozen in the state.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from importlib.metadata import version as code_version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np

from primeta.config import Config, config_error
from primeta.errors import BadInput, BadTable, NotFound, PrimetaError, Refused
from primeta.experiments.analysis import Analysis
from primeta.experiments.declare import Basis, basis_of
from primeta.experiments.entering import draw_of, entering_of, everybody
from primeta.experiments.look import (
    MONEY,
    Baseline,
    Look,
    Moment,
    PlannedLook,
    Question,
    baseline_of,
    course,
    money_outcome,
    planned_look_of,
    questions_of,
    take_look,
    wanted_sums,
)
from primeta.experiments.records import Plan
from primeta.store.experiments import Look as StoredLook
from primeta.warehouse.duck import connect, named, one, plain_errors, quoted, run
from primeta.warehouse.engine import Warehouse, open_warehouse
from primeta.warehouse.experiment_sums import Work, experiment_sums, first_whole_day
from primeta.warehouse.exposures import Entered, Entering, enter, midnight_of
from primeta.warehouse.facts_store import Facts, load_facts, refresh_facts
from primeta.warehouse.kept_sums import KeptSums, load_kept, save_kept
from primeta.warehouse.outcomes import Outcome, needs_of, no_rows
from primeta.warehouse.sources import files_of, is_file
from primeta.warehouse.window_sums import hash_of
from primeta.workspace.lock import only_one

if TYPE_CHECKING:
    from primeta.workspace.views import ExperimentView
    from primeta.workspace.workspace import Workspace

FOLDER = "experiments"
CACHE = "cache/experiments"
LOOKED_AT = ("running", "ended", "rolling", "halted")
"""What a watch looks at."""
COURSE_POINTS = 120
INFLOW_DAYS = 56


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Looked:
    """One look at an experiment of a workspace."""

    experiment: str
    version: int
    look: Look
    entered: Entered
    seen_until: datetime
    facts_version: str
    work: Work
    """What had to be computed for it."""
    saved: StoredLook | None = None
    """As it is frozen in the state; None where it was not to be saved."""

    @property
    def analysis(self) -> Analysis:
        return self.look.analysis

    def line(self, lang: str = "en") -> str:
        """What to do, and why, in one sentence."""
        return self.analysis.line(lang)

    def _repr_html_(self) -> str:
        return self.analysis._repr_html_()

    def as_dict(self) -> dict[str, Any]:
        """The keys of `experiment analyse`, and of which experiment they are."""
        return {
            "experiment": self.experiment,
            "version": self.version,
            "number": self.saved.number if self.saved else None,
            "seen_until": self.seen_until.isoformat(),
            "entered": self.entered.total,
            "outside": self.entered.outside,
            **self.look.document(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """The customers of one arm, written for a sender."""

    experiment: str
    arm: str
    file: Path
    customers: int


# Looking


def look(ws: Workspace, name: str, *, now: datetime, save: bool = True, refresh: bool = False) -> Looked:
    """Look at an experiment on the facts that the last watch read.

    The same facts give the same look: it is saved once.

    Args:
        refresh: Read what is new in the sources first.
    Raises:
        NotFound: no such experiment.
        Refused: it was never started; or its days were cut in another zone than the workspace's.
        BadInput, BadTable: its population, its attributes or its assignments cannot be used.
        Locked: a watch reads the facts just now (with `refresh`).
    """
    view = _started(ws, name, now)
    if refresh:
        _refresh(ws, now)
    made = _gather(ws, view, now=now)
    seen_until = min(made.facts.seen_until or now, now)
    earlier = [
        planned
        for stored in view.looks
        if stored.seen_until < seen_until and (planned := planned_look_of(stored.analysis)) is not None
    ]
    found = take_look(
        view.plan,
        made.questions,
        made.sums,
        made.entered,
        seen=made.seen,
        earlier=earlier,
        stopped=_stopped(ws, view),
        currency=view.basis.currency,
        source=f"facts {made.facts.version}: {view.name}, version {view.version}",
        notes=made.notes,
    )
    looked = Looked(
        experiment=view.name,
        version=view.version,
        look=found,
        entered=made.entered,
        seen_until=seen_until,
        facts_version=made.facts.version,
        work=made.work,
    )
    if not save or (view.look is not None and seen_until < view.look.seen_until):
        return looked
    known = (looked.seen_until, looked.facts_version)
    same = next((kept for kept in view.looks if (kept.seen_until, kept.facts_version) == known), None)
    return replace(looked, saved=same or _save(ws, looked, now))


def look_at_all(
    ws: Workspace, *, now: datetime, progress: Any = None
) -> tuple[int, tuple[tuple[str, str], ...]]:
    """A look at every experiment that runs, whose windows still pass, or that is rolled out.

    Returns:
        How many were looked at; (experiment, why not) of those that could not be.
    """
    views = [view for view in ws.experiments(now=now) if view.status in LOOKED_AT and not _over(view)]
    failed: list[tuple[str, str]] = []
    for place, view in enumerate(views):
        if progress is not None:
            progress("look", place, len(views))
        try:
            look(ws, view.name, now=now)
        except PrimetaError as error:
            failed.append((view.name, str(error)))
    if progress is not None and views:
        progress("look", len(views), len(views))
    return len(views) - len(failed), tuple(failed)


def _over(view: ExperimentView) -> bool:
    """A look has seen the end of every window: another one would see the same."""
    return view.status == "ended" and view.look is not None and bool(view.look.analysis.get("ended"))


def _save(ws: Workspace, looked: Looked, now: datetime) -> StoredLook:
    return ws.save_look(
        looked.experiment,
        StoredLook(
            version=looked.version,
            seen_until=looked.seen_until,
            at=now,
            analysis=looked.look.document(),
            counts=looked.entered.by_arm,
            ratio_evidence=looked.look.ratio_evidence,
            facts_version=looked.facts_version,
            code_version=code_version("primeta"),
        ),
    )


def history(ws: Workspace, name: str, *, now: datetime, most: int = COURSE_POINTS) -> tuple[Moment, ...]:
    """The interval of the primary metric over time, an arm a row: on days of saved looks as it was seen, on others
    as it was to be seen.

    Args:
        most: Days at most, evenly spread; days of saved looks come on top.
    """
    view = _started(ws, name, now)
    made = _gather(ws, view, now=now)
    question = next(entry for entry in made.questions if entry.goal.role == "primary")
    if question.outcome is None:
        return ()
    saved: dict[date, StoredLook] = {}
    planned: list[tuple[date, PlannedLook]] = []
    for stored in view.looks:
        if day := stored.analysis.get("as_of"):
            saved[date.fromisoformat(day)] = stored
            if entry := planned_look_of(stored.analysis):
                planned.append((date.fromisoformat(day), entry))
    seen = made.seen[question.outcome.name]
    first = view.plan.starts + timedelta(days=1)
    every = [first + timedelta(days=step) for step in range(max((seen - first).days + 1, 0))]
    chosen = (
        {every[place] for place in np.linspace(0, len(every) - 1, most).round().astype(int)}
        if every
        else set()
    )
    days = sorted(day for day in chosen if day not in saved)
    worked = course(view.plan, question, made.sums, made.entered, days=days, seen=seen, earlier=planned)
    seen_then = [row for day, stored in saved.items() for row in _moments(day, stored)]
    return tuple(sorted((*worked, *seen_then), key=lambda row: (row.day, row.arm)))


def _moments(day: date, stored: StoredLook) -> list[Moment]:
    def number(row: Mapping[str, Any], key: str) -> float:
        return float("nan") if row.get(key) is None else float(row[key])

    keys = (
        "difference",
        "low",
        "high",
        "always_low",
        "always_high",
        "decision_low",
        "decision_high",
        "control_mean",
    )
    return [
        Moment(
            day=day,
            arm=row["arm"],
            n_effective=number(stored.analysis, "n_effective"),
            look=stored.number,
            **{key: number(row, key) for key in keys},
        )
        for row in stored.analysis.get("effects") or ()
        if row.get("role") == "primary" and not row.get("segment")
    ]


# What it is made of


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Gathered:
    """Everything a look is made of."""

    facts: Facts
    questions: tuple[Question, ...]
    sums: KeptSums
    entered: Entered
    seen: dict[str, date]
    notes: tuple[str, ...]
    work: Work


def _started(ws: Workspace, name: str, now: datetime) -> ExperimentView:
    view = ws.experiment(name, now=now)
    if view.started_at is None:
        raise Refused(f"{view.name} was never started; there is nothing to look at")
    return view


def _stopped(ws: Workspace, view: ExperimentView) -> date | None:
    return ws.day_of(view.stopped_at) if view.stopped_at is not None else None


def _refresh(ws: Workspace, now: datetime) -> None:
    with only_one(ws.folder / "watch.lock", "a watch"), open_warehouse(ws.config) as warehouse:
        refresh_facts(warehouse, now=now)


def _facts(ws: Workspace, now: datetime) -> Facts:
    facts = load_facts(ws.folder / "facts")
    if facts is None:
        _refresh(ws, now)
        facts = load_facts(ws.folder / "facts")
    if facts is None or facts.seen_until is None:
        raise BadTable(
            f"the tables of {ws.config.path} hold no dated row; run `primeta doctor {ws.folder}` to see why"
        )
    return facts


def _gather(ws: Workspace, view: ExperimentView, *, now: datetime) -> _Gathered:
    """From the cache where nothing that matters has changed; else from the facts, as far as they have."""
    plan, basis = view.plan, view.basis
    facts = _facts(ws, now)
    if basis.timezone != facts.timezone:
        raise Refused(
            f"{plan.name}: its days are cut in {basis.timezone}, as it was declared, and those of the facts in "
            f"{facts.timezone} now. Put the workspace's timezone back, or declare a new version."
        )
    entering = entering_of(plan, stopped=_stopped(ws, view))
    today = ws.day(now)
    config = replace(ws.config, margin=basis.margin)
    cache = ws.folder / CACHE / f"{plan.name}.v{view.version}.sums"
    gives = hash_of(sorted(ws.config.tables.items()), plan.goals, basis)
    mark = _mark(ws, plan, basis, entering, facts, today)

    def as_kept(kept: KeptSums | None) -> _Gathered | None:
        """What is kept, where nothing has changed since."""
        if kept is None or not mark or (kept.about.get("mark"), kept.about.get("gives")) != (mark, gives):
            return None
        entered = _entered_from(kept.about["entered"], ws, view)
        questions = _questions(ws, plan, basis, config, facts, kept.about["lacking"])
        days = sum(len(cells.days) for cells in kept.cells.values())
        work = Work(kept=days, too_many=kept.about["too_many"])
        return _gathered(facts, questions, kept, entered, work, today)

    if (found := as_kept(load_kept(cache))) is not None:
        return found
    cache.parent.mkdir(parents=True, exist_ok=True)
    with one_at_a_time(cache.with_name(f".{cache.name}.lock")), ExitStack() as stack:
        kept = load_kept(cache)
        # Another process may have computed it while this one waited.
        if (found := as_kept(kept)) is not None:
            return found
        known = kept.about if kept is not None else {}
        lacking = known["lacking"] if known.get("gives") == gives else None
        warehouse = None
        if plan.entry == "table" or lacking is None:
            warehouse = stack.enter_context(open_warehouse(ws.config))
        connection = warehouse.connection if warehouse is not None else stack.enter_context(connect())
        if lacking is None:
            assert warehouse is not None
            lacking = _lacking(warehouse, plan, basis, config)
        questions = _questions(ws, plan, basis, config, facts, lacking)
        entered = _enter(ws, view, entering, facts, connection, warehouse, today)
        sums, work = experiment_sums(connection, facts, entered, wanted_sums(plan, questions), kept=kept)
        about = {
            "mark": mark,
            "gives": gives,
            "lacking": lacking,
            "entered": _entered_document(entered),
            "too_many": work.too_many,
        }
        if (work.computed or known != about) and not _looks_back(kept, entered):
            with plain_errors("keeping an experiment's sums"):
                save_kept(cache, replace(sums, about=about))
    return _gathered(facts, questions, sums, entered, work, today)


def _looks_back(kept: KeptSums | None, entered: Entered) -> bool:
    """Whether days are kept that this look does not know yet: a look into the past costs the present nothing."""
    last = entered.days[-1] if entered.days else date.min
    return kept is not None and any(day > last for cells in kept.cells.values() for day in cells.days[-1:])


def _gathered(
    facts: Facts, questions: tuple[Question, ...], sums: KeptSums, entered: Entered, work: Work, today: date
) -> _Gathered:
    outcomes = [question.outcome for question in questions if question.outcome is not None]
    money = money_outcome(questions)
    every: list[Outcome] = [*outcomes, *([money] if money else [])]
    notes = [f"values:{name or 'strata'}:{count}" for name, count in work.too_many.items()]
    if entered.outside:
        notes.append(f"held-out:{entered.outside}")
    return _Gathered(
        facts=facts,
        questions=questions,
        sums=sums,
        entered=entered,
        seen={outcome.name: first_whole_day(facts, outcome, today) for outcome in every},
        notes=tuple(notes),
        work=work,
    )


def _mark(ws: Workspace, plan: Plan, basis: Basis, entering: Entering, facts: Facts, today: date) -> str:
    """Changes with everything that a look is made of; empty where that cannot be told without reading it."""
    if plan.entry == "table":
        # Assignments are no facts, and those that lie ahead become due as days pass.
        files = _assignment_files(ws)
        if files is None:
            return ""
        return hash_of(plan, basis, entering, facts.version, files, today)
    # Beyond the last fact no day changes anything, but the first day of the plan may lie there.
    last = ws.day_of(facts.seen_until) if facts.seen_until else today
    return hash_of(plan, basis, entering, facts.version, min(today, max(last, plan.starts)))


def _assignment_files(ws: Workspace) -> list[tuple[str, int, int]] | None:
    table = ws.config.tables.get("assignments")
    if table is None or table.sql or not is_file(table.from_):
        return None
    found = [(path.name, path.stat()) for path in files_of(ws.config, table)]
    return [(name, stat.st_size, stat.st_mtime_ns) for name, stat in found]


def _questions(
    ws: Workspace, plan: Plan, basis: Basis, config: Config, facts: Facts, lacking: Mapping[str, str]
) -> tuple[Question, ...]:
    from primeta.workspace.measured import declared

    words = declared(ws)
    metrics = {
        name: replace(metric, label=words[name].label if name in words else {})
        for name, metric in basis.metrics.items()
    }
    found = questions_of(plan, metrics, config, why_not=lacking)
    return tuple(
        replace(question, outcome=None, why_not="no-rows")
        if question.outcome is not None and no_rows(question.outcome, facts)
        else question
        for question in found
    )


def _lacking(warehouse: Warehouse, plan: Plan, basis: Basis, config: Config) -> dict[str, str]:
    """Metric → why the mapped tables do not give it."""
    found: dict[str, str] = {}
    for goal in plan.goals:
        needs = needs_of(basis.metrics[goal.metric], config)
        if not all(warehouse.has(table, *columns) for table, columns in needs.items()):
            found[goal.metric] = "not-mapped"
    return found


def entered_file(ws: Workspace, name: str, version: int) -> Path:
    """Where it is written down who entered a version of an experiment."""
    return (ws.folder / FOLDER / f"{name}.v{version}.parquet").absolute()


def _enter(
    ws: Workspace,
    view: ExperimentView,
    entering: Entering,
    facts: Facts,
    connection: duckdb.DuckDBPyConnection,
    warehouse: Warehouse | None,
    today: date,
) -> Entered:
    file = entered_file(ws, view.name, view.version)
    file.parent.mkdir(parents=True, exist_ok=True)
    assignments = ""
    if view.plan.entry == "table" and warehouse is not None and "assignments" in ws.config.tables:
        assignments = warehouse.clean("assignments")
    with one_at_a_time(file.with_name(f".{file.name}.lock")):
        try:
            return enter(
                connection,
                facts,
                entering,
                file=file,
                today=today,
                draw=draw_of(view.plan),
                assignments=assignments,
            )
        except BadInput as error:
            raise _at_its_line(ws, view.plan, error) from None


def _at_its_line(ws: Workspace, plan: Plan, error: BadInput) -> BadInput:
    """The same complaint with the line of the key that it is about, where the file declares the experiment."""
    text = str(error)
    key = "population" if text.startswith("population") else ""
    for name in ("segments", "strata"):
        if any(
            text.startswith(f"the customers have no attribute {entry!r}") for entry in getattr(plan, name)
        ):
            key = name
    section = ws.config.experiments.get(plan.name)
    if section is None or key not in section.values:
        return error
    return config_error(ws.config, f"experiments.{plan.name}", key, text)


@contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Wait until nobody else is at it; the kernel lets go when a process dies."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _entered_document(entered: Entered) -> dict[str, Any]:
    return {
        "arms": list(entered.arms),
        "days": [day.isoformat() for day in entered.days],
        "counts": entered.counts.tolist(),
        "marks": list(entered.marks),
        "outside": entered.outside,
        "notes": dict(entered.notes),
        "attributes": list(entered.attributes),
    }


def _entered_from(stored: Mapping[str, Any], ws: Workspace, view: ExperimentView) -> Entered:
    return Entered(
        file=entered_file(ws, view.name, view.version),
        arms=tuple(stored["arms"]),
        days=tuple(date.fromisoformat(day) for day in stored["days"]),
        counts=np.array(stored["counts"], dtype=np.int64).reshape(len(stored["arms"]), -1),
        marks=tuple(stored["marks"]),
        outside=stored["outside"],
        notes=stored["notes"],
        attributes=tuple(stored["attributes"]),
    )


# For a sender


def audience(ws: Workspace, name: str, *, arm: str, out: Path | str, now: datetime) -> Audience:
    """Write the customers of one arm of a running experiment: customer_id, arm, bucket, entered_at (UTC).

    Args:
        out: `.csv` or `.parquet`; it is whole or not there.
    Raises:
        NotFound: no such experiment or arm.
        Refused: it does not run, or its first day has not come.
        BadInput: a file name of another kind, or a folder that is not there.
    """
    view = ws.experiment(name, now=now)
    out = Path(out)
    names = [entry.name for entry in view.plan.arms]
    if arm not in names:
        raise NotFound(f"{view.name} has no arm {arm!r}; it has {', '.join(names)}")
    if view.status != "running":
        raise Refused(
            f"{view.name} does not run (it is {view.status}); only a running experiment has an audience"
        )
    if out.suffix.lower() not in (".csv", ".parquet"):
        raise BadInput(f"{out}: a file ending in .csv or .parquet was expected")
    if not out.absolute().parent.is_dir():
        raise BadInput(f"{out}: there is no folder {out.parent}; make it first")
    today = ws.day(now)
    if view.plan.entry != "table" and today < view.plan.starts:
        raise Refused(f"{view.name} starts on {view.plan.starts}; nobody has entered yet")
    facts = _facts(ws, now)
    with ExitStack() as stack:
        warehouse = stack.enter_context(open_warehouse(ws.config)) if view.plan.entry == "table" else None
        connection = warehouse.connection if warehouse is not None else stack.enter_context(connect())
        entering = entering_of(view.plan, stopped=_stopped(ws, view))
        entered = _enter(ws, view, entering, facts, connection, warehouse, today)
        with plain_errors(f"writing {out}"):
            count = _write_audience(connection, entered, arm, out, facts.timezone, today)
    return Audience(experiment=view.name, arm=arm, file=out, customers=count)


def _write_audience(
    connection: duckdb.DuckDBPyConnection, entered: Entered, arm: str, out: Path, timezone: str, today: date
) -> int:
    csv = out.suffix.lower() == ".csv"
    at = f"coalesce(since, {midnight_of('entered', timezone)})"
    moment = f"strftime({at}, '%Y-%m-%dT%H:%M:%SZ')" if csv else f"timezone('UTC', {at})"
    last = entered.days[-1] if entered.days else today
    unfinished = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    source = f"read_parquet({quoted(str(entered.file))})"
    if not entered.file.exists():
        source = (
            "(SELECT NULL::VARCHAR AS customer_id, NULL::VARCHAR AS arm, NULL::DOUBLE AS bucket, "
            "NULL::DATE AS entered, NULL::TIMESTAMP AS since LIMIT 0)"
        )
    where = f"WHERE arm = {quoted(arm)} AND entered <= DATE '{last}'"
    try:
        run(
            connection,
            f"COPY (SELECT customer_id, arm, bucket, {moment} AS entered_at FROM {source} {where} "
            f"ORDER BY customer_id) TO {quoted(str(unfinished.absolute()))} "
            f"({'FORMAT csv, HEADER' if csv else 'FORMAT parquet, COMPRESSION zstd'})",
        )
        with unfinished.open("rb") as written:
            os.fsync(written.fileno())
        os.replace(unfinished, out)
    finally:
        unfinished.unlink(missing_ok=True)
    return one(connection, f"SELECT count(*) FROM {source} {where}")[0]


# Before it starts


def history_of(ws: Workspace, plan: Plan, *, now: datetime) -> tuple[Baseline, ...]:
    """Each goal of a plan as it was in the team's own past, for the size of the experiment.

    An experiment is pretended that treated nobody: customers of the same population entered by the same rule in
    the latest past whose windows have passed, with the same covariates. Attributes are taken as they are today.

    Raises:
        BadInput: the population or an attribute cannot be read from the customers.
    """
    basis = basis_of(ws.config, plan)
    facts = _facts(ws, now)
    today = ws.day(now)
    with open_warehouse(ws.config) as warehouse:
        lacking = _lacking(warehouse, plan, basis, ws.config)
    questions = _questions(ws, plan, basis, ws.config, facts, lacking)
    first, last = _pretended(facts, plan, questions, today)
    with (
        tempfile.TemporaryDirectory(prefix="primeta-history-") as folder,
        connect() as connection,
    ):
        n_now = _eligible(connection, facts, plan)
        pretended = replace(
            entering_of(plan),
            entry="list" if plan.entry == "table" else plan.entry,
            starts=first,
            ends=today,
            arms=("all",),
            population="" if plan.entry == "table" else plan.population,
            attributes=plan.strata,
        )
        entered = enter(
            connection,
            facts,
            pretended,
            file=Path(folder) / "entered.parquet",
            today=today,
            draw=everybody(plan),
        )
        inflow = _inflow(entered, plan, first, today)
        through = [place for place, day in enumerate(entered.days) if day <= last]
        mature = replace(
            entered,
            days=tuple(entered.days[place] for place in through),
            counts=entered.counts[:, through],
            marks=tuple(entered.marks[place] for place in through),
        )
        # A valued goal's money is no goal of its own here, and segments are not told apart.
        wanted = [
            (outcome, views[:1]) for outcome, views in wanted_sums(plan, questions) if outcome.name != MONEY
        ]
        sums, _ = experiment_sums(connection, facts, mature, wanted)
    return tuple(
        baseline_of(
            question,
            sums,
            seen=first_whole_day(facts, question.outcome, today) if question.outcome else today,
            n_per_week=inflow,
            n_now=n_now,
        )
        for question in questions
    )


def _pretended(facts: Facts, plan: Plan, questions: Sequence[Question], today: date) -> tuple[date, date]:
    """First and last day on which customers enter: as long as the plan's own, as far as the facts reach back."""
    primary = next(question for question in questions if question.goal.role == "primary")
    seen = first_whole_day(facts, primary.outcome, today) if primary.outcome else today
    last = seen - timedelta(days=plan.primary.window_days)
    months = [part.month for parts in facts.parts.values() for part in parts]
    earliest = date.fromisoformat(f"{min(months, default='1970-01')}-01")
    wanted = last - timedelta(days=(plan.ends - plan.starts).days - 1) if plan.entry == "arrival" else last
    first = max(wanted, earliest + timedelta(days=plan.covariate_days))
    return min(first, last), last


def _eligible(connection: duckdb.DuckDBPyConnection, facts: Facts, plan: Plan) -> int:
    """Customers who would enter if the first day were today."""
    drawn = everybody(plan)(connection, "", None)
    population = "" if plan.entry == "table" else plan.population
    inside = f"coalesce(({population}), false)" if population.strip() else "true"
    customers = f"(FROM read_parquet({quoted(str(facts.customers_path))}) WHERE customer_id <> '')"
    try:
        return one(
            connection,
            f"SELECT count(*) FROM (SELECT {drawn.arm} AS {named('drawn')} FROM (SELECT customer_id, {drawn.bucket} AS bucket "
            f"FROM {customers} WHERE {inside})) WHERE drawn IS NOT NULL",
        )[0]
    except (duckdb.BinderException, duckdb.CatalogException, duckdb.ConversionException) as error:
        raise BadInput(f"population = {population!r}: {str(error).strip().splitlines()[0]}") from None


def _inflow(entered: Entered, plan: Plan, first: date, today: date) -> float:
    """Customers a week who enter beside those of the first day; NaN where a table says who enters."""
    if plan.entry == "table":
        return float("nan")
    if plan.entry == "list":
        return 0.0
    since = max(first + timedelta(days=1), today - timedelta(days=INFLOW_DAYS))
    days = (today - since).days
    if days < 7:
        return float("nan")
    counts = entered.counts.sum(axis=0).tolist()
    came = sum(n for day, n in zip(entered.days, counts, strict=True) if since <= day < today)
    return came / days * 7
