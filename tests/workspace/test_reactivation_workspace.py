"""Ladders and lapse of a workspace: what files give, kept until facts or questions change, told apart by campaign."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import primeta as pm
from primeta.errors import BadConfig, BadInput, NotFound, Refused
from primeta.reactivation.records import LadderFacts
from primeta.show.result import plain
from primeta.workspace import open_workspace
from primeta.workspace.looks import entered_file
from primeta.workspace.reactivation import ladder_of_all, until_of
from primeta.workspace.reactivation_kept import decoded, encoded, keep, kept

FIRST, STARTS, LAST = date(2026, 1, 5), date(2026, 6, 1), date(2026, 11, 15)
NOW = datetime(2026, 11, 16, 6, tzinfo=UTC)
TOML = """\
[workspace]
name = "Kalina"
currency = "RUB"
timezone = "Europe/Moscow"
margin = 0.4

[tables.customers]
from = "customers.parquet"

[tables.orders]
from = "orders.parquet"

[tables.messages]
from = "messages.parquet"

[reactivation]
window_days = 28
horizon_days = 140

[reactivation.promo_codes.win_back]
letter = "BACK"

[experiments.win_back]
hypothesis = "A letter brings some back"
owner = "Anna"
entry = "list"
starts = 2026-06-01
ends = 2026-06-02
primary = "revenue_per_customer"
window_days = 28
segments = ["region"]
[experiments.win_back.arms]
control = 0.5
letter = { share = 0.5, cost = 2, what = "a letter" }
"""


def write(folder: Path, *, customers: int = 400, last: date = LAST, seed: int = 4) -> None:
    """Customers who order now and then; messages of the experiment and of a campaign without a control."""
    rng = np.random.default_rng(seed)
    names = [f"c{place:04d}" for place in range(customers)]
    regions = rng.choice(["north", "south"], customers)
    orders, messages = [], []
    for place, name in enumerate(names):
        for day in np.flatnonzero(rng.random(320) < 0.04):
            at = datetime(2026, 1, 5, int(rng.integers(7, 20)), tzinfo=UTC) + timedelta(days=int(day))
            price, code = float(rng.gamma(4, 250)), rng.random() < 0.2
            orders.append(
                {
                    "order_id": f"o{len(orders)}",
                    "customer_id": name,
                    "ordered_at": at,
                    "revenue": round(price * (0.9 if code else 1.0), 2),
                    "discount": round(price * 0.1, 2) if code else 0.0,
                    "promo_code": "BACK" if code and at.date() >= STARTS else None,
                }
            )
        if place % 3 == 0:
            sent = datetime(2026, 3, 2, 9, tzinfo=UTC)
            messages.append(message(f"m{place}", name, sent, "spring sms"))
        messages.append(message(f"w{place}", name, datetime(2026, 6, 3, 9, tzinfo=UTC), "Win_Back"))
    orders = [order for order in orders if order["ordered_at"].date() <= last]
    pq.write_table(pa.table({"customer_id": names, "region": regions.tolist()}), folder / "customers.parquet")
    pq.write_table(pa.Table.from_pylist(orders), folder / "orders.parquet")
    pq.write_table(pa.Table.from_pylist(messages), folder / "messages.parquet")


def message(identity: str, customer: str, at: datetime, campaign: str) -> dict[str, object]:
    return {
        "message_id": identity,
        "customer_id": customer,
        "sent_at": at,
        "channel": "mail",
        "campaign": campaign,
    }


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose experiment was started and looked at."""
    folder = tmp_path_factory.mktemp("reactivation")
    write(folder)
    (folder / "primeta.toml").write_text(TOML, encoding="utf-8")
    ws = open_workspace(folder)
    ws.sync_experiments(now=NOW)
    day = datetime(2026, 6, 1, 6, tzinfo=UTC)
    ws.start_experiment("win_back", by="Anna", now=day)
    ws.look("win_back", now=NOW)
    ws.close()
    return folder


