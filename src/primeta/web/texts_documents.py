"""Outside texts as the documents of the API: codes in English, times in ISO 8601, no id of a customer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from primeta.signals.signal import Block
from primeta.sources.records import Document
from primeta.workspace.texts_views import (
    Reading,
    ReadingItem,
    TopicView,
)


def document_entry(document: Document) -> dict[str, Any]:
    """What is told of a document beside its text."""
    return {
        "id": document.id,
        "source": document.source,
        "owner": document.owner,
        "kind": document.kind,
        "published_at": document.published_at,
        "seen_at": document.seen_at,
        "title": document.title,
        "url": document.url,
        "author": document.author,
        "language": document.language,
        "forwarded_from": document.forwarded_from,
        "score": document.score,
    }


def reading_document(found: Reading) -> dict[str, Any]:
    return {
        "stories": [_story(item) for item in found.items],
        "total": found.total,
        "unread": found.unread,
        "page": found.page,
        "pages": found.pages,
    }


def _story(item: ReadingItem) -> dict[str, Any]:
    return {
        **document_entry(item.first),
        "text": item.first.text,
        "mark": item.mark,
        "trust": item.trust,
        "topics": list(item.topics),
        "logged": item.logged or None,
        "copies": [{**document_entry(copy.document), "why": copy.why} for copy in item.copies],
    }


def topics_document(views: Sequence[TopicView]) -> dict[str, Any]:
    return {"topics": [_topic(view) for view in views]}


def _topic(view: TopicView) -> dict[str, Any]:
    """The keys of `primeta topics`, and what the workspace knows beside them."""
    topic = view.topic
    return {
        "id": topic.id,
        "terms": list(topic.terms),
        "since": topic.since,
        "first_seen": topic.first_seen,
        "noticed_at": topic.noticed_at,
        "owners": list(topic.owners),
        "origins": list(topic.origins),
        "documents": topic.documents,
        "stories": topic.stories,
        "e_value": topic.e_value,
        "second_origin": topic.second_origin,
        "grade": topic.grade,
        "why": list(topic.why),
        "type": topic.type or None,
        "type_words": list(topic.type_words),
        "applies_from": topic.applies_from,
        "signals": list(view.signals),
        "trend": view.trend or None,
        "quotes": [
            {
                "text": quote.text,
                "source": quote.source,
                "owner": quote.owner,
                "url": quote.url,
                "published_at": quote.published_at,
            }
            for quote in topic.quotes
        ],
    }


def topic_document(view: TopicView) -> dict[str, Any]:
    topic = view.topic
    return {
        **_topic(view),
        "weeks": [_block(block) for block in topic.weeks],
        "months": [_block(block) for block in topic.months],
        "quarters": [_block(block) for block in topic.quarters],
        "shares": [
            {
                "week": share.week,
                "owner": share.owner,
                "origin": share.origin,
                "stories": share.stories,
                "volume": share.volume,
            }
            for share in topic.shares
        ],
        "newest": [document_entry(document) for document in view.documents],
    }


def _block(block: Block) -> dict[str, Any]:
    return {
        "code": block.code,
        "effect": block.effect,
        "low": block.low,
        "high": block.high,
        "e_value": block.e_value,
        "passes": block.passes,
        "finished": block.finished,
    }
