"""Who no longer looks: counted and listed from the credit that is kept, ids only in the file."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

import primeta as pm
from primeta.attention.credit import CreditEvent, credit_of, state_of
from primeta.attention.credit_history import credit_history
from primeta.attention.credit_kept import pack_credit
from primeta.attention.credit_model import CreditModel
from primeta.attention.records import Policy
from primeta.cli.attention_blind import blind
from primeta.store.attention_state import save_credit
from primeta.workspace.attention_blind import blind_base
from primeta.workspace.attention_credit import alarm_of
from primeta.workspace.attention_ledger import record

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
BLANK = credit_of(None, model=CreditModel.prior(), channel="push", at=NOW, policy=Policy())


@pytest.fixture
def shop(tmp_path: Path):
    (tmp_path / "primeta.toml").write_text(
        '[workspace]\nname = "X"\nlanguage = "en"\ncurrency = "USD"\ntimezone = "UTC"\n', encoding="utf-8"
    )
    return pm.open(tmp_path)


def kept(shop, rests: dict[str, datetime | None]) -> None:
    events = [
        {
            "key": f"k-{customer}", "kind": "touch", "customer_id": customer,
            "happened_at": (NOW - timedelta(days=9)).isoformat(),
            "payload": {"message_id": f"m-{customer}", "channel": "push", "purpose": "useful"},
        }
        for customer in rests
    ]  # fmt: skip
    file = shop.folder / "events.jsonl"
    file.write_text("\n".join(map(json.dumps, events)), encoding="utf-8")
    from primeta.workspace.attention_ledger import read_events

    record(shop, read_events(str(file), by="test", zone=shop.config.zone), now=NOW)
    packed = {
        customer: pack_credit(
            {"push": replace(BLANK, blind=0.8, touches=12, rest_until=until)}, policy=Policy(), at=NOW
        )
        for customer, until in rests.items()
    }
    with shop.database.write() as connection:
        save_credit(connection, packed, at=NOW)


def test_the_blind_are_counted_and_written_with_ids_into_the_file_only(shop, tmp_path: Path, capsys):
    kept(shop, {"anna": NOW + timedelta(days=10), "boris": NOW - timedelta(days=1), "vera": None})
    out = tmp_path / "blind.csv"
    found = blind_base(shop, now=NOW, out=out)
    (push,) = found.channels
    # two of three alarmed, the rest of one is over
    assert (push.customers, push.alarmed, push.resting) == (3, 2, 1)
    rows = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    assert [row["customer_id"] for row in rows] == ["anna", "boris"]
    said = (
        found.line("ru")
        + found.table("ru").text()
        + found.line("en")
        + json.dumps(found.as_dict(), default=str)
    )
    assert "anna" not in said
    assert "boris" not in said
    assert "2 из 3" in found.line("ru").replace("\xa0", " ")
    blind(shop.folder, json=True)
    assert json.loads(capsys.readouterr().out)["channels"][0]["alarmed"] == 2
    blind(shop.folder)
    assert "2 of 3 customers" in capsys.readouterr().out


def test_without_kept_credit_it_is_said_what_to_do(shop):
    found = blind_base(shop, now=NOW)
    assert found.as_dict()["why_not"] == "not-synced"
    assert "attention sync" in found.line()


def test_an_alarm_of_one_says_until_when_he_rests():
    told = alarm_of(
        "c", "push", credit=replace(BLANK, rest_until=NOW + timedelta(days=9)), unanswered=7, at=NOW
    )
    assert told is not None
    assert told.probe_at == NOW + timedelta(days=9)
    assert told.rest_days == pytest.approx(9)
    assert alarm_of("c", "push", credit=BLANK, unanswered=7, at=NOW) is None


def test_credit_over_time_knows_nothing_that_came_later():
    model = CreditModel.prior()
    sent = [NOW - timedelta(days=40 - 4 * n) for n in range(10)]
    events = [
        CreditEvent(kind="touch", at=at, channel="push", purpose="useful", message_id=f"m{n}")
        for n, at in enumerate(sent)
    ]
    events.append(
        CreditEvent(kind="welcomed", at=sent[6] + timedelta(hours=3), channel="push", message_id="m6")
    )
    events.append(
        CreditEvent(kind="drove-away", at=sent[9] + timedelta(hours=1), channel="push", message_id="m9")
    )
    told = credit_history(reversed(events), model=model, channel="push", until=NOW)
    assert [point.came for point in told.points] == ["silent"] * 6 + ["welcomed"] + ["silent"] * 2 + [
        "drove-away",
        "open",
    ]
    for point in told.points[:-1]:
        known = [event for event in events if event.at < point.at]
        state = state_of(known, model=model, until=point.at)
        credit = credit_of(state, model=model, channel="push", at=point.at, policy=Policy())
        assert point.value == pytest.approx(credit.value)
    # it falls in silence and rises with the welcome
    values = np.array([point.value for point in told.points])
    assert (np.diff(values[:6]) < 0).all()
    assert values[7] > values[6]
    assert len(told.table("ru").rows) == 10
    assert "сообщений 10, откликов 1" in told.line("ru").replace("\xa0", " ")
    drawn = told.picture("ru").specification("light", width=700)
    assert drawn["layer"]
    nothing = credit_history([], model=model, channel="sms", until=NOW)
    assert "ничего не отправляли" in nothing.line("ru")
    assert nothing.picture("en").specification("dark", width=360)["layer"]
