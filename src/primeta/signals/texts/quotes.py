"""Quotes of a topic: a few sentences of different owners, the earliest one and those that say most of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from primeta.signals.texts.boilerplate import sentences
from primeta.signals.texts.panel_build import told_at
from primeta.signals.texts.records import Quote
from primeta.signals.texts.terms import TermReader
from primeta.sources.records import Document

MOST = 5
LONGEST = 280
"""Characters of one quote."""


def quotes_of(
    documents: Sequence[Document],
    codes: Mapping[int, float],
    *,
    reader: TermReader,
    most: int = MOST,
    copies: Mapping[str, int] | None = None,
) -> tuple[Quote, ...]:
    """Up to `most` quotes, in the order of time; up to three where fewer owners speak.

    Args:
        documents: First tellings of the topic's stories, in the order of time.
        codes: Term of the topic → how telling it is.
        copies: Document → how often it was repeated; what many repeated is more central.
    Returns:
        The earliest text, then the most telling ones; one of each owner while there are owners left.
    """
    if not documents:
        return ()
    scored = [_best(one, codes, reader) for one in documents]
    repeated = copies or {}

    def centre(at: int) -> tuple[float, int, int]:
        return -scored[at][0], -repeated.get(documents[at].id, 0), at

    chosen = [next((at for at in range(len(documents)) if scored[at][0] > 0), 0)]
    texts = {scored[chosen[0]][1].casefold()}
    for again in (False, True):
        owners = {documents[at].owner for at in chosen}
        for at in sorted(range(len(documents)), key=centre):
            if len(chosen) >= (min(most, 3) if again else most):
                break
            if at in chosen or scored[at][0] <= 0 or scored[at][1].casefold() in texts:
                continue
            if documents[at].owner in owners and not again:
                continue
            chosen.append(at)
            owners.add(documents[at].owner)
            texts.add(scored[at][1].casefold())
    return tuple(_quote(documents[at], scored[at][1]) for at in sorted(chosen))


def _best(one: Document, codes: Mapping[int, float], reader: TermReader) -> tuple[float, str]:
    """(how much of the topic, the sentence)."""
    best = (0.0, "")
    for part in [*([one.title] if one.title else []), *sentences(one.text)][:60]:
        there = {code for code, _ in reader.spoken(part)} & codes.keys()
        score = sum(codes[code] for code in there)
        # Of sentences that say as much the first one is quoted; a title alone is not, where a sentence says it.
        if score > best[0] or (score == best[0] > 0 and best[1] == one.title):
            best = (score, part)
    return best if best[1] else (0.0, (one.title or one.text))


def _quote(one: Document, text: str) -> Quote:
    return Quote(
        text=cut(text),
        source=one.source,
        owner=one.owner,
        url=one.url or next(iter(one.links), ""),
        published_at=told_at(one),
        document=one.id,
    )


def cut(text: str, longest: int = LONGEST, *, keep: Collection[str] = ()) -> str:
    """One line of at most so many characters, cut between words."""
    text = " ".join(text.split())
    if len(text) <= longest:
        return text
    return text[: longest - 1].rsplit(" ", 1)[0].rstrip(",;:—– ") + "…"
