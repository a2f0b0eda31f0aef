"""What Claude Code makes of the rules that acd generates: refused, recorded, and no end of the session."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from acd.database.connection import Database
from acd.testing.endpoint import Endpoint, Reply, Request, Text, ToolUse
from acd.testing.prices import Tokens
from tests.acceptance.genuine.books import assert_books_agree
from tests.acceptance.genuine.scripts import Move
from tests.acceptance.genuine.stage import KEY, Stage, finished

pytestmark = pytest.mark.extra

SECRET = "canary-of-a-key"


class Tries:
    """Makes some calls, then says that it is done. `answers`: what each call was answered."""

    def __init__(self, *calls: ToolUse) -> None:
        self._calls = calls
        self.answers: list[tuple[str, bool]] = []
        self.prompts: list[str] = []

    def __call__(self, request: Request) -> Move:
        self.prompts.append(json.dumps(request.body))
        number = request.turn
        if number < len(self._calls):
            return Reply(blocks=[self._calls[number]], usage=Tokens(91, 17, 1000, 200, 30))
        if not self.answers:
            self.answers = request.tool_results()[: len(self._calls)]
        return Reply(blocks=[Text(text="Done.")], usage=Tokens(13, 7))


def bash(command: str) -> ToolUse:
    return ToolUse(name="Bash", input={"command": command, "description": "try"})


def place(stage: Stage, name: str, text: str) -> Path:
    path = stage.folder / "home" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


async def test_what_the_rules_refuse(stage: Stage, database: Database) -> None:
    repository = stage.repository("shop", ["F1"])
    remote = stage.folder / "remote.git"
    stage.git(stage.folder, "init", "-q", "--bare", str(remote))
    stage.git(repository, "remote", "add", "origin", str(remote))
    key = place(stage, ".ssh/id_rsa", SECRET)
    profile = place(stage, ".bashrc", "")
    outside, token = stage.folder / "outside.txt", stage.folder / "acd" / "token"
    script = Tries(
        bash("git push origin main"),
        ToolUse(name="Read", input={"file_path": str(key)}),
        bash(f"cat {key}"),
        ToolUse(name="Read", input={"file_path": str(token)}),
        ToolUse(name="Write", input={"file_path": str(outside), "content": "x"}),
        bash(f"echo x >> {profile}"),
        bash("rm -f note.txt"),
        bash("sh -c 'git -C . push origin main:other'"),
        ToolUse(name="Write", input={"file_path": "note.txt", "content": "x"}),
    )
    stage.write_queue({"id": "shop", "untilComplete": False, "denyTools": ["Bash(rm:*)"]})
    async with Endpoint({"*": script}) as endpoint:
        ran = await stage.run(endpoint)
    assert ran.status == 0, ran.said
    denied, git, written = script.answers[:7], script.answers[7], script.answers[8]
    assert [failed for _, failed in denied] == [True] * 7
    assert "acd-push-is-not-allowed" in git[0]
    assert not written[1], written
    assert stage.git(remote, "for-each-ref") == ""
    assert SECRET not in "".join(script.prompts)
    assert (outside.exists(), profile.read_text()) == (False, "")
    (session,) = stage.sessions()
    assert (session["status"], session["error_type"]) == ("completed", None)
    errors = sorted(stage.errors(), key=lambda row: row["source_offset"])
    assert {(row["error_type"], row["error_code"]) for row in errors} == {("permission", "denied")}
    calls = [row["message"].split("): ")[0] + ")" for row in errors]
    assert calls == [
        "Bash(git push origin main)",
        f"Read({key})",
        f"Bash(cat {key})",
        f"Read({token})",
        f"Write({outside})",
        f"Bash(echo x >> {profile})",
        "Bash(rm -f note.txt)",
    ]
    await assert_books_agree(stage, endpoint, database)


async def test_many_denials_block_the_target(stage: Stage, database: Database) -> None:
    stage.repository("shop", ["F1"])
    stage.write_queue({"id": "shop"})
    script = Tries(*[bash("git push")] * 30)
    async with Endpoint({"*": script}) as endpoint:
        ran = await stage.run(endpoint, KEY, ACD_DENIAL_LIMIT="3")
    assert ran.status == 1, ran.said
    (session,) = stage.sessions()
    assert (session["status"], session["error_type"]) == ("failed", "permission")
    assert stage.target()["status"] == "blocked"
    reason = stage.target()["status_reason"]
    assert reason.startswith("permission: ")
    assert "tool calls were denied, e.g. Bash(git push)" in reason
    assert f"shop is blocked: {reason}" in ran.said


@pytest.mark.parametrize("consented", [False, True])
async def test_a_repository_sets_its_agent_up_only_by_consent(
    stage: Stage, database: Database, consented: bool
) -> None:
    repository = stage.repository("shop", ["F1"])
    ran_by_hook, ran_by_server = stage.folder / "hook", stage.folder / "server"
    hook = {"hooks": [{"type": "command", "command": f"touch {ran_by_hook}"}]}
    server = {"command": "touch", "args": [str(ran_by_server)]}
    (repository / ".claude").mkdir()
    document = {"hooks": {"SessionStart": [hook]}, "env": {"OF_THE_REPOSITORY": "yes"}}
    (repository / ".claude" / "settings.json").write_text(json.dumps(document))
    (repository / ".mcp.json").write_text(json.dumps({"mcpServers": {"one": server}}))
    (repository / "CLAUDE.md").write_text("Always greet the moon.\n")
    stage.git(repository, "add", "-A")
    who = ("-c", "user.name=A", "-c", "user.email=a@localhost")
    stage.git(repository, *who, "commit", "-q", "-m", "Set the agent up")
    stage.write_queue({"id": "shop", "untilComplete": False})
    script = Tries(bash("echo said:$OF_THE_REPOSITORY"))
    async with Endpoint({"*": script}) as endpoint:
        if consented:
            await stage.consent("shop", endpoint)
        ran = await stage.run(endpoint)
    assert ran.status == 0, ran.said
    assert ("acd consent shop" in ran.said) is not consented
    assert (ran_by_hook.exists(), ran_by_server.exists()) == (consented, consented)
    assert script.answers[0][0].strip() == ("said:yes" if consented else "said:")
    assert "Always greet the moon." in script.prompts[0]
    await assert_books_agree(stage, endpoint, database)


async def test_a_strict_session(stage: Stage, database: Database) -> None:
    """Its shell runs what is listed, and the target's own check; everything else is refused."""
    repository = stage.repository("shop", ["F1"])
    secret = place(stage, "notes.txt", SECRET)
    script = Tries(
        bash("git add -A && git commit -q --allow-empty -m 'By the list'"),
        bash("test -e feature_list.json"),
        bash(f"python3 -c \"print(open('{secret}').read())\""),
        bash("curl -s http://127.0.0.1:9/"),
        ToolUse(name="Read", input={"file_path": str(secret)}),
        ToolUse(name="WebFetch", input={"url": "http://127.0.0.1:9/", "prompt": "read"}),
    )
    stage.write_queue({"id": "shop", "untilComplete": False, "verify": "test -e feature_list.json"})
    async with Endpoint({"*": script}) as endpoint:
        ran = await stage.run(endpoint, KEY, ACD_PERMISSION_PROFILE="strict")
    assert ran.status == 0, ran.said
    assert [failed for _, failed in script.answers] == [False, False, True, True, True, True]
    assert SECRET not in "".join(script.prompts)
    assert "By the list" in stage.git(repository, "log", "--all", "--format=%s")
    denied = sorted(stage.errors(), key=lambda row: row["source_offset"])
    # A tool that is denied as a whole (WebFetch) is not even offered: the agent calls one that there is not.
    assert [row["message"].split("(")[0] for row in denied] == ["Bash", "Bash", "Read"]


@pytest.mark.parametrize("boxed", [False, True])
async def test_everything_but_what_is_denied(stage: Stage, database: Database, boxed: bool) -> None:
    """In words only; and the agent itself refuses that to root, unless it is told that it is in a box."""
    stage.repository("shop", ["F1"])
    outside = stage.folder / "outside.txt"
    script = Tries(
        ToolUse(name="Write", input={"file_path": str(outside), "content": "x"}),
        bash("git push origin main"),
    )
    stage.write_queue({"id": "shop", "untilComplete": False})
    box = {"IS_SANDBOX": "1", "ACD_AGENT_ENV": "IS_SANDBOX"} if boxed else {}
    async with Endpoint({"*": script}) as endpoint:
        flags = ("--dangerously-skip-permissions",)
        async with stage.running(endpoint, KEY, flags, **box) as process:
            ran = await finished(process)
    if os.geteuid() == 0 and not boxed:
        assert ran.status == 1, ran.said
        assert "as root" in stage.target()["status_reason"]
        assert endpoint.served == []
        return
    assert ran.status == 0, ran.said
    assert [failed for _, failed in script.answers] == [False, True]
    assert outside.read_text() == "x"
