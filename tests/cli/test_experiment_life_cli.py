"""`primeta experiment list | show | declare | …`: an experiment through its life, as a person types it."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, date, datetime, timedelta
from hashlib import md5
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest

from primeta.workspace import open_workspace

FIRST, STARTS, DAYS = date(2026, 5, 4), date(2026, 7, 6), 100
CUSTOMERS, RATE, LIFT, BASKET = 2_000, 0.15, 1.6, 40.0
"""Orders a day of one customer, how many times more in the arm from the start on, money an order."""
FILE = """\
[workspace]
name = "Kalina"
currency = "RUB"
timezone = "UTC"
margin = 0.25
today = "facts"

[tables.customers]
from = "customers.parquet"

[tables.orders]
from = "orders.parquet"
"""
OFFER = """
[experiments.offer]
hypothesis = "A voucher brings more orders"
owner = "Anna"
entry = "list"
starts = 2026-07-06
ends = 2026-07-07
primary = "orders_per_customer"
window_days = 14
value = 10
segments = ["region"]
[experiments.offer.arms]
control = 0.5
voucher = { share = 0.5, cost = 1, what = "a voucher by mail" }
[experiments.offer.guardrails]
average_order_value = "-10%"
"""
DECLARED = (
    "hypothesis=Parcel lockers bring second orders", "owner=Oleg", "starts=2026-08-03", "ends=2026-09-14",
    "primary=orders_per_customer", "window_days=14", "arm.control=1/2", "arm.lockers.share=50%",
)  # fmt: skip


def in_the_arm(customer: str, salt: str = "offer") -> bool:
    """First 13 hexadecimal digits of md5(salt:id) over 2^52 (DESIGN §7); the control has the lower half."""
    return int(md5(f"{salt}:{customer}".encode()).hexdigest()[:13], 16) / 2**52 >= 0.5


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop whose customers in the arm `voucher` order more often from the start on."""
    folder = tmp_path_factory.mktemp("shop")
    rng = np.random.default_rng(7)
    names = [f"{place:05d}" for place in range(CUSTOMERS)]
    regions = rng.choice(["north", "south"], CUSTOMERS).tolist()
    pq.write_table(pa.table({"customer_id": names, "region": regions}), folder / "customers.parquet")
    rate = np.full((CUSTOMERS, DAYS), RATE)
    treated = np.array([in_the_arm(name) for name in names])
    rate[treated, (STARTS - FIRST).days :] *= LIFT
    rate[:, 0] = 1.0  # everybody is there from the first day on
    customer, day = np.nonzero(rng.random(rate.shape) < rate)
    at = [datetime(2026, 5, 4, 12, tzinfo=UTC) + timedelta(days=int(d)) for d in day]
    orders = pa.table(
        {
            "order_id": [f"o{place}" for place in range(len(day))],
            "customer_id": [names[place] for place in customer],
            "ordered_at": at,
            "revenue": np.round(rng.gamma(16.0, BASKET / 16.0, len(day)), 2),
        }
    )
    pq.write_table(orders, folder / "orders.parquet")
    path = folder / "primeta.toml"
    path.write_text(FILE, encoding="utf-8")
    ws = open_workspace(folder)
    ws.watch(now=datetime(2026, 11, 26, tzinfo=UTC))
    ws.close()
    path.write_text(FILE + OFFER, encoding="utf-8")
    return folder


@pytest.fixture
def run(primeta, monkeypatch: pytest.MonkeyPatch):
    """What a command says; its exit status is checked."""
    monkeypatch.setenv("LOGNAME", "anna")

    def call(verb: str, *arguments: str, status: int = 0) -> str:
        done = primeta("experiment", verb, *arguments)
        assert done.returncode == status, done.stderr
        if status == 2:
            assert done.stdout == ""
            assert "Traceback" not in done.stderr
            return done.stderr
        return done.stdout.replace("\u00a0", " ")

    return call


@pytest.fixture
def shop(built: Path, tmp_path: Path) -> str:
    return str(shutil.copytree(built, tmp_path / "shop"))


