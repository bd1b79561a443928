"""What a metric and a text have in common, and what is suggested for it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from primeta.signals.note import Note
from primeta.signals.signal import Frozen, Signal
from primeta.signals.texts.plain_words import words
from primeta.trends.kinship import Kin, Speakers, names_slice, shared_with_metric, when
from primeta.trends.stories import suggest

NOW = datetime(2026, 11, 16, tzinfo=UTC)
ONSET = date(2026, 7, 6)


def metric(about: str = "open_rate", slice_code: str = "channel=push", since: date = ONSET) -> Signal:
    return made(f"s-{about}", about=about, slice_code=slice_code, origin="metric", since=since)


def topic(said: str, *, identity: str = "k-1", origin="outside", since: date = ONSET, links=()) -> Signal:
    return made(
        f"{identity}-{origin}", about=f"topic:{said}", slice_code="texts", origin=origin, since=since,
        topic=identity, owners=("a", "b"), links=links,
    )  # fmt: skip


def made(identity: str, *, about, slice_code, origin, since, **more) -> Signal:
    frozen = Frozen(
        about=about, slice=slice_code, direction="up", since=since, smallest_effect=0.02,
        first_seen=NOW - timedelta(days=60), expected=0.2, origin=origin,
    )  # fmt: skip
    return Signal(
        id=identity, frozen=frozen, observed=0.1, expected=0.2, low=-0.12, high=-0.08, e_value=90.0,
        grade="holding", **more,
    )  # fmt: skip


def note(text: str, **changes) -> Note:
    values = {
        "id": "n-1", "text": text, "origin": "outside", "subject": text[:30], "source": "Anna",
        "happened_at": ONSET, "logged_at": NOW, "by": "Anna",
    }  # fmt: skip
    return Note(**{**values, **changes})


@pytest.mark.parametrize(
    ("about", "said", "how"),
    [
        ("open_rate", "открываемость пуш-уведомлений", "same-words"),
        ("open_rate", "Apple Mail opens mail by machine", "same-words"),
        ("open_rate", "пользователи отключают уведомления", "same-words"),
        ("open_rate", "магазин открывает двери", ""),  # «открывать» without a word of the field
        ("open_rate", "новый формат рассылки", "same-field"),
        ("unsubscribe_rate", "массовые отписки от рассылок", "same-words"),
        ("discount_share", "the end of coupons", "same-words"),
        ("discount_share", "открываемость писем", ""),
        ("retention_30", "loyalty programme is closed", "same-words"),
        ("average_order_value", "покупатели экономят на корзине", "same-words"),
    ],
)
def test_words_of_the_trade_name_what_a_metric_counts(about, said, how):
    assert shared_with_metric(about, words(said))[0] == how


def test_a_metric_of_the_teams_own_is_known_by_its_names():
    labels = ("Depth of subscriptions box", "Глубина подписки на бокс")
    assert (
        shared_with_metric("box_depth", words("подписка на боксы растёт"), labels=labels)[0] == "same-words"
    )
    assert shared_with_metric("box_depth", words("доля на клиента"), labels=labels)[0] == ""


def test_a_slice_is_named_by_its_channel_or_its_town_and_by_no_number():
    assert names_slice("channel=push", words("пуш-уведомления")) == ("пуш", "уведомление")
    assert names_slice("region=Москва&age=25-34", words("жители Москвы")) == ("москва",)
    assert names_slice("age=25-34", words("25 34 25-34")) == ()
    assert names_slice("all", words("all customers")) == ()


def test_people_speak_before_customers_act_and_not_long_after():
    assert when(ONSET, ONSET + timedelta(days=50)) == "same-time"
    assert when(ONSET, ONSET - timedelta(days=120)) == "said-before"
    assert when(ONSET, ONSET + timedelta(days=120)) == ""
    assert when(ONSET, ONSET - timedelta(days=400)) == ""


def test_a_slice_that_speaks_more_than_its_share_leans():
    # 9 of 12 where 30% were expected: P(X ≥ 9) = .0002; 4 of 12 says nothing: P(X ≥ 4) = .51
    assert Speakers(customers=12, inside=9, share=0.3).leans
    assert not Speakers(customers=12, inside=4, share=0.3).leans
    assert not Speakers(customers=4, inside=4, share=0.3).leans


def test_a_topic_is_suggested_for_the_metric_that_it_speaks_of_with_reasons():
    said = topic("уведомление, отключать, пуш", since=ONSET - timedelta(days=28))
    (found,) = suggest("t-1", [metric()], [said], refused=())
    assert found.why == ("same-words", "names-slice", "same-time")
    assert suggest("t-1", [metric("average_order_value", "all")], [said], refused=()) == ()
    # The other way round: the metric for the topic's trend.
    (back,) = suggest("t-2", [said], [metric()], refused=())
    assert back.score == found.score


def test_the_time_alone_or_the_words_alone_are_not_enough():
    assert suggest("t-1", [metric(slice_code="all")], [topic("пекарня, круассан")], refused=()) == ()
    old = topic("открываемость, рассылка", since=ONSET - timedelta(days=500))
    assert suggest("t-1", [metric(slice_code="all")], [old], refused=()) == ()


def test_who_speaks_joins_what_words_do_not():
    said = topic("новый дизайн", origin="voice")
    kin = Kin(speakers=lambda _topic, _slice: Speakers(customers=20, inside=18, share=0.3))
    assert suggest("t-1", [metric("orders_per_customer", "region=North")], [said], refused=(), kin=kin) == ()
    near = Kin(
        speakers=kin.speakers, nearness=lambda _a, _b: 0.7, labels={"orders_per_customer": ("Orders",)}
    )
    (found,) = suggest("t-1", [metric("orders_per_customer", "region=North")], [said], refused=(), kin=near)
    assert found.why == ("same-customers", "same-meaning", "same-time")


def test_a_refused_topic_stays_out_on_every_side_and_with_new_words():
    outside, voice = topic("рассылка, непрочитанный"), topic("рассылка, непрочитанный", origin="voice")
    both = [outside, voice]
    assert len(suggest("t-1", [metric()], both, refused=())) == 2
    gained = Kin(terms={"k-1": ("рассылка", "непрочитанный", "открываемость", "пуш")})
    assert suggest("t-1", [metric()], both, refused={outside.id}, kin=gained) == ()


def test_texts_go_together_by_words_by_link_and_by_topic():
    one = topic("cookie, consent banner")
    assert suggest("t-1", [one], [topic("cookie, consent banner", origin="voice")], refused=())[0].why == (
        "same-topic",
    )
    other = topic("consent, banner", identity="k-2")
    assert suggest("t-1", [one], [other], refused=())[0].why == ("same-words", "same-time")
    # One word and an old time do not; a link that both cite does beside half of the words.
    far = topic("cookie, retention, law", identity="k-3", since=ONSET - timedelta(days=300))
    assert suggest("t-1", [one], [far], refused=()) == ()
    page = "x.example/report-2026"
    linked = topic("cookie, consent", links=(page,))
    cited = topic("banner, consent", identity="k-4", since=far.frozen.since, links=(page,))
    assert suggest("t-1", [linked], [cited], refused=())[0].why == ("same-link", "same-words")
    logged = note("cookies", url=f"https://{page}")
    assert suggest("t-1", [linked], [logged], refused=())[0].why == ("same-link",)


def test_a_hand_written_note_is_suggested_as_before():
    found = suggest(
        "t-1", [metric("orders_per_customer", "all")], [note("fewer orders on Mondays")], refused=()
    )
    assert found[0].why == ("same-words", "same-time")
