"""What a form of the customers' pages asks for: the act on his state, with the words that stood on the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from primeta.attention import choices
from primeta.attention.choices import HOURS, OFTEN, PAUSES, Shown
from primeta.attention.fold import CustomerState
from primeta.attention.ledger import Event, text_hash
from primeta.attention.links import Link
from primeta.attention.preference_words import (
    ONE_CLICK_TEXT,
    VERSION,
    channel_words,
    consent_text,
    often_words,
    tell,
)
from primeta.config import AttentionConfig
from primeta.show import locale
from primeta.show.locale import Language

Form = dict[str, list[str]]
UNSUBSCRIBE_PAGE, PREFERENCE_PAGE, ONE_CLICK_SURFACE = "unsubscribe page", "preference page", "one-click"
ACTS = (
    "stop", "start", "stop-all", "choose", "pause", "resume", "personal-stop", "personal-start", "delete",
)  # fmt: skip
OPT_OUTS = ("stop", "stop-all")
"""All that a link of an earlier key may do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One act, ready to be done."""

    act: Callable[[CustomerState], list[Event]]
    channel: str = ""
    name: str = ""
    changed_wording: bool = False
    """What he read is not what would be recorded: nothing is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """All that the words depend on."""

    link: Link
    lang: Language
    config: AttentionConfig
    sender: str
    zone: ZoneInfo
    now: datetime

    def shown(self, text: str, surface: str, *, own: bool = False) -> Shown:
        """The proof of an act.

        Args:
            own: The wording is the workspace's, so that its version is a piece of its hash.
        """
        return Shown(
            text=text,
            version=f"own-{text_hash(text)[:8]}" if own else VERSION,
            language=self.lang,
            surface=surface,
            message_id=self.link.message_id,
            controller=self.config.controller,
        )

    def consent(self, channel: str) -> str:
        own = self.config.preferences.consent_text.get(self.lang, "")
        return consent_text(channel, self.lang, sender=self.sender, own=own)

    def personal(self) -> str:
        return tell(self.lang, "personal.text", sender=self.sender)


def stop_title(channel: str, lang: Language, code: str = "stop.title") -> str:
    if not channel:
        return tell(lang, f"{code}-all")
    title = tell(lang, code, of=channel_words(channel, lang)[1])
    return _sentences(title)


def _sentences(text: str) -> str:
    """Each sentence begins with a large letter."""
    return ". ".join(part[:1].upper() + part[1:] for part in text.split(". "))


def unsubscribe(desk: Desk, *, one_click: bool) -> Asked:
    """He stops what the link is about."""
    lang, channel = desk.lang, desk.link.channel
    text = ONE_CLICK_TEXT
    if not one_click:
        button = tell(lang, "stop.button" if channel else "stop.button-all")
        text = " ".join(
            (stop_title(channel, lang), tell(lang, "stop.lead"), f"[{button}]", tell(lang, "stop.service"))
        )
    shown = desk.shown(text, ONE_CLICK_SURFACE if one_click else UNSUBSCRIBE_PAGE)
    return Asked(
        act=lambda state: choices.stop_by(state, desk.link, channel, shown=shown, now=desk.now),
        channel=channel,
        name="stop",
    )


def asked(desk: Desk, form: Form) -> Asked | None:
    """The act of a form; None: there is no such act, or its fields are no such act's."""
    name, channel = one(form, "act"), one(form, "channel")[:64].strip().lower()
    lang, now = desk.lang, desk.now

    def shown(text: str, *, own: bool = False) -> Shown:
        return desk.shown(text, PREFERENCE_PAGE, own=own)

    if name == "stop" and channel:
        proof = shown(tell(lang, "turn-off.text", things=channel_words(channel, lang)[0]))

        def stop(state: CustomerState) -> list[Event]:
            # Only what stands on his page: a made-up name would fill the ledger for nothing.
            found = choices.choices_of(state, desk.link, desk.config.preferences, at=now)
            if channel not in {one.name for one in found.channels}:
                return []
            return choices.stop_by(state, desk.link, channel, shown=proof, now=now)

        return Asked(act=stop, channel=channel, name=name)
    if name == "stop-all":
        proof = shown(f"[{tell(lang, 'all.button')}] {tell(lang, 'all.note')}")
        # Who objects to direct marketing is not profiled for it either: GDPR, art. 21 (3).
        kinds = ("marketing", "profiling")
        return Asked(
            act=lambda state: choices.stop_by(state, desk.link, "", shown=proof, now=now, processings=kinds),
            name=name,
        )
    if name == "start" and channel in known_channels(desk):
        text = desk.consent(channel)
        proof = shown(text, own=bool(desk.config.preferences.consent_text.get(lang)))
        return Asked(
            act=lambda state: choices.start(state, channel, shown=proof, now=now),
            channel=channel,
            name=name,
            changed_wording=one(form, "shown") != mark(text),
        )
    if name == "personal-stop":
        proof = shown(f"{tell(lang, 'personal.on')} [{tell(lang, 'personal.stop')}]")
        return Asked(
            act=lambda state: choices.stop(state, "", shown=proof, now=now, processings=("personalisation",)),
            name=name,
        )
    if name == "personal-start":
        text = desk.personal()
        proof = shown(text)
        return Asked(
            act=lambda state: choices.start(state, "", shown=proof, now=now, processing="personalisation"),
            name=name,
            changed_wording=one(form, "shown") != mark(text),
        )
    if name == "choose":
        wanted = _wanted(desk, form)
        if wanted is None:
            return None
        proof = shown(chosen_text(desk, wanted))
        return Asked(act=lambda state: choices.choose(state, wanted, shown=proof, now=now), name=name)
    if name == "pause" and one(form, "days") in {str(days) for days in PAUSES}:
        days = int(one(form, "days"))
        proof = shown(
            tell(lang, "pause.text", day=last_day(choices.pause_end(days, now=now, zone=desk.zone), desk))
        )
        return Asked(
            act=lambda state: choices.pause(state, days, shown=proof, now=now, zone=desk.zone), name=name
        )
    if name == "resume":
        proof = shown(tell(lang, "resume.text"))
        return Asked(act=lambda state: choices.resume(state, shown=proof, now=now), name=name)
    if name == "delete":
        proof = shown(f"[{tell(lang, 'delete.button')}] {tell(lang, 'delete.note')}")
        return Asked(act=lambda state: choices.ask_deletion(state, shown=proof, now=now), name=name)
    return None


