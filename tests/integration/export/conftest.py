"""The readers of Parquet. Loaded when a test asks: `make test` collects these tests without the extras."""

from __future__ import annotations

import importlib
from types import ModuleType

import pytest


@pytest.fixture
def polars() -> ModuleType:
    return importlib.import_module("polars")


@pytest.fixture
def parquet() -> ModuleType:
    return importlib.import_module("pyarrow.parquet")
