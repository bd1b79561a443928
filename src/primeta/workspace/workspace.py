"""A workspace: a folder with its file, its facts, its state; every verb hangs on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from primeta.config import Config, load_config
from primeta.errors import NotFound
from primeta.signals.note import Note, NoteFile
from primeta.signals.signal import Direction, Origin, Signal
from primeta.store.database import Database
from primeta.store.erased import WhoIsErased
from primeta.store.signals import last_run, load_signals
from primeta.store.trends import load_notes, load_trends
from primeta.trends.records import Answer, Decision, Trend, TrendType
from primeta.workspace import jobs, people
from primeta.workspace.listing import Experiments, Signals, Trends
from primeta.workspace.views import (
    ExperimentView,
    Job,
    Lesson,
    MetricView,
    Overview,
    SeriesView,
    SyncNote,
)

if TYPE_CHECKING:
    from primeta.attention.fold import CustomerState
    from primeta.attention.import_consents import ImportedConsents
    from primeta.attention.ledger import Event
    from primeta.attention.records import Answer as MaySend
    from primeta.attention.records import Policy, Question
    from primeta.attention.replay_result import AttentionReplay
    from primeta.experiments.certificate import Certificate
    from primeta.experiments.certify import Asked
    from primeta.experiments.declare import Problem
    from primeta.experiments.look import Baseline, Moment
    from primeta.experiments.records import Amount, DecisionState, Plan
    from primeta.reactivation.acquisition_result import Sources
    from primeta.reactivation.farms import Farms
    from primeta.reactivation.interviews import Interviews
    from primeta.reactivation.ladder_result import Ladder
    from primeta.reactivation.lapse import Lapse
    from primeta.reactivation.policy.result import PolicyResult
    from primeta.reactivation.whom.result import Whom
    from primeta.sources.records import Document, Source
    from primeta.store.attention_counts import KeptCount
    from primeta.store.attention_drafts import KeptDraft
    from primeta.store.deliveries import Delivery
    from primeta.store.experiments import Look
    from primeta.store.policies import KeptPolicy
    from primeta.store.replays import KeptReplay
    from primeta.trends.stories import Suggestion
    from primeta.warehouse.doctor import Diagnosis
    from primeta.workspace.attention_alarmed import Alarmed
    from primeta.workspace.attention_choose import Choice
    from primeta.workspace.attention_coverage import Coverage
    from primeta.workspace.attention_customer import CustomerView
    from primeta.workspace.attention_first_days import FirstDays
    from primeta.workspace.attention_kept import ReplayState, Reports
    from primeta.workspace.attention_ledger import Recorded, Verified
    from primeta.workspace.attention_links import Linked, MessageLinks
    from primeta.workspace.attention_marks import TouchMarks
    from primeta.workspace.attention_policy import PolicyBook
    from primeta.workspace.attention_proofs import CustomerProofs
    from primeta.workspace.attention_sync import Synced
    from primeta.workspace.attention_wishes import Wishes
    from primeta.workspace.audience_filter import Filtered
    from primeta.workspace.deliver import Deliveries
    from primeta.workspace.digest import Digest
    from primeta.workspace.dossier import Dossier
    from primeta.workspace.experiment_size import PlanSize
    from primeta.workspace.looks import Audience, Looked
    from primeta.workspace.may_send import Desk
    from primeta.workspace.reactivation_plan import PlanExample
    from primeta.workspace.reactivation_views import (
        CampaignView,
        FarmsView,
        InterviewsView,
        KeptLapse,
        PolicyKind,
        PolicyView,
        SourcesView,
        WhomView,
    )
    from primeta.workspace.receipts import Receipt
    from primeta.workspace.reread import RereadReport
    from primeta.workspace.retain import Retained
    from primeta.workspace.sources_health import SourceList
    from primeta.workspace.texts_views import (
        CollectReport,
        Found,
        Mark,
        Reading,
        ReadingItem,
        SourceView,
        Themes,
        TopicView,
    )
    from primeta.workspace.watch import WatchReport

Progress = Callable[[str, int, int], None]
"""Called with the step's name, how much is done and how much there is."""


