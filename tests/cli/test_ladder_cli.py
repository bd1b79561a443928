"""`primeta reactivation ladder` as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, ...]:
    orders = ["client,ordered_at,revenue,discount,promo_code"]
    assigned = ["client,arm,assigned_at"]
    for at in range(80):
        arm = "none" if at < 40 else "mail"
        assigned.append(f"{at:03d},{arm},2026-01-01")
        # one in eight of the control comes back, one in four of the mailed, with 10 off the list price of 100
        if at % (8 if at < 40 else 4) == 0:
            orders.append(
                f"{at:03d},2026-01-{2 + at % 10:02d},{100 if at < 40 else 90},{0 if at < 40 else 10},BACK"
            )
    (tmp_path / "orders.csv").write_text("\n".join(orders) + "\n")
    (tmp_path / "assigned.csv").write_text("\n".join(assigned) + "\n")
    return (
        "reactivation", "ladder", "--orders", str(tmp_path / "orders.csv"), "--assignments", str(tmp_path / "assigned.csv"),
        "--columns", "customer_id=client", "--window", "14d", "--horizon", "84d", "--until", "2026-03-31",
    )  # fmt: skip


def test_one_json_document_with_the_keys_that_scripts_rely_on(primeta, files):
    done = primeta(
        *files,
        "--control",
        "none",
        "--margin",
        ".4",
        "--promo-code",
        "mail=BACK",
        "--contact-cost",
        "mail=1",
        "--json",
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {"rungs", "behaviour", "returners", "normal_again", "best", "climb"} <= found.keys()
    by_rung = {rung["rung"]: rung for rung in found["rungs"]}
    # of 40 mailed 10 came back: 90 − .6·100 = 30 each, less 1 of contact for everybody: 7.5 − 1
    assert by_rung[0]["value_per_assigned"] == pytest.approx(6.5)
    assert by_rung[0]["revenue_per_assigned"] == pytest.approx(22.5)
    # of 40 left alone 5 did: 100 − .6·100 = 40 each, 5 per assigned
    assert by_rung[2]["value_per_assigned"] == pytest.approx(1.5)
    assert by_rung[2]["low"] < 1.5 < by_rung[2]["high"]
    # all was seen to the horizon: rung 4 needs no model
    assert by_rung[4]["value_per_assigned"] == pytest.approx(1.5)
    assert by_rung[4]["modelled"] == 0
    assert by_rung[0]["until"] == "2026-03-31"
    returners = found["returners"][0]
    assert (returners["self_share"], returners["induced_share"]) == pytest.approx((0.125, 0.125))


def test_words_in_both_languages(primeta, files):
    english = primeta(*files, "--control", "none")
    assert english.returncode == 0
    assert "mail" in english.stdout
    assert "Control group" in english.stdout
    russian = primeta(*files, "--control", "none", "--language", "ru")
    assert "Контрольная группа" in russian.stdout


def test_what_is_missing_is_said(primeta, files):
    for left_out, says in (
        (files[:4], "--orders (or --lines) and --assignments"),
        (files[:-2], "--until"),
        ((*files, "--control", "nobody"), "there is no such arm; the assignments hold mail, none"),
        ((*files[:2], "shop", *files[2:]), "give a workspace or files, not both"),
        ((*files[:2], "shop"), "--experiment NAME"),
        ((*files, "--contact-cost", "mail"), "--contact-cost"),
    ):
        done = primeta(*left_out)
        assert done.returncode == 2
        assert says in done.stderr
        assert "Traceback" not in done.stderr
        assert done.stdout == ""
