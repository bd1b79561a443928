"""Interviews: who is called, drawn how, what the guide asks, and reasons as numbers."""

from __future__ import annotations

import csv
import json
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import primeta as pm
from primeta.errors import BadInput, BadTable
from primeta.reactivation.interview_guide import MIDDLE, guide, parts_of
from primeta.reactivation.interviews_words import REASONS
from primeta.show.result import plain

AT = datetime(2025, 3, 1, 9, tzinfo=UTC)
UNTIL = date(2025, 8, 31)


def campaign(n: int = 60, **more):
    """Control and letter, n each. A third of the control and a half of the letter's come back within ten days; one
    in ten of each after the window."""
    assigned, orders, messages = [], [], []
    for arm, share in (("control", 3), ("letter", 2)):
        for at in range(n):
            name = f"{arm[0]}{at:03d}"
            assigned.append((name, arm, AT))
            orders.append((name, AT - timedelta(days=60 + at), 50.0 + at))
            if at % share == 0:
                orders.append((name, AT + timedelta(days=10), 80.0))
            elif at % 10 == 1:
                orders.append((name, AT + timedelta(days=50), 80.0))
            if arm == "letter":
                messages.append((f"m{at}", name, AT + timedelta(hours=1)))

    def table(names, rows):
        return pa.table(dict(zip(names, zip(*rows))))

    return {
        "orders": table(("customer_id", "ordered_at", "revenue"), orders),
        "assignments": table(("customer_id", "arm", "assigned_at"), assigned),
        "messages": table(("message_id", "customer_id", "sent_at"), messages),
        "until": UNTIL,
        "control": "control",
        **more,
    }


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    out = tmp_path_factory.mktemp("calls") / "calls.csv"
    return pm.interviews(**campaign(), out=out), out


def test_four_groups_are_told_apart_by_arm_and_return(drawn):
    found, _ = drawn
    groups = {group.stratum: group for group in found.groups}
    # by hand from campaign(60): of the control 20 return; of 6 at 1, 11 … 51 two (21, 51) return anyway, so 4 are late
    assert groups["self"].customers == 20
    assert groups["left"].customers == 36
    # of the letter 30 return, 6 more (all odd) are late
    assert groups["us"].customers == 30
    assert groups["silent"].customers == 24
    assert found.left_out["late"] == 10
    assert [group.calls for group in found.groups] == [8, 8, 8, 8]


def test_the_share_that_came_because_of_us_is_what_the_ladder_says(drawn):
    found, _ = drawn
    (row,) = found.by_us
    # 1 − (20/60)/(30/60)
    assert row.share == pytest.approx(1 / 3)
    assert row.low < row.share < row.high
    ladder = pm.ladder(**campaign(), window="30d", horizon="90d")
    (returners,) = ladder.facts.returners
    whole = returners.self_share + returners.induced_share
    assert row.share == pytest.approx(returners.induced_share / whole)


def test_the_same_people_are_drawn_again_and_others_by_another_seed(drawn):
    found, _ = drawn
    again = pm.interviews(**campaign())
    assert [call.call for call in again.calls] == [call.call for call in found.calls]
    assert plain(again.as_dict())["calls"] == plain(found.as_dict())["calls"]


def ids(path) -> dict[str, list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        stratum: [row["customer_id"] for row in rows if row["stratum"] == stratum]
        for stratum in ("left", "silent", "self", "us")
    }


def test_another_seed_draws_others_and_those_called_before_are_not_called_again(drawn, tmp_path):
    _, out = drawn
    other = tmp_path / "other.csv"
    pm.interviews(**campaign(), seed="second", out=other)
    assert ids(other) != ids(out)
    third = tmp_path / "third.csv"
    found = pm.interviews(**campaign(), called=out, out=third)
    assert not set(ids(third)["us"]) & set(ids(out)["us"])
    assert found.left_out["called"] == sum(len(names) for names in ids(out).values())


def test_calls_are_spread_over_value_and_silence(drawn):
    found, _ = drawn
    first = [call for call in found.calls if call.stratum == "left" and not call.reserve]
    # value and silence rise together in campaign(): two cells of eighteen, four calls each
    assert (
        sorted((call.value, call.silence) for call in first) == [("high", "high")] * 4 + [("low", "low")] * 4
    )
    assert {call.stands_for for call in first} == {18 / 4}


def test_ids_stand_in_the_exported_file_alone(drawn):
    found, out = drawn
    names = [name for group in ids(out).values() for name in group]
    text = json.dumps(plain(found.as_dict())) + found.line() + found.table().text()
    assert not [name for name in names if name in text]


