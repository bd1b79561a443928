"""Campaigns of a workspace on the ladder, and the flow of customers who lapse: worked out once, kept, read by pages.

An experiment is measured on who entered it (`experiments/NAME.vN.parquet`); a campaign that was only sent, on who
was written to. Both read the workspace's own facts, so the sources are not touched.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from primeta.errors import BadInput, BadTable, NotFound, Refused
from primeta.reactivation.records import Campaign, LadderFacts
from primeta.warehouse.duck import connect, named, one, plain_errors, quoted, run
from primeta.warehouse.exposures import attribute_column, midnight_of
from primeta.warehouse.facts_store import Facts, load_facts
from primeta.warehouse.window_sums import hash_of
from primeta.workspace.looks import entered_file
from primeta.workspace.reactivation_assigned import (
    FIRST_STAGE,
    Assigned,
    AssignedList,
    assigned,
    assigned_rows,
    control_of,
)
from primeta.workspace.reactivation_kept import FOLDER, NotKept, Progress, each, file_name, keep, kept
from primeta.workspace.reactivation_views import CampaignView, KeptLadder, KeptLapse

if TYPE_CHECKING:
    from primeta.reactivation.ladder_result import Ladder
    from primeta.reactivation.lapse import Lapse
    from primeta.workspace.views import ExperimentView
    from primeta.workspace.workspace import Workspace

LAPSE = "lapse"
LIST = "campaigns"
MOST_SENT = 60
"""Campaigns without a control group that are listed, the latest; their ladders stop at rung 1."""
WEEKS = 26
"""Of the flow of lapse."""


# Which campaigns there are


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A campaign as the messages tell of it."""

    name: str
    first: date
    last: date
    customers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SentList:
    """All of them, the latest first."""

    campaigns: tuple[Sent, ...] = ()


def campaigns(ws: Workspace, *, now: datetime) -> tuple[CampaignView, ...]:
    """Every campaign, the latest first: experiments that were started, those that stand in the assignments alone, and
    what was sent without a control group."""
    facts = load_facts(ws.folder / "facts")
    planned = ws.experiments(now=now)
    drawn = assigned(ws, facts)
    tried = [_of_experiment(ws, view, facts, drawn) for view in planned if _is_measured(ws, view)]
    plans = {view.name.casefold() for view in planned}
    alone = [entry for entry in drawn.experiments if entry.name.casefold() not in plans]
    tried += [_of_assignments(ws, entry, facts) for entry in alone]
    names = plans | {entry.name.strip().casefold() for entry in alone}
    sent = [
        _of_messages(ws, entry, facts)
        for entry in (_sent(ws, facts).campaigns if facts else ())
        # Messages under an experiment's own name are that experiment's.
        if entry.name.strip().casefold() not in names
    ]
    tried.sort(key=lambda view: view.last, reverse=True)
    return (*tried, *sent[:MOST_SENT])


def campaign(ws: Workspace, name: str, *, now: datetime) -> CampaignView:
    """One of them, by its name.

    Raises:
        NotFound: there is no such campaign, or its experiment was never started.
    """
    known = campaigns(ws, now=now)
    found = next((view for view in known if view.name == name), None) or next(
        (view for view in known if view.name.casefold() == name.casefold()), None
    )
    if found is None:
        some = ", ".join(view.name for view in known[:8]) or "none yet"
        raise NotFound(
            f"there is no campaign {name!r} to be measured here; there are: {some}. An experiment is measured once it "
            "was started and customers have entered it."
        )
    return found


def _is_measured(ws: Workspace, view: ExperimentView) -> bool:
    return view.started_at is not None and entered_file(ws, view.name, view.version).exists()


