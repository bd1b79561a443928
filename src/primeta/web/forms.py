"""A form as it is shown again: what was typed is kept, each complaint stands beside its cause."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from starlette.datastructures import FormData

from primeta.web.page import text_of


@dataclass(slots=True, kw_only=True)
class Form:
    """The fields of a form with their texts, complaints by field, and one for the whole."""

    values: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    problem: str = ""
    detail: str = ""

    @classmethod
    def given(cls, form: FormData, names: tuple[str, ...]) -> Form:
        return cls(values={name: text_of(form, name) for name in names})

    @property
    def ok(self) -> bool:
        return not self.errors and not self.problem

    def require(self, messages: Mapping[str, str]) -> None:
        """Complain about each of these fields that is empty."""
        for name, message in messages.items():
            if not self.values.get(name):
                self.errors[name] = message

    def one_of(self, name: str, allowed: tuple[str, ...], message: str) -> None:
        if self.values.get(name, "") not in allowed:
            self.errors[name] = message

    def day(self, name: str, message: str) -> date | None:
        """The day in a field; None and a complaint where it is none."""
        try:
            return date.fromisoformat(self.values.get(name, ""))
        except ValueError:
            self.errors[name] = message
            return None
