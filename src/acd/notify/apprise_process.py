"""A process that sends notices by Apprise: `python -m acd.notify.apprise_process`, request on stdin, answers on stdout.

In a process of its own, because loading Apprise takes over a second of processor time, some of its services block for
long, and a thread that hangs could not be ended: a process can.
"""

from __future__ import annotations

import logging
import sys

import apprise
import msgspec

from acd.core.text import redact, shorten
from acd.notify.wire import THE_URL, Answer, Notice, Request

_LONGEST_REASON = 300


class _Complaints(logging.Handler):
    """Keeps the last thing that Apprise complained of: `notify` itself only says yes or no."""

    last = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.last = record.getMessage()


def main() -> None:
    """Answer the request."""
    request = msgspec.json.decode(sys.stdin.buffer.read(), type=Request)
    complaints = _Complaints(logging.WARNING)
    log = logging.getLogger("apprise")
    log.handlers, log.propagate = [complaints], False
    # Nothing is kept on the disk, no plug-in is looked for there, and what is logged hides what is secret.
    asset = apprise.AppriseAsset(
        app_id="acd", app_desc="acd", secure_logging=True, plugin_paths=[], storage_mode="memory"
    )
    service = apprise.Apprise(asset=asset)
    if not service.add(request.url):
        _answer(THE_URL, "Apprise does not understand this URL")
        return
    _answer(THE_URL, None)
    for index, notice in enumerate(request.notices):
        complaints.last = ""
        _answer(
            index, None if _sent(service, notice) else complaints.last or "the service refused it"
        )


def _sent(service: apprise.Apprise, notice: Notice) -> bool:
    return bool(
        service.notify(
            title=notice.title, body=notice.body, notify_type=notice.tone, body_format="text"
        )
    )


def _answer(index: int, reason: str | None) -> None:
    told = None if reason is None else shorten(redact(reason), _LONGEST_REASON)
    sys.stdout.buffer.write(msgspec.json.encode(Answer(index, told)) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