def _of_experiment(
    ws: Workspace, view: ExperimentView, facts: Facts | None, drawn: AssignedList
) -> CampaignView:
    plan = view.plan
    stopped = ws.day_of(view.stopped_at) if view.stopped_at is not None else plan.ends
    last = max(min(plan.ends - timedelta(days=1), stopped), plan.starts)
    counts = dict(view.look.counts) if view.look else {}
    rows = drawn.named(view.name)
    found = CampaignView(
        name=view.name,
        kind="experiment",
        first=plan.starts,
        last=last,
        customers=sum(counts.values()),
        control=plan.control,
        arms=tuple(arm.name for arm in plan.arms),
        what={arm.name: arm.what for arm in plan.arms if arm.what},
        hypothesis=plan.hypothesis,
        entry=plan.entry,
        varied=rows.varied if rows is not None else (),
    )
    return _with_kept(ws, found, question_for(ws, found, view, facts), facts)


def _of_assignments(ws: Workspace, entry: Assigned, facts: Facts | None) -> CampaignView:
    control = control_of(ws, entry.name, entry.arms)
    found = CampaignView(
        name=entry.name,
        kind="assignments",
        first=entry.first,
        last=entry.last,
        customers=entry.customers,
        control=control,
        arms=tuple(sorted(entry.arms, key=lambda arm: (arm != control, arm))),
        entry="table",
        varied=entry.varied,
    )
    return _with_kept(ws, found, question_for(ws, found, None, facts), facts)


def _of_messages(ws: Workspace, sent: Sent, facts: Facts | None) -> CampaignView:
    found = CampaignView(
        name=sent.name,
        kind="messages",
        first=sent.first,
        last=sent.last,
        customers=sent.customers,
        arms=(sent.name,),
    )
    return _with_kept(ws, found, question_for(ws, found, None, facts), facts)


def _with_kept(
    ws: Workspace, view: CampaignView, question: Campaign | None, facts: Facts | None
) -> CampaignView:
    found = kept(_file(ws, view.name), LadderFacts)
    if found is None or question is None or facts is None:
        return view
    stale = found.mark != _mark(ws, question, facts, view)
    record: LadderFacts = found.record
    customers = sum(record.n) or view.customers
    return dataclasses.replace(
        view, customers=customers, kept=KeptLadder(facts=record, at=found.at, stale=stale)
    )


def _sent(ws: Workspace, facts: Facts) -> SentList:
    """Campaigns that the messages name; kept, since counting customers takes a pass over all messages."""
    parts = facts.parts.get("messages", ())
    if not parts:
        return SentList()
    place = ws.folder / FOLDER / f"{LIST}.json"
    mark = hash_of([part.digest for part in parts])
    known = kept(place, SentList)
    if known is not None and known.mark == mark:
        return known.record
    listed = ", ".join(quoted(str(facts.path(part))) for part in parts)
    with connect() as connection, plain_errors("reading the messages"):
        columns = {row[0] for row in run(connection, f"DESCRIBE SELECT * FROM read_parquet([{listed}])")}
        if "campaign" not in columns:
            return SentList()
        withheld = "AND NOT coalesce(withheld, false)" if "withheld" in columns else ""
        rows = run(
            connection,
            "SELECT trim(campaign), min(day), max(day), count(DISTINCT customer_id) "
            f"FROM read_parquet([{listed}]) WHERE trim(campaign) <> '' {withheld} GROUP BY 1 ORDER BY 3 DESC, 1",
        )
    found = SentList(
        campaigns=tuple(Sent(name=name, first=first, last=last, customers=n) for name, first, last, n in rows)
    )
    if facts.seen_until is not None:
        keep(place, found, mark=mark, at=facts.seen_until)
    return found


# The question


def until_of(facts: Facts) -> date | None:
    """The last day on which orders are whole; None where there are none."""
    first = facts.complete.get("orders") or facts.complete.get("order_lines")
    return first - timedelta(days=1) if first else None


