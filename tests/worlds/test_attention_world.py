"""A world of attention as a workspace folder with its truth."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import timedelta

import pyarrow.parquet as pq
import pytest

from primeta.errors import BadInput, Conflict
from primeta.worlds.attention import simulate_attention
from primeta.worlds.attention_files import write_attention


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    world = simulate_attention("habit", customers=120, seed=5, weeks=10, touches_a_week=4.0)
    folder = tmp_path_factory.mktemp("attention") / "notices"
    return world, write_attention(world, folder), folder


def test_a_world_says_what_was_written_in_both_languages(made):
    _, told, _ = made
    assert "primeta attention replay --messages" in told.line()
    assert "мир внимания" in told.line("ru")
    assert told.as_dict()["rows"]["customers"] == 120


def test_broken_promises_of_the_truth_are_those_counted_by_hand(made):
    _, _, folder = made
    truth = json.loads((folder / "truth.json").read_text())
    promise = next(
        p for p in json.loads((folder / "promises.json").read_text()) if p["promise"] == "four-a-week"
    )
    assert (promise["channel"], promise["max"], promise["window"]) == ("email", 4, "7d")
    sent = defaultdict(list)
    for row in pq.read_table(folder / "data" / "messages.parquet").to_pylist():
        if not row["withheld"] and row["channel"] == "email":
            sent[row["customer_id"]].append((row["sent_at"], row["message_id"]))
    broken = []
    for messages in sent.values():
        messages.sort()
        for at, name in messages:
            inside = [other for other, _ in messages if at - timedelta(days=7) < other <= at]
            if len(inside) > 4:
                broken.append(name)
    assert broken
    assert sorted(broken) == truth["broken"]["four-a-week"]


def test_no_reaction_comes_to_what_was_withheld_and_nothing_is_sent_after_an_opt_out(made):
    _, _, folder = made
    messages = {
        row["message_id"]: row for row in pq.read_table(folder / "data" / "messages.parquet").to_pylist()
    }
    left = {}
    for row in pq.read_table(folder / "data" / "reactions.parquet").to_pylist():
        message = messages[row["message_id"]]
        assert not message["withheld"]
        assert row["happened_at"] >= message["sent_at"]
        if row["kind"] in ("unsubscribed", "complained"):
            left[message["customer_id"], message["channel"]] = row["happened_at"]
    for message in messages.values():
        at = left.get((message["customer_id"], message["channel"]))
        assert at is None or message["withheld"] or message["sent_at"] <= at


def test_the_truth_of_each_customer_is_a_probability_and_zero_once_he_opted_out(made):
    _, _, folder = made
    rows = pq.read_table(folder / "truth_customers.parquet").to_pylist()
    assert len(rows) == 240
    assert all(0 <= row["credit"] <= 1 for row in rows)
    assert all(row["credit"] == 0 for row in rows if row["opted_out"])


def test_a_folder_with_something_else_is_left_alone(made, tmp_path):
    world, _, _ = made
    (tmp_path / "diary.txt").write_text("mine")
    with pytest.raises(Conflict):
        write_attention(world, tmp_path)


def test_too_small_a_world_is_refused():
    with pytest.raises(BadInput, match="4 weeks at least"):
        simulate_attention("model", customers=10, seed=1, weeks=2)
