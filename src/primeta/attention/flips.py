"""What would turn a refusal round: single changes first, then one change together with waiting."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from primeta.attention.decide import MARKETING, Case, earliest_after, refusals
from primeta.attention.quiet_hours import within
from primeta.attention.records import NEEDS, Flip, Purpose, Question

SOFTER: dict[str, tuple[Purpose, ...]] = {
    "press": ("offer", "useful"),
    "offer": ("useful",),
    "useful": (),
    "service": ("useful", "offer"),
}
"""Which purposes may be proposed: softer ones, and never service, which is no way round a refusal."""


def flips_of(
    case: Case, at: datetime, *, earliest: datetime | None, channels: Sequence[str] = ()
) -> tuple[Flip, ...]:
    """The smallest changes each of which turns the answer round, cheapest first.

    Where no single change does, one change and the time to wait for, both needed: the flip then says
    `change+wait-until`, and its value holds both.
    """
    found: list[Flip] = []
    if earliest is not None:
        found.append(Flip(change="wait-until", to=iso(earliest)))
    quiet = case.policy.quiet_hours
    by_night = quiet is not None and case.question.purpose != "service" and within(at, case.zone, quiet)
    if by_night and earliest is not None:
        # Quiet hours hold for whatever else may be proposed: only waiting helps.
        return tuple(found)
    others: list[tuple[Flip, Case]] = []
    for flip, changed in _changes(case, at, channels):
        if not by_night and next(refusals(changed, at), None) is None:
            found.append(flip)
        else:
            others.append((flip, changed))
    if found or earliest is not None:
        return tuple(found)
    together = [
        (later, flip) for flip, changed in others if (later := earliest_after(changed, at)) is not None
    ]
    if together:
        later, flip = min(together, key=lambda pair: pair[0])
        found.append(Flip(change=f"{flip.change}+wait-until", to=f"{flip.to} {iso(later)}".strip()))
    return tuple(found)


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _changes(case: Case, at: datetime, channels: Sequence[str]) -> Iterator[tuple[Flip, Case]]:
    """Every change worth a try, one at a time."""
    question = case.question
    if question.personalised:
        yield Flip(change="not-personalised", to="false"), _asked(case, personalised=False)
    if (
        question.purpose in MARKETING
        and not question.personal
        and any(p.personal_only for p in case.promises)
    ):
        yield Flip(change="personal", to="true"), _asked(case, personal=True)
    for purpose in SOFTER.get(question.purpose, ("useful", "offer")):
        yield Flip(change="purpose", to=purpose), _asked(case, purpose=purpose)
    for programme in sorted({name for promise in case.promises for name in promise.programmes_only}):
        if programme not in (question.programme, question.campaign):
            yield Flip(change="programme", to=programme), _asked(case, programme=programme)
    if question.purpose == "service":
        return
    for channel in _other_channels(case, channels):
        # Credit on another channel is not known here: it is asked again with the next question.
        yield Flip(change="channel", to=channel), _asked(case, channel=channel)
    state = case.state
    if state is not None and state.wishes and state.pending:
        yield Flip(change="confirm-wish", to=state.pending[0].key), case.assuming("released")
    needs = NEEDS.get(question.purpose, "marketing")
    if state is None or not state.standing(needs, question.channel, at=max(at, state.as_of)).given:
        yield Flip(change="consent", to=f"{needs} {question.channel}"), case.assuming("consent")


def _asked(case: Case, **changes: Any) -> Case:
    asked = case.question
    told = {name: getattr(asked, name) for name in Question.__slots__}
    return case.asking(Question(**{**told, **changes}))


def _other_channels(case: Case, channels: Sequence[str]) -> list[str]:
    if case.policy.channels:
        return [name for name in case.policy.channels if name != case.question.channel]
    known = set(channels) | {cap.channel for cap in case.policy.caps} | set(case.policy.cost_per_message)
    for promise in case.promises:
        known |= {promise.channel or "", *promise.channels_only}
    if case.state is not None:
        known |= {channel for _, channel, _ in case.state.consents}
        known |= {touch.channel for touch in case.state.touches}
    return sorted(known - {"", "*", case.question.channel})