def whole_facts(ws: Workspace) -> tuple[Facts, date]:
    """The facts and the last day on which orders are whole.

    Raises:
        Refused: nobody has watched yet.
    """
    facts = load_facts(ws.folder / "facts")
    until = until_of(facts) if facts else None
    if facts is None or until is None:
        raise Refused(
            f"{ws.folder}: no order has been read yet; run `primeta watch {ws.folder}` first, then ask again"
        )
    return facts, until


def stored(facts: Facts, table: str) -> str:
    """The files of a table that count, as SQL reads them; empty where there are none."""
    listed = ", ".join(quoted(str(facts.path(part))) for part in facts.parts.get(table, ()))
    return f"read_parquet([{listed}], union_by_name = true)" if listed else ""


def question_for(
    ws: Workspace,
    view: CampaignView,
    experiment: ExperimentView | None,
    facts: Facts | None,
    options: Mapping[str, Any] | None = None,
) -> Campaign | None:
    """What is measured and how; None before the first watch."""
    until = until_of(facts) if facts else None
    if until is None:
        return None
    settings = ws.config.reactivation
    plan = experiment.plan if experiment else None
    costs = {arm.name: arm.cost for arm in plan.arms if arm.cost} if plan else contact_costs_of(ws, view)
    asked = Campaign(
        name=view.name,
        control=view.control,
        until=until,
        window_days=settings.window_days,
        horizon_days=settings.horizon_days,
        attribution_days=settings.attribution_days,
        annual_discount=settings.annual_discount,
        margin=_margin(ws, experiment),
        promo_codes=dict(settings.promo_codes.get(view.name, {})),
        contact_costs=costs,
        by=plan.segments[0] if plan and plan.segments else "",
        timezone=ws.config.timezone,
        level=plan.level if plan else 0.95,
        currency=ws.config.currency,
        shares={arm.name: arm.share for arm in plan.arms} if plan and plan.entry != "table" else {},
    )
    given = {name: value for name, value in (options or {}).items() if value is not None}
    return dataclasses.replace(asked, **given)


def contact_costs_of(ws: Workspace, view: CampaignView) -> dict[str, float]:
    """Arm → money for its contact, by `[reactivation.contact_costs]`; "*" is for every arm but the control."""
    told = ws.config.reactivation.contact_costs.get(view.name, {})
    each = {arm: told["*"] for arm in view.arms if arm != view.control} if "*" in told else {}
    return {**each, **{arm: cost for arm, cost in told.items() if arm in view.arms}}


def _margin(ws: Workspace, experiment: ExperimentView | None) -> float | None:
    """As it was when the experiment was declared; where nobody wrote it down then, as it is now."""
    declared = experiment.basis.margin if experiment else None
    return ws.config.margin if declared is None else declared


def _mark(ws: Workspace, question: Campaign, facts: Facts, view: CampaignView) -> str:
    """Changes with everything that a ladder is made of."""
    asked = sorted((name, repr(value)) for name, value in dataclasses.asdict(question).items())
    rows = assigned(ws, facts).mark if view.kind == "assignments" else ""
    return hash_of(asked, facts.version, view.kind, view.arms, rows)


def _file(ws: Workspace, name: str) -> Path:
    return ws.folder / FOLDER / f"ladder-{file_name(name)}.json"


# Working it out


