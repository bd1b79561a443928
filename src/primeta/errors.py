"""Every error that Primeta raises on purpose.

    PrimetaError                 has an exit status and one message for a person
    ├── BadInput                 what was given cannot be used
    │   ├── BadConfig            primeta.toml
    │   ├── BadTable             a file, a table, a column, a row
    │   ├── UnitMismatch         two things measured differently
    │   └── NotFound             a name that does not exist
    ├── Refused                  what was asked is understood and not done
    │   ├── Conflict             somebody changed it meanwhile, or it exists already
    │   ├── NewerWorkspace       written by a newer Primeta
    │   └── NotAllowed           this person may not
    └── Unavailable              try again, or repair what is around us
        ├── EngineFailed         the warehouse refused or fell over
        ├── Locked               another process holds it
        └── DiskFull             no room to write

A message says what was given, what was expected and what to do. "Cannot tell" is a
result with `why_not`, never an exception and never a zero.
"""

from __future__ import annotations


class PrimetaError(Exception):
    """The root: everything that is reported as one message, without a traceback."""

    exit_status = 2


class BadInput(PrimetaError):
    """What was given cannot be used."""


class BadConfig(BadInput):
    """A key of `primeta.toml` is wrong; the message names it and its line."""


class BadTable(BadInput):
    """A file, table, column or row cannot be read as what it should be."""


class UnitMismatch(BadInput):
    """Two things that must be measured alike are not."""


class NotFound(BadInput):
    """A name that does not exist; the message lists those that do."""


class Refused(PrimetaError):
    """What was asked is understood and is not done."""


class Conflict(Refused):
    """Somebody changed it meanwhile, or it exists already."""


class NewerWorkspace(Refused):
    """The workspace was written by a newer version of Primeta."""


class NotAllowed(Refused):
    """This person may not do this."""


class Unavailable(PrimetaError):
    """Something around Primeta does not work just now."""


class EngineFailed(Unavailable):
    """The warehouse refused a query or fell over."""


class Locked(Unavailable):
    """Another process holds what is needed."""


class DiskFull(Unavailable):
    """There is no room to write; nothing was half-written."""
