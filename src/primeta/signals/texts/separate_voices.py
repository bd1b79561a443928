"""Whom a customer may be repeating: customers who say the same independently are not copies of one another.

«Где мой заказ?» from forty customers is forty voices. A channel's post that another channel repeats is one piece of
news; what a customer tells of himself is news each time, unless nobody would find these words by himself.
"""

from __future__ import annotations

from dataclasses import dataclass

from primeta.signals.texts.records import Copy
from primeta.sources.records import GROUP_OF, Document

LONG = 20
"""Words from which two people do not write the same independently: it is a template or a campaign."""

REPEATED_DAYS = 7
"""Within them one customer who says a short thing again repeats himself; later it happened to him again."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who says a text, as far as it matters for telling copies."""

    voice: bool
    """A customer speaks."""
    person: str
    """Who, where it is known; else the second in which it was said, where that is known: the same words of the same
    second are one record that was read twice, under another name of its source, say."""
    long: bool
    forwards: bool
    """The text says that it is forwarded."""
    named: bool
    """The person is known by name."""


def is_voice(one: Document) -> bool:
    """Whether a customer speaks: by the kind of the source, or because the customer is named."""
    return bool(one.customer_id) or GROUP_OF[one.kind] == "voice"


def speaker_of(one: Document, left: str) -> Speaker:
    """
    Args:
        left: What boilerplate leaves of title and text.
    """
    return Speaker(
        is_voice(one), _person(one), is_long(one, left), bool(one.forwarded_from), bool(one.customer_id)
    )


def _person(one: Document) -> str:
    if one.customer_id:
        return f"c\0{one.customer_id}"
    at = one.published_at
    # A whole hour is a day or a shift that somebody wrote down: many speak in it.
    return f"s\0{at.timestamp():.0f}" if at is not None and (at.minute or at.second) else ""


def is_long(one: Document, left: str) -> bool:
    """Whether nobody else would find these words; a text that is all boilerplate is looked at whole."""
    return len((left.strip() or f"{one.title}\n{one.text}").split()) >= LONG


def circle(one: Document, left: str) -> str:
    """Texts of different circles are not held against each other for their words.

    Empty: everybody's. A short voice is compared with the same customer's only; where he is unknown, with what was
    said in the same second.
    """
    if not is_voice(one) or is_long(one, left):
        return ""
    return _person(one) or f"d\0{one.id}"


def may_repeat(one: Speaker, other: Speaker, *, days: float, how: Copy) -> bool:
    """Whether one of two texts can be a copy of the other for this reason.

    Voices repeat by their words or because they say that they forward; a link in a ticket (the page of a product) or a
    name in it is no sign that somebody else's text is repeated.

    Args:
        days: Between them.
    """
    if not one.voice and not other.voice:
        return True
    if how == "forward":
        return one.forwards or other.forwards
    if how not in ("exact", "near"):
        return False
    if one.person and one.person == other.person and days <= REPEATED_DAYS:
        return True
    return one.long and other.long


def is_template(one: Speaker, other: Speaker, how: Copy) -> bool:
    """Whether two known customers sent one long text."""
    return how in ("exact", "near") and one.named and other.named and one.person != other.person