def ladder(
    ws: Workspace,
    name: str,
    *,
    now: datetime,
    control: str | None = None,
    window_days: int | None = None,
    horizon_days: int | None = None,
    attribution_days: int | None = None,
    until: date | None = None,
    margin: float | None = None,
    by: str | None = None,
    promo_codes: Mapping[str, str] | None = None,
    contact_costs: Mapping[str, float] | None = None,
    annual_discount: float | None = None,
    level: float | None = None,
    fresh: bool = False,
    kept_only: bool = False,
) -> Ladder:
    """The ladder of an experiment, or of a campaign that was only sent; kept where nothing has changed since.

    Args:
        control: Another arm than the plan's control to compare with.
        window_days, horizon_days, …: Instead of what `[reactivation]` and the plan say; such a ladder is not kept.
        by: An attribute that was written down at entry (the plan's segments or strata).
        fresh: Work it out even where a ladder is kept.
        kept_only: Work nothing out; what is kept is given even where facts have changed since.
    Raises:
        NotFound: no such campaign.
        NotKept: with `kept_only`, where nothing is kept or this is another question.
        Refused: nobody has watched yet, so there are no facts.
        BadInput, BadTable: options or facts that cannot be.
    """
    from primeta.reactivation.ladder_result import Ladder

    view = campaign(ws, name, now=now)
    experiment = ws.experiment(view.name, now=now) if view.kind == "experiment" else None
    facts, _ = whole_facts(ws)
    options = {
        "control": control,
        "window_days": window_days,
        "horizon_days": horizon_days,
        "attribution_days": attribution_days,
        "until": until,
        "margin": margin,
        "by": by,
        "promo_codes": promo_codes,
        "contact_costs": contact_costs,
        "annual_discount": annual_discount,
        "level": level,
    }
    usual = question_for(ws, view, experiment, facts)
    question = question_for(ws, view, experiment, facts, options)
    assert question is not None
    assert usual is not None
    if question == usual and view.kept is not None and not fresh and (kept_only or not view.kept.stale):
        return view.kept.ladder
    if kept_only:
        raise NotKept(f"the ladder of {view.name}", usual=question == usual)
    found = _worked_out(ws, view, experiment, facts, question)
    if question == usual:
        keep(_file(ws, view.name), found, mark=_mark(ws, question, facts, view), at=now)
    return Ladder(facts=found)


def ladder_of_all(
    ws: Workspace, *, now: datetime, progress: Progress | None = None
) -> tuple[int, tuple[tuple[str, str], ...]]:
    """Work out every ladder that is missing or older than the facts.

    Returns:
        How many were worked out; (campaign, why not) of those that could not be.
    """
    wanted = [
        ("ladder", view.name) for view in campaigns(ws, now=now) if view.kept is None or view.kept.stale
    ]
    return each(wanted, lambda _, name: ladder(ws, name, now=now), progress)


def lapse(
    ws: Workspace,
    *,
    now: datetime,
    days: int | None = None,
    weeks: int = WEEKS,
    fresh: bool = False,
    kept_only: bool = False,
) -> Lapse:
    """Who is silent longer than his own rhythm allows, with the flow of the weeks before; kept.

    Args:
        days: The fixed rule to compare with, instead of `[reactivation] fixed_days`; such an answer is not kept.
        kept_only: As of `ladder`.
    Raises:
        Refused: nobody has watched yet.
        NotKept: with `kept_only`, as `ladder`.
        BadInput: days or weeks that cannot be.
    """
    from primeta.reactivation.histories import open_facts
    from primeta.reactivation.lapse import lapse_of

    facts, until = whole_facts(ws)
    usual = days in (None, ws.config.reactivation.fixed_days) and weeks == WEEKS
    known = kept_lapse(ws)
    if usual and known is not None and not fresh and (kept_only or not known.stale):
        return known.lapse
    if kept_only:
        raise NotKept("who is leaving", usual=usual)
    # Times of the facts are in UTC already and their days are cut: they are not read as a file of orders.
    with open_facts(facts, until=until) as log:
        found = lapse_of(log, days=days or ws.config.reactivation.fixed_days, weeks=weeks)
    if usual:
        keep(ws.folder / FOLDER / f"{LAPSE}.json", found, mark=_lapse_mark(ws, facts), at=now)
    return found


def kept_lapse(ws: Workspace) -> KeptLapse | None:
    """The flow as it was worked out last; None where it never was."""
    from primeta.reactivation.lapse import Lapse

    facts = load_facts(ws.folder / "facts")
    found = kept(ws.folder / FOLDER / f"{LAPSE}.json", Lapse)
    if found is None or facts is None:
        return None
    return KeptLapse(lapse=found.record, at=found.at, stale=found.mark != _lapse_mark(ws, facts))


