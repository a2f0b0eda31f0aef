"""What all pages have in common: templates, the frame around a page with its navigation, and who looks at it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import HTMLResponse

from acd import __version__
from acd.dashboard.environment import environment
from acd.web.parts import Parts


@dataclass(frozen=True)
class Entry:
    """A page in the navigation: `key` is the letter that goes to it after `g`, `icon` its drawing in `icons.html`."""

    label: str
    path: str
    key: str
    icon: str


class Shell:
    """Renders pages. `entries` are the navigation, in order; `version` is part of the address of every static file."""

    def __init__(self, entries: Sequence[Entry], version: str) -> None:
        self.entries = tuple(entries)
        self._templates = environment()
        self._templates.globals.update(
            version=__version__,
            entries=self.entries,
            static=f"/static/{version}",
            has_page={entry.path for entry in self.entries},
        )

    def page(
        self,
        request: Request,
        template: str,
        figures: Mapping[str, Any] | None = None,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> HTMLResponse:
        """A page of a template.

        It is given `figures` and: `path`, the address; `here`, the entry that it belongs to; `may_change`, whether this
        browser brought what routes of control ask for.
        """
        parts: Parts = request.app.state.parts
        path = request.url.path
        frame = {
            "path": path,
            "here": self._entry_of(path),
            "may_change": parts.access.knows(request.headers),
        }
        text = self._templates.get_template(template).render({**frame, **(figures or {})})
        return HTMLResponse(text, status, dict(headers or {}))

    def has(self, path: str) -> bool:
        """Whether an address lies in the part of the site that a page is answered to, whatever is asked for."""
        return path == "/" or self._entry_of(path) is not None

    def _entry_of(self, path: str) -> Entry | None:
        """The entry of a page and of what lies below it: /targets/shop belongs to /targets."""
        for entry in self.entries:
            below = entry.path != "/" and path.startswith(f"{entry.path}/")
            if path == entry.path or below:
                return entry
        return None


async def _shell(request: Request) -> Shell:
    shell = request.app.state.shell
    if not isinstance(shell, Shell):
        raise TypeError("the application was made without its pages")
    return shell


GivenShell = Annotated[Shell, Depends(_shell)]
