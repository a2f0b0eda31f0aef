"""What an agent gets to see of us, and where its git may push."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.integration.sessions.stage import Stage, environment_of, plan_of

CANARY = "canary-6f1d"
SECRETS = (
    *("DATABASE_URL", "ACD_DATABASE_URL", "ACD_TOKEN", "PGPASSWORD", "GITHUB_TOKEN", "GH_TOKEN"),
    *("CI_JOB_TOKEN", "GITLAB_TOKEN", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "NPM_TOKEN"),
    *("GOOGLE_APPLICATION_CREDENTIALS", "AZURE_CLIENT_SECRET", "SSH_AUTH_SOCK", "GIT_ASKPASS"),
    *("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "KUBECONFIG", "DOCKER_AUTH_CONFIG", "PIP_INDEX_URL"),
)


async def test_an_agent_sees_none_of_our_secrets(
    ready: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in SECRETS:
        monkeypatch.setenv(name, CANARY)
    seen = tmp_path / "env"
    ready.script(plan_of({"do": "bash", "command": f"env -0 > {seen}"}))
    outcome = await ready.work()
    assert outcome.status == "completed"
    variables = environment_of(seen)
    assert variables["ACD_SESSION_ID"]
    assert [name for name, value in variables.items() if CANARY in value] == []


@pytest.mark.parametrize("allowed", [False, True])
async def test_pushing(ready: Stage, tmp_path: Path, allowed: bool) -> None:
    """Also from a script, which no rule of an agent sees into. Fetching is as ever."""
    remote = tmp_path / "remote.git"
    subprocess.run(["git", "init", "-q", "--bare", remote], check=True)
    ready.git("remote", "add", "origin", str(remote))
    ready.set(allow_push=allowed)
    script = (
        "sh -c 'git -C . push -q origin HEAD:refs/heads/main'; git fetch -q origin && touch fetched"
    )
    ready.script(plan_of({"do": "feature"}, {"do": "bash", "command": script}))
    await ready.work()
    heads = subprocess.run(
        ["git", "-C", remote, "for-each-ref", "--format=%(objectname)"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert heads == ([ready.git("rev-parse", "HEAD")] if allowed else [])
    assert (ready.repository / "fetched").exists()