@pytest.fixture
def looked(run, shop: str) -> str:
    """The shop with the offer started and looked at."""
    run("sync", shop)
    run("start", shop, "offer")
    run("look", shop, "offer")
    return shop


def document(run, *arguments: str):
    return json.loads(run(*arguments, "--json"))


# The whole life


@pytest.mark.slow
def test_an_experiment_goes_from_the_file_to_everybody(run, shop):
    assert "offer is declared (version 1)" in run("sync", shop)
    assert "It was started 37 days after its first day" in run("start", shop, "offer", "--by", "Anna")
    found = document(run, "look", shop, "offer")
    # planted: 60% more orders for half of the customers
    assert (found["decision"]["state"], found["decision"]["arm"]) == ("scale", "voucher")
    primary = found["effects"][0]
    assert primary["low"] < RATE * 14 * (LIFT - 1) < primary["high"]
    told = run("list", shop)
    assert "WAITS FOR A DECISION" in told
    assert "Scale voucher" in told
    decided = document(run, "decide", shop, "offer", "--state", "scale", "--by", "Anna")
    assert (decided["decision"]["arm"], decided["decision"]["overruled"]) == ("voucher", False)
    assert "BEING ROLLED OUT" in run("list", shop)
    for share in (0.05, 0.25, 0.5, 1.0):
        assert document(run, "rollout", shop, "offer", "--by", "Oleg")["share"] == share
    shown = run("show", shop, "offer")
    assert "voucher goes to everybody." in shown
    assert shown.index("ROLLOUT") < shown.index("WHAT THE LAST STEP ASKED")
    assert "OVER" in run("list", shop)


def test_the_steps_of_a_rollout_print_what_their_gates_said(run, looked):
    run("decide", looked, "offer", "--state", "scale")
    told = run("rollout", looked, "offer", "--share", "5%")
    assert "voucher has reached 5% of the customers." in told
    assert "the last look shows no harm" in told
    assert told.count("passed") == 5
    run("rollout", looked, "offer", "--halt", "--reason", "the printer broke")
    assert "halted at 5%" in run("show", looked, "offer")
    assert "reopen it with a reason" in run("rollout", looked, "offer", status=2)
    run("rollout", looked, "offer", "--reopen", "--reason", "it is mended")
    steps = document(run, "show", looked, "offer")["steps"]
    assert [(step["state"], step["why"]) for step in steps] == [
        ("passed", ""),
        ("halted", "the printer broke"),
        ("reopened", "it is mended"),
    ]


def test_a_gate_that_fails_halts_and_leaves_with_status_1(run, looked):
    run("decide", looked, "offer", "--state", "scale")
    # fifty order ids twice, with other sums: the doctor finds what no total survives
    path = Path(looked) / "orders.parquet"
    orders = pq.read_table(path)
    some = orders.slice(0, 50)
    some = some.set_column(3, "revenue", pa.array([money + 1 for money in some["revenue"].to_pylist()]))
    pq.write_table(pa.concat_tables([orders, some]), path)
    told = run("rollout", looked, "offer", status=1)
    assert "FAILED" in told
    assert "The rollout of voucher is halted at 0% of the customers." in told
    assert document(run, "show", looked, "offer")["status"] == "halted"


def test_a_lesson_is_written_with_its_figures_and_found_again(run, looked):
    run("decide", looked, "offer", "--state", "futile", "--reason", "Vouchers are too dear to print")
    written = document(run, "lesson", looked, "offer", "Ask the printer first", "--by", "Oleg")
    assert (written["by"], written["figures"][0]["arm"]) == ("Oleg", "voucher")
    found = document(run, "lessons", looked, "printer")["lessons"]
    assert [lesson["text"] for lesson in found] == ["Ask the printer first"]
    told = run("lessons", looked)
    assert told.index("Ask the printer") < told.index("Vouchers are too dear")
    assert "voucher +" in told
    assert run("lessons", looked, "elephants").strip() == "No lesson with “elephants”."


