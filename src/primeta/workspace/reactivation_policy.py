"""The best moment, sequence and discount of a workspace's experiments: worked out once, kept, read by pages."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from primeta.errors import BadInput, BadTable
from primeta.reactivation.policy.inputs import Lapsed, Terms, read_lapsed
from primeta.warehouse.duck import arrow, connect, named, one, plain_errors, quoted, run
from primeta.warehouse.facts_store import Facts, load_facts
from primeta.warehouse.window_sums import hash_of
from primeta.workspace.reactivation import campaign, campaigns, stored, until_of, whole_facts
from primeta.workspace.reactivation_assigned import Assigned, assigned, assigned_rows
from primeta.workspace.reactivation_kept import FOLDER, NotKept, Progress, each, file_name, keep, kept
from primeta.workspace.reactivation_views import CampaignView, PolicyKind, PolicyView

if TYPE_CHECKING:
    from primeta.reactivation.policy.result import PolicyResult
    from primeta.workspace.workspace import Workspace

KINDS: tuple[PolicyKind, ...] = ("moment", "sequence", "discount")
LEAST_HORIZON = 28
"""Days: where half of the customers were not followed for so long, the configured horizon stands and the result says
that it is too early."""
NOT_VARIED = {
    "moment": "its lottery did not vary the days from the lapse to the contact (`delay_days` of the assignments)",
    "sequence": "nobody in it was drawn a second time (`stage` 2 of the assignments)",
    "discount": "its lottery did not vary the discount (`discount` of the assignments)",
}


def policy(
    ws: Workspace,
    name: str,
    kind: PolicyKind,
    *,
    now: datetime,
    control: str | None = None,
    horizon_days: int | None = None,
    until: date | None = None,
    margin: float | None = None,
    by: str | None = None,
    contact_costs: Mapping[str, float] | None = None,
    budget: float | None = None,
    eligible: int = 0,
    policy: Any = None,
    level: float | None = None,
    fresh: bool = False,
    kept_only: bool = False,
) -> PolicyResult:
    """What one experiment says of the best moment, sequence or discount; kept where nothing has changed since.

    Args:
        control: The arm that is never contacted; instead of the plan's or the workspace's.
        horizon_days: Of money since the lapse. Unless told, `[reactivation] horizon_days`, or the whole weeks that half
            of the customers have lived through, where these are fewer.
        by: A column beside the assignments; unless told, the first one with 2 to 6 values; "" for none.
        budget, eligible: Of `discount`.
        policy: A table customer_id (or segment) → what to do, whose value is asked for.
        fresh: Work it out even where an answer is kept. Only answers to the usual question are kept.
        kept_only: Work nothing out; what is kept is given even where facts have changed since.
    Raises:
        NotKept: with `kept_only`, where nothing is kept or this is another question.
        NotFound: there is no such campaign.
        Refused: nobody has watched yet.
        BadInput: its lottery did not vary this; an option that cannot be.
        BadTable: assignments or orders that cannot be used.
    """
    view = campaign(ws, name, now=now)
    facts, entry = _ready(ws, view, kind)
    usual = usual_terms(ws, view, entry, facts)
    asked = {
        "control": control,
        "horizon": horizon_days,
        "until": until,
        "margin": margin,
        "by": by,
        "contact_costs": dict(contact_costs) if contact_costs is not None else None,
        "level": level,
    }
    terms = dataclasses.replace(usual, **{key: value for key, value in asked.items() if value is not None})
    is_usual = terms == usual and budget is None and not eligible and policy is None
    if is_usual and not fresh:
        known = policy_view(ws, view, kind)
        if known.result is not None and (kept_only or not known.stale):
            return known.result
    if kind != "sequence" and not terms.control:
        raise BadInput(
            f"{view.name}: the assignments do not say which arm was left alone. Name it by --control, on its page, or "
            f"under [reactivation.controls] in {ws.config.path.name}; its arms are {', '.join(entry.arms)}"
        )
    if terms.by and terms.by not in entry.attributes:
        raise BadInput(
            f"{view.name} cannot be split by {terms.by!r}: only what stands beside its assignments can split them. "
            f"That is: {', '.join(entry.attributes) or 'nothing'}."
        )
    if kept_only:
        raise NotKept(f"the best {kind} of {view.name}", usual=is_usual)
    found = _found(_lapsed(ws, view, facts, terms), kind, budget=budget, eligible=eligible, policy=policy)
    if is_usual:
        # `extra` is for those who fit a policy, not for readers.
        found = dataclasses.replace(found, extra={})
        keep(file_of(ws, kind, view.name), found, mark=_mark(ws, usual, facts, kind), at=now)
    return found


def policy_view(ws: Workspace, view: CampaignView, kind: PolicyKind) -> PolicyView:
    """What is kept of one campaign and kind, and whether anything has changed since."""
    from primeta.reactivation.policy.result import PolicyResult

    plain = PolicyView(campaign=view, kind=kind)
    facts = load_facts(ws.folder / "facts")
    if kind not in view.varied or facts is None or until_of(facts) is None:
        return plain
    entry = assigned(ws, facts).named(view.name)
    found = kept(file_of(ws, kind, view.name), PolicyResult)
    if entry is None or found is None:
        return plain
    stale = found.mark != _mark(ws, usual_terms(ws, view, entry, facts), facts, kind)
    return dataclasses.replace(plain, result=found.record, at=found.at, stale=stale)


def policies_of_all(
    ws: Workspace, *, now: datetime, progress: Progress | None = None
) -> tuple[int, tuple[tuple[str, str], ...]]:
    """Work out every answer that is missing or older than the facts.

    Returns:
        How many were worked out; (campaign, why not) of those that could not be.
    """
    wanted: list[tuple[PolicyKind, str]] = [
        (kind, view.name)
        for view in campaigns(ws, now=now)
        for kind in KINDS
        if kind in view.varied
        and (view.control or kind == "sequence")
        and ((known := policy_view(ws, view, kind)).result is None or known.stale)
    ]
    return each(wanted, lambda kind, name: policy(ws, name, kind, now=now), progress)


def _ready(ws: Workspace, view: CampaignView, kind: PolicyKind) -> tuple[Facts, Assigned]:
    facts, _ = whole_facts(ws)
    rows = assigned(ws, facts)
    if rows.problem:
        raise BadTable(rows.problem)
    entry = rows.named(view.name)
    if entry is None or kind not in view.varied:
        raise BadInput(
            f"{view.name}: {NOT_VARIED[kind]}, so it tells nothing of the {kind}. Plan an experiment that does: "
            f"primeta reactivation {kind} --plan"
        )
    return facts, entry


def usual_terms(ws: Workspace, view: CampaignView, entry: Assigned | None, facts: Facts) -> Terms:
    """The usual question."""
    until = until_of(facts)
    assert until is not None
    config = ws.config
    experiment = ws.experiment(view.name) if view.kind == "experiment" else None
    plan = experiment.plan if experiment is not None else None
    costs = (
        {arm.name: arm.cost for arm in plan.arms if arm.cost}
        if plan is not None
        else dict(config.reactivation.contact_costs.get(view.name, {}))
    )
    margin = experiment.basis.margin if experiment is not None else None
    return Terms(
        control=view.control if entry is None or view.control in entry.arms else "",
        horizon=_horizon(config.reactivation.horizon_days, (entry and entry.middle) or view.last, until),
        until=until,
        margin=config.margin if margin is None else margin,
        contact_costs=costs,
        by=entry.splits[0] if entry is not None and entry.splits else "",
        timezone=config.timezone,
        level=plan.level if plan is not None else 0.95,
        currency=config.currency,
    )


def _horizon(wanted: int, middle: date, until: date) -> int:
    """The configured horizon, or the whole weeks since half of the customers were drawn, where these are fewer."""
    lived = (until - middle).days
    if lived >= wanted or lived < LEAST_HORIZON:
        return wanted
    return lived - lived % 7


def _mark(ws: Workspace, terms: Terms, facts: Facts, kind: PolicyKind) -> str:
    asked = sorted((name, repr(value)) for name, value in dataclasses.asdict(terms).items())
    return hash_of(asked, facts.version, kind, assigned(ws, facts).mark)


def file_of(ws: Workspace, kind: str, name: str) -> Path:
    return ws.folder / FOLDER / f"{kind}-{file_name(name)}.json"


# From the facts


def _found(
    lapsed: Lapsed, kind: PolicyKind, *, budget: float | None, eligible: int, policy: Any
) -> PolicyResult:
    from primeta.reactivation.policy.discount import discount_of
    from primeta.reactivation.policy.moment import moment_of
    from primeta.reactivation.policy.off_policy import valued
    from primeta.reactivation.policy.sequence import sequence_of, valued_sequence

    if kind == "moment":
        found = moment_of(lapsed)
    elif kind == "sequence":
        found = sequence_of(lapsed)
    else:
        found = discount_of(lapsed, budget=budget, eligible=eligible)
    if policy is None or found.why_not:
        return found
    value = valued_sequence(policy, lapsed) if kind == "sequence" else valued(policy, lapsed, kind=kind)
    return dataclasses.replace(found, policy=value)


def _lapsed(ws: Workspace, view: CampaignView, facts: Facts, terms: Terms) -> Lapsed:
    """The customers of the experiment with their own orders and the messages that cost something."""
    assignments, orders, messages = tables_of(ws, view, facts)
    return read_lapsed(orders, assignments, terms=terms, messages=messages, experiment=view.name)


def tables_of(ws: Workspace, view: CampaignView, facts: Facts, drawn: str = "") -> tuple[Any, Any, Any]:
    """Assignments (of the table, unless SQL for others is given), orders of the assigned, and their messages with costs (None where none costs anything), in Arrow.

    Facts are stored in UTC without saying so; here their times say it.
    """
    drawn = drawn or (
        f"SELECT * EXCLUDE (day) FROM read_parquet({quoted(str(assigned_rows(ws)))}) "
        f"WHERE experiment = {quoted(view.name)}"
    )

    with connect() as connection, plain_errors("reading the experiment from the facts"):
        orders = stored(facts, "orders")
        if not orders:
            raise BadTable(f"{ws.config.path}: the facts hold no orders, so no experiment can be measured")
        mine = f"customer_id IN (SELECT customer_id FROM ({drawn}))"
        told = _holding(connection, orders, ("discount", "margin"))
        more = "".join(f", {named(name)}::DOUBLE AS {named(name)}" for name in told)
        bought = arrow(
            connection,
            f"SELECT order_id, customer_id, ordered_at AT TIME ZONE 'UTC' AS ordered_at, revenue::DOUBLE AS revenue{more} "
            f"FROM {orders} WHERE {mine}",
        )
        sent = None
        letters = stored(facts, "messages")
        if letters and {"campaign", "cost"} <= _columns(connection, letters):
            own = (
                f"FROM {letters} WHERE lower(trim(campaign)) = lower(trim({quoted(view.name)})) "
                f"AND NOT coalesce(withheld, false) AND {mine}"
            )
            if one(connection, f"SELECT coalesce(sum(cost), 0) {own}")[0]:
                sent = arrow(
                    connection,
                    f"SELECT customer_id, sent_at AT TIME ZONE 'UTC' AS sent_at, cost::DOUBLE AS cost {own}",
                )
        return arrow(connection, drawn), bought, sent


def _columns(connection: Any, source: str) -> set[str]:
    return {row[0] for row in run(connection, f"DESCRIBE SELECT * FROM {source}")}


def _holding(connection: Any, source: str, names: tuple[str, ...]) -> list[str]:
    """Those of the columns that hold anything."""
    there = [name for name in names if name in _columns(connection, source)]
    if not there:
        return []
    counts = one(connection, f"SELECT {', '.join(f'count({named(name)})' for name in there)} FROM {source}")
    return [name for name, count in zip(there, counts, strict=True) if count]
