"""Takes plotly's script out of plotly's wheel while acd is built, so that nobody who installs acd needs that wheel.

The wheel is 47 MB when installed, with what it needs; of all that the pages use one script, which is 1.5 MB compressed. The wheel is a
requirement of the build alone (`build-system.requires`), and what is taken is what is expected here, byte for byte.
"""

from __future__ import annotations

import gzip
import hashlib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

EXPECTED = "3b6e15d45dbb7fca5bd2094291e961ddc5472cd887009e6009a56dab668d721f"
"""SHA-256 of the script in plotly 7.1.0, which is plotly.js 4.1.1."""
KEPT = "src/acd/dashboard/vendor/plotly.min.js.gz"


class PlotlyScript(BuildHookInterface):  # type: ignore[type-arg]
    """Puts the script beside the pages: into the wheel, and into the source tree of an editable installation."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the file, unless it is there from an earlier build."""
        if self.target_name != "wheel":
            return
        kept = Path(self.root) / KEPT
        script = _script()
        if not kept.exists() or gzip.decompress(kept.read_bytes()) != script:
            kept.parent.mkdir(exist_ok=True)
            kept.write_bytes(gzip.compress(script, 9, mtime=0))
        build_data["artifacts"].append(KEPT)


def _script() -> bytes:
    found = find_spec("plotly")
    if found is None or found.origin is None:
        raise RuntimeError("plotly is not installed where acd is built; pyproject.toml asks for it")
    script = (Path(found.origin).parent / "package_data" / "plotly.min.js").read_bytes()
    if hashlib.sha256(script).hexdigest() != EXPECTED:
        raise RuntimeError("plotly's script is another than was expected; see hatch_build.py")
    return script