def test_an_audience_is_everybody_whom_the_hash_puts_into_the_arm(run, shop, tmp_path):
    # the offer's own last day has passed, so it has no audience any more: one that still runs
    run("declare", shop, "lockers", *DECLARED, "entry=arrival", "starts=2026-08-03")
    run("start", shop, "lockers")
    out = tmp_path / "lockers.csv"
    done = document(run, "audience", shop, "lockers", "--arm", "lockers", "--out", str(out))
    ids = csv.read_csv(out, convert_options=csv.ConvertOptions(column_types={"customer_id": pa.string()}))
    expected = {f"{place:05d}" for place in range(CUSTOMERS) if in_the_arm(f"{place:05d}", "lockers")}
    assert set(ids["customer_id"].to_pylist()) == expected
    assert done["customers"] == len(expected)
    assert "customers in" in run("audience", shop, "lockers", "--arm", "control", "--out", str(out))


# Declaring


def test_a_declaration_keeps_what_is_not_named_and_takes_away_what_is_empty(run, shop):
    run(
        "declare", shop, "lockers", *DECLARED, "guardrail.average_order_value=-2%",
        "cap.orders_per_customer=20", "arm.lockers.cost=1.5", "arm.lockers.what=a locker near home",
    )  # fmt: skip
    first = document(run, "show", shop, "lockers")["plan"]
    assert first["arms"][1] == {
        "name": "lockers", "share": 0.5, "cost": 1.5, "what": "a locker near home", "control": False,
    }  # fmt: skip
    assert [goal["cap"] for goal in first["goals"]] == [20.0, None]
    changed = document(
        run, "declare", shop, "lockers", "power=90%", "cap.orders_per_customer=", "arm.lockers.cost=2"
    )
    assert changed["version"] == 2
    plan = changed["plan"]
    assert (plan["power"], plan["arms"][1]["cost"], plan["arms"][1]["share"]) == (0.9, 2.0, 0.5)
    assert [goal["cap"] for goal in plan["goals"]] == [None, None]
    guard = document(run, "declare", shop, "lockers", "guardrail.average_order_value=-4%")["plan"]["goals"][1]
    assert guard["margin"] == {"value": -0.04, "relative": True}
    gone = document(run, "declare", shop, "lockers", "guardrail.average_order_value=")
    assert [goal["role"] for goal in gone["plan"]["goals"]] == ["primary"]
    three = document(
        run, "declare", shop, "lockers", "arm.control=.2", "arm.lockers=.4", "arm.post.office.share=.4"
    )
    assert [arm["name"] for arm in three["plan"]["arms"]] == ["control", "lockers", "post.office"]
    two = document(run, "declare", shop, "lockers", "arm.post.office=", "arm.control=.5", "arm.lockers=.5")
    assert [arm["name"] for arm in two["plan"]["arms"]] == ["control", "lockers"]


def test_another_primary_metric_does_not_inherit_what_spoke_of_the_first(run, shop):
    run("declare", shop, "lockers", *DECLARED, "smallest_effect=.5", "value=10")
    goal = document(run, "declare", shop, "lockers", "primary=retention_30")["plan"]["goals"][0]
    assert (goal["window_days"], goal["value"], goal["smallest"]["relative"]) == (30, None, True)


def test_a_trend_gives_its_hypothesis_owner_and_metrics(run, primeta, shop):
    made = primeta("trend", "new", shop, "Lockers are asked for", "--by", "Anna", "--json")
    trend = json.loads(made.stdout)["id"]
    card = (
        "hypothesis=Lockers bring orders",
        "metrics=orders_per_customer,average_order_value",
        "owner=Anna",
    )
    primeta("trend", "edit", shop, trend, *card)
    rest = [change for change in DECLARED if not change.startswith(("hypothesis", "owner", "primary"))]
    plan = document(run, "declare", shop, "lockers", *rest, "--from-trend", "Lockers are")["plan"]
    assert (plan["trend"], plan["hypothesis"], plan["owner"]) == (trend, "Lockers bring orders", "Anna")
    assert [(goal["metric"], goal["role"]) for goal in plan["goals"]] == [
        ("orders_per_customer", "primary"),
        ("average_order_value", "secondary"),
    ]


