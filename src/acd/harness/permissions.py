"""The permissions of a session: the settings' and the queue entry's word, and the places that no agent needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from acd.core.models import Target
from acd.core.permissions import Permissions
from acd.core.settings import Settings
from acd.harness.workspace import Workspace

_WORKED_IN = frozenset({"worktrees", "clones"})
_ALWAYS_PRIVATE = ("sessions", "targets", "token", "consents.json")

_NO_PUSH: Mapping[str, str] = {
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "url.acd-push-is-not-allowed:///.pushInsteadOf",
    "GIT_CONFIG_VALUE_0": "",
}
"""Git sends every push to a protocol that does not exist (tried with 2.39; fetching is as ever). Unlike the agent's own
rules this holds in scripts too; a remote with a `pushurl` of its own, and whoever clears the variables, gets by."""


def permissions_of(
    settings: Settings,
    target: Target,
    workspace: Workspace,
    git_dir: Path | None,
    *,
    own_settings: bool,
) -> Permissions:
    """The rules of a session.

    Args:
        settings: profile, pushing, sandbox, and where our own files are.
        target: whose entry may have further rules.
        workspace: where the agent works.
        git_dir: the repository's common git directory.
        own_settings: the repository's own settings for the agent may be loaded.
    """
    inside = workspace.feature_list.is_relative_to(workspace.path)
    verify = () if target.verify_command is None else _shell_rule(target.verify_command)
    return Permissions(
        profile=settings.permission_profile,
        bypass=settings.skip_permissions,
        allow_push=settings.allow_push,
        sandbox=settings.agent_sandbox,
        own_settings=own_settings,
        allow=(*target.allow_tools, *verify),
        deny=tuple(target.deny_tools),
        files=() if inside else (workspace.feature_list,),
        private=tuple(_private(settings, target, workspace)),
        protected=(settings.queue_file.absolute(),),
        git_dir=git_dir,
    )


def push_guard(settings: Settings) -> Mapping[str, str]:
    """Variables that keep an agent's git from pushing, unless that is allowed."""
    return {} if settings.allow_push else _NO_PUSH


def _shell_rule(command: str) -> tuple[str, ...]:
    """The check that the agent's work is judged by is one that it may try itself."""
    return (f"Bash({command})",) if command.isprintable() else ()


def _private(settings: Settings, target: Target, workspace: Workspace) -> Iterator[Path]:
    """What is ours, and the unversioned secrets around the target."""
    home = settings.home.absolute()
    there = {path.name for path in home.iterdir()} if home.is_dir() else set()
    for name in sorted({*there, *_ALWAYS_PRIVATE} - _WORKED_IN):
        yield home / name
    path = Path(target.path)
    if path != workspace.path:
        yield path / ".env"
    yield from (parent / ".env" for parent in path.parents if parent != Path(path.anchor))
