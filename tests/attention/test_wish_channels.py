"""Persons understand a wish differently: whatever the order in which their words come, the safe side holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from primeta.attention.fold import extend, fold, newcomer
from primeta.attention.records import Entry
from primeta.store.attention_state import pack, unpack

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def entry(number: int, kind: str, **payload: object) -> Entry:
    return Entry(
        number=number, key="w" if kind == "wish" else f"k{number}", kind=kind,  # type: ignore[arg-type]
        customer_id="c", happened_at=NOW + timedelta(minutes=number), learnt_at=NOW + timedelta(hours=1), payload=payload,
        salt="s", commitment="", chain="", by="",
    )  # fmt: skip


def word(number: int, *channels: str, verdict: str = "confirmed") -> Entry:
    told = {"channels": list(channels)} if channels else {}
    return entry(number, "wish-confirmed", wish="w", verdict=verdict, **told)


def states(entries: list[Entry]):
    """The state of every order, folded at once and entry by entry; all are one."""
    found = []
    for order in permutations(entries):
        state = newcomer("c")
        for one in order:
            state = extend(state, [one])
        found.append(state)
    whole = fold(entries, customer_id="c")
    assert all(
        (state.wishes, state.consents, state.preferences) == (whole.wishes, whole.consents, whole.preferences)
        for state in found
    )
    assert unpack(pack(whole)) == whole
    return whole


@pytest.mark.parametrize(
    ("asked", "words", "stopped"),
    [
        (["push"], [()], {"push"}),
        (["push"], [("sms",)], {"sms"}),
        (["push"], [("sms",), ()], {"push", "sms"}),
        (["push"], [("sms",), ("email",)], {"sms", "email"}),
        # He named no channel: one person took it as he said it, so every channel stops.
        ([], [("sms",), ()], {"push", "sms", "email"}),
        ([], [("sms",)], {"sms"}),
    ],
)
def test_of_several_words_on_channels_to_stop_the_widest_holds(asked, words, stopped):
    entries = [entry(1, "wish", means="stop-channel", sentence="", channels=asked)]
    entries += [word(number, *channels) for number, channels in enumerate(words, 2)]
    state = states(entries)
    at = NOW + timedelta(days=1)
    found = {
        name
        for name in ("push", "sms", "email")
        if state.standing("marketing", name, at=at).state == "withdrawn"
    }
    assert found == stopped


@pytest.mark.parametrize(
    ("words", "left"),
    [
        ([()], ["email", "push"]),
        ([("push",)], ["push"]),
        ([("push",), ()], ["push"]),
        ([("push",), ("email",)], []),
    ],
)
def test_of_several_words_on_the_only_channels_the_narrowest_holds(words, left):
    entries = [entry(1, "wish", means="only-channels", sentence="", channels=["email", "push"])]
    entries += [word(number, *channels) for number, channels in enumerate(words, 2)]
    assert states(entries).preference("channels") == left


def test_a_release_is_no_word_on_channels_and_undoes_no_confirmation():
    asked = entry(1, "wish", means="stop-channel", sentence="", channels=["push"])
    state = states([asked, word(2, verdict="released"), word(3, "sms")])
    assert state.wishes["w"].verdict == "confirmed"
    assert state.wishes["w"].meant == ("sms",)
