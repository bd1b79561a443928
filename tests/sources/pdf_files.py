"""PDF files for tests, written by hand: no library that writes them is needed."""

from __future__ import annotations

from collections.abc import Sequence


def pdf(
    pages: Sequence[Sequence[str]],
    *,
    title: str = "",
    author: str = "",
    created: str = "",
    chapters: Sequence[tuple[str, int]] = (),
) -> bytes:
    """A PDF of lines per page; a line that begins with "# " is twice as large; chapters are (name, 0-based page)."""
    objects: list[bytes] = []

    def add(body: bytes = b"") -> int:
        objects.append(body)
        return len(objects)

    font = add(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>")
    tree = add()
    kids: list[int] = []
    for lines in pages:
        drawn, height = [b"BT"], 780
        for line in lines:
            size = 24 if line.startswith("# ") else 11
            drawn.append(
                b"/F1 %d Tf 1 0 0 1 60 %d Tm (%s) Tj" % (size, height, _escaped(line.removeprefix("# ")))
            )
            height -= size + 5
        stream = b"\n".join([*drawn, b"ET"])
        content = add(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
        kids.append(
            add(
                b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 595 842] /Contents %d 0 R "
                b"/Resources << /Font << /F1 %d 0 R >> >> >>" % (tree, content, font)
            )
        )
    objects[tree - 1] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (
        len(kids),
        b" ".join(b"%d 0 R" % kid for kid in kids),
    )
    root = b"/Type /Catalog /Pages %d 0 R" % tree
    if chapters:
        outline = add()
        entries = [add() for _ in chapters]
        for at, (name, page) in enumerate(chapters):
            after = b"/Next %d 0 R" % entries[at + 1] if at + 1 < len(entries) else b""
            objects[entries[at] - 1] = b"<< /Title (%s) /Parent %d 0 R /Dest [%d 0 R /Fit] %s >>" % (
                _escaped(name),
                outline,
                kids[page],
                after,
            )
        objects[outline - 1] = b"<< /Type /Outlines /First %d 0 R /Last %d 0 R /Count %d >>" % (
            entries[0],
            entries[-1],
            len(entries),
        )
        root += b" /Outlines %d 0 R" % outline
    catalog = add(b"<< " + root + b" >>")
    told = ((b"Title", title), (b"Author", author), (b"CreationDate", created))
    info = add(
        b"<< " + b" ".join(b"/%s (%s)" % (name, _escaped(text)) for name, text in told if text) + b" >>"
    )
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + b"trailer << /Size %d /Root %d 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF" % (
        len(objects) + 1,
        catalog,
        info,
        start,
    )


def _escaped(text: str) -> bytes:
    return text.encode("cp1252").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
