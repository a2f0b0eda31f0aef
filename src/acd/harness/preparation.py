"""What has to be known before an agent can start. What cannot be found out fails the session, which is recorded all the same."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from acd.core.errors import FeatureListMissing
from acd.core.models import Feature
from acd.core.settings import Settings
from acd.git import Repository
from acd.harness.features import SeenList
from acd.harness.isolation.worktree import make_worktree
from acd.harness.plan import SessionPlan
from acd.harness.prompts import render_prompt
from acd.harness.trouble import Trouble
from acd.harness.workspace import Workspace, identity_variables

logger = logging.getLogger(__name__)


@dataclass
class Preparation:
    """Gathered in two steps: `find_repository`, then, once that is held, `look`. `trouble` tells what went wrong."""

    plan: SessionPlan
    settings: Settings
    git_common_dir: Path | None = None
    head: str | None = None
    branch: str | None = None
    base_branch: str | None = None
    seen: SeenList | None = None
    prompt: str = ""
    identity: Mapping[str, str] = field(default_factory=dict)
    trouble: Trouble = field(default_factory=Trouble)

    def __post_init__(self) -> None:
        self.workspace = Workspace.in_place(self.plan.target, self.plan.queue_dir)

    @property
    def features(self) -> list[Feature] | None:
        """The features before the session; None where there is no list yet, or none that can be read."""
        return self.seen.features if self.seen else None

    @property
    def reverify(self) -> list[str]:
        """The features whose checks are to be run again at the end: the next ones that have one of their own."""
        checked = {each.key for each in self.features or [] if each.passes and each.verify}
        drawn = [key for key in self.plan.to_recheck if key in checked]
        return drawn[: self.settings.reverify_sample]

    @property
    def prompt_sha256(self) -> str | None:
        """Fingerprint of the prompt as the agent gets it."""
        return hashlib.sha256(self.prompt.encode()).hexdigest() if self.prompt else None

    async def find_repository(self) -> None:
        """Which repository is to be held."""
        with self.trouble:
            self.git_common_dir = await Repository(self.workspace.path).common_dir()

    async def look(self) -> None:
        """Git's state, the features, the prompt. Nothing that changes any of them may run meanwhile."""
        if self.git_common_dir is None:
            return
        with self.trouble:
            repository = Repository(self.workspace.path)
            self.head = await repository.head()
            self.branch = self.base_branch = await repository.branch()
            self.identity = await identity_variables(self.workspace.path)
            await self._isolate()
            self.seen = await self._list()
            self.prompt = render_prompt(self.plan, self.features or [], self.workspace)

    async def _isolate(self) -> None:
        """A worktree of its own; without a commit there is nothing to make one from, and the folder itself has to do."""
        if self.settings.isolation == "in-place":
            return
        if self.head is None:
            logger.info(
                "%s has no commit yet: this session works in its folder", self.plan.target.path
            )
            return
        self.workspace, self.branch = await make_worktree(self.plan, self.settings, self.head)

    async def _list(self) -> SeenList | None:
        try:
            return await self.workspace.read_list()
        except FeatureListMissing:
            if self.plan.session_type == "initializer":
                return None
            raise