def _lapse_mark(ws: Workspace, facts: Facts) -> str:
    orders = [part.digest for part in facts.parts.get("orders", ())]
    return hash_of(orders, str(until_of(facts)), ws.config.timezone, ws.config.reactivation.fixed_days, WEEKS)


def entered_rows(ws: Workspace, facts: Facts, experiment: ExperimentView, more: str = "") -> str:
    """SQL of who entered an experiment with a plan: experiment, customer_id, arm, assigned_at; `more` columns."""
    rows = CampaignRows(ws, facts, CampaignView(name=experiment.name, kind="experiment", first=experiment.plan.starts, last=experiment.plan.ends, customers=0))  # fmt: skip
    return f"SELECT * REPLACE (assigned_at AT TIME ZONE 'UTC' AS assigned_at) FROM ({rows.entered(experiment, more)})"


# From the facts


def _worked_out(
    ws: Workspace,
    view: CampaignView,
    experiment: ExperimentView | None,
    facts: Facts,
    question: Campaign,
    progress: Progress | None = None,
) -> LadderFacts:
    """All rungs from the workspace's own facts."""
    from primeta.reactivation.follow_up import Tables, follow
    from primeta.reactivation.inputs import Columns, Query, open_given
    from primeta.reactivation.ladder import climb_ladder
    from primeta.reactivation.tail import rung_four

    rows = CampaignRows(ws, facts, view)
    wanted = {
        "assignments": rows.assigned(experiment, question),
        "orders": rows.all_of("orders"),
        # What was bought and looked at is told against a control only.
        "order_lines": rows.all_of("order_lines") if question.control else "",
        "visits": rows.all_of("visits") if question.control else "",
        "messages": rows.messages(),
        "reactions": rows.reactions(),
    }
    if not wanted["orders"]:
        raise BadTable(f"{ws.config.path}: the facts hold no orders, so no campaign can be measured")
    with connect() as connection:
        given = {
            table: open_given(
                connection,
                table,
                Query(sql, f"the facts ({table})"),
                columns=Columns(None),
                # Facts are stored in UTC; only the end of the log is cut in the workspace's zone.
                timezone="UTC",
                keep=(question.by,) if table == "assignments" and question.by else (),
            )
            for table, sql in wanted.items()
            if sql
        }
        tables = Tables(lines=given.pop("order_lines", None), **given)
        followed = follow(connection, tables, question, progress=progress)
    has_control = bool(question.control)
    return climb_ladder(followed, rung_four(followed) if has_control else None)


