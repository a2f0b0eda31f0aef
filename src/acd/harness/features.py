"""The feature list of a target: which file it is, reading it, and what changed between two looks. Also pure parts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from acd.core.errors import FeatureListError, FeatureListMissing
from acd.core.models import Feature, FeatureStatus, Target
from acd.harness.feature_entries import features_of
from acd.harness.safe_read import FileRefused, read_regular_file

DEFAULT_NAME = "feature_list.json"
SIZE_LIMIT = 16 * 1024 * 1024
"""Bytes. A list of 2,000 features with steps has about 1 MB."""


class FeatureChange(NamedTuple):
    """One change of one feature, as `FeatureChanged` records it."""

    key: str
    change: str
    status: FeatureStatus
    detail: str = ""


def feature_list_path(target: Target) -> Path:
    """Where the target's feature list is, or will be once its initializer wrote it."""
    return Path(target.feature_list or Path(target.path) / DEFAULT_NAME)


def feature_list_roots(target: Target, queue_dir: Path | None) -> list[Path]:
    """The folders that a feature list may lie in: the repository and the queue file's own folder."""
    return [Path(target.path), *([queue_dir] if queue_dir else [])]


class SeenList(NamedTuple):
    """A feature list as it was read: its text and what it says."""

    data: bytes
    features: list[Feature]


def read_feature_list(path: Path, roots: Sequence[Path]) -> list[Feature]:
    """The features of the file at `path`, in the file's order; see `read_list`.

    Raises:
        FeatureListError: likewise.
    """
    return read_list(path, roots).features


def read_list(path: Path, roots: Sequence[Path]) -> SeenList:
    """The file at `path`, and its features in the file's order.

    Whatever the file is (a FIFO, a device, a link out of `roots`, endless, half-written), this answers at once.

    Raises:
        FeatureListMissing: there is no such file.
        FeatureListError: it may not or cannot be read, or is no feature list; names the entry that is wrong.
    """
    try:
        data = read_regular_file(path, roots, SIZE_LIMIT)
    except FileNotFoundError as error:
        raise FeatureListMissing(f"there is no feature list at {path}") from error
    except (FileRefused, OSError) as error:
        raise FeatureListError(f"feature list {path}: {error}") from error
    try:
        return SeenList(data, features_of(data))
    except FeatureListError as error:
        raise FeatureListError(f"feature list {path}: {error}") from error


def counts(features: Sequence[Feature]) -> tuple[int, int]:
    """How many features are to be done (a skipped one is not, unless it passes), and how many of them pass."""
    wanted = [feature for feature in features if feature.passes or not feature.skipped]
    return len(wanted), sum(feature.passes for feature in wanted)


def status_of(feature: Feature) -> FeatureStatus:
    """What a look at the list alone tells. A claim counts as passing until something verifies it."""
    if feature.passes:
        return "passing"
    return "skipped" if feature.skipped else "pending"


def diff(before: Sequence[Feature], after: Sequence[Feature]) -> list[FeatureChange]:
    """What happened to each feature between two looks at a list, in the order of `after`, removals last."""
    old = {feature.key: feature for feature in before}
    changes: list[FeatureChange] = []
    for feature in after:
        changes += _changes(old.pop(feature.key, None), feature)
    return [*changes, *(FeatureChange(key, "removed", "removed") for key in old)]


def _changes(old: Feature | None, new: Feature) -> list[FeatureChange]:
    status = status_of(new)
    changes = []
    if old is None:
        changes.append(FeatureChange(new.key, "added", status, new.name))
    elif old.content_sha256 != new.content_sha256:
        detail = f"{old.name} → {new.name}" if old.name != new.name else ""
        changes.append(FeatureChange(new.key, "reworded", status, detail))
    passed = old is not None and old.passes
    if new.passes and not passed:
        changes.append(FeatureChange(new.key, "claimed", status))
    if passed and not new.passes:
        changes.append(FeatureChange(new.key, "regressed", "regressed"))
    return changes
