"""The customers' pages as they are drawn: stop, choose, why, and a word where there is nothing to do."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from primeta.attention.choices import OFTEN, PAUSES, ChannelChoice, Choices, choices_of, is_stopped
from primeta.attention.fold import CustomerState
from primeta.attention.preference_words import channel_words, often_words, tell
from primeta.attention.records import Promise
from primeta.attention.why_sent import Why
from primeta.show import locale
from primeta.show.locale import Language
from primeta.web.page import templates
from primeta.web.public_acts import (
    Desk,
    Form,
    hours_offered,
    hours_words,
    language_words,
    last_day,
    mark,
    stop_title,
    topic_words,
)

SAID = {"saved", "nothing-new", "started", "not-started", "read-again"}
SURFACES: dict[str, dict[str, str]] = {
    "checkout": {"en": "at the checkout", "ru": "при оформлении заказа"},
    "app": {"en": "in the app", "ru": "в приложении"},
    "app settings": {"en": "in the settings of the app", "ru": "в настройках приложения"},
    "site": {"en": "on our site", "ru": "на сайте"},
    "account": {"en": "in your account", "ru": "в личном кабинете"},
    "preference page": {"en": "on the page of your settings", "ru": "на странице настроек"},
    "unsubscribe page": {"en": "on the unsubscribe page", "ru": "на странице отписки"},
    "shop": {"en": "in the shop", "ru": "в магазине"},
}


@lru_cache(maxsize=1)
def style() -> tuple[str, bytes]:
    """Name and text of the one stylesheet; a new text has a new name, so that it may be kept for ever."""
    place = files("primeta.web") / "static"
    text = b"\n".join((place / name).read_bytes() for name in ("tokens.css", "public.css"))
    return f"page-{sha256(text).hexdigest()[:12]}.css", text


def draw(template: str, lang: Language, *, sender: str, contact: str, token: str = "", **context: Any) -> str:
    """A page from a template."""
    page = (
        templates()
        .get_template(template)
        .render(
            lang=lang,
            sender=sender,
            contact=contact,
            token=token,
            style=style()[0],
            w=lambda code, **figures: tell(lang, code, **figures),
            mark=mark,
            **context,
        )
    )
    # A line must not end in the middle of this word; a word joiner holds it together.
    return page.replace("уш-уведомл", "уш-\u2060уведомл")


def of_desk(desk: Desk) -> dict[str, Any]:
    """What every page of a link needs."""
    return {"lang": desk.lang, "sender": desk.sender, "contact": desk.config.preferences.contact}


def stop_page(desk: Desk, token: str, state: CustomerState | None, *, done: bool = False) -> str:
    """The page with one button; after it was pressed, or where he was unsubscribed before, what holds.

    Args:
        state: None: it cannot be read just now; the button is there all the same.
    """
    lang, channel = desk.lang, desk.link.channel
    stopped = state is not None and is_stopped(state, "marketing", channel)
    found = choices_of(state, desk.link, desk.config.preferences, at=desk.now) if state else None
    if found and not channel and found.on:
        stopped = False
    code = "done" if done else "already" if stopped else "stop"
    lead = tell(lang, "stop.lead")
    if state is not None and (done or stopped):
        mark_ = state.standing("marketing", channel, at=max(desk.now, state.as_of)).mark
        since = mark_.at if mark_ else desk.now
        when = moment(since, desk) if done else locale.day(since.astimezone(desk.zone).date(), lang)
        lead = tell(lang, f"{code}.lead", when=when)
    others = tuple(name for name in found.on if name != channel) if found and (done or stopped) else ()
    again = ""
    if (done or stopped) and channel and not desk.link.retired:
        again = desk.consent(channel)
    return draw(
        "public_stop.html",
        token=token,
        title=stop_title(channel, lang, f"{code}.title"),
        lead=lead,
        ask=code == "stop",
        done=done or stopped,
        button=tell(lang, "stop.button" if channel else "stop.button-all"),
        others=locale.listed([channel_words(name, lang)[0] for name in others], lang),
        again=again,
        link=desk.link,
        retired=desk.link.retired,
        **of_desk(desk),
    )


def choose_page(
    desk: Desk,
    token: str,
    state: CustomerState,
    *,
    said: str = "",
    said_channel: str = "",
    promised: Promise | None = None,
    quiet: tuple[int, int] | None = None,
) -> str:
    """The preference centre.

    Args:
        said: Code of what was just done.
        promised: What the team promised to everybody on how often.
        quiet: From … to … o'clock nothing but service is sent to anybody.
    """
    lang = desk.lang
    found = choices_of(state, desk.link, desk.config.preferences, at=desk.now)
    names = {one.name for one in found.channels}
    offered = desk.config.preferences
    often = [("", tell(lang, "often.any"), _promised(promised, lang))]
    most = {*OFTEN, found.max_per_week} if found.max_per_week is not None else set(OFTEN)
    often += [(str(n), often_words(n, lang), "") for n in sorted(most)]
    calm = tell(lang, "hours.quiet", begin=quiet[0], end=quiet[1]) if quiet else ""
    hours = [("", tell(lang, "hours.any"), calm)]
    hours += [(f"{pair[0]}-{pair[1]}", hours_words(pair, lang), "") for pair in hours_offered(found.hours)]
    things = channel_words(said_channel, lang)[0] if said_channel in names else ""
    words = ""
    if said in SAID and (said != "started" or things):
        words = tell(lang, said, things=things) if said == "started" else tell(lang, said)
    return draw(
        "public_choose.html",
        token=token,
        said=words,
        now=now_words(desk, found),
        rows=[_row(desk, one, rests=found.waiting or bool(found.paused_until)) for one in found.channels],
        any_on=bool(found.on),
        often=often,
        often_now="" if found.max_per_week is None else str(found.max_per_week),
        topics=[(name, topic_words(desk, name)) for name in offered.topics],
        topics_now=found.topics,
        hours=hours,
        hours_now="" if found.hours is None else f"{found.hours[0]}-{found.hours[1]}",
        languages=[(code, language_words(code, lang)) for code in ("", *offered.languages)]
        if offered.languages
        else [],
        language_now=found.language,
        paused=tell(lang, "now.paused", day=last_day(found.paused_until, desk)) if found.paused_until else "",
        pauses=PAUSES,
        choices=found,
        personal_off=tell(lang, "personal.off", day=_day(found.personal_since or desk.now, desk)),
        personal_text=desk.personal(),
        **of_desk(desk),
    )


def _promised(promise: Promise | None, lang: Language) -> str:
    return "" if promise is None else tell(lang, "often.promised", text=promise.text)


def _row(desk: Desk, one: ChannelChoice, *, rests: bool) -> dict[str, Any]:
    lang = desk.lang
    things = channel_words(one.name, lang)[0]
    word = "on" if one.on else "off"
    state = tell(lang, f"{word}.since", day=_day(one.since, desk)) if one.since else tell(lang, word)
    if one.on and rests:
        state = tell(lang, "on.resting")
    return {
        "name": one.name,
        "on": one.on,
        "words": things,
        "state": state,
        "stop": tell(lang, "turn-off.text", things=things),
        "text": desk.consent(one.name),
    }


def now_words(desk: Desk, found: Choices) -> str:
    """How it stands, in one sentence."""
    lang = desk.lang
    if found.deletion_asked:
        return tell(lang, "delete.done")
    if found.waiting:
        return tell(lang, "now.waiting")
    if not found.on:
        return tell(lang, "now.nothing")
    if found.paused_until:
        return tell(lang, "now.paused", day=last_day(found.paused_until, desk))
    said = [
        tell(
            lang,
            "now.channels",
            channels=locale.listed([channel_words(name, lang)[0] for name in found.on], lang),
        )
    ]
    if found.max_per_week is not None:
        said.append(tell(lang, "now.week", n=found.max_per_week))
    if found.topics is not None:
        said.append(tell(lang, "now.topics"))
    return ", ".join(said) + "."


def why_page(desk: Desk, token: str, found: Why, state: CustomerState) -> str:
    """Why this was sent, then what he can do."""
    lang = desk.lang
    told: list[tuple[str, list[str], str]] = []
    what = tell(lang, f"why.what.{found.purpose}")
    way = channel_words(found.channel, lang)[2] if found.channel else ""
    if found.sent_at:
        first = [tell(lang, "why.sent", what=what, way=way, when=moment(found.sent_at, desk)) + "."]
    else:
        first = [tell(lang, "why.unknown")]
    if found.programme:
        first.append(tell(lang, "why.programme", name=topic_words(desk, found.programme)))
    told.append((tell(lang, "why.what"), first, ""))
    told.append((tell(lang, "why.basis"), _basis(desk, found), found.text))
    used = "not-told" if found.personalised is None else "personalised" if found.personalised else "plain"
    known = [tell(lang, f"why.{used}")]
    if found.personalised and found.personal_against:
        known.append(tell(lang, "why.personal-against", day=_day(found.personal_against, desk)))
    told.append((tell(lang, "why.known"), [*known, tell(lang, "why.address")], ""))
    if found.sent_at:
        if found.checked_at:
            code = "checked" if found.check_allowed else "refused"
            checked = tell(lang, f"why.{code}", when=moment(found.checked_at, desk))
        else:
            checked = tell(lang, "why.unasked")
        told.append((tell(lang, "why.rule"), [checked], ""))
    choices = choices_of(state, desk.link, desk.config.preferences, at=desk.now)
    channel = desk.link.channel
    of = channel_words(channel, lang)[1]
    return draw(
        "public_why.html",
        token=token,
        told=told,
        promises=[
            (
                one.text,
                one.kept,
                tell(lang, f"why.{one.kept}"),
                "" if one.count is None else tell(lang, "why.count", n=locale.number(one.count, lang)),
            )
            for one in found.promises
        ],
        channel_on=channel in choices.on if channel else bool(choices.on),
        stop_words=tell(lang, "why.do-stop", of=of) if channel else tell(lang, "why.do-stop-all"),
        personal_on=choices.personalised,
        **of_desk(desk),
    )


def _basis(desk: Desk, found: Why) -> list[str]:
    lang = desk.lang
    if found.basis in ("service", "none"):
        return [tell(lang, f"why.{found.basis}")]
    day = _day(found.basis_at or desk.now, desk)
    if found.basis == "against":
        return [tell(lang, "why.against", day=day)]
    if found.basis == "accepted":
        said = [tell(lang, "why.consent-nowhere", day=day)]
        return [*said, tell(lang, "why.accepted", who=found.accepted_by, reason=found.accepted_reason)]
    surface = SURFACES.get(found.surface.lower(), {}).get(lang) or (
        f"«{found.surface}»" if found.surface else ""
    )
    if lang == "en" and surface.startswith("«"):
        surface = f"“{found.surface}”"
    if found.basis == "interest" and surface:
        said = [tell(lang, "why.interest", day=day, surface=surface)]
    elif surface:
        said = [tell(lang, "why.consent", day=day, surface=surface)]
    else:
        said = [tell(lang, "why.consent-nowhere", day=day)]
    said.append(tell(lang, "why.read" if found.text else "why.no-text"))
    return said


def word_page(
    code: str,
    lang: Language,
    *,
    sender: str,
    contact: str,
    token: str = "",
    form: Form | None = None,
    button: str = "",
) -> str:
    """A page that says one thing.

    Args:
        form: Fields that its button sends again; None: there is no button.
    """
    fields = None
    if form is not None:
        fields = [(name, value) for name, values in form.items() for value in values][:60]
    return draw(
        "public_word.html",
        lang,
        sender=sender,
        contact=contact,
        token=token,
        title=tell(lang, f"{code}.title"),
        lead=tell(lang, f"{code}.lead"),
        fields=fields,
        button=button or tell(lang, "failed.again"),
        failed=code in ("failed", "unread"),
    )


def moment(value: datetime, desk: Desk) -> str:
    """With the zone: a customer may live in another one."""
    return f"{locale.moment(value, desk.lang, desk.zone)} ({locale.zone_name(desk.zone, desk.lang)})"


def _day(value: datetime, desk: Desk) -> str:
    return locale.day(value.astimezone(desk.zone).date(), desk.lang)
