"""`primeta certify`: how often experiments on this team's own customers are wrong, kept for pages to show."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from primeta.errors import BadInput, NotFound
from primeta.experiments.certificate import Certificate
from primeta.experiments.certify import Asked, Sample
from primeta.experiments.certify import certify as certified
from primeta.show.result import plain
from primeta.warehouse.customer_sums import CustomerSums, Past, past_sums
from primeta.warehouse.engine import Warehouse, open_warehouse
from primeta.warehouse.facts_store import Facts, load_facts, refresh_facts
from primeta.warehouse.metric import Metric
from primeta.warehouse.metrics import available_metrics, unavailable_metrics
from primeta.workspace.files import write_whole
from primeta.workspace.lock import only_one

if TYPE_CHECKING:
    from primeta.workspace.workspace import Progress, Workspace

FILE = "certify.json"
LONGEST = 365


def certify(
    ws: Workspace,
    *,
    now: datetime,
    metrics: Sequence[str] = (),
    window_days: int = 28,
    asked: Asked | None = None,
    progress: Progress | None = None,
) -> Certificate:
    """Certify metrics on their last finished window; the certificate is kept in `cache/`.

    Args:
        metrics: Empty: every metric that the workspace watches.
        window_days: Length of the window, and of the one before it that serves as covariate.
    Raises:
        NotFound: a metric that is not declared. BadInput: a number that cannot be.
        BadTable, BadConfig, EngineFailed: the facts cannot be read.
    """
    asked = (asked or Asked()).checked()
    if not 1 <= window_days <= LONGEST:
        raise BadInput(f"the window is from 1 to {LONGEST} days, not {window_days}")
    step = progress or (lambda _name, _done, _total: None)
    step("facts", 0, 1)
    with open_warehouse(ws.config) as warehouse:
        chosen, missing = _chosen(warehouse, ws, metrics)
        facts = _facts(ws, warehouse, now)
    sums, past = past_sums(ws.config, facts, chosen, days=window_days, seed=asked.seed, until=ws.day_of(now))
    step("facts", 1, 1)
    samples = [*(_sample(entry, past) for entry in sums), *missing]
    if not samples:
        raise BadInput(
            f"{ws.config.path.name} maps no table that a metric could be made of; see `primeta doctor`"
        )
    found = certified(samples, asked, progress=lambda done, total: step("certify", done, total))
    found = dataclasses.replace(
        found,
        window_days=window_days,
        currency=ws.config.currency,
        at=plain(now),
        facts_version=facts.version,
    )
    place = ws.folder / "cache"
    place.mkdir(exist_ok=True)
    write_whole(place / FILE, json.dumps(plain(found.as_dict()), ensure_ascii=False, indent=1))
    return found


def last_certificate(ws: Workspace) -> Certificate | None:
    """The certificate made last, or nothing; what a cache lost can be made again."""
    try:
        document = json.loads((ws.folder / "cache" / FILE).read_text(encoding="utf-8"))
        return Certificate.of_dict(document)
    except (FileNotFoundError, KeyError, TypeError, ValueError):
        return None


def _chosen(warehouse: Warehouse, ws: Workspace, wanted: Sequence[str]) -> tuple[list[Metric], list[Sample]]:
    """Metrics to measure, and those asked for that cannot be had, with the reason."""
    if not wanted:
        return list(available_metrics(warehouse, ws.config).values()), []
    # A metric asked for by name need not be among those watched.
    everything = dataclasses.replace(ws.config, watch=dataclasses.replace(ws.config.watch, metrics=()))
    available = available_metrics(warehouse, everything)
    reasons = {lang: unavailable_metrics(warehouse, everything, lang=lang) for lang in ("en", "ru")}
    missing = []
    for name in dict.fromkeys(wanted):
        if name in available:
            continue
        if name not in reasons["en"]:
            raise NotFound(f"there is no metric {name!r}; there are {', '.join(available)}")
        told = {lang: words[name] for lang, words in reasons.items()}
        missing.append(_unknown(name, "needs", {"figures": told}))
    return [available[name] for name in dict.fromkeys(wanted) if name in available], missing


def _facts(ws: Workspace, warehouse: Warehouse, now: datetime) -> Facts:
    """The facts as the last watch left them; made where there has been none."""
    facts = load_facts(ws.folder / "facts")
    if facts is None:
        with only_one(ws.folder / "watch.lock", "a watch"):
            facts = refresh_facts(warehouse, now=now).facts
    return facts


def _sample(sums: CustomerSums, past: Past) -> Sample:
    metric = sums.metric
    about = {"label": dict(metric.label), "unit": metric.unit}
    if sums.why_not:
        return _unknown(metric.name, sums.why_not, {**about, "figures": dict(sums.figures)})
    assert sums.since is not None
    assert sums.until is not None
    return Sample(
        name=metric.name,
        numerator=sums.numerator,
        denominator=sums.denominator,
        before=sums.before,
        smallest=metric.smallest_effect,
        good=metric.good,
        share=sums.share,
        base=sums.base,
        units=lambda places: past.names(sums.customers[places]),
        about={**about, "since": sums.since.isoformat(), "until": sums.until.isoformat()},
    )


def _unknown(name: str, why_not: str, about: dict[str, object]) -> Sample:
    return Sample(
        name=name,
        numerator=np.empty(0),
        denominator=None,
        before=np.empty((0, 0)),
        smallest=0.0,
        why_not=why_not,
        about=about,
    )