class Workspace:
    """One team's workspace. Make it with `open_workspace`.

    Verbs take the time as `now` (with a zone): nothing here reads the clock.
    """

    def __init__(self, config: Config, database: Database, *, language: str = ""):
        self.config = config
        self.database = database
        self.language = language or config.language
        """In which what Primeta drafted is told; what people wrote stays as they wrote it."""

    def in_language(self, language: str) -> Workspace:
        """The same workspace, read in another language."""
        return Workspace(self.config, self.database, language=language)

    @property
    def folder(self) -> Path:
        return self.config.folder

    def day_of(self, moment: datetime) -> date:
        """The calendar day of a moment in the workspace's zone."""
        return moment.astimezone(self.config.zone).date()

    def day(self, now: datetime) -> date:
        """Today in the workspace's zone; in a history (`today = "facts"`), the day after the last fact."""
        if self.config.as_of_facts:
            with self.database.read() as connection:
                run = last_run(connection)
            if run is not None:
                return self.day_of(run.seen_until)
        return self.day_of(now)

    def close(self) -> None:
        self.database.close()

    # What people, the market and the law say

    def collect(self, *, now: datetime, **options: Any) -> CollectReport:
        """Fetch and read the sources whose time has come; options as in `workspace.collect.collect`."""
        from primeta.workspace.collect import collect

        return collect(self, now=now, **options)

    def reread(self, *, now: datetime, **options: Any) -> RereadReport:
        """Read again what was kept; options as in `workspace.reread.reread`."""
        from primeta.workspace.reread import reread

        return reread(self, now=now, **options)

    def source_list(self, *, now: datetime) -> SourceList:
        """Every declared source with how it does, as a table."""
        from primeta.workspace.sources_health import source_list

        return source_list(self, now=now)

    def source_views(self, *, now: datetime) -> tuple[SourceView, ...]:
        """Every declared source with how it does."""
        return self.source_list(now=now).views

    def declared(self) -> tuple[Source, ...]:
        """The sources that the file declares, without looking how they do."""
        from primeta.sources.declare import declared_sources

        return tuple(declared_sources(self.config).values())

    def collected(self) -> int:
        """How many documents there are."""
        from primeta.store.documents import count_documents

        with self.database.read() as connection:
            return count_documents(connection)

    # What was seen

    def watch(self, *, now: datetime, progress: Progress | None = None) -> WatchReport:
        """Measure, detect and confirm; see `workspace.watch`."""
        from primeta.workspace.watch import watch

        return watch(self, now=now, progress=progress)

    def diagnosis(self, *, now: datetime) -> Diagnosis:
        """What is wrong with the data, rule by rule."""
        from primeta.warehouse.doctor import diagnose
        from primeta.warehouse.engine import open_warehouse

        with open_warehouse(self.config) as warehouse:
            return diagnose(warehouse, self.config, now=now)

    def signals(self) -> Signals:
        """All signals, the strongest evidence first."""
        from primeta.workspace.measured import declared

        with self.database.read() as connection:
            found = load_signals(connection)
        return Signals(found, notes=self.notes(), metrics=declared(self))

    def signal(self, identity: str) -> Signal:
        found = next((entry for entry in self.signals() if entry.id == identity), None)
        if found is None:
            raise NotFound(f"there is no signal {identity!r}; `primeta signals {self.folder}` lists them")
        return found

    def notes(self) -> tuple[Note, ...]:
        """What people wrote down, newest first."""
        with self.database.read() as connection:
            return tuple(Note(**row) for row in load_notes(connection))

    def sign(self, identity: str) -> Signal | Note:
        """A signal or a note by its id."""
        for entry in (*self.signals(), *self.notes()):
            if entry.id == identity:
                return entry
        raise NotFound(f"there is no signal or note {identity!r}; `primeta signals {self.folder}` lists them")

    def signal_series(self, identity: str) -> SeriesView:
        """The weekly series behind a signal, with what was expected."""
        from primeta.workspace.measured import series_of

        frozen = self.signal(identity).frozen
        return series_of(
            self, frozen.about, frozen.slice, since=frozen.since, first_seen=self.day(frozen.first_seen)
        )

    def metrics(self) -> tuple[MetricView, ...]:
        """Every metric: its last value, or why it cannot be measured here."""
        from primeta.workspace.measured import metric_views

        return metric_views(self)

    def metric_series(self, name: str, slice_code: str = "all", grain: str = "week") -> SeriesView:
        from primeta.workspace.measured import series_of

        return series_of(self, name, slice_code, grain=grain)

    def metric_slices(self, name: str) -> tuple[str, ...]:
        """Codes of the slices in which a metric is watched, `all` first."""
        from primeta.workspace.measured import slices_of

        return slices_of(self, name)

    # What people do with it

    def trends(self) -> Trends:
        """All trends, oldest first."""
        from primeta.workspace.measured import declared
        from primeta.workspace.words import in_language

        with self.database.read() as connection:
            found, signals = load_trends(connection), load_signals(connection)
        # A draft whose signals people have all attached elsewhere is told there.
        found = tuple(trend for trend in found if trend.signals or not people.untouched(trend))
        if self.language != self.config.language:
            known, metrics = {entry.id: entry for entry in signals}, declared(self)
            lang = "ru" if self.language == "ru" else "en"
            found = tuple(in_language(trend, known, metrics, lang) for trend in found)
        return Trends(found, currency=self.config.currency)

    def trend(self, wanted: str) -> Trend:
        """A trend by id, name, or the only name that begins so."""
        return people.find(self.trends(), wanted)

    def suggestions(self, trend: str) -> tuple[Suggestion, ...]:
        """What may belong to a trend and is not in it."""
        from primeta.workspace.refresh import suggestions

        return suggestions(self, trend)

    def refresh(self, trend: str, *, now: datetime) -> None:
        """Gather the evidence of one trend again and weigh it."""
        from primeta.workspace.refresh import refresh_trend

        refresh_trend(self, trend, now=now)

    def log_signal(
        self,
        *,
        text: str,
        origin: Origin,
        by: str,
        now: datetime,
        subject: str = "",
        source: str = "",
        happened_at: date | None = None,
        url: str = "",
        trend: str | None = None,
        direction: Direction = "up",
        files: Sequence[tuple[str, bytes]] = (),
    ) -> Note:
        return people.log_signal(
            self,
            text=text,
            origin=origin,
            by=by,
            now=now,
            subject=subject,
            source=source,
            happened_at=happened_at,
            url=url,
            trend=trend,
            direction=direction,
            files=files,
        )

    def note_file(self, note: str, digest: str) -> tuple[NoteFile, bytes]:
        """A photo or paper of a note with its bytes."""
        from primeta.workspace.note_files import note_file

        return note_file(self, note, digest)

    def new_trend(
        self,
        *,
        name: str,
        by: str,
        now: datetime,
        signals: Sequence[str] = (),
        type: TrendType = "behavioural",
    ) -> Trend:
        return people.new_trend(self, name=name, by=by, now=now, signals=signals, type=type)

    def attach(self, trend: str, signal: str, *, by: str, now: datetime, refuse: bool = False) -> Trend:
        return people.attach(self, trend, signal, by=by, now=now, refuse=refuse)

    def edit_card(
        self, trend: str, *, changes: Mapping[str, Any], by: str, now: datetime, version: int | None = None
    ) -> Trend:
        return people.edit_card(self, trend, changes=changes, by=by, now=now, version=version)

    def decide(
        self,
        trend: str,
        *,
        answer: Answer,
        criteria: str,
        due: date,
        owner: str,
        by: str,
        now: datetime,
        reason: str = "",
    ) -> Decision:
        return people.decide(
            self, trend, answer=answer, criteria=criteria, due=due, owner=owner, by=by, now=now, reason=reason
        )

    # What customers said

    def record(self, events: Iterable[Event], *, now: datetime) -> Recorded:
        """Write events of attention into the ledger, each once."""
        from primeta.workspace.attention_ledger import record

        return record(self, events, now=now)

    def customer_state(self, customer_id: str, **moments: datetime | None) -> CustomerState:
        """What the ledger says about one customer; `happened`, `learnt` as in `attention_ledger.customer_state`."""
        from primeta.workspace.attention_ledger import customer_state

        return customer_state(self, customer_id, **moments)

    def verify_ledger(self, *, now: datetime, **options: Any) -> Verified:
        """Whether any entry of the ledger was changed, removed, inserted or moved; options as in
        `attention_ledger.verify`."""
        from primeta.workspace.attention_ledger import verify

        return verify(self, now=now, **options)

    def import_consents(
        self, file: Path | None = None, *, now: datetime, by: str, **options: Any
    ) -> ImportedConsents:
        """Take over consents with their proof; options as in `workspace.consents.import_consents`."""
        from primeta.workspace.consents import import_consents

        return import_consents(self, file, now=now, by=by, **options)

    def retain(self, *, now: datetime, **options: Any) -> Retained:
        """Empty what is older than `[attention.retention]` allows; options as in `workspace.retain.retain`."""
        from primeta.workspace.retain import retain

        return retain(self, now=now, **options)

    def dossier(self, customer_id: str, *, now: datetime) -> Dossier:
        """All that is held about one customer, for that customer."""
        from primeta.workspace.dossier import dossier

        return dossier(self, customer_id, now=now)

    def erase(self, customer_id: str, *, now: datetime, by: str, reason: str, **options: Any) -> Receipt:
        """Erase a customer everywhere, with a receipt; options as in `workspace.erase.erase`."""
        from primeta.workspace.erase import erase

        return erase(self, customer_id, now=now, by=by, reason=reason, **options)

    def wishes(self, *, now: datetime, by: str, **options: Any) -> Wishes:
        """Wishes that wait for a person; options as in `workspace.attention_wishes.wishes`."""
        from primeta.workspace.attention_wishes import wishes

        return wishes(self, now=now, by=by, **options)

    # Reactivation

    def campaigns(self, *, now: datetime) -> tuple[CampaignView, ...]:
        """Every campaign, the latest first, each with its ladder as far as it is worked out."""
        from primeta.workspace import reactivation

        return reactivation.campaigns(self, now=now)

    def campaign(self, name: str, *, now: datetime) -> CampaignView:
        """One campaign: an experiment that was started, or messages that were sent without a control group."""
        from primeta.workspace import reactivation

        return reactivation.campaign(self, name, now=now)

    def ladder(self, name: str, *, now: datetime, **options: Any) -> Ladder:
        """The ladder of a campaign; options as in `workspace.reactivation.ladder`."""
        from primeta.workspace import reactivation

        return reactivation.ladder(self, name, now=now, **options)

    def moment(self, name: str, *, now: datetime, **options: Any) -> PolicyResult:
        """The best day since the lapse to write on; options as in `workspace.reactivation_policy.policy`."""
        from primeta.workspace.reactivation_policy import policy

        return policy(self, name, "moment", now=now, **options)

    def sequence(self, name: str, *, now: datetime, **options: Any) -> PolicyResult:
        """The best sequence of contacts; options as `moment`."""
        from primeta.workspace.reactivation_policy import policy

        return policy(self, name, "sequence", now=now, **options)

    def discount(self, name: str, *, now: datetime, **options: Any) -> PolicyResult:
        """The best discount by time since the lapse; options as `moment`, and `budget`, `eligible`."""
        from primeta.workspace.reactivation_policy import policy

        return policy(self, name, "discount", now=now, **options)

    def whom(self, name: str, *, now: datetime, **options: Any) -> Whom:
        """Whom to write; options as in `workspace.reactivation_whom.whom`."""
        from primeta.workspace.reactivation_whom import whom

        return whom(self, name, now=now, **options)

    def whom_view(self, name: str, *, now: datetime) -> WhomView:
        """What is kept of whom to write, learnt from a campaign."""
        from primeta.workspace.reactivation_whom import whom_view

        return whom_view(self, self.campaign(name, now=now))

    def policy_view(self, name: str, kind: PolicyKind, *, now: datetime) -> PolicyView:
        """What is kept of a campaign's best moment, sequence or discount."""
        from primeta.workspace.reactivation_policy import policy_view

        return policy_view(self, self.campaign(name, now=now), kind)

    def plan_example(self, name: str, kind: PolicyKind, *, now: datetime) -> PlanExample:
        """The command that would plan such an experiment here, with its sizes."""
        from primeta.workspace.reactivation_plan import plan_example

        return plan_example(self, self.campaign(name, now=now), kind)

    def assignments_problem(self) -> str:
        """Why the mapped table of assignments cannot be read; empty where it can, or where none is mapped."""
        from primeta.warehouse.facts_store import load_facts
        from primeta.workspace.reactivation_assigned import assigned

        return assigned(self, load_facts(self.folder / "facts")).problem

    def tell_control(self, name: str, arm: str, *, by: str, now: datetime) -> None:
        """Write down which arm of an experiment that stands in the assignments alone was left alone."""
        from primeta.workspace.reactivation_assigned import tell_control

        tell_control(self, name, arm, by=by, now=now)

    def lapse(
        self,
        *,
        now: datetime,
        days: int | None = None,
        weeks: int = 26,
        fresh: bool = False,
        kept_only: bool = False,
    ) -> Lapse:
        """Who is silent longer than his own rhythm allows, with the flow of the weeks before."""
        from primeta.workspace import reactivation

        return reactivation.lapse(self, now=now, days=days, weeks=weeks, fresh=fresh, kept_only=kept_only)

    def kept_lapse(self) -> KeptLapse | None:
        """The same as it was worked out last; None where it never was."""
        from primeta.workspace import reactivation

        return reactivation.kept_lapse(self)

    def interviews(self, name: str, *, now: datetime, **options: Any) -> Interviews:
        """Whom to call of an experiment, and what they said; options as in `workspace.people_called.interviews`."""
        from primeta.workspace import people_called

        return people_called.interviews(self, name, now=now, **options)

    def interviews_view(self, name: str, *, now: datetime) -> InterviewsView:
        """Whom to call of a campaign and what was said, as far as it is worked out."""
        from primeta.workspace import people_kept

        return people_kept.interviews_view(self, self.campaign(name, now=now))

    def attach_quotes(
        self, name: str, trend: str, *, by: str, now: datetime, reason: str = "", lang: str = "en"
    ) -> tuple[Note, ...]:
        """Quotes of an experiment's interviews as signs of origin "voice" on a trend."""
        from primeta.workspace import people_called

        return people_called.attach_quotes(self, name, trend, by=by, now=now, reason=reason, lang=lang)

    def farms(self, *, now: datetime, experiment: str = "", **options: Any) -> Farms:
        """Accounts that look like one person's; options as in `workspace.people_called.farms`."""
        from primeta.workspace import people_called

        return people_called.farms(self, now=now, experiment=experiment, **options)

    def farms_view(self, name: str, *, now: datetime) -> FarmsView:
        """Accounts that look like one person's and a campaign's effects without them, as far as they are worked out."""
        from primeta.workspace import people_kept

        return people_kept.farms_view(self, self.campaign(name, now=now))

    def sources(self, **options: Any) -> Sources:
        """What customers of each acquisition source bring; options as in `workspace.people_called.sources`."""
        from primeta.workspace import people_called

        return people_called.sources(self, **options)

    def sources_view(self, cohort: str = "quarter") -> SourcesView:
        """What customers of each source bring, as far as it is worked out."""
        from primeta.workspace import people_kept

        return people_kept.sources_view(self, cohort)

    # Experiments

    def experiments(self, *, now: datetime | None = None) -> Experiments:
        """All experiments, oldest first, each with its newest look."""
        from primeta.workspace import experiments

        return Experiments(experiments.experiments(self, now=now), workspace=self)

    def experiment(self, name: str, *, now: datetime | None = None) -> ExperimentView:
        """One experiment: plan, versions, history, looks, decision, rollout, lessons."""
        from primeta.workspace import experiments

        return experiments.experiment(self, name, now=now)

    def experiments_of(self, trend: str, *, now: datetime | None = None) -> tuple[ExperimentView, ...]:
        """The experiments that came from a trend."""
        from primeta.workspace import experiments

        return experiments.experiments_of(self, trend, now=now)

    def plan_experiment(self, name: str, values: Mapping[str, Any]) -> Plan:
        """A checked plan from the keys of `[experiments.NAME]` as Python values."""
        from primeta.workspace import experiments

        return experiments.plan_for(self, name, values)

    def plan_from_texts(self, name: str, texts: Mapping[str, str]) -> Plan:
        """A checked plan from the texts of a form."""
        from primeta.workspace import experiments

        return experiments.plan_for_texts(self, name, texts)

    def plan_problems(self, name: str, texts: Mapping[str, str]) -> tuple[Problem, ...]:
        """What is wrong with the texts of a form, key by key."""
        from primeta.workspace import experiments

        return experiments.plan_problems(self, name, texts)

    def attributes(self) -> tuple[str, ...]:
        """Attributes of the customers as the last watch read them; empty before the first."""
        from primeta.workspace import experiments

        return experiments.attributes_of(self) or ()

    def declare_experiment(
        self, plan: Plan, *, by: str, now: datetime, revision: int | None = None
    ) -> ExperimentView:
        """Declare it, or a new version; of one that runs, the new version is kept beside it and refused."""
        from primeta.workspace import experiments

        return experiments.declare(self, plan, by=by, now=now, revision=revision)

    def sync_experiments(self, *, now: datetime) -> tuple[SyncNote, ...]:
        """Take over what `primeta.toml` declares; nothing that runs is altered."""
        from primeta.workspace import experiments

        return experiments.sync(self, now=now)

    def start_experiment(
        self,
        name: str,
        *,
        by: str,
        now: datetime,
        version: int | None = None,
        revision: int | None = None,
    ) -> ExperimentView:
        """Start the newest version; its plan stays as it is from here on."""
        from primeta.workspace import experiments

        return experiments.start(self, name, by=by, now=now, version=version, revision=revision)

    def stop_experiment(
        self, name: str, *, by: str, now: datetime, reason: str = "", revision: int | None = None
    ) -> ExperimentView:
        """Nobody enters from now on."""
        from primeta.workspace import experiments

        return experiments.stop(self, name, by=by, now=now, reason=reason, revision=revision)

    def look(self, name: str, *, now: datetime, save: bool = True, refresh: bool = False) -> Looked:
        """Look at an experiment on the facts that the last watch read; see `workspace.looks`."""
        from primeta.workspace import looks

        return looks.look(self, name, now=now, save=save, refresh=refresh)

    def look_history(self, name: str, *, now: datetime) -> tuple[Moment, ...]:
        """The interval of the primary metric over time, also on days on which nobody looked."""
        from primeta.workspace import looks

        return looks.history(self, name, now=now)

    def audience(self, name: str, *, arm: str, out: Path | str, now: datetime) -> Audience:
        """Write the customers of one arm of a running experiment for a sender."""
        from primeta.workspace import looks

        return looks.audience(self, name, arm=arm, out=out, now=now)

    def baselines(self, plan: Plan, *, now: datetime) -> tuple[Baseline, ...]:
        """Each goal of a plan as it was in the team's own past, for the size of the experiment."""
        from primeta.workspace import looks

        return looks.history_of(self, plan, now=now)

    def size_experiment(
        self,
        experiment: str | Plan,
        *,
        now: datetime,
        belief: tuple[Amount, Amount] | None = None,
        customers_after: float | None = None,
    ) -> PlanSize:
        """How large a declared experiment, or a plan, must be, by this workspace's own history."""
        from primeta.workspace.experiment_size import size_of_plan

        plan = experiment
        if isinstance(plan, str):
            view = self.experiment(plan, now=now)
            plan = (view.draft or view).plan
        return size_of_plan(self, plan, now=now, belief=belief, customers_after=customers_after)

    def save_look(self, name: str, look: Look) -> Look:
        """Freeze what one look saw."""
        from primeta.workspace import experiments

        return experiments.save_look(self, name, look)

    def decide_experiment(
        self,
        name: str,
        *,
        state: DecisionState,
        by: str,
        now: datetime,
        arm: str | None = None,
        reason: str = "",
        revision: int | None = None,
    ) -> ExperimentView:
        """Decide on the numbers of the last look; who overrules the analysis says why."""
        from primeta.workspace import experiments

        return experiments.decide(
            self, name, state=state, by=by, now=now, arm=arm, reason=reason, revision=revision
        )

    def roll_out(
        self,
        name: str,
        *,
        by: str,
        now: datetime,
        share: float | None = None,
        guards: Mapping[str, str] | None = None,
        revision: int | None = None,
    ) -> ExperimentView:
        """The next step of a rollout; a gate that fails halts it."""
        from primeta.workspace import rollout

        return rollout.roll_out(self, name, by=by, now=now, share=share, guards=guards, revision=revision)

    def halt_rollout(
        self, name: str, *, reason: str, by: str, now: datetime, revision: int | None = None
    ) -> ExperimentView:
        """Halt a rollout by hand."""
        from primeta.workspace import rollout

        return rollout.halt(self, name, reason=reason, by=by, now=now, revision=revision)

    def reopen_rollout(
        self, name: str, *, reason: str, by: str, now: datetime, revision: int | None = None
    ) -> ExperimentView:
        """Let a halted rollout go on."""
        from primeta.workspace import rollout

        return rollout.reopen(self, name, reason=reason, by=by, now=now, revision=revision)

    def lesson(
        self, name: str, text: str, *, by: str, now: datetime, revision: int | None = None
    ) -> ExperimentView:
        """Write down what was learnt, with the numbers of the last look."""
        from primeta.workspace import experiments

        return experiments.lesson(self, name, text, by=by, now=now, revision=revision)

    def lessons(self, query: str = "") -> tuple[Lesson, ...]:
        """What was learnt, newest first; `query`: words that must be there."""
        from primeta.workspace import experiments

        return experiments.lessons(self, query)

    def certify(
        self,
        *,
        now: datetime,
        metrics: Sequence[str] = (),
        window_days: int = 28,
        asked: Asked | None = None,
        progress: Progress | None = None,
    ) -> Certificate:
        """How often experiments on these customers are wrong; see `workspace.certify`."""
        from primeta.workspace.certify import certify

        return certify(
            self, now=now, metrics=metrics, window_days=window_days, asked=asked, progress=progress
        )

    def last_certificate(self) -> Certificate | None:
        """The certificate made last, where there is one."""
        from primeta.workspace.certify import last_certificate

        return last_certificate(self)

    # What is said outside: topics, searching, reading

    def topics(self, *, now: datetime) -> tuple[TopicView, ...]:
        """What more is said of than before, the strongest first."""
        from primeta.workspace.topics import topics

        return topics(self, now=now)

    def topic(self, identity: str) -> TopicView:
        """One topic with its newest documents."""
        from primeta.workspace.topics import topic

        return topic(self, identity)

    def twins(self, identity: str, *, now: datetime) -> tuple[TopicView, ...]:
        """Topics that say the same in another language, for a person to join or refuse."""
        from primeta.workspace.twins import twins

        return twins(self, identity, now=now)

    def search(self, query: str, *, now: datetime, **options: Any) -> Found:
        """What was collected, by words and by meaning; options as in `workspace.search.search`."""
        from primeta.workspace.search import search

        return search(self, query, now=now, **options)

    def reading(self, *, now: datetime, **options: Any) -> Reading:
        """The reading list, a page of it; options as in `workspace.reading.reading`."""
        from primeta.workspace.reading import reading

        return reading(self, now=now, **options)

    def voices(self, *, now: datetime, **options: Any) -> Themes:
        """What customers speak of, and what they did afterwards; options as in `workspace.voices.voices`."""
        from primeta.workspace.voices import voices

        return voices(self, now=now, **options)

    def document(self, identity: str) -> Document:
        """One thing that a source brought."""
        from primeta.workspace.reading import document

        return document(self, identity)

    def reading_item(self, identity: str) -> ReadingItem:
        """The story that a document tells, with its copies and its mark."""
        from primeta.workspace.reading import reading_item

        return reading_item(self, identity)

    def mark_document(self, identity: str, mark: Mark, *, by: str, now: datetime) -> None:
        """Write what somebody did with a story: read, kept, dismissed, or unread again."""
        from primeta.workspace.reading import mark_document

        mark_document(self, identity, mark, by=by, now=now)

    def log_document(self, identity: str, *, by: str, now: datetime, **options: Any) -> Note:
        """Make a note of a story, once; options as in `workspace.reading.log_document`."""
        from primeta.workspace.reading import log_document

        return log_document(self, identity, by=by, now=now, **options)

    # Attention: may we send this?

    def may_send(self, question: Question, *, now: datetime) -> MaySend:
        """May we send this to him, and why not?"""
        from primeta.workspace.may_send import may_send

        return may_send(self, question, now=now)

    def sync_attention(self, *, now: datetime, by: str, **options: Any) -> Synced:
        """Take over what the mapped tables know; options as in `workspace.attention_sync.sync`."""
        from primeta.workspace.attention_sync import sync

        return sync(self, now=now, by=by, **options)

    def replay_attention(self, *, now: datetime, by: str, **options: Any) -> AttentionReplay:
        """The log of messages held against promises; options as in `attention_replay.replay_workspace`."""
        from primeta.workspace.attention_replay import replay_workspace

        return replay_workspace(self, now=now, by=by, **options)

    def replay_state(self, *, now: datetime) -> ReplayState:
        """Whether a replay of the year is kept, and whether it is of today's facts, promises and policy."""
        from primeta.workspace.attention_kept import replay_state

        return replay_state(self, now=now)

    def keep_replay(self, *, now: datetime, by: str, draft: str = "", **options: Any) -> KeptReplay:
        """Work out the year as it was sent, or under a draft policy, and keep the answer."""
        from primeta.workspace.attention_kept import keep_replay

        return keep_replay(self, now=now, by=by, draft=draft, **options)

    def ask_replay(self, policy: Mapping[str, Any], *, by: str, now: datetime) -> KeptReplay:
        """Keep a draft policy (keys of `[attention]`) for the job `attention-draft`."""
        from primeta.workspace.attention_kept import ask_replay

        return ask_replay(self, policy, by=by, now=now)

    def kept_replay(self, *, draft: str = "") -> KeptReplay | None:
        """The newest replay of the year, or a draft's by its id; None where there is none."""
        from primeta.workspace.attention_kept import kept_replay

        return kept_replay(self, draft=draft)

    def attention_reports(self) -> Reports | None:
        """Health of the base, promises and campaigns as the newest replay tells them; None where there is none."""
        from primeta.workspace.attention_kept import reports

        return reports(self)

    def kept_replays(self) -> tuple[KeptReplay, ...]:
        """Replays of draft policies, the newest first."""
        from primeta.workspace.attention_kept import kept_replays

        return kept_replays(self)

    def customer_view(self, customer: str, *, now: datetime, **options: Any) -> CustomerView:
        """What one customer has before his eyes; options as in `workspace.attention_customer.customer_view`."""
        from primeta.workspace.attention_customer import customer_view

        return customer_view(self, customer, now=now, **options)

    def find_customer(self, given: str, *, now: datetime) -> str:
        """The pseudonym of whom a person looks for by his id."""
        from primeta.workspace.attention_customer import find_customer

        return find_customer(self, given, now=now)

    def first_days(self, *, now: datetime, **options: Any) -> FirstDays:
        """What new customers received first; options as in `workspace.attention_first_days.first_days`."""
        from primeta.workspace.attention_first_days import first_days

        return first_days(self, now=now, **options)

    def alarmed_customers(self, *, now: datetime) -> Alarmed:
        """Some of those who probably no longer look, by pseudonym."""
        from primeta.workspace.attention_alarmed import alarmed

        return alarmed(self, now=now)

    def mark_touch(
        self, customer: str, message_id: str, mark: str, *, by: str, now: datetime, note: str = ""
    ) -> None:
        """Write whether a reviewer would wait for the next message like this one; an empty mark takes it back."""
        from primeta.workspace.attention_marks import mark_touch

        mark_touch(self, customer, message_id, mark, by=by, now=now, note=note)

    def marks_version(self) -> tuple[int, str]:
        """Changes whenever a reviewer's mark is written or taken back."""
        from primeta.workspace.attention_marks import version_of_marks

        return version_of_marks(self)

    def touch_marks(self, *, now: datetime) -> TouchMarks:
        """What reviewers think of messages, beside what customers did."""
        from primeta.workspace.attention_marks import touch_marks

        return touch_marks(self, now=now)

    def policy_book(self, *, now: datetime) -> PolicyBook:
        """The rules of sending in force, those before, a draft and its replay."""
        from primeta.workspace.attention_policy import policy_book

        return policy_book(self, now=now)

    def save_policy_draft(
        self, policy: Policy | Mapping[str, Any], *, by: str, now: datetime, **options: Any
    ) -> KeptDraft:
        """Keep a policy as the draft; options as in `attention_policy.save_policy_draft`."""
        from primeta.workspace.attention_policy import save_policy_draft

        return save_policy_draft(self, policy, by=by, now=now, **options)

    def switch_policy(self, number: int, *, by: str, now: datetime, without_replay: str = "") -> KeptPolicy:
        """The draft becomes the next version, in force at once."""
        from primeta.workspace.attention_policy import switch_on

        return switch_on(self, number, by=by, now=now, without_replay=without_replay)

    def coverage(self) -> Coverage:
        """How far consents reach, as it was counted last."""
        from primeta.workspace.attention_coverage import coverage

        return coverage(self)

    def count_consents(self, *, now: datetime, by: str, progress: Progress | None = None) -> KeptCount:
        """Count consents over the states of all customers, and keep the answer."""
        from primeta.workspace.attention_coverage import count_consents

        return count_consents(self, now=now, by=by, progress=progress)

    def check_chain(self, *, now: datetime, by: str) -> Verified:
        """Check the whole chain of the ledger, and keep what was found."""
        from primeta.workspace.attention_coverage import check_chain

        return check_chain(self, now=now, by=by)

    def customer_proofs(self, said: str, *, now: datetime) -> CustomerProofs:
        """What one customer said about being written to, with its proofs; by pseudonym or id."""
        from primeta.workspace.attention_proofs import customer_proofs

        return customer_proofs(self, said, now=now)

    def desk(self, *, now: datetime) -> Desk:
        """For many questions and for places under the caps: policy and promises are read once."""
        from primeta.workspace.may_send import Desk

        return Desk(self, now=now)

    def choose_message(
        self, customer: str, candidates: Iterable[Mapping[str, Any]], *, at: datetime, now: datetime
    ) -> Choice:
        """Which of several messages goes to him; candidates as in `workspace.attention_choose.choose_message`."""
        from primeta.workspace.attention_choose import choose_message

        return choose_message(self, customer, candidates, at=at, now=now)

    def filter_audience(
        self, audience: Path, question: Question, *, out: Path, now: datetime, **options: Any
    ) -> Filtered:
        """The question for each row of a file; options as in `workspace.audience_filter.filter_audience`."""
        from primeta.workspace.audience_filter import filter_audience

        return filter_audience(self, audience, question, out=out, now=now, **options)

    def links(self, customer_id: str, *, now: datetime, **options: Any) -> MessageLinks:
        """The links of one message: stop, choose, why; options as in `workspace.attention_links.links_for`."""
        from primeta.workspace.attention_links import links_for

        return links_for(self, customer_id, now=now, **options)

    def link_file(self, file: Path, *, out: Path, now: datetime, **options: Any) -> Linked:
        """The rows of a file with their links; options as in `workspace.attention_links.link_file`."""
        from primeta.workspace.attention_links import link_file

        return link_file(self, file, out=out, now=now, **options)

    # The week

    def overview(self, *, now: datetime) -> Overview:
        """What the Today page shows."""
        from primeta.workspace.overview import overview

        return overview(self, now=now)

    def digest(self, *, now: datetime, language: str = "") -> Digest:
        """The week in one page: text, Markdown, HTML."""
        from primeta.workspace.digest import digest

        return digest(self, now=now, language=language or self.config.language)

    def deliver(self, *, now: datetime, env: Mapping[str, str], **options: Any) -> Deliveries:
        """Send the digest and the due reviews; options as in `workspace.deliver.deliver`."""
        from primeta.workspace.deliver import deliver

        return deliver(self, now=now, env=env, **options)

    def deliver_due(self, *, now: datetime, env: Mapping[str, str]) -> Deliveries:
        """Deliver to the channels whose hour has come, and what was put off."""
        from primeta.workspace.deliver import deliver_due

        return deliver_due(self, now=now, env=env)

    def deliveries(self, *, channel: str = "") -> tuple[Delivery, ...]:
        """What was sent or tried, the latest first."""
        from primeta.workspace.deliver import delivered

        return delivered(self, channel=channel)

    def calendar(self, *, now: datetime, language: str = "") -> bytes:
        """Due reviews and ends of experiments as the feed of a calendar (ICS)."""
        from primeta.workspace.feed import calendar_feed

        return calendar_feed(self, now=now, language=language)

    def calendar_token(self, *, now: datetime, by: str, new: bool = False) -> str:
        """The secret in the address of the calendar's feed."""
        from primeta.workspace.feed import calendar_token

        return calendar_token(self, now=now, by=by, new=new)

    def is_calendar_token(self, token: str) -> bool:
        """Whether a token is the one in the feed's address."""
        from primeta.workspace.feed import is_calendar_token

        return is_calendar_token(self, token)

    # Jobs

    def start_job(self, kind: str, *, now: datetime) -> Job:
        return jobs.start_job(self, kind, now=now)

    def job(self, identity: str) -> Job:
        return jobs.get_job(self, identity)

    def cancel_job(self, identity: str) -> Job:
        return jobs.cancel_job(self, identity)


def open_workspace(directory: Path | str) -> Workspace:
    """Open a workspace: check its file, bring its state to this version.

    Raises:
        NotFound: no `primeta.toml` there.
        BadConfig: a key is wrong; the message names its line.
        NewerWorkspace: a newer Primeta wrote the state.
    """
    config = load_config(directory)
    database = Database(config.state_url or f"sqlite:///{(config.folder / 'state.sqlite').resolve()}")
    database.migrate()
    return Workspace(replace(config, erased=WhoIsErased(database)), database)
