"""Lists that a notebook or a script gets from a workspace: tuples with a line, a table and a dict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from primeta.show.locale import Language
from primeta.show.messages import count
from primeta.show.result import Table
from primeta.signals.note import Note
from primeta.signals.signal import Signal
from primeta.trends.evidence import STRENGTH
from primeta.trends.records import Trend
from primeta.warehouse.metric import Metric
from primeta.workspace.documents import signals_document, trends_document
from primeta.workspace.experiment_documents import experiments_document
from primeta.workspace.experiment_words import list_line, list_table, reading_of
from primeta.workspace.views import ExperimentView
from primeta.workspace.words import signals_table, trends_table

if TYPE_CHECKING:
    from primeta.workspace.workspace import Workspace


class Signals(tuple[Signal, ...]):
    """All signals, the strongest evidence first; `notes` are what people wrote down."""

    notes: tuple[Note, ...]
    metrics: Mapping[str, Metric]

    def __new__(
        cls, signals: Iterable[Signal], *, notes: Iterable[Note], metrics: Mapping[str, Metric]
    ) -> Signals:
        made = super().__new__(cls, tuple(signals))
        made.notes, made.metrics = tuple(notes), metrics
        return made

    def line(self, lang: Language = "en") -> str:
        holding = sum(STRENGTH[signal.grade] >= STRENGTH["holding"] for signal in self)
        return count(
            lang,
            "{n} signal, {holding:int} of them holding or better",
            "{n} signals, {holding:int} of them holding or better",
            len(self),
            holding=holding,
        )

    def table(self, lang: Language = "en") -> Table:
        return signals_table(self, self.notes, lang, metrics=self.metrics)

    def as_dict(self) -> dict[str, Any]:
        return signals_document(self, self.notes)

    def _repr_html_(self) -> str:
        return self.table().html()


class Trends(tuple[Trend, ...]):
    """All trends, oldest first."""

    currency: str

    def __new__(cls, trends: Iterable[Trend], *, currency: str) -> Trends:
        made = super().__new__(cls, tuple(trends))
        made.currency = currency
        return made

    def line(self, lang: Language = "en") -> str:
        waiting = sum(trend.decision is None for trend in self)
        return count(
            lang,
            "{n} trend, {waiting:int} without a decision",
            "{n} trends, {waiting:int} without a decision",
            len(self),
            waiting=waiting,
        )

    def table(self, lang: Language = "en") -> Table:
        return trends_table(self, lang, currency=self.currency)

    def as_dict(self) -> dict[str, Any]:
        return trends_document(self)

    def _repr_html_(self) -> str:
        return self.table().html()


class Experiments(tuple[ExperimentView, ...]):
    """All experiments, oldest first, each with its newest look."""

    workspace: Workspace

    def __new__(cls, views: Iterable[ExperimentView], *, workspace: Workspace) -> Experiments:
        made = super().__new__(cls, tuple(views))
        made.workspace = workspace
        return made

    def line(self, lang: Language = "en") -> str:
        return list_line(self, reading_of(self.workspace, lang))

    def table(self, lang: Language = "en") -> Table:
        return list_table(self, reading_of(self.workspace, lang))

    def as_dict(self) -> dict[str, Any]:
        return experiments_document(self)

    def _repr_html_(self) -> str:
        return self.table().html()
