"""Links in one spelling: resolved, without what only tracks a click, so that one page has one address."""

from __future__ import annotations

import re
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

LONGEST = 4096
"""Characters; a longer address is no address that somebody can cite."""

_TRACKING = re.compile(
    r"(?:utm_\w*|ga_\w*|hsa_\w*|mc_[ce]id|mkt_tok|fbclid|gclid|gclsrc|dclid|gbraid|wbraid|msclkid|yclid|ysclid|ymclid"
    r"|_openstat|from_openstat|twclid|ttclid|igsh|igshid|li_fat_id|vero_id|vero_conv|oly_(?:anon|enc)_id|_hsenc|_hsmi"
    r"|rb_clickid|s_cid|wickedid|spm|scm|at_(?:medium|campaign|custom\d?)|cmpid|_ga|_gl|mtm_\w*|pk_\w*|piwik_\w*|erid)\Z",
    re.IGNORECASE,
)
_PORTS = {"http": 80, "https": 443}
_PATH = "/%:@!$&'()*+,;=-._~"
_QUERY = _PATH + "?"
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?|[0-9a-f:.]*:[0-9a-f:.]*")
_STRAY = re.compile(r"[\x00-\x1f\x7f]+")


def canonical_link(link: str, *, base: str = "") -> str:
    """`link` as an absolute http or https address: host in lower case, no tracking parameters, no fragment.

    A fragment that names a page of a single-page site (`#!…`, `#/…`) stays. Empty where it is no such address
    (`mailto:`, `javascript:`, a broken one, a relative one without a base): never an exception.
    """
    link = link.strip()
    if not link or len(link) > LONGEST:
        return ""
    try:
        return _canonical(urljoin(base, link) if base else link)
    except (ValueError, UnicodeError):
        return ""


def site_of(link: str) -> str:
    """The host of a link without `www.`; empty where it is no http address."""
    host = urlsplit(canonical_link(link)).hostname or ""
    return host.removeprefix("www.")


def _canonical(link: str) -> str:
    parts = urlsplit(_STRAY.sub("", link).replace("\\", "/").strip())  # as browsers do
    scheme, port = parts.scheme.lower(), parts.port
    host = (parts.hostname or "").rstrip(".").lower()
    if not host.isascii():
        host = host.encode("idna").decode("ascii")
    if scheme not in _PORTS or not _HOST.fullmatch(host):
        return ""
    place = f"[{host}]" if ":" in host else host
    if port is not None and port != _PORTS[scheme]:
        place = f"{place}:{port}"
    query = "&".join(
        pair for pair in parts.query.split("&") if pair and not _TRACKING.match(pair.partition("=")[0])
    )
    fragment = parts.fragment if parts.fragment[:1] in ("!", "/") else ""
    return urlunsplit(
        (scheme, place, quote(parts.path, _PATH) or "/", quote(query, _QUERY), quote(fragment, _QUERY))
    )
