"""The policy of a team: `[attention]` checked key by key, its document for the state, and whether it allows anything."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from primeta.attention.consents import Mark, Slot
from primeta.attention.decide import MARKETING, Case, refusals
from primeta.attention.fold import CustomerState, SeenTouch
from primeta.attention.quiet_hours import zone_of
from primeta.attention.records import PURPOSES, Cap, Credit, Policy, Promise, Question
from primeta.config import ATTENTION_POLICY_KEYS
from primeta.errors import BadInput

Complain = Callable[[str, str], Exception]
"""Key and message → the error to raise."""

CAP_KEYS = ("max", "window", "channel", "purposes", "strict")
POLICY_KEYS = ATTENTION_POLICY_KEYS
DEFAULTS = ("refuse", "allow-service", "allow")
_SPAN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(m|min|h|d|w)\s*")
_UNITS = {"m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604800}
LONGEST_WINDOW = timedelta(days=366)


def span_of(text: Any) -> timedelta:
    """`30m`, `24h`, `7d`, `2w`.

    Raises:
        ValueError: anything else.
    """
    found = _SPAN.fullmatch(text) if isinstance(text, str) else None
    if not found or float(found.group(1)) <= 0:
        raise ValueError(f"a span such as 24h, 7d or 2w was expected, {text!r} was given")
    return timedelta(seconds=float(found.group(1)) * _UNITS[found.group(2)])


def span_text(span: timedelta) -> str:
    """7 days → `7d`."""
    seconds = int(span.total_seconds())
    for unit in ("d", "h", "m"):
        if seconds % _UNITS[unit] == 0:
            return f"{seconds // _UNITS[unit]}{unit}"
    return f"{seconds / 60:g}m"


def policy_from(values: Mapping[str, Any], *, version: int = 1, fail: Complain | None = None) -> Policy:
    """A checked policy from the keys of `[attention]`.

    Args:
        fail: Makes the error of a key, with its place; by default BadInput.
    Raises:
        BadInput: a key is unknown or has a wrong value.
    """
    complain = fail or (lambda key, message: BadInput(f"[attention] {key}: {message}"))
    for key in values:
        if key not in POLICY_KEYS:
            raise complain(key, f"this key is not known; expected one of {', '.join(POLICY_KEYS)}")
    default = Policy()

    def number(key: str, low: float, high: float, otherwise: float) -> float:
        value = values.get(key, otherwise)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise complain(key, f"a number was expected, {value!r} was given")
        if value == value and not low <= value <= high:
            raise complain(key, f"a number from {low:g} to {high:g} was expected, {value:g} was given")
        return float(value)

    def count(key: str, otherwise: int) -> int:
        value = values.get(key, otherwise)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 16:
            raise complain(key, f"a whole number from 0 to 16 was expected, {value!r} was given")
        return value

    def money(key: str, known: Sequence[str] | None) -> dict[str, float]:
        section = values.get(key, {})
        if not isinstance(section, Mapping):
            raise complain(key, f"a section was expected, {section!r} was given")
        found = {}
        for name, value in section.items():
            if known is not None and name not in known:
                raise complain(key, f"{name} is no purpose; expected one of {', '.join(known)}")
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                raise complain(key, f"{name}: a number was expected, {value!r} was given")
            found[str(name)] = float(value)
        return found

    priority = _texts(values, "priority", complain) or default.priority
    if set(priority) - set(PURPOSES) or len(set(priority)) < len(priority):
        raise complain(
            "priority", f"each of {', '.join(PURPOSES)} at most once was expected, {priority!r} was given"
        )
    way = values.get("default", default.default)
    if way not in DEFAULTS:
        raise complain("default", f"one of {', '.join(DEFAULTS)} was expected, {way!r} was given")
    rest = values.get("rest_when_blind", default.rest_when_blind)
    if not isinstance(rest, bool):
        raise complain("rest_when_blind", f"true or false was expected, {rest!r} was given")
    return Policy(
        version=version,
        caps=_caps(values.get("caps", []), complain),
        quiet_hours=_hours(values.get("quiet_hours", default.quiet_hours), complain),
        first_useful=count("first_useful", default.first_useful),
        useful_after_broken=count("useful_after_broken", default.useful_after_broken),
        sell_at=number("sell_at", 0, 1, float("nan")),
        press_at=number("press_at", 0, 1, float("nan")),
        gain_per_touch=money("gain_per_touch", PURPOSES),  # type: ignore[arg-type]
        loss_of_customer=number("loss_of_customer", 0, 1e12, float("nan")),
        cost_per_message=money("cost_per_message", None),
        priority=priority,  # type: ignore[arg-type]
        channels=tuple(name.strip().lower() for name in _texts(values, "channels", complain)),
        service_programmes=_texts(values, "service_programmes", complain),
        rest_when_blind=rest,
        holdout=number("holdout", 0, 0.5, default.holdout),
        default=way,
    )


def _texts(values: Mapping[str, Any], key: str, complain: Complain) -> tuple[str, ...]:
    given = values.get(key, [])
    if not isinstance(given, list | tuple) or not all(isinstance(entry, str) for entry in given):
        raise complain(key, f"a list of texts was expected, {given!r} was given")
    return tuple(given)


def _caps(given: Any, complain: Complain) -> tuple[Cap, ...]:
    if not isinstance(given, list | tuple):
        raise complain("caps", 'a list such as [{ max = 3, window = "7d" }] was expected')
    found = []
    for place, cap in enumerate(given, start=1):
        where = f"cap {place}"
        if not isinstance(cap, Mapping):
            raise complain("caps", f'{where}: {{ max = 3, window = "7d" }} was expected, {cap!r} was given')
        for key in cap:
            if key not in CAP_KEYS:
                raise complain("caps", f"{where}: {key} is not known; expected one of {', '.join(CAP_KEYS)}")
        most = cap.get("max")
        if isinstance(most, bool) or not isinstance(most, int) or not 0 <= most <= 100:
            raise complain("caps", f"{where}: max is a whole number from 0 to 100, {most!r} was given")
        try:
            window = span_of(cap.get("window"))
        except ValueError as error:
            raise complain("caps", f"{where}: window: {error}") from None
        if window > LONGEST_WINDOW:
            raise complain("caps", f"{where}: window: at most {LONGEST_WINDOW.days}d was expected")
        purposes = cap.get("purposes", list(MARKETING))
        if not isinstance(purposes, list | tuple) or not purposes or set(purposes) - set(MARKETING):
            raise complain(
                "caps",
                f"{where}: purposes: some of {', '.join(MARKETING)} were expected (service has no caps)",
            )
        channel, strict = cap.get("channel", ""), cap.get("strict", True)
        if not isinstance(channel, str) or not isinstance(strict, bool):
            raise complain("caps", f"{where}: channel is a text in quotes and strict is true or false")
        found.append(
            Cap(
                max=most,
                window=window,
                channel=channel.strip().lower(),
                purposes=tuple(purposes),
                strict=strict,
            )
        )
    return tuple(found)


def _hours(given: Any, complain: Complain) -> tuple[int, int] | None:
    if given is False or given is None or given == []:
        return None
    whole = isinstance(given, list | tuple) and len(given) == 2
    if not whole or not all(isinstance(hour, int) and not isinstance(hour, bool) for hour in given):
        raise complain(
            "quiet_hours", f"two hours such as [21, 9], or false, were expected, {given!r} was given"
        )
    begin, end = given
    if not (0 <= begin <= 24 and 0 <= end <= 24):
        raise complain("quiet_hours", f"hours from 0 to 24 were expected, {given!r} was given")
    if begin == end:
        raise complain(
            "quiet_hours",
            f"{given!r} begins when it ends; write false for no quiet hours, other hours otherwise",
        )
    return (begin, end)


def policy_values(policy: Policy) -> dict[str, Any]:
    """The keys of `[attention]` that make this policy; JSON-able, unknown numbers left out."""
    values: dict[str, Any] = {
        "caps": [
            {
                "max": cap.max,
                "window": span_text(cap.window),
                "channel": cap.channel,
                "purposes": list(cap.purposes),
                "strict": cap.strict,
            }
            for cap in policy.caps
        ],
        "quiet_hours": list(policy.quiet_hours) if policy.quiet_hours else False,
        "first_useful": policy.first_useful,
        "useful_after_broken": policy.useful_after_broken,
        "gain_per_touch": dict(policy.gain_per_touch),
        "cost_per_message": dict(policy.cost_per_message),
        "priority": list(policy.priority),
        "channels": list(policy.channels),
        "service_programmes": list(policy.service_programmes),
        "rest_when_blind": policy.rest_when_blind,
        "holdout": policy.holdout,
        "default": policy.default,
    }
    for key in ("sell_at", "press_at", "loss_of_customer"):
        value = getattr(policy, key)
        if math.isfinite(value):
            values[key] = value
    return values


def seal_of(policy: Policy) -> str:
    """SHA-256 of what a policy says, whatever its version; equal policies have equal seals."""
    text = json.dumps(policy_values(policy), sort_keys=True, ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def impossible(policy: Policy, promises: Sequence[Promise] = (), *, now: datetime) -> str:
    """Why no message but service would ever be allowed, in plain words; empty where some is.

    Asked of a customer who gave everything: every consent, full credit, a long welcome past. Every purpose is tried
    on every channel that the policy names and on another one, each hour of a week.
    """
    long_ago = now - timedelta(days=2000)
    yes = Mark(at=long_ago, effective=long_ago, state="given", proven=True)
    seen = tuple(
        SeenTouch(at=long_ago + timedelta(days=day), message_id=f"m{day}", channel="email", purpose="useful")
        for day in range(16)
    )
    state = CustomerState(
        customer_id="somebody",
        as_of=long_ago,
        consents={(of, "", ""): Slot(given=(yes,)) for of in ("service", "marketing", "personalisation")},
        first_touches=seen,
        touches=seen,
    )
    full = Credit(
        value=1.0,
        low=1.0,
        high=1.0,
        welcome=1.0,
        drive_away=0.0,
        blind=0.0,
        level="press",
        model="prior",
        touches=16,
        as_of=now,
    )
    always = replace(policy, holdout=0.0)
    for_all = tuple(promise for promise in promises if promise.customers == "all")
    channels = sorted(({cap.channel for cap in policy.caps} | {p.channel or "" for p in for_all}) - {""})
    names = sorted({name for promise in for_all for name in promise.programmes_only}) or [""]
    only = sorted({channel for promise in for_all for channel in promise.channels_only})
    start = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    refused: dict[str, int] = {}
    for hour in range(7 * 24):
        at = start + timedelta(hours=hour)
        for channel in policy.channels or (*channels, *only, "another channel"):
            for purpose in MARKETING:
                for name in names:
                    case = Case(
                        question=Question(
                            customer_id="somebody",
                            channel=channel,
                            purpose=purpose,
                            at=at,
                            programme=name,
                            personal=True,
                        ),
                        state=state,
                        policy=always,
                        promises=for_all,
                        credit=lambda _at: full,
                        zone=zone_of("UTC"),
                        now=at,
                    )
                    first = next(refusals(case, at), None)
                    if first is None:
                        return ""
                    said = first.promise.name if first.promise else ""
                    rule = f"promise {said}" if said else first.rule
                    refused[rule] = refused.get(rule, 0) + 1
    worst = sorted(refused, key=lambda rule: -refused[rule])
    return (
        "no message but service would ever be allowed, not even to a customer who agreed to everything; "
        f"it is refused by: {', '.join(worst)}"
    )
