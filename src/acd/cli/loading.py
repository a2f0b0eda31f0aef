"""The program's one door for modules that are loaded when they are needed and not when it starts.

A command costs only what it needs itself (`main`), and of the two places that it can work through (`through`) only the one
that it reads from: neither the database's driver nor the HTTP client is imported for nothing.
"""

from __future__ import annotations

import importlib
from types import ModuleType


def load(module: str) -> ModuleType:
    """The module of that name (architecture: "No import inside a function … one exception")."""
    return importlib.import_module(module)