def test_what_runs_is_not_altered_and_the_person_is_told(run, shop):
    run("declare", shop, "lockers", *DECLARED)
    run("start", shop, "lockers", "--version", "1")
    assert "never changed" in run("declare", shop, "lockers", "power=90%", status=2)
    shown = document(run, "show", shop, "lockers")
    assert (shown["version"], shown["draft"], shown["plan"]["power"]) == (1, 2, 0.8)
    assert "Version 2 is kept beside it" in run("stop", shop, "lockers", "--reason", "the wrong boxes")
    again = run("start", shop, "lockers")
    assert "version 2" in again
    assert "The lottery is that of version 1" in again


def test_a_changed_file_is_told_of_by_sync_until_it_is_settled(run, shop):
    run("sync", shop)
    assert run("sync", shop).strip() == "The file says nothing new."
    path = Path(shop) / "primeta.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("cost = 1,", "cost = 2,"), encoding="utf-8")
    assert document(run, "sync", shop) == {
        "notes": [{"experiment": "offer", "code": "changed", "version": 2, "runs": None}]
    }
    assert run("sync", shop, "--language", "ru").strip() == "В файле нет ничего нового."


# Size


def test_the_size_comes_from_the_shops_own_history(run, shop):
    run("declare", shop, "lockers", *DECLARED)
    found = document(run, "size", shop, "lockers")
    base = found["history"][0]
    # Six weeks of entering are pretended, and nearly all are there on the first of them: before the voucher
    assert base["mean"] == pytest.approx(14 * RATE, rel=0.05)
    assert (base["n_now"], found["entered"]) == (CUSTOMERS, CUSTOMERS)
    size = found["size"]
    assert size["effect"] == pytest.approx(0.02 * base["mean"])
    assert "never-enough" in found["warnings"]
    # the smallest effect goes with one over the root of the customers
    ratio = found["smallest_shown"] / size["effect"]
    assert ratio == pytest.approx((size["n_total"] / CUSTOMERS) ** 0.5, rel=0.01)


def test_a_size_in_words_says_where_the_plan_cannot_answer(run, shop):
    run(
        "declare",
        shop,
        "lockers",
        *DECLARED,
        "guardrail.average_order_value=-0.5%",
        "planned_n=1000",
        "entry=list",
    )
    told = run("size", shop, "lockers")
    assert "Only 2,000 customers are there." in told
    assert "It is to end at 1,000" in told
    assert "To show that Average order value, 14 days holds within 0.5%" in told
    russian = run("size", shop, "lockers", "--language", "ru")
    assert "Есть только 2 000 клиентов." in russian
    assert "наименьший заметный на них эффект" in russian
    assert "SIZE" in run("show", shop, "lockers")


@pytest.mark.slow
def test_what_an_answer_is_worth_takes_a_belief_and_a_value(run, shop):
    run("declare", shop, "lockers", *DECLARED)
    assert "no value of one unit" in run("size", shop, "lockers", "--belief", "1%:5%", status=2)
    run("declare", shop, "lockers", "value=10")
    size = document(run, "size", shop, "lockers", "--belief", "0:5%", "--customers-after", "100000")["size"]
    # of an effect that is as likely bad as good, knowing it is worth sd·value·φ(0) a customer
    sd = 0.05 * size["baseline"]
    assert size["worth_of_certainty"] == pytest.approx(1e5 * sd * 10 * 0.39894, rel=1e-3)
    assert "the answer is worth (a guess)" in run("size", shop, "lockers", "--belief", "0:5%")


def test_a_size_that_cannot_be_told_says_why(run, shop):
    run("declare", shop, "lockers", *DECLARED, "window_days=200")
    found = document(run, "size", shop, "lockers")
    assert found["size"] is None
    assert found["why_not"] == "short-history"
    assert "cannot be told" in run("size", shop, "lockers")