@dataclass(frozen=True, slots=True)
class CampaignRows:
    """SQL over the facts of a workspace, as a ladder wants its tables."""

    ws: Workspace
    facts: Facts
    view: CampaignView

    def source(self, table: str) -> str:
        return stored(self.facts, table)

    def all_of(self, table: str) -> str:
        source = self.source(table)
        return f"SELECT * FROM {source}" if source else ""

    def messages(self) -> str:
        """Those of the campaign itself: an order is claimed by what was sent, not by every message of the team."""
        source = self.source("messages")
        if not source or not self._has_own_messages():
            return ""
        return f"SELECT * FROM {source} WHERE {self._own} AND NOT coalesce(withheld, false)"

    def reactions(self) -> str:
        source = self.source("reactions")
        if not source or not self._has_own_messages():
            return ""
        own = f"SELECT message_id FROM {self.source('messages')} WHERE {self._own}"
        return f"SELECT * FROM {source} WHERE message_id IN ({own})"

    @property
    def _own(self) -> str:
        return f"lower(trim(campaign)) = lower(trim({quoted(self.view.name)}))"

    def _has_own_messages(self) -> bool:
        source = self.source("messages")
        with connect() as connection, plain_errors("reading the messages"):
            columns = {row[0] for row in run(connection, f"DESCRIBE SELECT * FROM {source}")}
            if "campaign" not in columns:
                return False
            return bool(one(connection, f"SELECT count(*) FROM {source} WHERE {self._own}")[0])

    def assigned(self, experiment: ExperimentView | None, question: Campaign) -> str:
        """One row a customer; beside them the assignments of other experiments, which may reach the same customers."""
        if self.view.kind == "assignments":
            return self._drawn(question)
        if experiment is None:
            return (
                f"SELECT {quoted(self.view.name)} AS experiment, customer_id, {quoted(self.view.name)} AS arm, "
                f"min(sent_at) AS assigned_at FROM {self.source('messages')} WHERE {self._own} "
                "AND NOT coalesce(withheld, false) AND customer_id IS NOT NULL GROUP BY customer_id"
            )
        by = ""
        if question.by:
            column = self._attribute(experiment, question.by)
            by = f", {named(column)} AS {named(question.by)}"
        parts = [self.entered(experiment, by)]
        for other in self.ws.experiments():
            if other.name == experiment.name or other.started_at is None:
                continue
            if entered_file(self.ws, other.name, other.version).exists():
                parts.append(self.entered(other, f", NULL AS {named(question.by)}" if by else ""))
        return " UNION ALL BY NAME ".join(parts)

    def _drawn(self, question: Campaign) -> str:
        """Rows of the assignments: later stages belong to the first, so only that one tells the arm.

        Experiments with a plan stand by who entered them, as far as anybody did.
        """
        rows = f"read_parquet({quoted(str(assigned_rows(self.ws)))})"
        names = [view.name for view in self.ws.experiments() if view.started_at is not None]
        by = ""
        if question.by:
            entry = assigned(self.ws, self.facts).named(self.view.name)
            known = entry.attributes if entry else ()
            if question.by not in known:
                raise BadInput(
                    f"{self.view.name} cannot be split by {question.by!r}: only what stands beside its assignments "
                    f"can split them. That is: {', '.join(known) or 'nothing'}."
                )
            by = f", {named(question.by)}"
        others = f" AND experiment NOT IN ({', '.join(map(quoted, names))})" if names else ""
        parts = [
            f"SELECT experiment, customer_id, arm, assigned_at{by} FROM {rows} WHERE {FIRST_STAGE}{others}"
        ]
        for other in self.ws.experiments():
            if other.started_at is not None and entered_file(self.ws, other.name, other.version).exists():
                parts.append(self.entered(other, f", NULL AS {named(question.by)}" if by else ""))
        return " UNION ALL BY NAME ".join(parts)

    def entered(self, experiment: ExperimentView, more: str) -> str:
        file = entered_file(self.ws, experiment.name, experiment.version)
        at = f"coalesce(since, {midnight_of('entered', self.facts.timezone)})"
        return (
            f"SELECT {quoted(experiment.name)} AS experiment, customer_id, arm, {at} AS assigned_at{more} "
            f"FROM read_parquet({quoted(str(file))}) WHERE arm IS NOT NULL"
        )

    def _attribute(self, experiment: ExperimentView, name: str) -> str:
        file = entered_file(self.ws, experiment.name, experiment.version)
        with connect() as connection, plain_errors("reading who entered"):
            columns = {
                row[0] for row in run(connection, f"DESCRIBE SELECT * FROM read_parquet({quoted(str(file))})")
            }
        column = attribute_column(name)
        if column not in columns:
            known = sorted(
                entry.removeprefix("attribute_") for entry in columns if entry.startswith("attribute_")
            )
            raise BadInput(
                f"{experiment.name} cannot be split by {name!r}: only what was written down when customers entered can "
                f"split them. That is: {', '.join(known) or 'nothing; name it under segments in the plan'}."
            )
        return column
