"""The queue file and what its entries name."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import NamedTuple

from acd.agents.registry import adapter_names, load_adapter
from acd.cli.checks.finding import Finding, fail, ok, warn
from acd.core.errors import (
    ConfigError,
    FeatureListError,
    FeatureListMissing,
    GitError,
    QueueFileError,
)
from acd.core.models import Target
from acd.core.settings import Settings
from acd.git import is_repository
from acd.harness.consent import without_consent
from acd.harness.features import feature_list_path, feature_list_roots, read_feature_list
from acd.harness.proposal import propose_verify_command
from acd.queue.file import QueueFile, read_queue_file

_SUBJECT = "queue file"
_AT_A_TIME = 4


class CheckedQueue(NamedTuple):
    """What was found, and which agents the enabled targets use."""

    findings: list[Finding]
    agents: set[str]


async def check_queue(settings: Settings) -> CheckedQueue:
    """Every bad entry is named; of every enabled target its repository, feature list, files and agent are looked at."""
    try:
        queue = read_queue_file(settings.queue_file)
    except QueueFileError as error:
        there = settings.queue_file.exists() or "queue_file" in settings.given
        tell = fail if there else warn
        return CheckedQueue([tell(_SUBJECT, str(error), None if there else _HOW)], set())
    enabled = [target for target in queue.targets if target.enabled]
    problems = [fail(_SUBJECT, one) for one in queue.problems]
    problems += [warn(_SUBJECT, one) for one in queue.warnings]
    slots = asyncio.Semaphore(_AT_A_TIME)

    async def one(target: Target) -> list[Finding]:
        async with slots:
            found = await _check_target(target, queue)
            return [*found, *_check_consent(target, settings)]

    for found in await asyncio.gather(*map(one, enabled)):
        problems += found
    count = f"{len(queue.targets)} targets, {len(enabled)} enabled, in {queue.path}"
    return CheckedQueue([ok(_SUBJECT, count), *problems], {target.agent for target in enabled})


_HOW = "Write one: the README shows how."


async def _check_target(target: Target, queue: QueueFile) -> list[Finding]:
    found = [*_check_list(target, queue), *_check_files(target)]
    if target.agent not in adapter_names():
        names = ", ".join(adapter_names())
        found.append(fail(target.repo_id, f"unknown agent {target.agent!r}; there are {names}"))
    path = Path(target.path)
    if not path.is_dir():
        found.append(fail(target.repo_id, f"there is no folder {path}"))
        return found
    try:
        found += await asyncio.to_thread(_check_verify, target, queue)
        if not await is_repository(path):
            found.append(fail(target.repo_id, f"{path} is no git repository", f"git init {path}"))
    except GitError as error:
        found.append(fail(target.repo_id, str(error)))
    return found


def _check_verify(target: Target, queue: QueueFile) -> list[Finding]:
    """A target whose features nothing can check, though its files suggest what could."""
    proposal = propose_verify_command(Path(target.path))
    if target.verify_command or proposal is None or _has_own_checks(target, queue):
        return []
    entry = f'"verify": {json.dumps(proposal)}'
    return [
        warn(
            target.repo_id,
            "it has no verify command, so what passes stays unverified",
            f"Its files suggest `{proposal}`. Where that is right, confirm it: write {entry} into its entry of {queue.path}.",
        )
    ]


def _has_own_checks(target: Target, queue: QueueFile) -> bool:
    try:
        path, roots = feature_list_path(target), feature_list_roots(target, queue.folder)
        return any(feature.verify for feature in read_feature_list(path, roots))
    except FeatureListError:
        return False


def _check_list(target: Target, queue: QueueFile) -> list[Finding]:
    try:
        read_feature_list(feature_list_path(target), feature_list_roots(target, queue.folder))
    except FeatureListMissing:
        return []  # its initializer writes one
    except FeatureListError as error:
        return [fail(target.repo_id, str(error))]
    return []


def _check_consent(target: Target, settings: Settings) -> list[Finding]:
    if target.agent not in adapter_names():
        return []
    try:
        patterns = load_adapter(target.agent).own_settings
        files = without_consent(patterns, settings, Path(target.path))
    except ConfigError as error:
        return [fail(target.repo_id, str(error))]
    if not files:
        return []
    how = f"acd consent {target.repo_id} shows them; with --yes they are loaded."
    return [warn(target.repo_id, f"own agent settings are not loaded: {', '.join(files)}", how)]


def _check_files(target: Target) -> list[Finding]:
    named = {"prompt": target.prompt, "prd": target.prd}
    return [
        warn(target.repo_id, f"{key}: there is no file {path}")
        for key, path in named.items()
        if path and not Path(path).is_file()
    ]
