"""Experiments as they are kept: sealed versions of plans, a numbered history, frozen looks, rollout steps.

Nothing is ever overwritten. Each write adds the next line of an experiment's history; whoever wrote from an
older history than the stored one meets its number there and is told, and nothing of his is written.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, func, insert, select, tuple_
from sqlalchemy.exc import IntegrityError

from primeta.errors import Conflict
from primeta.experiments.declare import Basis
from primeta.experiments.records import Plan, Step
from primeta.store.codec import from_json, to_json
from primeta.store.schema import experiment_events, experiments, looks, plan_versions, rollout_steps
from primeta.store.times import aware, naive

KINDS = ("declared", "started", "stopped", "looked", "decided", "rolled", "lesson")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanVersion:
    """One version of a plan with what its numbers rest on, as it was declared."""

    version: int
    plan: Plan
    basis: Basis
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentEvent:
    """One line of an experiment's history."""

    number: int
    """1, 2, 3 … within the experiment."""
    version: int
    at: datetime
    who: str
    """A person, `primeta.toml`, or `primeta`."""
    kind: str
    """One of KINDS."""
    what: Mapping[str, Any] = field(default_factory=dict)
    mark: str = ""
    """What may be there once, such as `started 1`; empty: the number alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look at a running experiment saw, frozen: a decision is shown with the numbers it was made from."""

    version: int
    seen_until: datetime
    """Up to when facts were seen."""
    at: datetime
    analysis: Mapping[str, Any]
    """The keys of `experiment analyse` (`checks`, `effects`, `decisions`, `decision`); unknown numbers are None."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Customers by arm."""
    ratio_evidence: float = 0.0
    """Natural logarithm of the largest bet so far against the planned shares; it never falls from look to look,
    so that the check of the sample ratio is valid at every one of them."""
    facts_version: str = ""
    code_version: str = ""
    number: int = 0
    """1, 2, 3 … within the version; 0: not saved yet."""

    @property
    def state(self) -> str:
        """What the analysis itself says to do: `scale`, `harm` …; empty where it says nothing."""
        return str((self.analysis.get("decision") or {}).get("state") or "")

    @property
    def ratio_ok(self) -> bool | None:
        """Whether the arms are as large as planned; None where the analysis does not say."""
        return ((self.analysis.get("checks") or {}).get("sample_ratio") or {}).get("ok")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One thing that a step of a rollout asks before it is taken."""

    name: str
    """`sample-ratio`, `verdict`, `guardrail:METRIC.30d`, `doctor`, `facts-stopped`, or a guard of the caller's."""
    ok: bool
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutStep:
    """A step with all that its gate asked; `decision` is the number of the event that decided to scale."""

    step: Step
    decision: int
    gates: tuple[Gate, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Everything that is kept about one experiment, oldest first."""

    name: str
    created_at: datetime
    created_by: str
    versions: tuple[PlanVersion, ...]
    events: tuple[ExperimentEvent, ...]
    looks: tuple[Look, ...]
    steps: tuple[RolloutStep, ...]


# Reading


def load_experiments(
    connection: Connection, names: Collection[str] | None = None, *, all_looks: bool = False
) -> tuple[Stored, ...]:
    """All experiments (or those named), oldest first.

    Args:
        all_looks: Else only the newest look of each version: a year of daily looks is not read for a list.
    Raises:
        Conflict: a stored plan is not the one that was declared.
    """
    query = select(experiments).order_by(experiments.c.created_at, experiments.c.name)
    if names is not None:
        query = query.where(experiments.c.name.in_(tuple(names)))
    found = connection.execute(query).mappings().all()
    kept = {row["name"] for row in found} if names is not None else None
    versions, history = (
        _by_experiment(connection, plan_versions, kept),
        _by_experiment(connection, experiment_events, kept),
    )
    seen, steps = _looks(connection, kept, all_looks), _by_experiment(connection, rollout_steps, kept)
    return tuple(
        Stored(
            name=row["name"],
            created_at=aware(row["created_at"]),
            created_by=row["created_by"],
            versions=tuple(_version(entry) for entry in versions[row["name"]]),
            events=tuple(_event(entry) for entry in history[row["name"]]),
            looks=tuple(_look(entry) for entry in seen[row["name"]]),
            steps=tuple(_step(entry) for entry in steps[row["name"]]),
        )
        for row in found
    )


def _by_experiment(
    connection: Connection, table: Table, names: Collection[str] | None
) -> dict[str, list[Mapping[str, Any]]]:
    query = select(table).order_by(*table.primary_key.columns)
    if names is not None:
        query = query.where(table.c.experiment.in_(tuple(names)))
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in connection.execute(query).mappings():
        found[row["experiment"]].append(dict(row))
    return found


def _looks(
    connection: Connection, names: Collection[str] | None, every: bool
) -> dict[str, list[Mapping[str, Any]]]:
    if every:
        return _by_experiment(connection, looks, names)
    newest = select(looks.c.experiment, looks.c.version, func.max(looks.c.number)).group_by(
        looks.c.experiment, looks.c.version
    )
    key = tuple_(looks.c.experiment, looks.c.version, looks.c.number)
    query = select(looks).where(key.in_(newest)).order_by(*looks.primary_key.columns)
    if names is not None:
        query = query.where(looks.c.experiment.in_(tuple(names)))
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in connection.execute(query).mappings():
        found[row["experiment"]].append(dict(row))
    return found


def _version(row: Mapping[str, Any]) -> PlanVersion:
    if row["seal"] != seal(row["plan"], row["basis"]):
        raise Conflict(
            f"the stored plan of {row['experiment']}, version {row['version']}, is not the one that {row['by']} "
            f"declared on {row['at']:%Y-%m-%d}: its row was changed by hand. Restore the state from a backup; "
            "nothing is computed from an altered plan."
        )
    return PlanVersion(
        version=row["version"],
        plan=from_json(Plan, row["plan"]),
        basis=from_json(Basis, row["basis"]),
        by=row["by"],
        at=aware(row["at"]),
    )


def _event(row: Mapping[str, Any]) -> ExperimentEvent:
    return ExperimentEvent(
        number=row["number"],
        version=row["version"],
        at=aware(row["at"]),
        who=row["who"],
        kind=row["kind"],
        what=row["what"],
        mark=row["mark"],
    )


def _look(row: Mapping[str, Any]) -> Look:
    return Look(
        version=row["version"],
        number=row["number"],
        seen_until=aware(row["seen_until"]),
        at=aware(row["at"]),
        analysis=row["analysis"],
        counts=row["counts"],
        ratio_evidence=row["ratio_evidence"],
        facts_version=row["facts_version"],
        code_version=row["code_version"],
    )


def _step(row: Mapping[str, Any]) -> RolloutStep:
    return RolloutStep(
        step=Step(share=row["share"], by=row["by"], at=aware(row["at"]), state=row["state"], why=row["why"]),
        decision=row["decision"],
        gates=tuple(Gate(**entry) for entry in row["gates"]),
    )


# Writing


def seal(plan: Any, basis: Any) -> str:
    """SHA-256 over a plan and its basis as they are stored, whatever order their keys come back in."""
    text = json.dumps([plan, basis], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def add_experiment(connection: Connection, name: str, *, by: str, at: datetime) -> None:
    with _first_come(name):
        connection.execute(insert(experiments).values(name=name, created_at=naive(at), created_by=by))


def add_version(connection: Connection, name: str, version: PlanVersion) -> None:
    plan, basis = to_json(version.plan), to_json(version.basis)
    with _first_come(name):
        connection.execute(
            insert(plan_versions).values(
                experiment=name,
                version=version.version,
                plan=plan,
                basis=basis,
                seal=seal(plan, basis),
                by=version.by,
                at=naive(version.at),
            )
        )


def add_events(connection: Connection, name: str, told: Sequence[ExperimentEvent]) -> None:
    """The next lines of the history.

    Raises:
        Conflict: the history has gone on since these were numbered, or the mark is there already.
    """
    with _first_come(name):
        for event in told:
            connection.execute(
                insert(experiment_events).values(
                    experiment=name,
                    number=event.number,
                    version=event.version,
                    at=naive(event.at),
                    who=event.who,
                    kind=event.kind,
                    what=to_json(told_plainly(event.what)),
                    mark=event.mark or f"#{event.number}",
                )
            )


def add_look(connection: Connection, name: str, look: Look) -> None:
    with _first_come(name):
        connection.execute(
            insert(looks).values(
                experiment=name,
                version=look.version,
                number=look.number,
                seen_until=naive(look.seen_until),
                facts_version=look.facts_version,
                code_version=look.code_version,
                at=naive(look.at),
                counts=to_json(dict(look.counts)),
                ratio_evidence=look.ratio_evidence,
                analysis=to_json(told_plainly(look.analysis)),
            )
        )


def add_step(connection: Connection, name: str, number: int, made: RolloutStep) -> None:
    """A step under the number of its event in the history."""
    with _first_come(name):
        connection.execute(
            insert(rollout_steps).values(
                experiment=name,
                number=number,
                decision=made.decision,
                share=made.step.share,
                state=made.step.state,
                why=made.step.why,
                gates=[to_json(told_plainly(_gate(gate))) for gate in made.gates],
                by=made.step.by,
                at=naive(made.step.at),
            )
        )


def _gate(gate: Gate) -> dict[str, Any]:
    return {"name": gate.name, "ok": gate.ok, "figures": dict(gate.figures)}


def told_plainly(value: Any) -> Any:
    """Python's own numbers, lists and dicts; a number that is none becomes None, as in `--json`."""
    if hasattr(value, "item") and not hasattr(value, "__len__"):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): told_plainly(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [told_plainly(entry) for entry in value]
    return value


@contextmanager
def _first_come(name: str) -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        raise Conflict(
            f"the experiment {name} was changed by somebody else meanwhile; read it again and repeat what you did"
        ) from None
