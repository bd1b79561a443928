"""Outside texts invented for the pages: sources in every state of health, stories with copies, topics, voices."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from primeta.errors import BadInput, NotFound
from primeta.signals.note import Note
from primeta.signals.signal import Block, Frozen, Signal
from primeta.signals.texts.records import Quote, Share, Topic
from primeta.sources.records import GROUP_OF, Document, Source, Trouble
from primeta.workspace.sources_health import SourceList
from primeta.workspace.texts_views import (
    After,
    Copied,
    Found,
    Hit,
    Reading,
    ReadingItem,
    SourceView,
    Theme,
    Themes,
    TopicView,
)

TEXTS_VERBS = (
    "source_views", "source_list", "declared", "collected", "reading", "document", "mark_document", "log_document", "topics", "topic", "twins", "search", "voices",
)  # fmt: skip
NOW = datetime(2026, 11, 16, 9, 30, tzinfo=UTC)
NAN = math.nan
PER_PAGE = 8
HOSTILE = "<script>alert('news')</script>"
"""Stands in a title, a text and a quote: pages must show it as letters."""
BASE = "https://example.org/report"

WORDS = {
    "en": {
        "press": "Retail Week", "chat": "CRM talk", "platform": "Phone platform blog", "rival": "Rival’s loyalty page",
        "law": "Regulator", "tickets": "Support tickets", "agency": "Agency letter", "study": "Yearly study", "reviews": "Reviews",
        "push": ("The next Android asks for promotional push apart from service push",
                 "From the spring release an app must ask for promotional notifications in a dialogue of their own. Those who do not answer receive service messages only. Stores expect a third of the base to be lost."),
        "push2": ("What is left of the push channel after the new dialogue", "We asked eleven retailers. Four have moved order status out of push already."),
        "rule": ("Consent to advertising calls must be given apart from the contract", "The amendment applies from 1 March 2027. A tick in the contract is no consent any more."),
        "price": ("The rival’s club price is gone from the loyalty page", "Was: club price 199. Now: 5% back in points, at most 300 a month."),
        "chat1": ("", "Has anybody seen opt-in fall after the update? Ours went from 61 to 44 in two weeks."),
        "ticket": ("", "Stop sending me offers at night. I only want to know where my order is."),
        "review": ("", "The courier was late again, but the app told me so beforehand. Good."),
        "hostile": (HOSTILE, HOSTILE + " is how this feed greets its readers."),
        "terms": (("push", "permission", "promotional", "service"), ("consent", "contract", "advertising call"), ("subscription", "coffee")),
        "themes": (("courier", "late", "delivery time"), ("offers", "at night", "too often"), ("points", "expire")),
        "age": ("age=18-34", "age=55+"),
    },
    "ru": {
        "press": "Отраслевая газета", "chat": "Чат о CRM", "platform": "Блог мобильной платформы", "rival": "Страница лояльности соперника",
        "law": "Регулятор", "tickets": "Обращения в поддержку", "agency": "Письмо агентства", "study": "Ежегодное исследование", "reviews": "Отзывы",
        "push": ("Новый Android спросит о рекламных пушах отдельно от сервисных",
                 "С весеннего обновления приложение должно спрашивать о рекламных уведомлениях отдельным окном. Кто не ответит, получит только сервисные. Магазины ждут, что потеряют треть базы."),
        "push2": ("Что останется от канала пушей после нового окна", "Мы спросили одиннадцать сетей. Четыре уже перевели статус заказа в мессенджер."),
        "rule": ("Согласие на рекламные звонки нужно будет брать отдельно от договора", "Поправка действует с 1 марта 2027 года. Галочка в договоре согласием больше не считается."),
        "price": ("Со страницы лояльности соперника исчезла клубная цена", "Было: клубная цена 199. Стало: 5% баллами, не больше 300 в месяц."),
        "chat1": ("", "У кого-нибудь просели разрешения на пуши после обновления? У нас за две недели с 61 до 44."),
        "ticket": ("", "Не шлите мне скидки по ночам. Мне нужно знать только, где мой заказ."),
        "review": ("", "Курьер опять опоздал, но приложение предупредило заранее. Хорошо."),
        "hostile": (HOSTILE, HOSTILE + " — так эта лента здоровается с читателями."),
        "terms": (("пуш", "разрешение", "рекламный", "сервисный"), ("согласие", "договор", "рекламный звонок"), ("подписка", "кофе")),
        "themes": (("курьер", "опоздал", "время доставки"), ("скидки", "по ночам", "слишком часто"), ("баллы", "сгорают")),
        "age": ("age=18-34", "age=55+"),
    },
}  # fmt: skip


def monday(weeks_ago: int) -> date:
    return date(2026, 11, 16) - timedelta(weeks=weeks_ago)


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def topic_signals(language: str) -> tuple[Signal, ...]:
    """The sides of the first two topics, as the watch writes them."""
    terms = WORDS[language]["terms"]

    def one(
        identity: str, topic: str, words: tuple[str, ...], origin: Any, owners: tuple[str, ...], grade: Any
    ) -> Signal:
        return Signal(
            id=identity,
            frozen=Frozen(about="topic:" + ", ".join(words), slice="texts", direction="up", since=monday(6), smallest_effect=0.5,
                          first_seen=ago(27), expected=0.02, origin=origin),
            observed=0.09, expected=0.02, low=0.04, high=0.1, e_value=34.0, grade=grade, topic=topic, owners=owners,
            weeks=_blocks(("2026-W43", "2026-W44", "2026-W45", "2026-W46"), (True, False, True, True)),
            months=_blocks(("2026-09", "2026-10"), (True, True)),
        )  # fmt: skip

    return (
        one("s-9", "tp-1", terms[0], "outside", ("platform.example", "crm_talk", "example.org"), "repeating"),
        one("s-10", "tp-1", terms[0], "voice", ("support",), "holding"),
        one("s-11", "tp-2", terms[1], "regulator", ("law.example",), "holding"),
    )


def _blocks(codes: tuple[str, ...], passing: tuple[bool, ...]) -> tuple[Block, ...]:
    return tuple(
        Block(code=code, effect=0.9 if ok else 0.05, low=0.4 if ok else -0.3, high=1.4 if ok else 0.4, e_value=5.0 if ok else 0.6, passes=ok)
        for code, ok in zip(codes, passing, strict=True)
    )  # fmt: skip


class FakeTexts:
    """The verbs over invented texts; an empty workspace declares no source."""

    def __init__(self, language: str = "en", *, empty: bool = False, log: Any = None):
        self.language, self.empty, self.log = language, empty, log
        self.words = WORDS[language]
        self.marks: dict[str, tuple[Any, str]] = {}
        self.logged: dict[str, str] = {}
        self.sources = () if empty else self._sources()
        self.items = () if empty else self._items()
        self._topics = () if empty else self._make_topics()

    # Sources

    def _sources(self) -> tuple[SourceView, ...]:
        words = self.words
        rise = (3, 5, 2, 4, 6, 5, 4, 7, 5, 6, 8, 6, 7)

        def one(
            name: str, reader: Any, kind: Any, health: Any, at: str = f"{BASE}/feed", **more: Any
        ) -> SourceView:
            weekly = more.pop("weekly", rise)
            known = health not in ("never",)
            return SourceView(
                source=Source(name=name, reader=reader, kind=kind, at=at, owner=more.pop("owner", "example.org"),
                              trust=more.pop("trust", 0.5), paused=health == "paused"),
                health=health,
                tried_at=ago(0.1) if known else None,
                succeeded_at=more.pop("succeeded_at", ago(0.1) if known else None),
                next_at=None if health in ("stopped", "paused") else NOW + timedelta(hours=5),
                failures=more.pop("failures", 0), trouble=more.pop("trouble", None), part_troubles=more.pop("parts", ()),
                documents=sum(weekly) * 4, stories=more.pop("stories", sum(weekly) * 3), last_week=weekly[-1] if weekly else 0,
                weekly=weekly, newest=ago(1) if known else None, raw_bytes=184_000,
            )  # fmt: skip

        return (
            one(words["press"], "feed", "industry_report", "well", trust=0.8),
            one(words["chat"], "telegram", "community", "well", at="https://example.org/report/chat", owner="crm_talk", stories=31),
            one(words["platform"], "feed", "platform", "failing", owner="platform.example", failures=3, succeeded_at=ago(4), weekly=(2,) * 12 + (0,),
                trouble=Trouble(code="forbidden", values={"host": "platform.example", "status": 403})),
            one(words["rival"], "page", "competitor", "well", owner="rival.example", weekly=(0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 1)),
            one(words["law"], "feed", "law", "stopped", owner="law.example", failures=9, succeeded_at=ago(31), weekly=(1,) * 9 + (0,) * 4,
                trouble=Trouble(code="gone", values={"host": "law.example", "status": 410}, permanent=True), trust=0.9),
            one(words["tickets"], "table", "support", "well", at="data/tickets-*.csv", owner="support", weekly=tuple(41 + 3 * (week % 4) for week in range(13)),
                parts=(Trouble(code="no-date", values={"entries": 12}),)),
            one(words["agency"], "mail", "agency", "paused", at="mail/agency.mbox", owner="agency.example", weekly=(1,) * 13),
            one(words["reviews"], "voices", "reviews", "quiet", at="voices", owner="reviews", succeeded_at=ago(0.5), weekly=(9,) * 10 + (0,) * 3),
            one(words["study"], "pdf", "research", "never", at="reports/*.pdf", owner="study.example", weekly=(0,) * 13),
        )  # fmt: skip

    def source_views(self, *, now: datetime) -> tuple[SourceView, ...]:
        return self.sources

    def declared(self) -> tuple[Source, ...]:
        return tuple(view.source for view in self.sources)

    def collected(self) -> int:
        return len(self.items)

    def source_list(self, *, now: datetime) -> SourceList:
        return SourceList(views=self.sources)

    # Documents

    def _document(
        self, number: int, source: str, kind: Any, owner: str, what: str, days: float, **more: Any
    ) -> Document:
        title, text = self.words[what] if isinstance(self.words[what], tuple) else ("", what)
        voice = GROUP_OF[kind] == "voice"
        return Document(
            id=f"d-{number:016x}", source=self.words.get(source, source), owner=owner, kind=kind,
            published_at=more.pop("published_at", ago(days)), seen_at=ago(days - 0.2), title=title, text=text,
            url="" if voice else f"{BASE}/{number}", language=self.language, customer_id="c7" if voice else "", **more,
        )  # fmt: skip

    def _items(self) -> tuple[ReadingItem, ...]:
        made = self._document

        def copies(first: int, what: str, *whys: Any, days: float) -> tuple[Copied, ...]:
            kinds = ("chat", "agency", "press")
            return tuple(
                Copied(document=made(first + place, kinds[place % 3], "social", f"channel-{place + 1}", what, days - 0.1 * place), why=why)
                for place, why in enumerate(whys)
            )  # fmt: skip

        items = [
            ReadingItem(first=made(1, "platform", "platform", "platform.example", "push", 41), trust=0.8, mark="kept", topics=("tp-1",),
                        copies=copies(100, "push", "exact", "near", "forward", "shared-link", "shared-owner", "same-event", days=39)),
            ReadingItem(first=made(2, "press", "industry_report", "example.org", "push2", 12), copies=(), trust=0.8, mark="unread", topics=("tp-1",)),
            ReadingItem(first=made(3, "chat", "community", "crm_talk", "chat1", 9), copies=copies(120, "chat1", "forward", days=8), trust=0.5, mark="unread", topics=("tp-1",)),
            ReadingItem(first=made(4, "law", "law", "law.example", "rule", 20), copies=(), trust=0.9, mark="unread", topics=("tp-2",)),
            ReadingItem(first=made(5, "rival", "competitor", "rival.example", "price", 2), copies=(), trust=0.5, mark="unread"),
            ReadingItem(first=made(6, "tickets", "support", "support", "ticket", 1), copies=(), trust=0.5, mark="unread"),
            ReadingItem(first=made(7, "reviews", "reviews", "reviews", "review", 3), copies=(), trust=0.5, mark="read"),
            ReadingItem(first=made(8, "press", "industry_report", "example.org", "hostile", 5, author=HOSTILE, published_at=None), copies=(), trust=0.2, mark="unread"),
        ]  # fmt: skip
        items += [
            ReadingItem(first=made(30 + place, "press", "industry_report", "example.org", "push2", 20 + place), copies=(), trust=0.4, mark="unread")
            for place in range(14)
        ]  # fmt: skip
        return tuple(items)

    def _marked(self, item: ReadingItem) -> ReadingItem:
        mark = self.marks.get(item.first.id, (item.mark, ""))[0]
        return replace(item, mark=mark, logged=self.logged.get(item.first.id, ""))

    def reading(
        self, *, now: datetime, page: int = 1, kind: str = "", source: str = "", mark: str = "", topic: str = "", query: str = ""
    ) -> Reading:  # fmt: skip
        every = [self._marked(item) for item in self.items]
        found = [
            item for item in every
            if (not kind or item.first.kind == kind) and (not source or item.first.source == source)
            and (not mark or item.mark == mark) and (not topic or topic in item.topics)
            and query.casefold() in f"{item.first.title} {item.first.text}".casefold()
        ]  # fmt: skip
        pages = max(math.ceil(len(found) / PER_PAGE), 1)
        page = min(max(page, 1), pages)
        return Reading(
            items=tuple(found[(page - 1) * PER_PAGE : page * PER_PAGE]),
            total=len(found),
            unread=sum(item.mark == "unread" for item in every),
            page=page,
            pages=pages,
        )

    def document(self, identity: str) -> Document:
        for item in self.items:
            for document in (item.first, *(copy.document for copy in item.copies)):
                if document.id == identity:
                    return document
        raise NotFound(f"there is no document {identity!r}")

    def mark_document(self, identity: str, mark: Any, *, by: str, now: datetime) -> None:
        self.document(identity)
        if not by:
            raise BadInput("by is empty; say who marks it")
        self.marks[identity] = (mark, by)

    def log_document(self, identity: str, *, by: str, now: datetime, **more: Any) -> Note:
        document = self.document(identity)
        values = {"text": document.text, "subject": document.title or document.text[:40], "direction": "up"}
        values |= {name: value for name, value in more.items() if value}
        note = self.log(
            origin=GROUP_OF[document.kind], source=document.owner, url=document.url, by=by, now=now,
            happened_at=(document.published_at or document.seen_at).date(), **values,
        )  # fmt: skip
        self.logged[identity] = note.id
        return note

    # Topics

    def _make_topics(self) -> tuple[TopicView, ...]:
        terms = self.words["terms"]

        def shares(owners: tuple[tuple[str, Any, int, int], ...]) -> tuple[Share, ...]:
            return tuple(
                Share(week=monday(weeks), owner=owner, origin=origin, stories=0 if weeks > start else min(1 + (start - weeks) // 2, 5) * rate, volume=14)
                for owner, origin, start, rate in owners
                for weeks in range(13, 0, -1)
            )  # fmt: skip

        first = self.items[0].first
        quotes = tuple(
            Quote(text=item.first.text, source=item.first.source, owner=item.first.owner, url=item.first.url,
                  published_at=item.first.published_at or item.first.seen_at, document=item.first.id)
            for item in (self.items[0], self.items[2], self.items[5], self.items[7])
        )  # fmt: skip
        owners = ("platform.example", "crm_talk", "example.org", "support", "rival.example")
        push = Topic(
            id="tp-1", terms=terms[0], since=monday(6), first_seen=first.published_at or NOW, noticed_at=ago(27),
            owners=owners, origins=("outside", "voice"), documents=41, stories=12, e_value=340.0, second_origin=28.0,
            grade="confirmed",
            weeks=_blocks(("2026-W43", "2026-W44", "2026-W45", "2026-W46"), (True, False, True, True)),
            months=_blocks(("2026-09", "2026-10"), (True, True)), quarters=_blocks(("2026-Q3",), (True,)),
            shares=shares((("platform.example", "outside", 6, 1), ("crm_talk", "outside", 5, 1), ("example.org", "outside", 4, 1),
                           ("support", "voice", 3, 1), ("rival.example", "competitor", 2, 1))),
            quotes=quotes, type="technological", type_words=(terms[0][0], terms[0][1]), why=("passed_yearly_level", "repeats_months", "two_origins"),
        )  # fmt: skip
        rule = Topic(
            id="tp-2", terms=terms[1], since=monday(3), first_seen=ago(20), noticed_at=ago(6), owners=("law.example",), origins=("regulator",),
            documents=2, stories=1, e_value=11.0, second_origin=1.0, grade="holding",
            weeks=_blocks(("2026-W45", "2026-W46"), (True, False)), shares=shares((("law.example", "regulator", 3, 1),)),
            quotes=quotes[:1], type="regulatory", type_words=(terms[1][0],), applies_from=date(2027, 3, 1), why=("passed_yearly_level", "one_origin"),
        )  # fmt: skip
        cascade = Topic(
            id="tp-3", terms=terms[2], since=monday(2), first_seen=ago(12), noticed_at=ago(5), owners=("channel-1",), origins=("outside",),
            documents=63, stories=1, e_value=4.2, second_origin=0.4, grade="noticed", shares=shares((("channel-1", "outside", 2, 2),)), why=("one_origin",),
        )  # fmt: skip
        return (
            TopicView(topic=push, signals=("s-9", "s-10"), trend="", trend_name="", documents=tuple(item.first for item in self.items[:3])),
            TopicView(topic=rule, signals=("s-11",), trend="t-6", trend_name=self.words["rule"][0], documents=(self.items[3].first,)),
            TopicView(topic=cascade, signals=(), trend="", trend_name="", documents=()),
        )  # fmt: skip

    def topics(self, *, now: datetime) -> tuple[TopicView, ...]:
        return self._topics

    def topic(self, identity: str) -> TopicView:
        for view in self._topics:
            if view.topic.id == identity:
                return view
        raise NotFound(f"there is no topic {identity!r}")

    def twins(self, identity: str, *, now: datetime) -> tuple[TopicView, ...]:
        """The rule was spoken of in another language first."""
        return (self._topics[0],) if identity == "tp-2" else ()

    # Search

    def search(self, query: str, *, limit: int = 30, kinds: Any = (), sources: Any = (), since: Any = None, until: Any = None, now: datetime) -> Found:  # fmt: skip
        words = query.casefold().split()
        hits = []
        for item in self.items:
            text = item.first.text
            if (kinds and item.first.kind not in kinds) or (sources and item.first.source not in sources):
                continue
            word = next((word for word in words if word in f"{item.first.title} {text}".casefold()), "")
            if not word:
                continue
            at = text.casefold().find(word)
            snippet = ((text, False),) if at < 0 else ((text[:at], False), (text[at : at + len(word)], True), (text[at + len(word) :], False))  # fmt: skip
            by = ("words", "meaning") if len(hits) % 2 == 0 else ("meaning",)
            hits.append(Hit(document=item.first, score=1.0, by=by, snippet=snippet, copies=len(item.copies)))
        return Found(query=query, hits=tuple(hits[:limit]), searched=len(self.items), why_not="")

    # Voices

    def voices(
        self, *, now: datetime, since: date | None = None, until: date | None = None, by: str = ""
    ) -> Themes:
        until = until or date(2026, 11, 15)
        since = since or until - timedelta(weeks=13)
        weeks = tuple(monday(number) for number in range(13, 0, -1))
        if self.empty:
            return Themes(since=since, until=until, sources=(), voices=0, with_customer=0, weeks=(), segment="", themes=(), why_not="no-voices")  # fmt: skip

        def after(outcome: Any, said: float, others: float, low: float, high: float, **more: Any) -> After:
            return After(outcome=outcome, window_days=60, said=said, others=others, difference=said - others, low=low, high=high, n=212, n_others=1040, **more)  # fmt: skip

        unknown = After(outcome="opted_out", window_days=60, said=NAN, others=NAN, difference=NAN, low=NAN, high=NAN, n=4, n_others=60, why_not="too-few")  # fmt: skip
        names = self.words["themes"]
        themes = (
            Theme(id="th-1", terms=names[0], voices=412, customers=212, share=0.31, weekly=tuple(0.22 + 0.01 * week for week in range(13)),
                  by_segment={self.words["age"][0]: 0.36, self.words["age"][1]: 0.21} if by else {}, score=3.1,
                  after=(after("returned", 0.41, 0.52, -0.17, -0.05), after("orders", 0.7, 0.9, -0.4, 0.02), after("opted_out", 0.03, 0.028, -0.01, 0.014)),
                  quotes=(self.words["review"][1],)),
            Theme(id="th-2", terms=names[1], voices=160, customers=88, share=0.12, weekly=tuple(0.05 + 0.007 * week for week in range(13)),
                  by_segment={self.words["age"][0]: 0.08, self.words["age"][1]: 0.19} if by else {}, score=NAN,
                  after=(after("returned", 0.44, 0.5, -0.14, 0.03), unknown), quotes=(self.words["ticket"][1], HOSTILE), topic="tp-1"),
            Theme(id="th-3", terms=names[2], voices=61, customers=0, share=0.046, weekly=(NAN, *(0.04,) * 12), by_segment={}, score=4.4, after=(), quotes=()),
        )  # fmt: skip
        return Themes(since=since, until=until, sources=(self.words["tickets"], self.words["reviews"]), voices=1330, with_customer=940,
                      weeks=weeks, segment=by, themes=themes,
                      extra={"after": {"window_days": 60, "customers": 940, "not_over": 31}, "rest": {"share": 0.4}})  # fmt: skip