@pytest.fixture(scope="module")
def measured(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with every ladder and the flow worked out; nothing in it is changed."""
    folder = Path(shutil.copytree(built, tmp_path_factory.mktemp("measured") / "ws"))
    ws = open_workspace(folder)
    assert ladder_of_all(ws, now=NOW) == (2, ())
    ws.lapse(now=NOW)
    ws.close()
    return folder


@pytest.fixture
def folder(built: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(built, tmp_path / "ws"))


# Which campaigns


def test_experiments_come_first_and_messages_under_their_name_are_theirs(built: Path):
    ws = open_workspace(built)
    found = ws.campaigns(now=NOW)
    assert [(view.name, view.kind, view.control) for view in found] == [
        ("win_back", "experiment", "control"),
        ("spring sms", "messages", ""),
    ]
    assert found[0].what == {"letter": "a letter"}
    # every third of 400 customers had the sms
    assert found[1].customers == 134
    ws.close()


def test_names_are_found_whatever_their_case_and_others_are_not(built: Path):
    ws = open_workspace(built)
    assert ws.campaign("Win_Back", now=NOW).name == "win_back"
    with pytest.raises(NotFound, match=r"no campaign 'autumn'.*win_back, spring sms"):
        ws.campaign("autumn", now=NOW)
    ws.close()


def test_before_the_first_watch_nothing_is_there_and_a_ladder_says_what_to_run(tmp_path: Path):
    write(tmp_path)
    (tmp_path / "primeta.toml").write_text(TOML, encoding="utf-8")
    ws = open_workspace(tmp_path)
    assert ws.campaigns(now=NOW) == ()
    assert ws.kept_lapse() is None
    with pytest.raises(Refused, match="primeta watch"):
        ws.lapse(now=NOW)
    ws.close()


# The ladder


def test_a_workspace_gives_the_numbers_that_its_files_give(measured: Path):
    """The same customers, orders and options through `pm.ladder`: every rung is the same to the last digits."""
    ws = open_workspace(measured)
    found = ws.ladder("win_back", now=NOW)
    everybody = pq.read_table(entered_file(ws, "win_back", 1)).to_pylist()
    people = [row for row in everybody if row["arm"]]
    # Moscow's midnight of 1 June is 21:00 UTC of 31 May
    at = datetime(2026, 5, 31, 21, tzinfo=UTC)
    assigned = pa.table(
        {
            "experiment": ["win_back"] * len(people),
            "customer_id": [row["customer_id"] for row in people],
            "arm": [row["arm"] for row in people],
            "assigned_at": [at] * len(people),
            "region": [row["attribute_region"] for row in people],
        }
    )
    sent = [
        row
        for row in pq.read_table(measured / "messages.parquet").to_pylist()
        if row["campaign"] == "Win_Back"
    ]
    given = pm.ladder(
        pq.read_table(measured / "orders.parquet"),
        assigned,
        messages=pa.Table.from_pylist(sent),
        control="control",
        window=28,
        horizon=140,
        until=found.facts.campaign.until,
        margin=0.4,
        by="region",
        promo_code={"letter": "BACK"},
        contact_cost={"letter": 2.0},
        timezone="Europe/Moscow",
        shares={"control": 0.5, "letter": 0.5},
        currency="RUB",
    )
    assert len(found.facts.rungs) == 5
    for mine, theirs in zip(found.facts.rungs, given.facts.rungs, strict=True):
        assert (mine.rung, mine.arm, mine.n, mine.why_not) == (
            theirs.rung,
            theirs.arm,
            theirs.n,
            theirs.why_not,
        )
        for name in ("value_per_assigned", "low", "high", "money", "control"):
            assert getattr(mine, name) == pytest.approx(getattr(theirs, name), rel=1e-9, nan_ok=True), name
    assert [part.segment for part in found.facts.segments] == ["north", "south"]
    ws.close()


def test_what_has_been_worked_out_is_kept_and_comes_back_the_same(measured: Path):
    ws = open_workspace(measured)
    view = ws.campaign("win_back", now=NOW)
    assert view.kept is not None
    assert not view.kept.stale
    # of 400 customers one had not ordered before the first day, so he was not there to be drawn
    assert view.customers == 399
    assert view.reached is not None
    assert view.reached >= 2
    assert ladder_of_all(ws, now=NOW) == (0, ())
    fresh = ws.ladder("win_back", now=NOW, fresh=True)
    again = ws.campaign("win_back", now=NOW).kept
    assert again is not None
    # JSON of the terminal is the same whether it was just worked out or read back
    assert json.dumps(plain(again.ladder.as_dict())) == json.dumps(plain(fresh.as_dict()))
    ws.close()


def test_new_facts_and_other_settings_make_a_ladder_stale(measured: Path, tmp_path: Path):
    folder = Path(shutil.copytree(measured, tmp_path / "ws"))
    text = (folder / "primeta.toml").read_text(encoding="utf-8")
    (folder / "primeta.toml").write_text(
        text.replace("window_days = 28\nhorizon", "window_days = 14\nhorizon")
    )
    ws = open_workspace(folder)
    view = ws.campaign("win_back", now=NOW)
    assert view.kept is not None
    assert view.kept.stale
    assert ws.ladder("win_back", now=NOW).facts.campaign.window_days == 14
    after = ws.campaign("win_back", now=NOW)
    assert after.kept is not None
    assert not after.kept.stale
    ws.close()


def test_an_answer_to_another_question_is_not_kept(folder: Path):
    ws = open_workspace(folder)
    assert ws.ladder("win_back", now=NOW, window_days=7).facts.campaign.window_days == 7
    assert ws.campaign("win_back", now=NOW).kept is None
    ws.close()


def test_only_what_was_written_down_at_entry_splits(folder: Path):
    ws = open_workspace(folder)
    with pytest.raises(BadInput, match=r"cannot be split by 'age'.*region"):
        ws.ladder("win_back", now=NOW, by="age")
    ws.close()


def test_a_campaign_that_was_only_sent_stops_at_rung_one(measured: Path):
    ws = open_workspace(measured)
    facts = ws.ladder("spring sms", now=NOW).facts
    assert facts.arms == ("spring sms",)
    assert facts.n == (134,)
    assert {rung.rung for rung in facts.rungs if rung.why_not == "no-control"} == {2, 3, 4}
    claimed = [rung for rung in facts.rungs if rung.rung < 2]
    # Moscow: sent on 2 March at 09:00 UTC; orders of the 28 days after it, 40% of list price less the discount
    orders = pq.read_table(measured / "orders.parquet").to_pylist()
    sent = datetime(2026, 3, 2, 9, tzinfo=UTC)
    mine = [
        order
        for order in orders
        if int(order["customer_id"][1:]) % 3 == 0 and sent <= order["ordered_at"] < sent + timedelta(days=28)
    ]
    money = sum(order["revenue"] - 0.6 * (order["revenue"] + order["discount"]) for order in mine)
    assert claimed[0].money == pytest.approx(money, rel=1e-9)
    view = ws.campaign("spring sms", now=NOW)
    assert view.reached == 1
    ws.close()


@pytest.mark.slow
def test_a_job_works_out_every_ladder_and_the_flow(folder: Path):
    from primeta.web.serve import work

    ws = open_workspace(folder)
    jobs = [ws.start_job(kind, now=datetime.now(UTC)) for kind in ("ladder", "lapse")]
    work(folder, once=True)
    assert [ws.job(job.id).state for job in jobs] == ["done", "done"]
    assert ws.job(jobs[0].id).result == {"ladders": 2}
    assert all(view.kept for view in ws.campaigns(now=NOW))
    flow = ws.kept_lapse()
    assert flow is not None
    assert flow.lapse.customers == 400
    ws.close()


# Lapse


def test_lapse_is_kept_and_other_days_are_asked_anew(measured: Path):
    ws = open_workspace(measured)
    found = ws.lapse(now=NOW, fresh=True)
    again = ws.kept_lapse()
    assert again is not None
    assert not again.stale
    assert again.lapse.as_dict() == found.as_dict()
    assert sum(found.states.values()) == 400
    assert ws.lapse(now=NOW, days=45).fixed.days == 45
    assert ws.lapse(now=NOW).fixed.days == 90
    ws.close()


# What is kept


def test_what_another_version_wrote_is_worked_out_again(tmp_path: Path):
    place = tmp_path / "ladder.json"
    place.write_text('{"format": 0, "mark": "x", "at": "2026-01-01T00:00:00+00:00", "record": {}}')
    assert kept(place, LadderFacts) is None
    place.write_text("no json")
    assert kept(place, LadderFacts) is None
    assert kept(tmp_path / "nothing.json", LadderFacts) is None


def test_every_part_of_a_ladder_comes_back_from_json(measured: Path, tmp_path: Path):
    ws = open_workspace(measured)
    facts = ws.ladder("win_back", now=NOW).facts
    text = json.dumps(encoded(facts), allow_nan=False)
    back = decoded(LadderFacts, json.loads(text))
    assert encoded(back) == encoded(facts)
    assert back.curves[0].modelled.dtype == bool
    keep(tmp_path / "x" / "one.json", facts, mark="m", at=NOW)
    found = kept(tmp_path / "x" / "one.json", LadderFacts)
    assert found is not None
    assert (found.mark, found.at) == ("m", NOW)
    ws.close()


# The file


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("window_days = 0", r"window_days: days from 1 to 366"),
        ("window_days = 200\nhorizon_days = 100", r"the horizon \(100 days\) is shorter than the window"),
        ("codes = 1", r"codes: this key is not known"),
        ('promo_codes = "BACK"', r"a section \[reactivation.promo_codes\] was expected"),
        ("annual_discount = -1", r"annual_discount: a number from 0 to 10"),
    ],
)
def test_settings_are_checked_key_by_key(tmp_path: Path, line: str, message: str):
    text = TOML[: TOML.index("[reactivation]")] + "[reactivation]\n" + line + "\n"
    (tmp_path / "primeta.toml").write_text(text, encoding="utf-8")
    with pytest.raises(BadConfig, match=message):
        open_workspace(tmp_path)


def test_the_log_ends_with_its_last_whole_day(built: Path):
    from primeta.warehouse.facts_store import load_facts

    facts = load_facts(built / "facts")
    assert facts is not None
    assert until_of(facts) in (LAST, LAST - timedelta(days=1))
