"""Plotly's script, which the pages with charts load and `acd report --html` carries.

It came out of plotly's wheel when acd was built (`hatch_build.py`), compressed, and is served as it lies there.
"""

from __future__ import annotations

from functools import cache
from hashlib import blake2b
from importlib.resources import files
from typing import Any

from acd.core.errors import ConfigError
from acd.dashboard.figure import safe_json
from acd.dashboard.figure_looks import looks


def script_of_charts() -> dict[str, Any]:
    """What `scripts` of `chart.html` needs: the address of the script, and the colours of both themes."""
    return {"plotly": script_address(), "templates": safe_json(looks())}


def script_address() -> str:
    """Where the script is: another address for another script."""
    return f"/charts/{script_version()}/plotly.js"


@cache
def script_version() -> str:
    """Names what is in the script; `none` where acd was installed without it."""
    try:
        return blake2b(packed_script(), digest_size=6).hexdigest()
    except ConfigError:
        return "none"


@cache
def packed_script() -> bytes:
    """The script, compressed with gzip: 1.5 MB.

    Raises:
        ConfigError: acd was installed without it.
    """
    try:
        return (files("acd.dashboard") / "vendor" / "plotly.min.js.gz").read_bytes()
    except FileNotFoundError as error:
        raise ConfigError(
            "the script that draws charts is missing: install acd with pip or uv, which builds it "
            "(`make .venv/.run` in a checkout); tables and all else work without it"
        ) from error
