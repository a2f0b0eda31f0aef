"""Notifications: what is told, how often, where to, and a sender that is never in the way. No process, no network."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest

from acd.core.environment import load_settings
from acd.core.errors import ConfigError
from acd.core.models import Target
from acd.core.settings import Settings
from acd.harness.outcome import Outcome
from acd.notify import outbox
from acd.notify.addresses import Address, read_addresses
from acd.notify.notices import Chronicle
from acd.notify.notifying import notifying
from acd.notify.outbox import Outbox
from acd.notify.throttle import Throttle
from acd.notify.trouble import Troubles
from acd.notify.wire import THE_URL, Answer, Notice
from acd.queue.steps import Done, Stop
from tests.data.queue.place import Seen

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECRET = "tgram://123456:very-secret-token/chat"
ADDRESS = Address(1, SECRET)


def target(name: str = "shop") -> Target:
    return Target(repo_id=name, name=name, path="/", agent="scripted")


def notice(subject: str = "shop", body: str = "") -> Notice:
    return Notice("failure", subject, "title", body)


def failed(error_type: str, message: str = "it broke") -> Outcome:
    outcome = Outcome(session_id=uuid4(), status="failed", error_message=message)
    return msgspec.structs.replace(outcome, error_type=error_type, total_features=3)


def test_of_a_kind_and_a_target_one_is_let_through_in_a_while() -> None:
    throttle = Throttle(900)
    assert throttle.admit(notice(), 0) == 0
    assert [throttle.admit(notice(), at) for at in (1, 500, 899.9)] == [None] * 3
    assert throttle.admit(notice("other"), 2) == 0
    assert throttle.admit(msgspec.structs.replace(notice(), kind="blocked"), 2) == 0
    assert throttle.held == 3
    assert throttle.admit(notice(), 900) == 3
    assert (throttle.admit(notice(), 901), throttle.held) == (None, 1)


def test_kinds_are_checked_by_name() -> None:
    with pytest.raises(ConfigError, match=r"ACD_NOTIFY_ON: no kind of event: finnished; there are"):
        load_settings({"ACD_NOTIFY_ON": "blocked, finnished"})


def test_urls_are_told_apart_and_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("acd.notify.addresses.find_spec", lambda _: object())  # the extra or not
    more = tmp_path / "urls"
    more.write_text("# mine\n\nntfy://topic?tags=a,b\n")
    urls = f"{SECRET}, mailto://u:p@example.org?to=a@x.org,b@x.org"
    found = read_addresses(Settings(notify_urls=urls, notify_urls_file=more))
    assert [each.label for each in found] == ["1 (tgram://…)", "2 (mailto://…)", "3 (ntfy://…)"]
    assert found[1].url.endswith("?to=a@x.org,b@x.org")
    assert "secret" not in repr(found)
    assert found[0].without_secrets("no way to very-secret-token") == "no way to [redacted]"
    with pytest.raises(ConfigError, match="number 2 is no Apprise URL") as caught:
        read_addresses(Settings(notify_urls=f"{SECRET} hunter22"))
    assert "hunter22" not in str(caught.value)
    with pytest.raises(ConfigError, match="ACD_NOTIFY_URLS_FILE"):
        read_addresses(Settings(notify_urls_file=tmp_path / "none"))
    assert read_addresses(Settings()) == []


def test_without_the_extra_urls_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("acd.notify.addresses.find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"pip install 'acd-harness\[notify\]'"):
        read_addresses(Settings(notify_urls=SECRET))


def test_failures_and_budgets_are_told_and_limits_and_stops_are_not() -> None:
    told = Chronicle()
    found = told.session_ended(target(), failed("server", "500 with sk-ant-abcdefghijkl"))
    assert found is not None
    assert (found.kind, found.title) == ("failure", "acd: shop: session failed (server)")
    assert found.body == "500 with [redacted]\nfeatures 0/3"
    over = told.session_ended(target(), failed("budget"))
    assert over is not None
    assert over.kind == "budget"
    for quiet in ("usage_limit", "rate_limit", "interrupted"):
        assert told.session_ended(target(), failed(quiet)) is None


def test_a_limit_is_told_once_for_all_and_anew_when_it_is_another() -> None:
    told, until = Chronicle(), NOW + timedelta(hours=1)

    def waits(name: str, until: datetime, now: datetime = NOW) -> Notice | None:
        return told.target_waiting(target(name), until, "limit of x (five_hour)", "limit", now)

    first = waits("a", until)
    assert first is not None
    assert "a and whatever else it holds back wait until" in first.body
    assert waits("b", until + timedelta(seconds=3)) is None
    assert waits("b", until + timedelta(hours=5)) is not None
    assert waits("b", until + timedelta(hours=20), now=until + timedelta(hours=6)) is not None
    assert told.target_waiting(target(), until, "sessionDelay", None, NOW) is None


def test_only_what_this_process_completed_is_finished() -> None:
    told = Chronicle()
    complete = Done("none of its 3 features is left to do", "complete")
    assert told.target_settled(target(), complete) is None
    told.session_ended(target(), Outcome(session_id=uuid4(), status="completed"))
    found = told.target_settled(target(), complete)
    assert found is not None
    assert "1 session in this run" in found.body
    assert told.target_settled(target(), Done("disabled")) is None
    blocked = told.target_settled(target(), Stop("auth: no"))
    budget = told.target_settled(target(), Stop("used up", "budget_of_all"))
    assert [each and (each.kind, each.subject) for each in (blocked, budget)] == [
        ("blocked", "shop"),
        ("budget", ""),
    ]


# ---- sending ------------------------------------------------------------------------------------------------------


class Service:
    """Stands for what carries notices: refuses the first so many tries, or hangs."""

    def __init__(self, *, refuse: int = 0, hang: bool = False) -> None:
        self.refuse = refuse
        self.hang = hang
        self.arrived: list[Notice] = []

    async def deliver(self, _: Address, notices: Sequence[Notice]) -> AsyncGenerator[Answer]:
        if self.hang:
            await asyncio.sleep(60)
        yield Answer(THE_URL)
        for index, each in enumerate(notices):
            self.refuse -= 1
            if self.refuse >= 0:
                yield Answer(index, "503")
            else:
                self.arrived.append(each)
                yield Answer(index)


async def sent(service: Service, settings: Settings, count: int, **how: bool) -> list[str]:
    """What was told as not sent; with `hurry` everything is to end at once."""
    told: list[str] = []
    hurry = asyncio.Event()
    if how.get("hurry"):
        hurry.set()
    box = Outbox([ADDRESS], settings, told.append, deliver=service.deliver, waits_s=(0.01, 0.01))
    async with box:
        for number in range(count):
            box.put(notice(body=str(number)))
        await box.close(hurry)
    return told


async def test_what_is_refused_is_tried_again_and_then_given_up(settings: Settings) -> None:
    troubles = Troubles(settings)
    service = Service(refuse=2)
    assert await sent(service, settings, 3) == []
    assert sorted(each.body for each in service.arrived) == ["0", "1", "2"]
    told = await sent(Service(refuse=99), settings, 2)
    assert told == ["2 notifications were not sent to 1 (tgram://…): 503"]
    trouble = troubles.read(1)
    assert trouble is not None
    assert (trouble.reason, trouble.count) == ("503", 2)
    await sent(Service(), settings, 1)
    assert troubles.read(1) is None


async def test_a_service_that_hangs_holds_up_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "HURRIED_S", 0.1)
    began = time.monotonic()
    told = await sent(Service(hang=True), settings, 150, hurry=True)
    assert time.monotonic() - began < 5
    assert told == [
        "150 notifications were not sent to 1 (tgram://…): the time for sending was over"
    ]


async def test_everything_is_passed_on_and_nothing_sent_without_addresses(
    settings: Settings,
) -> None:
    seen = Seen()
    async with notifying(settings, [], seen, hurry=asyncio.Event()) as notifier:
        notifier.session_ended(target(), failed("server"))
        notifier.target_waiting(target(), NOW, "limit", "limit")
        notifier.target_settled(target(), Stop("no"))
        notifier.message("hello")
        notifier.run_ended("over", [])
    assert len(seen.ended) == len(seen.waits) == len(seen.settled) == 1
    assert seen.messages == ["hello"]
