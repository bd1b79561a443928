"""The rules of `decide`, worked out once for a question and asked of many customers, in whole microseconds.

For customers with consents and touches and nothing else, which most are. Of whoever has wishes, preferences, promises
of his own, broken promises, a suppression, or consents that need a closer look, `ask` answers None, and `decide` is
asked. There is one order of rules, that of `decide`; a property test holds this file to it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol, cast

from primeta.attention import quiet_hours
from primeta.attention.decide import (
    CLOCK_MAY_DIFFER,
    MARKETING,
    MOST_STEPS,
    RANK,
    WANTS,
    applies,
    free_from,
)
from primeta.attention.fold import SeenTouch
from primeta.attention.records import NEEDS, PURPOSES, Cap, Level, Policy, Promise, Question

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SECOND_US = 1_000_000


class Mark(Protocol):
    """A consent or an opt-out: times in microseconds since 1970."""

    at: int
    effective: int
    state: str


class ConsentSlot(Protocol):
    """All that counts of one processing × channel × controller."""

    processing: str
    channel: str

    @property
    def given(self) -> Sequence[Mark]: ...
    @property
    def no(self) -> Mark | None: ...


class KeptTouch(Protocol):
    """A message that was sent; `us`: when, in microseconds since 1970."""

    us: int
    message_id: str
    channel: str
    purpose: str


class Verdict(NamedTuple):
    """Of many questions, what a sender acts on."""

    allowed: bool
    rule: str
    earliest: datetime | None
    promise: str = ""


ALLOWED = "allowed"


class _Window(NamedTuple):
    """At most so many of these messages in a rolling window."""

    most: int
    window: int
    purposes: frozenset[str]
    channel: str
    promise: str
    """Empty: of a cap."""


class _Hours(NamedTuple):
    """Only between these hours; None: this message breaks the promise at any hour."""

    hours: tuple[int, int] | None
    promise: str


_free_from = cast("Callable[..., int | None]", free_from)
"""It compares, adds and subtracts, and so works on microseconds as on times."""


class QuickRules:
    """The rules for one question, whoever is asked about.

    Args:
        question: Its customer does not matter.
        now: The clock.
        zone: Of those of whom none is known.
    """

    def __init__(
        self,
        question: Question,
        policy: Policy,
        promises: Sequence[Promise],
        *,
        now: datetime,
        zone: str = "UTC",
    ):
        self.default_zone = zone
        at = question.at.astimezone(UTC)
        self.at = microseconds(at)
        self.at_time = at
        self.question, self.policy = question, policy
        self.behind = microseconds(max(now, at)) + CLOCK_MAY_DIFFER // MICROSECOND
        self.processing = NEEDS.get(question.purpose, "marketing")
        self.wants = WANTS.get(question.purpose, 0)
        self.first_useful = policy.first_useful if question.purpose != "useful" else 0
        self.listed: frozenset[str] = frozenset()
        """Customers whom a promise names: they are not asked here."""
        self.never = ""
        """The promise that this message breaks whenever it is sent."""
        self.checks: list[_Window | _Hours] = []
        self.usable = (
            question.purpose in MARKETING
            and bool(question.channel)
            and (not policy.channels or question.channel in policy.channels)
            and not (policy.holdout and any(not cap.strict and applies(cap, question) for cap in policy.caps))
            and self._take(promises)
        )
        self.caps = [_of_cap(cap) for cap in policy.caps if applies(cap, question)]
        self.zones: dict[str, tuple[Any, bool]] = {}

    def _take(self, promises: Sequence[Promise]) -> bool:
        """Sort the promises that speak of this message; False where which of them hold changes with time."""
        question = self.question
        newest: dict[str, Promise] = {}
        listed: set[str] = set()
        for promise in promises:
            if promise.valid_from is not None and promise.valid_from > question.at:
                return False
            if promise.customers != "all":
                listed |= set(promise.customers)
                continue
            before = newest.get(promise.name)
            if before is None or promise.version >= before.version:
                newest[promise.name] = promise
        self.listed = frozenset(listed)
        for promise in newest.values():
            if promise.valid_to is not None:
                if promise.valid_to > question.at:
                    return False
                continue
            if promise.channel is not None and promise.channel != question.channel:
                continue
            if promise.purpose is not None and promise.purpose != question.purpose:
                continue
            if promise.max is not None and promise.window is not None:
                self.checks.append(
                    _Window(
                        promise.max,
                        promise.window // MICROSECOND,
                        frozenset((promise.purpose,) if promise.purpose else PURPOSES),
                        promise.channel or "",
                        promise.name,
                    )
                )
            if promise.hours is not None:
                self.checks.append(_Hours(promise.hours, promise.name))
            if (
                (promise.purposes_only and question.purpose not in promise.purposes_only)
                or (promise.channels_only and question.channel not in promise.channels_only)
                or (
                    promise.programmes_only
                    and not {question.programme, question.campaign} & set(promise.programmes_only)
                )
                or (promise.personal_only and not question.personal)
            ):
                self.checks.append(_Hours(None, promise.name))
                self.never = self.never or promise.name
        return True

    def ask(
        self,
        *,
        customer_id: str,
        as_of: int,
        consents: Sequence[ConsentSlot],
        touches: Sequence[KeptTouch],
        first: Callable[[], Sequence[KeptTouch]],
        level: Level,
        zone: str,
        message_id: str = "",
        places: Sequence[SeenTouch] = (),
    ) -> Verdict | None:
        """The verdict on one customer; None: ask `decide`.

        Args:
            as_of: The latest `learnt_at` of his state.
            touches: The recent ones, oldest first.
            first: The first few, if they should be needed.
            level: What his credit allows.
            zone: Where he lives, as `quiet_hours.zone_of` takes it.
            places: Messages that hold a place.
        """
        if as_of > self.behind or (self.listed and customer_id in self.listed):
            return None
        at = self.at
        refused = self._consent(consents, max(at, as_of))
        if refused:
            return None if refused == "?" else Verdict(False, refused, None)
        rule = promise = ""
        latest = -1
        for check in self.checks:
            name = check.promise
            if isinstance(check, _Hours):
                hours = check.hours
                if hours is None:
                    rule, promise = rule or "promise", promise or name
                    continue
                there = self._zone(zone)
                if quiet_hours.within(self.at_time, there, hours):
                    continue
                until = quiet_hours.start_of(self.at_time, there, hours)
                until = None if until is None else microseconds(until)
            else:
                until = self._free(check, at, touches, places, message_id)
                if until == at:
                    continue
            rule, promise = rule or "promise", promise or name
            if until is None:
                return self._without_time(rule, promise)
            latest = max(latest, until)
        if self.policy.quiet_hours is not None:
            there, quiet = self.zones.get(zone) or self._look(zone)
            if quiet:
                rule = rule or "quiet-hours"
                end = quiet_hours.end_of(self.at_time, there, self.policy.quiet_hours)
                if end is None:
                    return self._without_time(rule, promise)
                latest = max(latest, microseconds(end))
        for cap in self.caps:
            until = self._free(cap, at, touches, places, message_id)
            if until != at:
                rule = rule or "cap"
                if until is None:
                    return self._without_time(rule, promise)
                latest = max(latest, until)
        lasting = ""
        if self.first_useful and self._had(touches, first) < self.first_useful:
            lasting = "first-touches"
        elif RANK[level] < self.wants:
            lasting = "level"
        if lasting or self.never:
            return self._without_time(rule or lasting, promise)
        if not rule:
            return Verdict(True, ALLOWED, self.at_time)
        return Verdict(False, rule, self._earliest(latest, zone, touches, places, message_id), promise)

    def _without_time(self, rule: str, promise: str) -> Verdict:
        return Verdict(False, rule, None, promise if rule == "promise" else "")

    def _consent(self, slots: Sequence[ConsentSlot], known: int) -> str:
        """Empty: given; the rule that refuses; `?`: look closer."""
        channel = self.question.channel
        here: ConsentSlot | None = None
        everywhere: ConsentSlot | None = None
        for slot in slots:
            if slot.processing != self.processing:
                if slot.processing == "personalisation" and self.question.personalised:
                    return "?"
                continue
            if slot.channel == channel:
                if here is not None:
                    return "?"
                here = slot
            elif not slot.channel:
                if everywhere is not None:
                    return "?"
                everywhere = slot
        yes_here = no_here = yes_all = no_all = None
        if here is not None:
            if here.given:
                mark = here.given[0]
                if len(here.given) > 1 or mark.effective > known:
                    return "?"
                yes_here = mark.at
            if here.no is not None:
                if here.no.effective > known:
                    return "?"
                no_here = here.no
        if everywhere is not None:
            if everywhere.given:
                mark = everywhere.given[0]
                if len(everywhere.given) > 1 or mark.effective > known:
                    return "?"
                yes_all = mark.at
            if everywhere.no is not None:
                if everywhere.no.effective > known:
                    return "?"
                no_all = everywhere.no
        lifted = yes_here is not None and (no_here is None or yes_here > no_here.at)
        if yes_here is not None and lifted and (no_all is None or yes_here > no_all.at):
            return ""
        if yes_all is not None and (no_all is None or yes_all > no_all.at) and (no_here is None or lifted):
            return ""
        if no_here is not None and no_all is not None:
            if no_here.at == no_all.at:
                return "?"
            against = no_here if no_here.at > no_all.at else no_all
        else:
            against = no_here or no_all
        if against is not None and against.state in ("withdrawn", "refused"):
            return "opted-out"
        return "no-consent"

    def _free(
        self,
        one: _Window,
        at: int,
        touches: Sequence[KeptTouch],
        places: Sequence[SeenTouch],
        own: str,
    ) -> int | None:
        """`decide.free_from` over the messages that count; `at` where it is free."""
        purposes, channel, most = one.purposes, one.channel, one.most
        if most <= 0:
            return None
        if not places:
            if len(touches) < most:
                return at
            if touches[-1].us <= at:
                # Newest first: the window holds a few of many.
                begin, left = at - one.window, most
                for touch in reversed(touches):
                    if touch.us <= begin:
                        return at
                    if (
                        touch.purpose in purposes
                        and (not channel or touch.channel == channel)
                        and (not own or touch.message_id != own)
                    ):
                        left -= 1
                        if not left:
                            break
                else:
                    return at
        times = [
            touch.us
            for touch in touches
            if touch.purpose in purposes
            and (not channel or touch.channel == channel)
            and (not own or touch.message_id != own)
        ]
        if places:
            seen = {touch.message_id for touch in touches}
            times += [
                microseconds(touch.at)
                for touch in places
                if touch.purpose in purposes
                and (not channel or touch.channel == channel)
                and touch.message_id != own
                and touch.message_id not in seen
            ]
            times.sort()
        return _free_from(times, at, most=most, window=one.window)

    def _had(self, touches: Sequence[KeptTouch], first: Callable[[], Sequence[KeptTouch]]) -> int:
        """Messages other than service up to now, as far as it matters."""
        need, at = self.first_useful, self.at
        seen: set[str] = set()
        for touch in touches:
            if touch.purpose != "service" and touch.us <= at:
                seen.add(touch.message_id)
                if len(seen) >= need:
                    return need
        # The first ones are looked for only where the recent ones do not make up the number.
        seen.update(touch.message_id for touch in first() if touch.purpose != "service" and touch.us <= at)
        return len(seen)

    def _zone(self, name: str) -> Any:
        return (self.zones.get(name) or self._look(name))[0]

    def _look(self, name: str) -> tuple[Any, bool]:
        there = quiet_hours.zone_of(name, self.default_zone)
        hours = self.policy.quiet_hours
        quiet = hours is not None and quiet_hours.within(self.at_time, there, hours)
        self.zones[name] = (there, quiet)
        return self.zones[name]

    def _earliest(
        self,
        latest: int,
        zone: str,
        touches: Sequence[KeptTouch],
        places: Sequence[SeenTouch],
        own: str,
    ) -> datetime | None:
        """`decide.earliest_after`, where the rules that last refuse nothing."""
        there, hours = self._zone(zone), self.policy.quiet_hours
        start = whole_second(self.at)
        moment = start
        if start == self.at:
            # It was looked at already.
            moment = max(whole_second(latest), start + SECOND_US)
        for _ in range(MOST_STEPS):
            latest, time = -1, EPOCH + timedelta(0, 0, moment)
            for check in self.checks:
                if isinstance(check, _Hours):
                    if check.hours is not None and not quiet_hours.within(time, there, check.hours):
                        begin = quiet_hours.start_of(time, there, check.hours)
                        if begin is None:
                            return None
                        latest = max(latest, microseconds(begin))
                    continue
                until = self._free(check, moment, touches, places, own)
                if until is None:
                    return None
                if until != moment:
                    latest = max(latest, until)
            if hours is not None and quiet_hours.within(time, there, hours):
                end = quiet_hours.end_of(time, there, hours)
                if end is None:
                    return None
                latest = max(latest, microseconds(end))
            for cap in self.caps:
                until = self._free(cap, moment, touches, places, own)
                if until is None:
                    return None
                if until != moment:
                    latest = max(latest, until)
            if latest < 0:
                return time
            moment = max(whole_second(latest), moment + SECOND_US)
        return None


def microseconds(moment: datetime) -> int:
    """Since 1970."""
    return (moment - EPOCH) // MICROSECOND


def whole_second(us: int) -> int:
    """Not before this moment."""
    return -(-us // SECOND_US) * SECOND_US


def _of_cap(cap: Cap) -> _Window:
    return _Window(cap.max, cap.window // MICROSECOND, frozenset(cap.purposes), cap.channel, "")
