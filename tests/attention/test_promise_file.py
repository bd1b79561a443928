"""Promises as DESIGN §6 writes them, and complaints that name the line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from primeta.attention.promise_file import promise_from, read_promises
from primeta.errors import BadInput, BadTable, NotFound

# The example of the design, §6.
EXAMPLE = """[
  {"promise": "p1", "text": "Two a week", "channel": "push", "purpose": null, "customers": "all",
   "max": 2, "window": "7d", "valid_from": "2026-01-01", "valid_to": null},
  {"promise": "p2", "text": "By day only", "hours": [9, 21], "purposes_only": ["useful"], "stop_within": "24h",
   "customers": ["1", "2"]}
]
"""


def test_the_designs_example_is_read(tmp_path):
    path = tmp_path / "promises.json"
    path.write_text(EXAMPLE)
    first, second = read_promises(path)
    assert (first.name, first.channel, first.purpose, first.customers) == ("p1", "push", None, "all")
    assert (first.max, first.window) == (2, timedelta(days=7))
    assert (first.valid_from, first.valid_to) == (datetime(2026, 1, 1, tzinfo=UTC), None)
    assert (second.hours, second.purposes_only) == ((9, 21), ("useful",))
    assert (second.stop_within, second.customers) == (timedelta(hours=24), ("1", "2"))
    assert first.checkable


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "a list such as"),
        ("[\n1]", "promise 1: an object"),
        ('[\n{"promise": "p", "max": 2}]', "line 2: p: max and window go together"),
        ('[\n\n{"promise": "p", "maximum": 2}]', "line 3: p: the key 'maximum'"),
        ('[{"promise": "p", "max": -1, "window": "7d"}]', "whole number from 0"),
        ('[{"promise": "p", "max": 1, "window": "week"}]', "window: a span"),
        ('[{"promise": "p", "hours": [9, 9]}]', "two different hours"),
        ('[{"promise": "p", "purpose": "spam"}]', "purpose: one of"),
        (
            '[{"promise": "p", "valid_from": "2026-02-01", "valid_to": "2026-01-01"}]',
            "ends .* before it begins",
        ),
        ('[{"promise": "p"}, {"promise": "p"}]', "twice in version 1"),
        ('[{"text": "no name"}]', "needs a name"),
        ("[", "line 1: not valid JSON"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(tmp_path, text, said):
    path = tmp_path / "promises.json"
    path.write_text(text)
    with pytest.raises(BadTable, match=said):
        read_promises(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(NotFound, match=r"promises\.json"):
        read_promises(tmp_path / "promises.json")


def test_a_text_without_a_checkable_meaning_is_kept_and_is_not_checkable():
    promise = promise_from({"name": "p", "version": 2, "text": "We love you"}, customer_id="7")
    assert (promise.checkable, promise.customers, promise.version) == (False, ("7",), 2)
    with pytest.raises(BadInput):
        promise_from({"name": "p", "max": "two", "window": "7d"})
