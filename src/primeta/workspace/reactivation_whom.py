"""Whom to write, learnt from a campaign of the workspace that was drawn by lot; kept like its ladder."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from primeta.errors import BadInput
from primeta.warehouse.duck import connect, named, plain_errors, quoted, run
from primeta.warehouse.exposures import attribute_column
from primeta.warehouse.facts_store import Facts, load_facts
from primeta.warehouse.window_sums import hash_of
from primeta.workspace.looks import entered_file
from primeta.workspace.reactivation import campaign, campaigns, entered_rows, until_of, whole_facts
from primeta.workspace.reactivation_assigned import assigned
from primeta.workspace.reactivation_kept import NotKept, Progress, each, keep, kept
from primeta.workspace.reactivation_policy import file_of, tables_of, usual_terms
from primeta.workspace.reactivation_views import CampaignView, WhomView

if TYPE_CHECKING:
    from primeta.reactivation.policy.inputs import Terms
    from primeta.reactivation.whom.result import Whom
    from primeta.workspace.workspace import Workspace

PREFIX = attribute_column("")


def whom(
    ws: Workspace,
    name: str,
    *,
    now: datetime,
    control: str | None = None,
    horizon_days: int | None = None,
    until: date | None = None,
    margin: float | None = None,
    features: Sequence[str] | None = None,
    contact_costs: Mapping[str, float] | None = None,
    level: float | None = None,
    repeats: int | None = None,
    seed: int | None = None,
    out: Path | None = None,
    fresh: bool = False,
    kept_only: bool = False,
) -> Whom:
    """Whom to write, learnt from one campaign; kept where nothing has changed since.

    Args:
        features: What was written down when customers were drawn, beside their order history; unless told, all of it.
        out: CSV or Parquet for one row a customer; such an answer is worked out anew.
        control, horizon_days, kept_only, …: As of `moment`; `repeats`, `seed` as in `pm.whom`.
    Raises:
        NotFound, NotKept, Refused, BadTable: as `moment`.
        BadInput: it was only sent, so nobody was left alone by lot; an option that cannot be.
    """
    from primeta.reactivation.whom.door import REPEATS, whom_of
    from primeta.reactivation.whom.subjects import of_orders

    view = campaign(ws, name, now=now)
    facts, drawn, attributes = _ready(ws, view)
    usual = _terms(ws, view, facts)
    asked = {
        "control": control,
        "horizon": horizon_days,
        "until": until,
        "margin": margin,
        "contact_costs": dict(contact_costs) if contact_costs is not None else None,
        "level": level,
    }
    terms = dataclasses.replace(usual, **{key: value for key, value in asked.items() if value is not None})
    is_usual = terms == usual and features is None and repeats is None and seed is None and out is None
    if is_usual and not fresh:
        known = whom_view(ws, view)
        if known.result is not None and (kept_only or not known.stale):
            return known.result
    if kept_only and not terms.control:
        raise BadInput(
            f"{view.name}: the assignments do not say which arm was left alone. Name it on its page, or under "
            f"[reactivation.controls] in {ws.config.path.name}"
        )
    if kept_only:
        raise NotKept(f"whom to write by {view.name}", usual=is_usual)
    wanted = list(attributes if features is None else features)
    unknown = [entry for entry in wanted if entry not in attributes]
    if unknown:
        raise BadInput(
            f"{view.name}: {unknown[0]!r} was not written down when customers were drawn. That was: "
            f"{', '.join(attributes) or 'nothing beside their orders'}."
        )
    assignments, orders, messages = tables_of(ws, view, facts, drawn)
    subjects = of_orders(
        orders, assignments, terms=terms, features=wanted, messages=messages, experiment=view.name
    )
    found = whom_of(
        subjects,
        level=terms.level,
        currency=terms.currency,
        repeats=REPEATS if repeats is None else repeats,
        seed=seed or 0,
        out=out,
    )
    if is_usual:
        # Rows of single customers are written on request, not kept beside the answer.
        found = dataclasses.replace(found, rows=None)
        keep(file_of(ws, "whom", view.name), found, mark=_mark(ws, view, usual, facts, drawn), at=now)
    return found


def whom_view(ws: Workspace, view: CampaignView) -> WhomView:
    """What is kept of one campaign, and whether anything has changed since."""
    from primeta.reactivation.whom.result import Whom

    plain = WhomView(campaign=view)
    facts = load_facts(ws.folder / "facts")
    if view.kind == "messages" or facts is None or until_of(facts) is None:
        return plain
    found = kept(file_of(ws, "whom", view.name), Whom)
    if found is None:
        return plain
    _, drawn, _ = _ready(ws, view)
    stale = found.mark != _mark(ws, view, _terms(ws, view, facts), facts, drawn)
    return dataclasses.replace(plain, result=found.record, at=found.at, stale=stale)


def whom_of_all(
    ws: Workspace, *, now: datetime, progress: Progress | None = None
) -> tuple[int, tuple[tuple[str, str], ...]]:
    """Learn it from every campaign with a control where the answer is missing or older than the facts.

    Returns:
        How many were worked out; (campaign, why not) of those that could not be.
    """
    wanted = [
        ("whom", view.name)
        for view in campaigns(ws, now=now)
        if view.kind != "messages" and view.control
        if (known := whom_view(ws, view)).result is None or known.stale
    ]
    return each(wanted, lambda _, name: whom(ws, name, now=now), progress)


def _ready(ws: Workspace, view: CampaignView) -> tuple[Facts, str, tuple[str, ...]]:
    """The facts, SQL of the assignments (empty: those of the table), and what was written down beside them."""
    if view.kind == "messages":
        raise BadInput(
            f"{view.name} was only sent: nobody was left alone by lot, so nothing tells who would have bought anyway"
        )
    facts, _ = whole_facts(ws)
    entry = assigned(ws, facts).named(view.name)
    if entry is not None:
        return facts, "", entry.attributes
    experiment = ws.experiment(view.name)
    file = entered_file(ws, experiment.name, experiment.version)
    with connect() as connection, plain_errors("reading who entered"):
        columns = [
            row[0] for row in run(connection, f"DESCRIBE SELECT * FROM read_parquet({quoted(str(file))})")
        ]
    attributes = tuple(name.removeprefix(PREFIX) for name in columns if name.startswith(PREFIX))
    more = "".join(f", {named(attribute_column(name))} AS {named(name)}" for name in attributes)
    return facts, entered_rows(ws, facts, experiment, more), attributes


def _terms(ws: Workspace, view: CampaignView, facts: Facts) -> Terms:
    terms = usual_terms(ws, view, assigned(ws, facts).named(view.name), facts)
    # Uplift is learnt from what is known of each; nothing is split beforehand.
    return dataclasses.replace(terms, by="", control=view.control)


def _mark(ws: Workspace, view: CampaignView, terms: Terms, facts: Facts, drawn: str) -> str:
    asked = sorted((name, repr(value)) for name, value in dataclasses.asdict(terms).items())
    rows: Any = drawn or assigned(ws, facts).mark
    return hash_of(asked, facts.version, "whom", rows, view.arms)
