"""Interviews, farms and sources as they are kept: where, of which question, and whether anything has changed since."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from primeta.errors import BadInput, PrimetaError, Refused
from primeta.warehouse.facts_store import Facts
from primeta.warehouse.sources import files_of, is_file
from primeta.warehouse.window_sums import hash_of
from primeta.workspace.files import write_whole
from primeta.workspace.reactivation import question_for, whole_facts
from primeta.workspace.reactivation_assigned import assigned
from primeta.workspace.reactivation_kept import FOLDER, Kept, file_name, keep, kept
from primeta.workspace.reactivation_views import CampaignView, FarmsView, InterviewsView, SourcesView

if TYPE_CHECKING:
    from primeta.reactivation.records import Campaign
    from primeta.workspace.workspace import Workspace

T = TypeVar("T")
LISTS = "interviews"
COHORT = "quarter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why the last attempt gave no answer; kept in its place."""

    text: str


def file_of(ws: Workspace, kind: str, name: str = "") -> Path:
    """Where an answer is kept: of one campaign, or, without a name, of the whole workspace."""
    return ws.folder / FOLDER / (f"{kind}-{file_name(name)}.json" if name else f"{kind}.json")


def list_file(ws: Workspace, name: str, what: str) -> Path:
    """The list of those called (`calls`) or what they said (`answers`), with ids."""
    return ws.folder / LISTS / f"{file_name(name)}.{what}.parquet"


def keep_codes(ws: Workspace, name: str, codes: Mapping[str, str]) -> None:
    """Reasons of one's own, beside the answers that carry them."""
    file = _codes_file(ws, name)
    file.parent.mkdir(exist_ok=True)
    write_whole(file, json.dumps(dict(codes), ensure_ascii=False))


def kept_codes(ws: Workspace, name: str) -> dict[str, str]:
    """Those of the answers that were given last."""
    try:
        return json.loads(_codes_file(ws, name).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}


def _codes_file(ws: Workspace, name: str) -> Path:
    return ws.folder / LISTS / f"{file_name(name)}.codes.json"


def tried(path: Path, *, mark: str, now: datetime, work: Callable[[], T]) -> T:
    """Work something out for the pages; where it cannot be, keep the reason, so that they can say it.

    Raises:
        BadInput, Refused: it cannot be worked out.
    """
    try:
        return work()
    except (BadInput, Refused) as error:
        keep(path, Problem(text=str(error)), mark=mark, at=now)
        raise


# Whether anything has changed


def question_of(ws: Workspace, view: CampaignView, facts: Facts, now: datetime | None = None) -> Campaign:
    """What the campaign is measured on, split by nothing."""
    experiment = ws.experiment(view.name, now=now) if view.kind == "experiment" else None
    question = question_for(ws, view, experiment, facts)
    assert question is not None
    return dataclasses.replace(question, by="")


def interviews_mark(ws: Workspace, view: CampaignView, facts: Facts) -> str:
    """Changes with facts, question, consents, and when another list or other answers are kept."""
    lists = [_stamp(list_file(ws, view.name, what)) for what in ("calls", "answers")]
    lists.append(_stamp(_codes_file(ws, view.name)))
    return hash_of("interviews", _campaign_mark(ws, view, facts), _mapped_mark(ws, ("consents",)), lists)


def farms_mark(ws: Workspace, view: CampaignView, facts: Facts) -> str:
    """Changes with facts, question and identities."""
    return hash_of("farms", _campaign_mark(ws, view, facts), _mapped_mark(ws, ("identities",)))


def sources_mark(ws: Workspace, facts: Facts) -> str:
    """Changes with facts, spend, identities, margin, currency and zone; of every cohort the same."""
    config = ws.config
    tables = _mapped_mark(ws, ("spend", "identities"))
    return hash_of("sources", facts.version, tables, config.margin, config.currency, config.timezone)


def _campaign_mark(ws: Workspace, view: CampaignView, facts: Facts) -> list[Any]:
    asked = dataclasses.asdict(question_of(ws, view, facts))
    rows = assigned(ws, facts).mark if view.kind == "assignments" else ""
    told = sorted((name, repr(value)) for name, value in asked.items())
    return [told, facts.version, view.kind, list(view.arms), rows]


def _mapped_mark(ws: Workspace, names: Sequence[str]) -> list[Any]:
    """Tables that the facts do not keep: their mapping, and the files where they are files."""
    told: list[Any] = []
    for name in names:
        table = ws.config.tables.get(name)
        if table is None:
            continue
        files: Any = ""
        if not table.sql and is_file(table.from_):
            try:
                files = [[path.name, _stamp(path)] for path in files_of(ws.config, table)]
            except PrimetaError as error:
                files = str(error)
        told.append([name, dataclasses.asdict(table), files])
    return told


def _stamp(path: Path) -> list[int]:
    try:
        stat = path.stat()
    except OSError:
        return []
    return [stat.st_size, stat.st_mtime_ns]


# What the pages read


def interviews_view(ws: Workspace, view: CampaignView) -> InterviewsView:
    """Whom to call and what was said, as far as it is worked out."""
    from primeta.reactivation.interviews import Interviews

    found = _known(ws, Interviews, file_of(ws, "interviews", view.name), lambda facts: interviews_mark(ws, view, facts))  # fmt: skip
    return InterviewsView(campaign=view, **found)


def farms_view(ws: Workspace, view: CampaignView) -> FarmsView:
    """Accounts that look like one person's and the effects without them, as far as they are worked out."""
    from primeta.reactivation.farms import Farms

    if "identities" not in ws.config.tables:
        return FarmsView(campaign=view, problem=no_identities(ws))
    found = _known(ws, Farms, file_of(ws, "farms", view.name), lambda facts: farms_mark(ws, view, facts))
    return FarmsView(campaign=view, **found)


def sources_view(ws: Workspace, cohort: str = COHORT) -> SourcesView:
    """What customers of each source bring, as far as it is worked out.

    Raises:
        BadInput: there are no such cohorts.
    """
    from primeta.reactivation.acquisition_result import Sources

    if cohort not in cohorts():
        raise BadInput(f"cohort {cohort!r}: expected one of {', '.join(cohorts())}")
    file = sources_file(ws, cohort)
    return SourcesView(**_known(ws, Sources, file, lambda facts: sources_mark(ws, facts)))


def cohorts() -> tuple[str, ...]:
    """By what first orders are told apart; the usual one is the first."""
    from primeta.reactivation.acquisition_result import Cohort

    return (COHORT, *(entry for entry in get_args(Cohort) if entry != COHORT))


def sources_file(ws: Workspace, cohort: str) -> Path:
    return file_of(ws, f"sources-by-{cohort}")


def no_identities(ws: Workspace) -> str:
    """Why farms cannot be looked for."""
    return (
        f"{ws.config.path}: no identities are mapped, so nothing tells which accounts belong together; add "
        "[tables.identities] (customer_id, kind, value_hash)"
    )


def _known(ws: Workspace, kind: type[Any], path: Path, mark: Callable[[Facts], str]) -> dict[str, Any]:
    """Fields of a view: `result`, `at`, `stale`, or the `problem`, or nothing where it was never worked out."""
    try:
        facts, _ = whole_facts(ws)
    except Refused as error:
        return {"problem": str(error)}
    found: Kept | None = kept(path, kind)
    if found is not None:
        return {"result": found.record, "at": found.at, "stale": found.mark != mark(facts)}
    failed = kept(path, Problem)
    # A reason that was found on other facts may hold no longer.
    if failed is not None and failed.mark == mark(facts):
        return {"problem": failed.record.text, "at": failed.at}
    return {}
