"""What an honest agent does: each class is a step of a scenario, its fields are the step's keys."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec

from acd.testing.prices import Count, Tokens
from acd.testing.scripted_agent import acts, feature_list
from acd.testing.scripted_agent.session import Charge, Session, text
from acd.testing.scripted_agent.wire import Json, ToolResult


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="do"):
    """One step; `do` names it."""

    def perform(self, session: Session) -> None:
        """Do it."""
        raise NotImplementedError

    @property
    def needs_subscription(self) -> bool:
        """Whether the step can only happen to an agent that is logged in by subscription."""
        return False


class Asking(Step, frozen=True):
    """A step whose requests may name a `model` other than the session's, and their `usage` (else it is seeded)."""

    model: str | None = None
    usage: Tokens | None = None

    @property
    def charge(self) -> Charge:
        """Both together."""
        return Charge(self.model, self.usage)


class WorkOnFeature(Asking, frozen=True, tag="feature"):
    """Implement a feature: write `file`, set the flag (unless `claim` is false), commit (unless `commit` is false).

    `key`: which one (default: the most important pending one; nothing happens when all pass); `count`: how many.
    """

    key: str | None = None
    count: Count = 1
    file: str | None = None
    content: str | None = None
    claim: bool = True
    commit: bool = True

    def perform(self, session: Session) -> None:
        """Write, claim, commit."""
        for _ in range(self.count):
            entry = acts.pick(session, self.key)
            if entry is None:
                session.request([text("Nothing is left to do.")], self.charge)
                return
            self._implement(session, feature_list.key_of(entry))

    def _implement(self, session: Session, key: str) -> None:
        path = Path(self.file or f"features/{key.replace('/', '_')[:100]}.md")
        content = self.content or f"# {key}\n\nDone in session {session.id}.\n"
        acts.write_file(session, path, content, self.charge)
        if self.claim:
            acts.set_passing(session, key, True, "claimed", self.charge)
        if self.commit:
            acts.commit(session, f"Implement {key}", self.charge)


class Initialize(Asking, frozen=True, tag="initialize"):
    """Write the feature list from the target's `features` and commit it. `as_object`: the form with `features`."""

    as_object: bool = False
    commit: bool = True

    def perform(self, session: Session) -> None:
        """Write the list."""
        path = session.feature_list

        def act() -> ToolResult:
            with session.gate.held():
                feature_list.create(path, list(session.features), as_object=self.as_object)
                for entry in session.features:
                    session.touch_feature(feature_list.key_of(entry), "added")
            return ToolResult(f"File created successfully at: {path}", {"type": "create"})

        shown: Json = {"file_path": str(path), "content": f"{len(session.features)} features"}
        session.use_tool("Write", shown, act, self.charge)
        if self.commit:
            acts.commit(session, "Add the feature list", self.charge)


class Say(Asking, frozen=True, tag="say"):
    """`count` requests answered with `text`, with a thinking block before it where `thinking` is true."""

    text: str = "Thinking aloud."
    count: Count = 1
    thinking: bool = False

    def perform(self, session: Session) -> None:
        """Make the requests."""
        blocks = [text(self.text)]
        if self.thinking:
            blocks.insert(0, {"type": "thinking", "thinking": "…", "signature": "c2ln"})
        for _ in range(self.count):
            session.request(blocks, self.charge)


class RunBash(Asking, frozen=True, kw_only=True, tag="bash"):
    """A Bash tool call; `command` really runs in the repository."""

    command: str
    say: str = ""

    def perform(self, session: Session) -> None:
        """Run the command."""
        acts.run_bash(session, self.command, self.charge, self.say)


class ShowTool(Asking, frozen=True, tag="tool"):
    """A call of any tool that only shows: nothing is done, `result` is what it gave back."""

    name: str = "Read"
    input: dict[str, str] = {}
    result: str = "ok"
    error: bool = False

    def perform(self, session: Session) -> None:
        """Show it."""
        given = ToolResult(self.result, is_error=self.error)
        session.use_tool(self.name, dict(self.input), lambda: given, self.charge)


class Sleep(Step, frozen=True, tag="sleep"):
    """Do nothing for `seconds`."""

    seconds: float

    def perform(self, session: Session) -> None:
        """Sleep."""
        time.sleep(self.seconds)
