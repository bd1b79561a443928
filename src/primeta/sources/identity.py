"""The id of a document: the same for the same entry, whenever and with whatever code it is read."""

from __future__ import annotations

import hashlib


def document_id(source: str, native: str) -> str:
    """`d-` and 16 hexadecimal digits of SHA-256 over the source's name and the entry's own id (else link, else text)."""
    return "d-" + hashlib.sha256(f"{source}\0{native}".encode("utf-8", "surrogatepass")).hexdigest()[:16]