def test_who_opted_out_or_gave_no_consent_is_not_called(tmp_path):
    reactions = pa.table(
        {
            "message_id": ["m0", "m2"],
            "kind": ["unsubscribed", "complained"],
            "happened_at": [AT + timedelta(days=1)] * 2,
        }
    )
    found = pm.interviews(**campaign(), reactions=reactions)
    assert found.left_out["opted-out"] == 2
    rows = [(f"c{at:03d}", "marketing", "email", "given", AT - timedelta(days=99)) for at in range(60)]
    rows.append(("c000", "marketing", "email", "withdrawn", AT - timedelta(days=1)))
    consents = pa.table(
        dict(zip(("customer_id", "processing", "channel", "state", "happened_at"), zip(*rows)))
    )
    found = pm.interviews(**campaign(), consents=consents)
    groups = {group.stratum: group for group in found.groups}
    assert (groups["self"].customers, groups["self"].may_call) == (20, 19)
    assert groups["us"].may_call == 0
    # the letter's 54 who belong to a group are without consent
    assert found.left_out["no-consent"] == 54


def test_without_a_control_nobody_is_said_to_have_come_because_of_us():
    given = campaign()
    given["control"] = ""
    found = pm.interviews(**given)
    assert found.by_us == ()
    assert "no control group" in found.table().text()
    assert "Контрольной группы не было" in found.table("ru").text()
    assert {group.stratum for group in found.groups if group.customers} == {"silent", "us"}


# The guide


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_the_guide_differs_by_group_and_never_leads(lang):
    middles = {MIDDLE[stratum][lang].asks for stratum in MIDDLE}
    assert len(middles) == 4
    for stratum in MIDDLE:
        for part in parts_of(stratum, lang)[1:]:
            for ask in part.asks:
                low = ask.lower()
                assert "why did you" not in low
                assert "почему вы" not in low
                assert "would you" not in low
                # a message or a discount is spoken of only after he has named it
                if "discount" in low or "скидк" in low:
                    assert ask.startswith(("(Only", "(Только"))
    assert guide(lang).count("\n# ") == 4
    assert 18 <= sum(part.minutes for part in parts_of("us", lang)) <= 25


def test_every_reason_has_its_words_in_both_languages():
    for words in REASONS.values():
        assert words["en"]
        assert words["ru"]


# Answers


def answered(out, tmp_path, rows, name="answers.csv"):
    path = tmp_path / name
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["call", "said_at", "reason", "quote", "would_return", "coder"])
        writer.writerows(rows)
    return path


def test_shares_know_how_many_customers_each_stands_for(drawn, tmp_path):
    _, out = drawn
    rows = [(f"A{n}", "2025-05-01", "quality", "", "no", "") for n in range(1, 5)]
    rows += [(f"B{n}", "2025-05-01", "price, forgot", "“too dear”", "да", "") for n in range(1, 3)]
    found = pm.interviews(**campaign(), calls=out, answers=answered(out, tmp_path, rows))
    told = found.reasons
    shares = {(row.reason, row.stratum): row for row in told.shares}
    # A stands for 36 customers, B for 24: 36/60 and 24/60
    assert shares["quality", ""].share == pytest.approx(36 / 60)
    assert shares["price", ""].share == shares["forgot", ""].share == pytest.approx(24 / 60)
    assert shares["quality", "left"].share == 1.0
    assert 0 < shares["quality", ""].low < 36 / 60 < shares["quality", ""].high < 1
    assert {row.stratum: row.share for row in told.would_return} == {
        "": pytest.approx(0.4),
        "left": 0.0,
        "silent": 1.0,
    }
    document = plain(found.as_dict())
    assert document["answered"] == 6
    assert document["quotes"][0]["call"] == "B1"
    assert "“too dear”" in document["quotes"][0]["quote"]
    assert "tell little" in told.table().text()


def test_a_reason_of_two_coders_counts_where_half_of_them_gave_it_and_kappa_is_cohens(drawn, tmp_path):
    _, out = drawn
    # the textbook's .4 by reason "price": both yes 4, both no 3, apart 1 and 2 of 10: (.7 − .5)/(1 − .5)
    first = [True] * 4 + [True] * 1 + [False] * 2 + [False] * 3
    second = [True] * 4 + [False] * 1 + [True] * 2 + [False] * 3
    calls = [f"A{n}" for n in range(1, 11)]
    rows = []
    for call, one, two in zip(calls, first, second):
        rows.append((call, "2025-05-01", "price" if one else "forgot", "", "", "anna"))
        rows.append((call, "2025-05-01", "price" if two else "forgot", "", "", "boris"))
    found = pm.interviews(**campaign(), calls=out, answers=answered(out, tmp_path, rows)).reasons
    kappa = {row.reason: row for row in found.agreement}
    assert kappa["price"].people == 10
    assert kappa["price"].kappa == pytest.approx(0.4)
    assert "agree poorly" in found.table().text()
    # 4 by both and 3 by one of two
    assert next(row for row in found.shares if row.reason == "price").people == 7


