"""`acd pause`, `resume`, `drain`, `stop`, `retry`, `unblock`: control of the queue, here or on the server of ACD_URL."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from acd.cli.failures import FAILED
from acd.cli.hand import Hand, Order, do
from acd.cli.options import AsJson, DatabaseUrl, Home, Verbose, new_app
from acd.cli.output import say, show_json
from acd.cli.source import read_settings
from acd.core.control_rows import TargetTried
from acd.core.errors import AcdError, ConfigError, DatabaseAway, ServerAway
from acd.core.settings import Settings

pausing = new_app()
resuming = new_app()
draining = new_app()
stopping = new_app()
retrying = new_app()
unblocking = new_app()
skipping = new_app()

TargetId = Annotated[str, typer.Argument(metavar="TARGET", help="Its id in the queue file.")]

_TOLD: dict[Order, str] = {
    "pause": "Paused: no session is begun until `acd resume`, also by who begins later. Those that run go on.",
    "resume": "Resumed: sessions are begun again.",
    "drain": "Draining: who works the queue now begins no further session, and ends when the last one is over.",
    "stop": "Stopping: who works the queue now ends its sessions in order and then itself. What they did is kept.",
}


@pausing.command()
def pause(
    as_json: AsJson = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
    verbose: Verbose = False,
) -> None:
    """Let no further session begin, on any machine, until `acd resume`. Sessions that run go on."""
    _order("pause", read_settings(home=home, database_url=database_url), as_json=as_json)


@resuming.command()
def resume(
    as_json: AsJson = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
    verbose: Verbose = False,
) -> None:
    """Let sessions begin again after `acd pause`."""
    _order("resume", read_settings(home=home, database_url=database_url), as_json=as_json)


@draining.command()
def drain(
    as_json: AsJson = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
    verbose: Verbose = False,
) -> None:
    """Let the sessions that run end by themselves, then every `acd run` and `acd worker` that works now."""
    _order("drain", read_settings(home=home, database_url=database_url), as_json=as_json)


@stopping.command()
def stop(
    session: Annotated[
        str | None,
        typer.Argument(
            metavar="[SESSION]",
            help="Only this one: the beginning of its id, or TARGET#NUMBER. Without it: everything.",
        ),
    ] = None,
    as_json: AsJson = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
    verbose: Verbose = False,
) -> None:
    """End the sessions that run in order, on every machine, and who works them; or one session alone.

    What a session did is kept; it fails as `interrupted`. The target of a session that was stopped alone gets its next
    one as after any failure: disable it first when it is to have none.
    """
    settings = read_settings(home=home, database_url=database_url)
    if session is None:
        _order("stop", settings, as_json=as_json)
        return
    name = session

    async def work(hand: Hand) -> bytes:
        session_id = await hand.session_meant(name)
        if session_id is None:
            raise ConfigError(
                f"there is no session {name!r}: `acd status` shows those that run; without a name, all are stopped"
            )
        return await hand.stop_session(session_id)

    told = do(settings, "stop", work)
    if as_json:
        show_json(told)
    else:
        say(f"The session {name} is asked to end; `acd session {name}` shows when it has.")


@retrying.command()
def retry(
    target: TargetId,
    as_json: AsJson = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
    verbose: Verbose = False,
) -> None:
    """Let a target's failures so far count no longer, and its next session be due at once, also when it is blocked.

    A pause, limits of the agent's account and budgets hold as before.
    """
    settings = read_settings(home=home, database_url=database_url)
    _show_one(do(settings, "retry", lambda hand: hand.retry(target)), as_json=as_json)


@unblocking.command()
def unblock(
    target: Annotated[
        str | None, typer.Argument(metavar="[TARGET]", help="Its id in the queue file.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every blocked target.")] = False,
    as_json: AsJson = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
    verbose: Verbose = False,
) -> None:
    """Let a blocked target be active again, with another try: after you mended what `acd status` says of it."""
    if (target is None) != every:
        raise typer.BadParameter("name a target, or give --all", param_hint="TARGET")
    settings = read_settings(home=home, database_url=database_url)
    if target is not None:
        only = target
        _show_one(do(settings, "unblock", lambda hand: hand.unblock(only)), as_json=as_json)
        return
    tried, refused = do(settings, "unblock", _unblock_all)
    if as_json:
        show_json(msgspec.json.encode(tried))
    else:
        _show_tried(tried)
    for message in refused:
        typer.echo(f"acd: {message}", err=True)
    if refused:
        raise typer.Exit(FAILED)


@skipping.command()
def skip(
    target: TargetId,
    feature: Annotated[
        str, typer.Argument(metavar="FEATURE", help="Its key, as `acd features TARGET` shows it.")
    ],
    undo: Annotated[bool, typer.Option("--undo", help="Take it in again.")] = False,
    as_json: AsJson = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
    verbose: Verbose = False,
) -> None:
    """Leave a feature out from the next session on: it is no work that is left, and agents are told to leave it.

    The feature list itself stays as it is.
    """
    settings = read_settings(home=home, database_url=database_url)
    done = do(settings, "skip", lambda hand: hand.skip(target, feature, skip=not undo))
    if as_json:
        show_json(msgspec.json.encode(done))
    elif done.skipped:
        say(f"{feature} of {target} is left out from the next session on (`--undo` takes it in).")
    else:
        say(f"{feature} of {target} is not left out: it is {done.status}.")


async def _unblock_all(hand: Hand) -> tuple[list[TargetTried], list[str]]:
    """Those that could be, and why others could not."""
    tried, refused = [], []
    for repo_id in await hand.blocked():
        try:
            tried.append(await hand.unblock(repo_id))
        except (DatabaseAway, ServerAway):
            raise
        except AcdError as error:
            refused.append(str(error))
    return tried, refused


def _order(order: Order, settings: Settings, *, as_json: bool) -> None:
    told = do(settings, order, lambda hand: hand.order(order))
    if as_json:
        show_json(told)
    else:
        say(_TOLD[order])


def _show_one(tried: TargetTried, *, as_json: bool) -> None:
    if as_json:
        show_json(msgspec.json.encode(tried))
    else:
        _show_tried([tried])


def _show_tried(tried: list[TargetTried]) -> None:
    for one in tried:
        say(f"{one.repo_id} is {one.status}: its failures are forgotten, its next session is due.")
    if not tried:
        say("No target is blocked.")
    elif not tried[0].workers:
        say("Nobody works the queue now: the next `acd run` begins it.")
