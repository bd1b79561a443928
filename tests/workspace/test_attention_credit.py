"""Credit of one customer over a workspace's facts."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from primeta.attention.credit import CreditModel
from primeta.errors import NotFound
from primeta.workspace import open_workspace
from primeta.workspace.attention_credit import (
    FORMAT,
    KEPT,
    credit_model,
    customer_credit,
    facts_of,
    kept_model,
    touches_of,
)
from primeta.worlds.attention import simulate_attention
from primeta.worlds.attention_files import write_attention

NOW = datetime(2025, 4, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("credit") / "shop"
    write_attention(simulate_attention("shade", customers=60, seed=3, weeks=8), folder)
    ws = open_workspace(folder)
    facts = facts_of(ws, now=NOW)
    keep(ws, CreditModel.prior(), at=NOW - timedelta(days=1), facts=facts.version)
    yield ws
    ws.close()


def keep(ws, model: CreditModel, *, at: datetime, facts: str) -> None:
    path = ws.folder / KEPT
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        json.dumps({"format": FORMAT, "at": at.isoformat(), "facts": facts, "model": model.as_dict()})
    )


def test_each_channel_on_which_he_was_written_to_has_its_credit(shop):
    log = touches_of(facts_of(shop, now=NOW), until=NOW)
    customer = log.customers[4]
    told = customer_credit(shop, customer, now=NOW)
    mine = sorted({log.channels[code] for code in log.channel[log.customer == 4]})
    assert [entry.channel for entry in told.channels] == mine
    assert sum(entry.credit.touches for entry in told.channels) == int((log.customer == 4).sum())
    assert all(entry.credit.low <= entry.credit.value <= entry.credit.high for entry in told.channels)
    # in a history it is asked for at its last fact
    assert told.as_of == facts_of(shop, now=NOW).seen_until
    assert told.table("ru").heads[1].text == "Кредит внимания"
    assert json.dumps(told.as_dict(), default=str)


def test_a_stranger_has_the_credit_of_a_new_customer_and_it_is_said(shop):
    told = customer_credit(shop, "stranger", now=NOW)
    assert not told.known
    assert "Nothing has been sent to stranger yet" in told.line()
    assert "ещё ничего не отправляли" in told.line("ru")
    assert {entry.credit.model for entry in told.channels} == {"prior"}
    # the first touches are useful ones
    assert {entry.credit.level for entry in told.channels} == {"useful"}


def test_a_channel_on_which_he_was_never_written_to_is_named(shop):
    with pytest.raises(NotFound, match="never written to on 'pigeon'"):
        customer_credit(shop, "c0000004", now=NOW, channel="pigeon")


def test_an_alarm_says_how_long_to_rest(shop):
    model = replace(CreditModel.prior(), alarm_above=-99.0)
    keep(shop, model, at=NOW, facts=facts_of(shop, now=NOW).version)
    try:
        told = customer_credit(shop, "c0000004", now=NOW)
        raised = [entry for entry in told.channels if entry.alarm is not None]
        assert raised
        assert "then send one useful message on" in told.line()
        assert "одно полезное сообщение" in told.line("ru")
        assert 0 < raised[0].as_dict()["rest_days"] <= 120
    finally:
        keep(shop, CreditModel.prior(), at=NOW, facts=facts_of(shop, now=NOW).version)


def test_the_kept_model_is_used_while_it_is_young_or_of_these_facts(shop):
    old = replace(CreditModel.prior(), alarm_above=0.77)
    keep(shop, old, at=NOW - timedelta(days=300), facts=facts_of(shop, now=NOW).version)
    assert credit_model(shop, now=NOW).alarm_above == 0.77
    keep(shop, old, at=NOW - timedelta(days=2), facts="others")
    assert credit_model(shop, now=NOW).alarm_above == 0.77


def test_a_spoilt_or_foreign_file_counts_as_none(tmp_path):
    path = tmp_path / KEPT
    path.parent.mkdir(parents=True)
    for text in ("{", '{"format": 99}', "[]"):
        path.write_text(text)
        assert kept_model(tmp_path) is None


@pytest.mark.slow
def test_a_model_is_learnt_and_kept_where_there_is_none(tmp_path):
    folder = tmp_path / "shop"
    write_attention(simulate_attention("model", customers=60, seed=3, weeks=8), folder)
    ws = open_workspace(folder)
    model = credit_model(ws, now=NOW)
    kept = kept_model(folder)
    assert kept is not None
    assert kept.model.as_dict() == model.as_dict()
    ws.close()
