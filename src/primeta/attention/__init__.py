"""Attention credit: promises, consents, "may we send this?", replay.

`pm.attention(...)` is a verb and this folder has its name: whichever is imported first, the module can be called.
"""

from __future__ import annotations

import sys
from inspect import Signature
from types import ModuleType
from typing import Any


class _Verb(ModuleType):
    """This folder as the verb `attention`."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        from primeta.attention.door import attention

        return attention(*args, **options)

    @property
    def __signature__(self) -> Signature:
        from inspect import signature

        from primeta.attention.door import attention

        return signature(attention)


sys.modules[__name__].__class__ = _Verb
