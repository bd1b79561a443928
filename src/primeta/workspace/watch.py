"""`primeta watch`: refresh the facts, measure, detect, confirm, weigh; safe to repeat and to kill.

Everything is computed first. What was found and the mark "seen up to" are then written in one
transaction, so a watch that is killed leaves either all of it or nothing, and the next one does it again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from primeta.errors import BadTable, PrimetaError
from primeta.facts import GRAINS
from primeta.signals.signal import Signal
from primeta.signals.watch import Watched, watch_series
from primeta.store import signals as signal_rows
from primeta.store import topics as topic_rows
from primeta.store import trends as trend_rows
from primeta.trends.evidence import STRENGTH
from primeta.trends.records import Card, Event, Evidence, Trend, Weighing
from primeta.trends.stories import Draft, draft_trends, joins
from primeta.warehouse.build_series import SeriesList, build_series
from primeta.warehouse.engine import Warehouse, open_warehouse
from primeta.warehouse.facts_store import refresh_facts
from primeta.warehouse.metrics import available_metrics, unavailable_metrics
from primeta.warehouse.series import Series
from primeta.workspace import words
from primeta.workspace.attention_kept import keep_fresh
from primeta.workspace.fullness import consent_share, fullness_of
from primeta.workspace.lock import only_one
from primeta.workspace.looks import look_at_all
from primeta.workspace.measured import save_measured
from primeta.workspace.refresh import Surroundings, assess, ground_under, surroundings
from primeta.workspace.retain import retain_quietly
from primeta.workspace.views import SyncNote
from primeta.workspace.watch_attention import watched_segments, weeks_of_attention
from primeta.workspace.watch_parts import first_sights, placed, settings_of, weeks_before
from primeta.workspace.watch_report import WatchReport
from primeta.workspace.watch_topics import Collected, Texts, TopicsSeen, collected_now

if TYPE_CHECKING:
    from primeta.warehouse.metric import Metric
    from primeta.workspace.workspace import Progress, Workspace

BASELINE_WEEKS = (104, 78, 52, 39, 26)
"""Weeks before the first promise year, the longest that leaves at least a quarter to watch."""
LEAST_WATCHED = 13


def watch(ws: Workspace, *, now: datetime, progress: Progress | None = None) -> WatchReport:
    """One watch over all finished weeks: of the metrics, and of what the sources say.

    A workspace with sources and no orders watches its texts alone.

    Raises:
        Locked: another watch runs in this workspace.
        BadTable, BadConfig: the facts cannot be read; nothing was changed.
    """
    step = progress or (lambda _name, _done, _total: None)
    with only_one(ws.folder / "watch.lock", "a watch"):
        if ws.config.sources.declared and not _has_metrics(ws):
            report = _watch_texts(ws, now, step)
        else:
            report = _watch_all(ws, now, step)
    # What was watched is saved: an experiment that cannot be taken over or looked at takes nothing of it back.
    synced, refused = _sync(ws, now)
    looked, failed = look_at_all(ws, now=now, progress=progress)
    # Pages of attention rest on it; where it cannot be worked out, they say why when a person asks for it.
    with suppress(PrimetaError):
        keep_fresh(ws, now=now, by="watch", progress=progress)
    retain_quietly(ws, now=now)
    return dataclasses.replace(report, looked=looked, looks_failed=failed, synced=synced, sync_failed=refused)


def _has_metrics(ws: Workspace) -> bool:
    """Whether the workspace maps anything that a metric could be counted from."""
    return bool(set(ws.config.tables) - {"voices", "customers", "promotions", "consents", "identities"})


def _watch_all(ws: Workspace, now: datetime, step: Progress) -> WatchReport:
    with open_warehouse(ws.config) as warehouse:
        step("facts", 0, 1)
        refreshed = refresh_facts(warehouse, now=now)
        step("facts", 1, 1)
        if refreshed.seen_until is None:
            raise BadTable(
                f"the tables of {ws.config.path} hold no dated row; run `primeta doctor {ws.folder}` to see why"
            )
        seen_until = _end_of_day(refreshed.seen_until, ws, now)
        collected = collected_now(ws, now=now, progress=step)
        texts = Texts(ws, progress=step) if collected is not None else None
        metrics, missing = _metrics(ws, warehouse)
        series: dict[str, SeriesList] = {}
        for number, grain in enumerate(GRAINS):
            step("measure", number, len(GRAINS))
            series[grain] = build_series(
                warehouse, ws.config, metrics, grain=grain, cache=ws.folder / "cache", until=seen_until.date()
            )
        step("measure", len(GRAINS), len(GRAINS))
        full, consents = fullness_of(warehouse, refreshed.facts), consent_share(warehouse)

        every = [entry for grain in GRAINS for entry in series[grain]]
        report, new_trends, moved = None, 0, 0
        for year_before, promise_start, moment in _looks(
            ws, series["week"] or weeks_of_attention(ws, refreshed.facts, seen_until), seen_until
        ):
            watched = _detect(ws, series, metrics, promise_start, moment, step)
            looks = watched_segments(
                ws, refreshed.facts, year_before=year_before, promise_start=promise_start, until=moment
            )
            found = (*watched.signals, *looks.signals)
            if year_before is not None:
                # What was first seen in the year before is still graded; nothing new is sought there.
                found = (*found, *_graded_on(ws, series, metrics, year_before, moment))
            save_measured(
                ws.folder,
                [*every, *looks.series],
                {**watched.bands, **looks.bands},
                not_watched={
                    (metric, code): why for metric, code, why in (*watched.not_watched, *looks.not_watched)
                },
                why_not_metrics=missing,
                fullness=full,
                consent_share=consents,
            )
            said = texts.look(moment, since=year_before or promise_start) if texts is not None else None
            step("weigh", 0, 1)
            report = _write(
                ws,
                _Look(
                    found=(*found, *(said.signals if said else ())),
                    promise_start=promise_start,
                    seen_until=moment,
                    facts_version=refreshed.facts_version,
                    facts_changed=sum(len(months) for months in refreshed.changed.values()),
                    watched=watched.watched + looks.watched,
                    weeks=max(watched.weeks_seen, looks.weeks),
                    not_watched=len(watched.not_watched) + len(looks.not_watched),
                    said=said,
                ),
                now,
            )
            new_trends, moved = new_trends + report.new_trends, moved + report.moved
            step("weigh", 1, 1)
        assert report is not None
        left_out = tuple(
            (entry.metric, entry.slice, entry.reason[ws.config.language]) for entry in series["week"].left_out
        )
    return _told(report, collected, new_trends=new_trends, moved=moved, left_out=left_out)


def _watch_texts(ws: Workspace, now: datetime, step: Progress) -> WatchReport:
    """The same where nothing is measured: texts up to the end of yesterday, or of the last one of a history."""
    facts_version = ""
    if ws.config.tables:
        with open_warehouse(ws.config) as warehouse:
            step("facts", 0, 1)
            facts_version = refresh_facts(warehouse, now=now).facts_version
            step("facts", 1, 1)
    collected = collected_now(ws, now=now, progress=step)
    texts = Texts(ws, progress=step)
    first, last = texts.first, texts.last
    if first is None or last is None:
        raise BadTable(
            f"the sources of {ws.config.path} have brought no text yet; run `primeta sources {ws.folder}` to see why"
        )
    today = datetime.combine(now.astimezone(ws.config.zone).date(), time(), ws.config.zone)
    seen_until = _end_of_day(last, ws, now) if ws.config.as_of_facts else today
    report, new_trends, moved = None, 0, 0
    for year_before, promise_start, moment in _looks_at_texts(ws, first, seen_until):
        said = texts.look(moment, since=year_before or promise_start)
        step("weigh", 0, 1)
        report = _write(
            ws,
            _Look(
                found=said.signals,
                promise_start=promise_start,
                seen_until=moment,
                facts_version=facts_version,
                facts_changed=0,
                watched=0,
                weeks=(moment.date() - promise_start).days // 7,
                not_watched=0,
                said=said,
            ),
            now,
        )
        new_trends, moved = new_trends + report.new_trends, moved + report.moved
        step("weigh", 1, 1)
    assert report is not None
    return _told(report, collected, new_trends=new_trends, moved=moved)


def _looks_at_texts(
    ws: Workspace, first: datetime, seen_until: datetime
) -> list[tuple[date | None, date, datetime]]:
    """As `_looks`; where the file says nothing, the first promise year begins after half a year of texts."""
    declared = ws.config.watch.promise_start or first.date() + timedelta(weeks=BASELINE_WEEKS[-1])
    starts = [declared - timedelta(days=declared.weekday())]
    length = timedelta(weeks=ws.config.watch.promise_weeks)
    while starts[-1] + length < seen_until.date():
        starts.append(starts[-1] + length)
    return _not_taken(ws, starts, seen_until)


def _told(report: WatchReport, collected: Collected | None, **changes: Any) -> WatchReport:
    """The report of the last look with what all of them came to, and what the sources brought."""
    if collected is not None:
        changes |= {"new_documents": collected.new, "sources_failed": collected.failed}
    return dataclasses.replace(report, **changes)


def _sync(ws: Workspace, now: datetime) -> tuple[tuple[SyncNote, ...], str]:
    """What the workspace file declares is taken over first, so that a look sees whatever may be started."""
    try:
        return ws.sync_experiments(now=now), ""
    except PrimetaError as error:
        return (), str(error)


def _looks(
    ws: Workspace, weekly: Sequence[Series], seen_until: datetime
) -> list[tuple[date | None, date, datetime]]:
    """(promise year before, promise year, time up to which facts count) of the looks still to be taken.

    The end of each earlier promise year, so that what changed then is known; the week before now, so
    that it can be said what changed since; and now. Looks that an earlier watch took are not repeated.
    """
    return _not_taken(ws, promise_starts(ws, weekly), seen_until)


def _not_taken(
    ws: Workspace, starts: Sequence[date], seen_until: datetime
) -> list[tuple[date | None, date, datetime]]:
    years = [(before, start) for before, start in zip([None, *starts], starts, strict=False)]
    looks = [
        (before, start, datetime.combine(following, time(), ws.config.zone))
        for (before, start), following in zip(years, starts[1:], strict=False)
    ]
    looks += [(*years[-1], seen_until - timedelta(days=7)), (*years[-1], seen_until)]
    with ws.database.read() as connection:
        last = signal_rows.last_run(connection)
    return [
        (before, start, moment)
        for before, start, moment in looks
        if moment == seen_until or (moment.date() > start and (last is None or moment > last.seen_until))
    ]


def promise_starts(ws: Workspace, weekly: Sequence[Series]) -> list[date]:
    """The first day of every promise year up to the one that holds the last week.

    The first one starts where `[watch] promise_start` says, else after the longest baseline that
    leaves a quarter to watch; the following ones start every `promise_weeks`.
    """
    weeks = sorted({day for entry in weekly for day in entry.starts.tolist()})
    if not weeks:
        raise BadTable(
            "no week is finished yet: the facts hold less than one whole week; come back when they hold more"
        )
    declared = ws.config.watch.promise_start
    if declared is not None:
        first = declared - timedelta(days=declared.weekday())
    else:
        baseline = next((n for n in BASELINE_WEEKS if len(weeks) >= n + LEAST_WATCHED), BASELINE_WEEKS[-1])
        first = weeks[0] + timedelta(weeks=baseline)
    length = timedelta(weeks=ws.config.watch.promise_weeks)
    found = [first]
    while found[-1] + length <= weeks[-1]:
        found.append(found[-1] + length)
    return found


def _end_of_day(last: datetime, ws: Workspace, now: datetime) -> datetime:
    """Facts are known up to the end of their last day, once that day is over by the clock."""
    local = last.astimezone(ws.config.zone)
    midnight = datetime.combine(local.date() + timedelta(days=1), time(), ws.config.zone)
    return midnight if midnight <= now else local


def _metrics(ws: Workspace, warehouse: Warehouse) -> tuple[dict[str, Metric], dict[str, str]]:
    return available_metrics(warehouse, ws.config), unavailable_metrics(
        warehouse, ws.config, lang=ws.config.language
    )


def _detect(
    ws: Workspace,
    series: Mapping[str, Sequence[Series]],
    metrics: Mapping[str, Metric],
    promise_start: date,
    seen_until: datetime,
    step: Progress,
) -> Watched:
    frozen = first_sights(ws, promise_start, origin="metric")
    watched = watch_series(
        series["week"],
        series["month"],
        series["quarter"],
        metrics=metrics,
        promise_start=promise_start,
        seen_until=seen_until,
        frozen=frozen,
        settings=settings_of(ws),
        progress=lambda done, total: step("detect", done, total),
    )
    weeks = weeks_before(series["week"], promise_start)
    return dataclasses.replace(watched, signals=placed(watched.signals, ws, baseline_weeks=weeks))


def _graded_on(
    ws: Workspace,
    series: Mapping[str, Sequence[Series]],
    metrics: Mapping[str, Metric],
    promise_start: date,
    seen_until: datetime,
) -> tuple[Signal, ...]:
    frozen = first_sights(ws, promise_start, origin="metric")
    if not frozen:
        return ()
    settings = dataclasses.replace(settings_of(ws), follow_weeks=ws.config.watch.promise_weeks)
    watched = watch_series(
        series["week"],
        series["month"],
        series["quarter"],
        metrics=metrics,
        promise_start=promise_start,
        seen_until=seen_until,
        frozen=frozen,
        settings=settings,
    )
    weeks = weeks_before(series["week"], promise_start)
    return placed([entry for entry in watched.signals if entry.id in frozen], ws, baseline_weeks=weeks)


@dataclass(frozen=True, slots=True)
class _New:
    draft: Draft
    card: Card
    evidence: Evidence
    weighing: Weighing
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """What one look found, to be written in one transaction."""

    found: Sequence[Signal]
    promise_start: date
    seen_until: datetime
    facts_version: str
    facts_changed: int
    watched: int
    weeks: int
    not_watched: int
    said: TopicsSeen | None


def _write(ws: Workspace, look: _Look, now: datetime) -> WatchReport:
    found, promise_start, seen_until, said = look.found, look.promise_start, look.seen_until, look.said
    around = surroundings(ws)
    around = dataclasses.replace(
        around,
        signals={**around.signals, **{entry.id: entry for entry in found}},
        topics={
            **around.topics,
            **({name: topic for name, (_, topic) in said.topics.items()} if said else {}),
        },
    )
    existing = ws.trends()
    joined = _joining(existing, around)
    assessed = [
        (
            trend,
            *assess(
                ws,
                dataclasses.replace(trend, signals=(*trend.signals, *joined.get(trend.id, ()))),
                around,
                now=seen_until,
            ),
        )
        for trend in existing
    ]
    taken = _taken(ws) | {entry for many in joined.values() for entry in many}
    drafts = [
        _new(ws, draft, around, seen_until) for draft in draft_trends(around.signals.values(), taken=taken)
    ]
    run = signal_rows.Run(
        seen_until=seen_until,
        facts_version=look.facts_version,
        promise_start=promise_start,
        watched=look.watched,
        finished_at=now,
        summary={
            "weeks": look.weeks,
            "not_watched": look.not_watched,
            **({"stories": said.stories, "terms": said.terms} if said else {}),
        },
    )
    with ws.database.write() as connection:
        moves = signal_rows.save_signals(
            connection, found, promise_start=promise_start, seen_until=seen_until
        )
        if said is not None:
            topic_rows.save_topics(
                connection, said.topics, said.documents, promise_start=promise_start, seen_until=seen_until
            )
        for trend, evidence, weighing in assessed:
            trend_rows.save_evidence(connection, trend.id, evidence, weighing)
            for entry in joined.get(trend.id, ()):
                _attach(connection, trend.id, around.signals[entry], seen_until)
            if evidence.grade != trend.evidence.grade:
                moved = {"was": trend.evidence.grade, "now": evidence.grade}
                told = Event(at=seen_until, who="primeta", kind="grade", what=moved)
                trend_rows.add_events(connection, trend.id, [told], mark=f"grade {seen_until.isoformat()}")
        for new in drafts:
            _add(connection, new, around, seen_until)
        signal_rows.save_run(connection, run)
    grades = [entry.grade for entry in around.signals.values() if not entry.topic]
    told = [topic.grade for topic in around.topics.values()]
    return WatchReport(
        seen_until=seen_until,
        weeks=look.weeks,
        watched=look.watched,
        not_watched=look.not_watched,
        signals={grade: grades.count(grade) for grade in sorted(set(grades))},
        new_trends=len(drafts),
        moved=len(moves),
        facts_changed=look.facts_changed,
        topics={grade: told.count(grade) for grade in sorted(set(told))},
        stories=said.stories if said else 0,
        topics_why_not=said.why_not if said else "",
    )


def _joining(trends: Sequence[Trend], around: Surroundings) -> dict[str, list[str]]:
    """New signals that tell the story of a trend which Primeta drafted and nobody decided yet."""
    taken = {entry for trend in trends for entry in trend.signals}
    joined: dict[str, list[str]] = {}
    for trend in trends:
        if not trend.history or trend.history[0].who != "primeta" or trend.decision:
            continue
        members = [around.signals[entry] for entry in trend.signals if entry in around.signals]
        for signal in sorted(around.signals.values(), key=lambda entry: entry.id):
            if (
                signal.id not in taken
                and STRENGTH[signal.grade] >= STRENGTH["holding"]
                and joins(members, signal)
            ):
                joined.setdefault(trend.id, []).append(signal.id)
                taken.add(signal.id)
    return joined


def _taken(ws: Workspace) -> set[str]:
    """Signals that have a trend, or that a person took out of one."""
    with ws.database.read() as connection:
        return {entry.signal_id for entry in trend_rows.load_memberships(connection)}


def _new(ws: Workspace, draft: Draft, around: Surroundings, seen_until: datetime) -> _New:
    """A card filled with all that the signals tell; the rest is for people."""
    members = [around.signals[entry] for entry in draft.signals]
    ground = ground_under(ws, members, around)
    card = words.draft_card(
        members,
        around.metrics,
        "ru" if ws.config.language == "ru" else "en",
        weeks=ground.weeks_to_answer,
        effect=ground.smallest_effect,
        type=draft.type,
        topics=around.topics,
    )
    at = min(entry.frozen.first_seen for entry in members)
    blank = Trend(
        id=draft.id,
        card=card,
        evidence=Evidence(
            grade="noticed", since=None, origins=(), weeks=(0, 0), months=(0, 0), quarters=(0, 0), why=()
        ),
        signals=draft.signals,
        weighing=None,
        decisions=(),
        history=(),
        version=1,
        created_at=at,
    )
    evidence, weighing = assess(ws, blank, around, now=seen_until)
    return _New(draft, card, evidence, weighing, at)


def _add(connection: Any, new: _New, around: Surroundings, seen_until: datetime) -> None:
    identity = new.draft.id
    trend_rows.add_trend(connection, identity, new.card, new.evidence, by="primeta", at=new.at)
    trend_rows.save_evidence(connection, identity, new.evidence, new.weighing)
    told = [Event(at=new.at, who="primeta", kind="grade", what={"was": None, "now": "noticed"})]
    if new.evidence.grade != "noticed":
        moved = {"was": "noticed", "now": new.evidence.grade}
        told.append(Event(at=seen_until, who="primeta", kind="grade", what=moved))
    trend_rows.add_events(connection, identity, told, mark="first")
    for entry in new.draft.signals:
        _attach(connection, identity, around.signals[entry], around.signals[entry].frozen.first_seen)


def _attach(connection: Any, trend: str, signal: Signal, at: datetime) -> None:
    trend_rows.add_membership(
        connection,
        trend_rows.Membership(trend_id=trend, signal_id=signal.id, state="attached", by="primeta", at=at),
    )
    what = {
        "signal": signal.id,
        "state": "attached",
        "about": signal.frozen.about,
        "slice": signal.frozen.slice,
    }
    told = Event(at=at, who="primeta", kind="signal", what=what)
    trend_rows.add_events(connection, trend, [told], mark=f"signal {signal.id}")
