"""Credit of one customer: kept as a small state, moved by each event, read before each touch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from primeta.attention.records import Credit, Level, Policy, Purpose

CreditEventKind = Literal["touch", "welcomed", "drove-away", "broken", "kept"]
"""A message was sent; it was welcomed (human click, reply, visit or order within 72 hours); it drove him away (opt-out
or complaint within 72 hours); a promise to him was broken or kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditEvent:
    """What moves credit. Machine opens and human opens are no events: they weigh nothing."""

    kind: CreditEventKind
    at: datetime
    channel: str
    purpose: Purpose = "useful"
    """Of a touch."""
    message_id: str = ""
    """Of a touch and of what came of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """Of the next touch, with 95% interval of P(welcomed and not driven away)."""

    welcome: float
    """Given that it does not drive away."""
    drive_away: float
    value: float
    """welcome × (1 − drive_away)."""
    low: float
    high: float
    blind: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditState:
    """All that credit remembers of one customer; a function of the set of his events."""

    as_of: datetime
    channels: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """JSON-able."""
        raise NotImplementedError

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> CreditState:
        raise NotImplementedError


class CreditModel:
    """Fitted parameters (`attention.credit_fit.fit_credit`), or `CreditModel.prior()` where there is no log."""

    @classmethod
    def prior(cls) -> CreditModel:
        raise NotImplementedError

    def as_dict(self) -> dict[str, Any]:
        raise NotImplementedError

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> CreditModel:
        raise NotImplementedError


def new_state(*, at: datetime) -> CreditState:
    """Of a customer of whom nothing is known."""
    raise NotImplementedError


def state_of(events: Iterable[CreditEvent], *, model: CreditModel, until: datetime) -> CreditState:
    """From the set of a customer's events, whatever their order and however often each is told."""
    raise NotImplementedError


def update(state: CreditState, event: CreditEvent, *, model: CreditModel) -> CreditState | None:
    """With one event more; None where the event is older than the state: then `state_of` all his events."""
    raise NotImplementedError


def predict(
    state: CreditState, *, model: CreditModel, channel: str, purpose: Purpose, at: datetime
) -> Prediction:
    """Before a touch of this purpose on this channel at this time (not before `state.as_of`)."""
    raise NotImplementedError


def credit_of(
    state: CreditState | None, *, model: CreditModel, channel: str, at: datetime, policy: Policy
) -> Credit:
    """Credit for the next useful touch; None: a customer of whom nothing is known (`Credit.model` is "prior")."""
    raise NotImplementedError


def level_of(credit: Credit, policy: Policy, *, channel: str = "") -> Level:
    """What the lower bound of credit allows at most, by the policy's thresholds or by expected loss."""
    raise NotImplementedError