# Looks in words


def test_a_look_tells_decision_effects_segments_and_checks(run, looked):
    told = run("look", looked, "offer")
    for part in ("LOOK 1", "Scale voucher", "Orders per customer, 14 days (primary)", "(guardrail)", "SEGMENTS",
                 "region north", "CHECKS", "The arms are as large as planned"):  # fmt: skip
        assert part in told, part
    russian = run("show", looked, "offer", "--language", "ru")
    for part in ("ВЗГЛЯД 1", "Масштабировать voucher", "Заказов на клиента, 14 дней (главная)", "ПРОВЕРКИ",
                 "Размеры веток — как по плану", "отвечает"):  # fmt: skip
        assert part in russian, part


def test_the_same_facts_are_the_same_look(run, looked):
    assert document(run, "look", looked, "offer", "--refresh")["number"] == 1
    assert len(document(run, "show", looked, "offer")["looks"]) == 1


def test_a_person_who_overrules_the_figures_says_why_and_it_is_shown(run, looked):
    assert "say why you decide futile" in run("decide", looked, "offer", "--state", "futile", status=2)
    run("decide", looked, "offer", "--state", "futile", "--reason", "The shop closes", "--by", "Oleg")
    shown = run("show", looked, "offer")
    assert "The figures of look 1 said: scale voucher." in shown
    assert document(run, "show", looked, "offer")["decision"]["overruled"] is True


# The list


def test_the_list_is_empty_grouped_and_searched(run, shop):
    assert "No experiment yet." in run("list", shop)
    run("sync", shop)
    run("declare", shop, "lockers", *DECLARED)
    run("start", shop, "lockers")
    told = run("list", shop)
    assert told.index("RUNNING") < told.index("DRAFTS")
    assert [entry["name"] for entry in document(run, "list", shop, "--query", "parcel")["experiments"]] == [
        "lockers"
    ]
    assert [entry["name"] for entry in document(run, "list", shop, "--query", "ваучер")["experiments"]] == []
    assert [
        entry["name"] for entry in document(run, "list", shop, "--query", "заказов vouch")["experiments"]
    ] == ["offer"]
    assert "“elephants”" in run("list", shop, "--query", "elephants")
    assert "ЧЕРНОВИКИ" in run("list", shop, "--language", "ru")


def test_in_python_the_list_has_a_line_a_table_and_the_same_document(run, looked):
    ws = open_workspace(looked)
    found = ws.experiments(now=datetime(2026, 11, 26, tzinfo=UTC))
    assert found.line("en") == run("list", looked).splitlines()[0]
    assert found.table("ru").rows[0][0] == "offer"
    assert "<table" in found._repr_html_()
    assert [entry["name"] for entry in found.as_dict()["experiments"]] == ["offer"]
    sized = ws.size_experiment("offer", now=datetime(2026, 11, 26, tzinfo=UTC))
    picture = sized.picture("ru")
    assert picture is not None
    assert picture.title == sized.line("ru")
    ws.close()


def test_a_watch_takes_over_the_file_looks_and_the_digest_says_what_waits(primeta, run, shop):
    run("sync", shop)
    run("start", shop, "offer")
    path = Path(shop) / "primeta.toml"
    path.write_text(
        path.read_text(encoding="utf-8") + OFFER.replace("experiments.offer", "experiments.second"),
        encoding="utf-8",
    )
    report = json.loads(primeta("watch", shop, "--json").stdout)
    assert (report["looked"], report["looks_failed"], report["sync_failed"]) == (1, [], "")
    assert [(note["experiment"], note["code"]) for note in report["synced"]] == [("second", "new")]
    page = json.loads(primeta("digest", shop, "--json").stdout)
    assert [entry["name"] for entry in page["experiments"]] == ["offer"]
    assert "1 experiment waits for a decision" in page["headline"]
    told = primeta("digest", shop).stdout
    assert "EXPERIMENTS WITH AN ANSWER" in told
    assert "Scale voucher" in told
    russian = primeta("digest", shop, "--language", "ru", "--format", "markdown").stdout
    assert "1 эксперимент ждёт решения" in russian
    assert "Масштабировать voucher" in russian


