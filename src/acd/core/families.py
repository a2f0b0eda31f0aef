"""Families of models: what a queue asks for, and what a limit or a report names."""

from __future__ import annotations

import re

FAMILIES = ("haiku", "sonnet", "opus", "fable")
"""Cheapest first (prices: facts/claude-code.md, section 4)."""


def family_of(model: str) -> str | None:
    """The family in a model's name (`claude-opus-5-5` → `opus`), None where there is none that we know."""
    words = re.split(r"[^a-z]+", model.lower())
    return next((family for family in FAMILIES if family in words), None)
