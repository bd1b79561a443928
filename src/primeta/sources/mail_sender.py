"""Who speaks in a mail: the sender's house, or the newsletter where many are sent from one house."""

from __future__ import annotations

import re
from dataclasses import dataclass

from primeta.sources.html_text import one_line
from primeta.sources.mail_parts import Parts
from primeta.sources.mail_words import header

_ADDRESS = re.compile(
    r"([\w.!#$%&'*+/=?^`{|}~-]{1,64})@((?:[\w-]{1,63}\.){1,10}[\w-]{2,63}|\[[\d.:a-fA-F]{2,45}\])"
)
_LIST = re.compile(r"<([^<>\s]{1,250})>")
_SECOND = frozenset(
    {"ac", "co", "com", "edu", "gov", "net", "org", "msk", "spb", "ltd", "or", "ne", "go", "gob", "nom"}
)
"""Names below a country under which houses stand: co.uk, com.tr, msk.ru."""
_MANY = frozenset({
    "gmail.com", "googlemail.com", "yandex.ru", "ya.ru", "yandex.com", "mail.ru", "bk.ru", "inbox.ru", "list.ru", "internet.ru", "rambler.ru",
    "vk.com", "outlook.com", "hotmail.com", "live.com", "msn.com", "yahoo.com", "icloud.com", "me.com", "proton.me", "protonmail.com",
    "gmx.de", "gmx.net", "web.de", "aol.com", "zoho.com", "fastmail.com", "substack.com", "beehiiv.com", "ghost.io", "medium.com",
    "buttondown.email", "convertkit.com", "convertkit-mail.com", "convertkit-mail2.com", "mailerlite.com", "getrevue.co",
    "mailchimpapp.com", "groups.google.com", "googlegroups.com", "groups.io", "freelists.org", "linkedin.com", "patreon.com", "boosty.to",
    "onmicrosoft.com", "tinyletter.com", "revue.email", "sendsay.ru", "unisender.com", "getresponse.com", "sendpulse.com", "mailgun.org",
    "subscribe.ru", "facebookmail.com", "github.com", "notion.so",
})  # fmt: skip
"""Houses in which many people speak: one address there is one voice."""
_SENDERS = re.compile(
    r"(?:mcsv|rsgsv|mailchimpapp|list-manage|sendgrid|mandrillapp|sparkpostmail|amazonses|mailgun|unisender|sendsay|sendpulse|getresponse|"
    r"mindbox|exacttarget|salesforce|klaviyo\w*|hubspot\w*|hs-\w+|constantcontact|ccsend|cmail\d+|createsend\w*|mailerlite|emarsys|esputnik|"
    r"dashasender|smartresponder|mailganer|notisend|esv2|e-?mail|mlsend|sendinblue|brevo|elasticemail)\.\w{2,10}\Z"
)
"""Who carries newsletters for others; their list names say nothing of who speaks."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who speaks in a mail."""

    name: str
    address: str
    owner: str
    list_id: str = ""


def sender_of(mail: Parts) -> Sender:
    """The sender by `From`, else `Sender`, `Reply-To`, `Return-Path`."""
    name = address = ""
    for field in ("from", "resent-from", "sender", "reply-to", "return-path"):
        for raw in mail.headers.get(field, ())[:2]:
            text = header(raw)
            if found := _ADDRESS.search(text):
                address = found[0].lower()
                name = one_line(text[: found.start()].replace("<", " ").strip(" \"'\t(,"))
                name = name or _comment(text[found.end() :])
                break
            name = name or one_line(text.strip(" \"'<>"))
        if address:
            break
    list_id = ""
    if raw := mail.headers.get("list-id"):
        text = header(raw[0])
        match = _LIST.search(text)
        list_id = (match[1] if match else text.strip()).lower()[:200]
        list_id = "" if " " in list_id else list_id
    owner = site_of_address(address)
    domain = house(address.rpartition("@")[2])
    if list_id and "." in list_id and not _SENDERS.search(list_id) and domain in _MANY | {""}:
        owner = _list_owner(list_id)
    return Sender(name=name, address=address, owner=owner, list_id=list_id)


def site_of_address(address: str) -> str:
    """Whose house an address belongs to: `news@mail.shop.ru` to `shop.ru`; in a house of many it is the address itself.

    `anna@substack.com` is `anna.substack.com`, as her site is named. Empty without an address.
    """
    local, _, domain = address.strip().lower().rpartition("@")
    if not local or not domain:
        return ""
    base = house(domain)
    if base == "substack.com":
        return f"{local.partition('+')[0]}.substack.com"
    return f"{local}@{domain}" if base in _MANY else base


def house(domain: str) -> str:
    """The part of a host name that was registered: `mail.shop.co.uk` → `shop.co.uk`."""
    labels = domain.strip(".").split(".")
    if len(labels) < 3 or domain.startswith("["):
        return domain.strip(".")
    take = 3 if labels[-2] in _SECOND and (len(labels[-1]) == 2 or labels[-2] in ("msk", "spb")) else 2
    return ".".join(labels[-take:])


def _list_owner(list_id: str) -> str:
    base = house(list_id)
    return list_id if base in _MANY else base


def _comment(text: str) -> str:
    """A name in brackets behind the address, as old programs write it."""
    match = re.match(r">?\s*\(([^()]{1,200})\)", text)
    return one_line(match[1]) if match else ""