def test_a_wrong_section_does_not_stop_a_watch(primeta, shop):
    path = Path(shop) / "primeta.toml"
    wrong = path.read_text(encoding="utf-8").replace('primary = "orders', 'primary = "ordres')
    path.write_text(wrong, encoding="utf-8")
    done = primeta("watch", shop, "--json")
    assert done.returncode == 0
    report = json.loads(done.stdout)
    assert "did you mean orders_per_customer" in report["sync_failed"]
    assert report["synced"] == []
    assert report["seen_until"].startswith("2026-08-12")


# Refusals: one message, status 2, nothing half-written


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("show", "{shop}", "nobody"), "no experiment 'nobody'"),
        (("show", "{shop}/nowhere", "offer"), "primeta.toml"),
        (("look", "{shop}", "offer"), "never started"),
        (("stop", "{shop}", "offer", "--reason", "x"), "never started"),
        (("stop", "{shop}", "offer", "--reason", " "), "--reason is empty"),
        (("stop", "{shop}", "offer"), "reason"),
        (("decide", "{shop}", "offer", "--state", "win"), "win"),
        (("decide", "{shop}", "offer", "--state", "harm", "--reason", "x"), "never started"),
        (("rollout", "{shop}", "offer"), "was not decided to be scaled"),
        (("rollout", "{shop}", "offer", "--share", "many"), "no share"),
        (("rollout", "{shop}", "offer", "--halt", "--reopen", "--reason", "x"), "contradict"),
        (("rollout", "{shop}", "offer", "--halt", "--share", "5%", "--reason", "x"), "--share is for a step"),
        (("rollout", "{shop}", "offer", "--halt"), "--reason is empty"),
        (("rollout", "{shop}", "offer", "--reason", "x"), "--reason belongs to"),
        (("lesson", "{shop}", "offer", "  "), "empty"),
        (("audience", "{shop}", "offer", "--arm", "voucher", "--out", "{shop}/a.csv"), "does not run"),
        (("audience", "{shop}", "offer", "--arm", "vocher", "--out", "{shop}/a.csv"), "has no arm"),
        (("start", "{shop}", "offer", "--version", "3"), "version 1"),
        (("start", "{shop}", "offer", "--revision", "7"), "changed meanwhile"),
        (("start", "{shop}", "offer", "--by", " "), "--by"),
        (("declare", "{shop}", "offer"), "nothing to change"),
        (("declare", "{shop}", "offer", "powr=90%"), "did you mean power"),
        (("declare", "{shop}", "offer", "elephant=1"), "arm.NAME.share"),
        (("declare", "{shop}", "offer", "power"), "KEY=VALUE"),
        (("declare", "{shop}", "offer", "arm.voucher.share=60%"), "sum to 1"),
        (("declare", "{shop}", "offer", "arm.=60%"), "'arm.'"),
        (("declare", "{shop}", "a b", "power=90%"), "letters, digits"),
        (("declare", "{shop}", "new", "power=90%", "--from-trend", "nothing"), "no trend"),
        (("declare", "{shop}", "offer", "power=90%", "--revision", "0"), "changed meanwhile"),
        (("size", "{shop}", "offer", "--belief", "2%"), "1%:2%"),
        (("size", "{shop}", "offer", "--belief", "a:b"), "a number was expected"),
        (("size", "{shop}", "offer", "--customers-after", "10"), "goes with --belief"),
        (("list", "{shop}", "--language", "de"), "de"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_message_and_changes_nothing(run, shop, arguments, says):
    run("sync", shop)
    before = document(run, "list", shop)
    assert says in run(*(part.format(shop=shop) for part in arguments), status=2)
    assert document(run, "list", shop) == before
    assert not (Path(shop) / "a.csv").exists()