def test_what_they_did_later_is_told_of_five_people_and_not_of_four(drawn, tmp_path):
    _, out = drawn
    with out.open(encoding="utf-8", newline="") as file:
        names = {row["call"]: row["customer_id"] for row in csv.DictReader(file)}
    calls = [f"A{n}" for n in range(1, 10)]
    rows = [(call, "2025-05-01", "price" if at < 5 else "moved", "", "", "") for at, call in enumerate(calls)]
    given = campaign()
    later = datetime(2025, 6, 1, tzinfo=UTC)
    more = pa.table(
        {
            "customer_id": [names["A1"], names["A2"]],
            "ordered_at": [later, datetime(2025, 8, 20, tzinfo=UTC)],
            "revenue": [200.0, 900.0],
        }
    )
    given["orders"] = pa.concat_tables([given["orders"], more], promote_options="permissive")
    told = pm.interviews(**given, calls=out, answers=answered(out, tmp_path, rows), after="60d").reasons
    found = {row.reason: row for row in told.later}
    # A1 ordered within 60 days, A2 after them
    assert (found["price"].people, found["price"].ordered, found["price"].revenue) == (5, 1, 40.0)
    assert found["moved"].why_not == "few"
    assert found[""].people == 9
    # whose talk was too late to be followed is not counted
    late = [(call, "2025-08-01", "price", "", "", "") for call in calls]
    told = pm.interviews(**given, calls=out, answers=answered(out, tmp_path, late), after="60d").reasons
    assert told.later[0].people == 0


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("A1", "2025-05-01", "prise", "", "", ""), "row 1: no reason is called 'prise'. Is it 'price'"),
        (("A1", "soon", "price", "", "", ""), "row 1: said_at 'soon' is no time"),
        (("", "2025-05-01", "price", "", "", ""), "row 1: neither call nor customer_id"),
    ],
)
def test_an_answer_that_cannot_be_names_its_row(drawn, tmp_path, row, message):
    _, out = drawn
    with pytest.raises(BadTable) as error:
        pm.interviews(**campaign(), calls=out, answers=answered(out, tmp_path, [row]))
    assert message in str(error.value)


def test_a_reason_of_ones_own_is_added(drawn, tmp_path):
    _, out = drawn
    rows = [("A1", "2025-05-01", "wedding", "", "", "")]
    found = pm.interviews(
        **campaign(), calls=out, answers=answered(out, tmp_path, rows), codes={"wedding": "got married"}
    )
    assert "got married" in found.line()


def test_answers_of_strangers_are_counted_apart(drawn, tmp_path):
    _, out = drawn
    found = pm.interviews(
        **campaign(), calls=out, answers=answered(out, tmp_path, [("Z9", "2025-05-01", "price", "", "", "")])
    )
    assert found.reasons.why_not == "no-answers"
    assert found.as_dict()["not_on_list"] == 1


def test_bad_input_is_one_message():
    with pytest.raises(BadInput, match="--control nobody: no such arm"):
        pm.interviews(**{**campaign(), "control": "nobody"})
    with pytest.raises(BadInput, match="--each 0"):
        pm.interviews(**campaign(), each=0)
    with pytest.raises(BadInput, match="--reactions need --messages"):
        given = campaign()
        del given["messages"]
        pm.interviews(
            **given, reactions=pa.table({"message_id": ["m"], "kind": ["opened"], "happened_at": [AT]})
        )
    twice = campaign()
    row = pa.table({"customer_id": ["c000"], "arm": ["letter"], "assigned_at": [AT + timedelta(days=3)]})
    twice["assignments"] = pa.concat_tables([twice["assignments"], row], promote_options="permissive")
    with pytest.raises(BadTable, match="'c000' was assigned to several arms"):
        pm.interviews(**twice)


def test_follow_up_shorter_than_the_window_calls_nobody():
    found = pm.interviews(**{**campaign(), "until": date(2025, 3, 10)})
    assert found.why_not == "nobody"
    assert found.left_out["early"] == 120
    assert "nobody to call" in found.line()


def test_a_small_group_is_called_whole(tmp_path):
    out = tmp_path / "few.parquet"
    found = pm.interviews(**campaign(9), out=out)
    groups = {group.stratum: group for group in found.groups}
    # control: 0, 3, 6 return; 1 is late
    assert groups["self"].calls == groups["self"].customers == 3
    assert pq.read_table(out)["stands_for"].to_pylist() == [call.stands_for for call in found.calls]
