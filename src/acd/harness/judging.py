"""The harness's own judgement on what a session says that it did: claims checked, the list put right, all of it told.

What a session writes into its feature list are claims. Where there is a command that can check them, or where the list
was changed in a way that a session may not, the list is first written to the journal as it was left; then each claim is
judged, once, on the session's last commit; then the list is corrected and that is committed. Each step is in the journal
before the next one begins, and a step that is in it is not done again, so that all of this can be begun anew.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

from acd.core.errors import ConfigError, FeatureListError, GitError
from acd.core.facts import Fact, FeatureChanged, FeaturesSeen, HarnessFailed, Started
from acd.core.models import ErrorType, Evidence, Feature
from acd.core.settings import Settings
from acd.core.text import excerpt, redact
from acd.git import Repository
from acd.harness.claims import Weighed, weigh
from acd.harness.environment import agent_environment, names_in
from acd.harness.feature_entries import features_of
from acd.harness.features import FeatureChange, status_of
from acd.harness.journaled import Journaled
from acd.harness.judgements import on_claim, on_second_look, words_on
from acd.harness.list_file import commit_list, put_right
from acd.harness.list_text import corrected
from acd.harness.record import Record
from acd.harness.verify import Check, Verifier
from acd.harness.weakened import weakened_checks
from acd.harness.workspace import Workspace

logger = logging.getLogger(__name__)

CANNOT_RUN = "verify_cannot_run"
"""Error code of a verify command that no machine of ours can run: a person has to change something."""

_BROKEN = "broken_list"
_SHOWN = 5
_WITHDRAWN = {"rejected", "unjudged", "regressed"}


@dataclass
class Judging:
    """Judges one session's list. `left_at` is the commit at which its agent left the workspace."""

    record: Record
    started: Started
    journaled: Journaled
    workspace: Workspace
    repository: Repository
    settings: Settings
    stop: asyncio.Event
    left_at: str | None

    def __post_init__(self) -> None:
        self._before = features_before(self.started, self.journaled)
        self._old = {feature.key: feature for feature in self._before or []}

    async def settle(self) -> list[Feature]:
        """See to the list; the features as the harness accepts them.

        Raises:
            FeatureListError: nobody can read the list, and there is none to put in its place.
            OSError: the disk is full or failing.
        """
        left = self.journaled.features_left
        features, broken = (left.features, "") if left else await self._read()
        weighed = weigh(
            self._before, features, self.started.session_type, self.started.target.verify_command
        )
        sample = self._sample(features)
        to_judge = bool(broken or weighed.checked or weighed.tampering or sample)
        if not (left.when == "left" if left else to_judge):
            await self._look_for_weakening()  # a claim may follow in the next session
            return self._take_as_it_is(features, weighed)
        if broken:
            self._fail(
                f"the session left a feature list that cannot be used ({broken}); it is put back",
                code=_BROKEN,
            )
        if left is None:
            self._tell(
                FeaturesSeen(
                    **self.record.now(), when="left", features=features, commit=self.left_at
                )
            )
        self._tell_changes(weighed)
        self._tell_tampering(weighed)
        await self._check(weighed, sample, self._covered(features))
        await self._look_for_weakening()
        return await self._put_right(features, weighed)

    async def _read(self) -> tuple[list[Feature], str]:
        """The list as it was left. One that was made unreadable counts as unchanged, with the reason: it comes back."""
        try:
            return await self.workspace.read_features(), ""
        except FeatureListError as error:
            if self._before is None or not self._is_guarded():
                raise
            return self._before, str(error)

    def _is_guarded(self) -> bool:
        return self.started.session_type == "coding" and self.record.folder.list_before.exists()

    def _take_as_it_is(self, features: list[Feature], weighed: Weighed) -> list[Feature]:
        """There is nothing to check and nothing to put back."""
        seen: list[Fact] = []
        if self.journaled.features_after is None:
            seen.append(
                FeaturesSeen(
                    **self.record.now(), when="after", features=features, commit=self.left_at
                )
            )
        self._tell(*seen, *self._new(weighed.changes))
        return features

    # ---- what the list says -------------------------------------------------------------------------------

    def _tell(self, *facts: Fact) -> None:
        if facts:
            self.record.add(*facts)
        for fact in facts:
            self.journaled.take(fact)

    def _new(self, changes: Sequence[FeatureChange]) -> Iterator[FeatureChanged]:
        for change in changes:
            if (change.key, change.change) not in self.journaled.changes:
                yield FeatureChanged(**self.record.now(), **change._asdict())

    def _tell_changes(self, weighed: Weighed) -> None:
        """A claim that something can check is only that, a claim, until it was."""
        checked = {claim.key for claim in weighed.checked}
        changes = [
            change._replace(status="claimed")
            if change.key in checked and change.change == "claimed"
            else change
            for change in weighed.changes
        ]
        self._tell(*self._new(changes))

    def _tell_tampering(self, weighed: Weighed) -> None:
        self._tell(*self._new(weighed.tampering))
        if weighed.tampering:
            shown = [f"{each.key}: {each.detail}" for each in weighed.tampering[:_SHOWN]]
            more = len(weighed.tampering) - len(shown)
            words = "; ".join(shown) + (f"; and {more} more" if more > 0 else "")
            self._fail(f"the session changed features that it may only work on: {words}")

    def _fail(self, message: str, error_type: ErrorType = "tampering", code: str = "") -> None:
        """Tell a person; the session does not fail by it."""
        text = excerpt(message, 2000)
        if all(text != failure.message for failure in self.journaled.failures):
            self._tell(
                HarnessFailed(
                    **self.record.now(),
                    error_type=error_type,
                    message=text,
                    error_code=code or None,
                )
            )

    # ---- checks -------------------------------------------------------------------------------------------

    def _sample(self, features: Sequence[Feature]) -> dict[str, str]:
        """Key → own command of features that passed before and still say so, as far as they were drawn."""
        passing = {feature.key for feature in features if feature.passes}
        return {
            key: old.verify
            for key in self.started.reverify
            if (old := self._old.get(key)) and old.passes and old.verify and key in passing
        }

    def _covered(self, features: Sequence[Feature]) -> list[str]:
        """Keys of what passed before on its agent's word alone, and would be verified by the target's command, if that ran."""
        passing = {feature.key for feature in features if feature.passes}
        return [
            key
            for key, old in self._old.items()
            if old.passes and old.verify is None and key in passing
            if key not in self.started.verified
        ]

    async def _check(
        self, weighed: Weighed, sample: dict[str, str], covered: Sequence[str]
    ) -> None:
        judged = self.journaled.judged
        claims = {c.key: c.command for c in weighed.checked if c.command and c.key not in judged}
        again = {key: command for key, command in sample.items() if key not in judged}
        wanted = [*claims.values(), *again.values()]

        def tell(command: str, check: Check) -> None:
            self._tell(
                *(
                    on_claim(self.record.now(), key, check)
                    for key, own in claims.items()
                    if own == command
                ),
                *(
                    changed
                    for key, own in again.items()
                    if own == command and (changed := on_second_look(self.record.now(), key, check))
                ),
                *(
                    on_claim(self.record.now(), key, check)
                    for key in covered
                    if check.result == "passed" and command == self.started.target.verify_command
                ),
            )
            if check.result == "cannot_run":
                self._cannot_run(check.evidence)

        if wanted and self.left_at is None:
            for command in dict.fromkeys(wanted):
                tell(command, await self._without_commit(command))
        elif (
            self.left_at is not None
        ):  # with nothing to check it still removes what a dead harness left
            await self._verifier().check(wanted, self.left_at, tell)
        self._tell_regressions()
        self._tell_what_is_unknown(weighed)

    def _verifier(self) -> Verifier:
        session_id = self.started.session_id
        return Verifier(
            session_id=session_id,
            repository=self.repository,
            place=self.settings.checks_dir / str(session_id),
            log=self.record.folder.verify_log,
            environment=agent_environment(
                os.environ, session_id, inherit=names_in(self.settings.agent_env)
            ),
            time_limit=self.settings.verify_timeout,
            stop=self.stop,
        )

    async def _without_commit(self, command: str) -> Check:
        """Nothing is committed, or git could not tell what is when the agent had left."""
        try:
            head = await self.repository.head()
        except GitError as error:
            reason = f"git cannot tell what is committed: {error}"
            return Check("not_judged", Evidence(command, reason=redact(reason)))
        if head is not None:
            reason = "git could not tell at which commit the session ended"
            return Check("not_judged", Evidence(command, reason=reason))
        return Check("failed", Evidence(command, reason="nothing is committed"))

    def _cannot_run(self, evidence: Evidence) -> None:
        message = f"nobody can verify {self.started.target.repo_id}: {words_on(evidence)}; install the program, or change the command"
        if not any(failure.error_code == CANNOT_RUN for failure in self.journaled.failures):
            self._tell(
                HarnessFailed(
                    **self.record.now(),
                    error_type="config",
                    message=excerpt(message, 2000),
                    error_code=CANNOT_RUN,
                    stack_trace=evidence.output_tail or None,
                )
            )

    def _tell_regressions(self) -> None:
        regressed = [each for each in self.journaled.judged.values() if each.change == "regressed"]
        if regressed:
            words = "; ".join(f"{each.key}: {each.detail}" for each in regressed[:_SHOWN])
            self._fail(f"features that had passed do not any more: {words}", "verification")

    def _tell_what_is_unknown(self, weighed: Weighed) -> None:
        """The target's own command failed: that says nothing about which feature is to blame."""
        shared = {claim.key for claim in weighed.checked if not claim.own}
        rejected = [
            each
            for each in self.journaled.judged.values()
            if each.change == "rejected" and each.key in shared
        ]
        others = [
            feature for feature in self._before or [] if feature.passes and not feature.verify
        ]
        if rejected and others:
            self._fail(
                f"{rejected[0].detail}. Whether the {len(others)} features that had passed before and have no check"
                " of their own still work is not known; they stay as they were",
                "verification",
            )

    async def _look_for_weakening(self) -> None:
        before, after = self.started.head_before, self.left_at
        commands = [feature.verify for feature in self._before or [] if feature.verify]
        if self.started.target.verify_command:
            commands.append(self.started.target.verify_command)
        if not commands or before is None or after is None or before == after:
            return
        try:
            found = await weakened_checks(self.repository, before, after, commands)
        except GitError as error:
            logger.warning(
                "session %s: looking for weakened checks: %s", self.record.folder.path.name, error
            )
            return
        if found:
            self._fail("checks may have been weakened: " + "; ".join(found), code="weakened_checks")

    # ---- the list as it has to be -------------------------------------------------------------------------

    async def _put_right(self, features: list[Feature], weighed: Weighed) -> list[Feature]:
        """The file corrected and committed, what was put back told, the list as it is now."""
        withdrawn = {k for k, each in self.journaled.judged.items() if each.change in _WITHDRAWN}
        try:
            accepted = features_of(await self._correct(withdrawn))
            self._tell(*self._new(list(_restored(weighed, accepted))))
            if self.workspace.worktree or withdrawn or weighed.tampering or self._was_broken():
                await commit_list(self.workspace, self._message(), self.started.head_before)
        except (FeatureListError, ConfigError) as error:
            self._fail(f"the feature list is not as it should be: {error}", "config")
            accepted = [
                msgspec.structs.replace(each, passes=each.passes and each.key not in withdrawn)
                for each in features
            ]
        except GitError as error:
            self._fail(f"the corrected feature list could not be committed: {error}", "config")
        if self.journaled.features_after is None:
            self._tell(FeaturesSeen(**self.record.now(), when="after", features=accepted))
        return accepted

    def _was_broken(self) -> bool:
        return any(failure.error_code == _BROKEN for failure in self.journaled.failures)

    async def _correct(self, withdrawn: set[str]) -> bytes:
        guarded = self._is_guarded()
        before = await asyncio.to_thread(self._list_before) if guarded else None

        def correct(current: bytes) -> bytes:
            return corrected(current, before, withdrawn=withdrawn, guarded=guarded)

        return await put_right(self.workspace, correct, self.settings.locks_dir)

    def _list_before(self) -> bytes:
        return self.record.folder.list_before.read_bytes()

    def _message(self) -> str:
        """The message of the commit that corrects the list: what was found, feature by feature."""
        claimed = {key for key, change in self.journaled.changes if change == "claimed"}
        lines = [
            f"- {each.key}: {each.change}"
            + (f" ({each.detail})" if each.change in _WITHDRAWN else "")
            for each in self.journaled.judged.values()
            if each.change != "passing" or each.key in claimed
        ]
        lines += sorted(
            f"- {key}: put back" for key, change in self.journaled.changes if change == "tampering"
        )
        words = "\n".join(lines)
        return f"Set the feature list right\n\n{words}\n\nSession: {self.started.session_id}\n"


def features_before(started: Started, journaled: Journaled) -> list[Feature] | None:
    """An initializer begins with none; for any other session nothing is known where the list was not readable."""
    if started.session_type == "initializer":
        return journaled.features_before or []
    return journaled.features_before


def _restored(weighed: Weighed, accepted: Sequence[Feature]) -> Iterator[FeatureChange]:
    status = {feature.key: status_of(feature) for feature in accepted}
    for each in weighed.tampering:
        yield FeatureChange(each.key, "restored", status.get(each.key, each.status))