def known_channels(desk: Desk) -> tuple[str, ...]:
    """Channels for which a consent may be given here: those that are offered, and the message's own."""
    offered = desk.config.preferences.channels
    own = desk.link.channel
    return (*offered, own) if own and own not in offered else offered


def last_day(end: datetime, desk: Desk) -> str:
    """The last whole day before a midnight."""
    from datetime import timedelta

    return locale.day((end - timedelta(seconds=1)).astimezone(desk.zone).date(), desk.lang)


def mark(text: str) -> str:
    """By which a form says what was read."""
    return text_hash(text)[:24]


def one(form: Form, name: str) -> str:
    return form[name][0] if form.get(name) else ""


def _wanted(desk: Desk, form: Form) -> dict[str, object] | None:
    """Preferences as the form has them; None: a value that the page does not offer."""
    wanted: dict[str, object] = {}
    offered = desk.config.preferences
    if "often" in form:
        often = one(form, "often")
        if often and not (often.isascii() and often.isdigit() and int(often) <= max(50, *OFTEN)):
            return None
        wanted["max_per_week"] = int(often) if often else None
    if "topics" in form and offered.topics:
        chosen = [name for name in offered.topics if name in form.get("topic", [])]
        wanted["topics"] = None if len(chosen) == len(offered.topics) else chosen
    if "hours" in form:
        hours = one(form, "hours")
        pair = [int(part) for part in hours.split("-") if part.isascii() and part.isdigit()]
        if hours and (len(pair) != 2 or max(pair) > 24 or pair[0] == pair[1]):
            return None
        wanted["hours"] = pair or None
    if "language" in form and offered.languages:
        language = one(form, "language")
        if language and language not in offered.languages:
            return None
        wanted["language"] = language or None
    return wanted


def chosen_text(desk: Desk, wanted: dict[str, object]) -> str:
    """What he chose, in the words that stood beside each mark."""
    lang = desk.lang
    said: list[str] = []
    if "max_per_week" in wanted:
        most = wanted["max_per_week"]
        said.append(
            f"{tell(lang, 'often')}: {often_words(most, lang) if isinstance(most, int) else tell(lang, 'often.any')}"
        )
    if "topics" in wanted:
        chosen = wanted["topics"]
        names = list(desk.config.preferences.topics) if chosen is None else chosen
        words = ", ".join(topic_words(desk, str(name)) for name in names)  # type: ignore[union-attr]
        said.append(f"{tell(lang, 'topics')}: {words or '—'}")
    if "hours" in wanted:
        pair = wanted["hours"]
        words = hours_words(pair, lang) if isinstance(pair, list) else tell(lang, "hours.any")
        said.append(f"{tell(lang, 'hours')}: {words}")
    if "language" in wanted:
        said.append(f"{tell(lang, 'language')}: {language_words(str(wanted['language'] or ''), lang)}")
    return ". ".join(said) + f". [{tell(lang, 'save')}]"


def hours_words(pair: list[int] | tuple[int, int], lang: Language) -> str:
    return tell(lang, "hours.pair", begin=pair[0], end=pair[1])


def language_words(code: str, lang: Language) -> str:
    return tell(lang, f"language.{code or 'any'}") if code in ("", "en", "ru") else code


def topic_words(desk: Desk, name: str) -> str:
    """What customers call a programme; without such a word the programme's own name."""
    words = desk.config.preferences.topics.get(name, {})
    return words.get(desk.lang) or next(iter(words.values()), name)


def hours_offered(now: tuple[int, int] | None) -> tuple[tuple[int, int], ...]:
    return HOURS if now is None or now in HOURS else (*HOURS, now)
