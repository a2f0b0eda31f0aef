"""Agents of other makers, run as their users run them, against a scripted endpoint."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from acd.testing.other_models import Call, Say, Shell, Step, Tokens

PACKAGES = {
    "codex": "@openai/codex@0.169.0",
    "gemini": "@google/gemini-cli@0.61.0",
    "opencode": "opencode-ai@1.18.33",
    "qwen": "@qwen-code/qwen-code@0.15.10",
}
WORK: list[Step] = [
    (Shell("echo hi > hello.txt && ls"), Tokens(fresh=100, output=15, cached=1001, reasoning=5)),
    (Shell("ls; false"), Tokens(fresh=200, output=25, cached=2003, reasoning=5)),
    (Say("Done."), Tokens(fresh=300, output=35, cached=3005, reasoning=5)),
]
_PATIENCE = 240


def delegating(tool: str, **arguments: object) -> list[Step]:
    """The work, with a subagent that is asked after the first step and does the same without asking another."""
    return [WORK[0], (Call(tool, arguments), Tokens(fresh=400, output=11, cached=2001)), *WORK[1:]]


class Desk:
    """A user's home and a repository; an agent works there."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.home = home
        self.repo = folder / "shop"
        self.repo.mkdir()
        self._git("init", "-q", "-b", "main")
        who = ("-c", "user.name=A", "-c", "user.email=a@localhost")
        self._git(*who, "commit", "-q", "--allow-empty", "-m", "Begin")

    def put(self, name: str, content: object) -> None:
        """A file in the home; what is no text is written as JSON."""
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))

    async def work(self, program: str, arguments: Sequence[str], more: Mapping[str, str]) -> str:
        """Run an agent to its end; returns what it printed."""
        process = await asyncio.create_subprocess_exec(
            _found(program),
            *arguments,
            cwd=self.repo,
            env={**self._bare(), "TERM": "dumb", "LANG": "C.UTF-8", **more},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            async with asyncio.timeout(_PATIENCE):
                printed, _ = await process.communicate()
        except TimeoutError:
            process.kill()
            printed, _ = await process.communicate()
            pytest.fail(f"{program} did not end within {_PATIENCE} s: {printed.decode()[-2000:]}")
        said = printed.decode(errors="replace")
        assert process.returncode == 0, said[-2000:]
        return said

    def _git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=self.repo, env=self._bare(), check=True)

    def _bare(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(self.home)}


def _found(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        pytest.fail(f"{program} is not on PATH: npm install {PACKAGES[program]}, then add its .bin")
    return path


def opencode_settings(url: str) -> dict[str, Any]:
    """A provider of OpenCode's that is the endpoint."""
    model = {"name": "GPT", "cost": {"input": 1.25, "output": 10, "cache_read": 0.125}}
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "name": "Scripted",
        "options": {"baseURL": f"{url}/v1", "apiKey": "fake"},
        "models": {"gpt-5.1": model},
    }
    return {"provider": {"scripted": provider}, "model": "scripted/gpt-5.1"}


def codex_settings(url: str) -> str:
    """A provider of Codex's that is the endpoint."""
    return (
        'model = "gpt-5.1-codex"\nmodel_provider = "scripted"\n'
        f'[model_providers.scripted]\nname = "Scripted"\nbase_url = "{url}/v1"\n'
        'env_key = "SCRIPTED_KEY"\nwire_api = "responses"\n'
    )
