"""Files as they should not be: no exception, no line unaccounted for; and where a working folder belongs."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acd.agents.claude_code import HISTORY, ClaudeCodeHistory
from acd.agents.history import HistoryFile, LineReader
from acd.core.events import Event
from acd.core.models import target_id_of
from acd.history.looking import look
from acd.history.placing import NewTarget, Places, repository_of
from acd.history.reading import parts_of

SAMPLES = Path(__file__).parent.parent / "data" / "claude-code"
GENUINE = [
    line
    for path in sorted(SAMPLES.glob("[abcv]*.transcript.jsonl"))
    for line in path.read_bytes().splitlines()
]


def anything() -> st.SearchStrategy[object]:
    leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
    return st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


@st.composite
def hostile_line(draw: st.DrawFn) -> bytes:
    """A genuine line that something happened to, or anything else."""
    line = draw(st.sampled_from(GENUINE))
    how = draw(st.sampled_from(["as it is", "field", "usage", "cut", "bytes", "blank", "dressed"]))
    if how == "field":
        document = json.loads(line)
        document[draw(st.sampled_from(sorted(document)))] = draw(anything())
        return json.dumps(document).encode(errors="surrogatepass")
    if how == "usage":
        document = json.loads(line)
        message = document.get("message")
        if isinstance(message, dict):
            message[draw(st.sampled_from(["usage", "id", "model", "content"]))] = draw(anything())
        return json.dumps(document).encode(errors="surrogatepass")
    if how == "cut":
        return line[: draw(st.integers(0, len(line)))]
    if how == "bytes":
        return draw(st.binary(max_size=200)).replace(b"\n", b"")
    if how == "blank":
        return draw(st.sampled_from([b"", b"  ", b"\r", b"\xef\xbb\xbf"]))
    return b"\xef\xbb\xbf" + line + b"\r" if how == "dressed" else line


class Counting(ClaudeCodeHistory):
    """Claude Code's history, with the lines counted that its readers took."""

    def __init__(self) -> None:
        self.read = 0

    def reader(self, file: HistoryFile, *, told: bool) -> LineReader:  # type: ignore[override]
        inner, counting = super().reader(file, told=told), self

        class Reader:
            def read(self, line: bytes) -> list[Event]:
                events = inner.read(line)
                counting.read += 1
                return events

            def finish(self) -> list[Event]:
                return inner.finish()

        return Reader()


@pytest.mark.extra
@settings(max_examples=200, deadline=None)
@given(st.lists(hostile_line(), max_size=12), st.booleans())
def test_every_line_of_a_hostile_file_is_accounted_for(lines: list[bytes], ended: bool) -> None:
    content = b"\n".join(lines) + (b"\n" if lines and ended else b"")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "projects" / "p" / "s.jsonl"
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        (found,) = look([(HISTORY, [Path(folder)])], {})
        counting = Counting()
        parts = list(parts_of(found._replace(history=counting), None))
    read = sum(part.lines for part in parts)
    left_out = [line for part in parts for line in part.left_out]
    taken, rest = content[: parts[-1].read_offset], content[parts[-1].read_offset :]
    assert b"\n" not in rest  # only a last line without its end is left for later
    assert read == taken.count(b"\n") + (bool(taken) and not taken.endswith(b"\n"))
    begins = [0, *(at + 1 for at, byte in enumerate(taken) if byte == 10 and at + 1 < len(taken))]
    blank = sum(not taken[begin:].split(b"\n", 1)[0].strip() for begin in begins) if taken else 0
    assert counting.read + blank + len(left_out) == read
    assert len({line.offset for line in left_out} & set(begins)) == len(left_out)
    assert all(line.reason for line in left_out)


def repository(path: Path) -> Path:
    (path / ".git").mkdir(parents=True)
    return path


def test_a_worktree_is_its_main_repository(tmp_path: Path) -> None:
    main = repository(tmp_path / "shop")
    inner = main / ".git" / "worktrees" / "fix"
    inner.mkdir(parents=True)
    (inner / "commondir").write_text("../..\n")
    tree = tmp_path / "elsewhere" / "fix"
    (tree / "src").mkdir(parents=True)
    (tree / ".git").write_text(f"gitdir: {inner}\n")
    assert repository_of(str(tree / "src")) == str(main)
    assert repository_of(str(main / "src" / "gone")) == str(main)
    assert repository_of(str(main / ".claude" / "worktrees" / "gone" / "src")) == str(main)
    assert repository_of(str(tmp_path / "elsewhere")) is None


def test_a_submodule_is_a_repository_of_its_own(tmp_path: Path) -> None:
    main = repository(tmp_path / "shop")
    (main / ".git" / "modules" / "lib").mkdir(parents=True)
    (main / "lib").mkdir()
    (main / "lib" / ".git").write_text("gitdir: ../.git/modules/lib\n")
    assert repository_of(str(main / "lib")) == str(main / "lib")


def test_a_folder_belongs_to_the_deepest_target_of_its_repository(tmp_path: Path) -> None:
    main = repository(tmp_path / "shop")
    whole, part = UUID(int=1), UUID(int=2)
    places = Places([(whole, str(main)), (part, str(main / "api"))])
    assert places.target_of(str(main / "api" / "src"), "claude-code") == part
    assert places.target_of(str(main / "web"), "claude-code") == whole


def test_what_no_target_has_gets_one_by_its_path(tmp_path: Path) -> None:
    main = repository(tmp_path / "My Shop")
    places = Places([(UUID(int=1), str(tmp_path / "other"))])
    made = places.target_of(str(main / "src"), "claude-code")
    assert isinstance(made, NewTarget)
    assert (made.name, made.path, made.id) == ("My Shop", str(main), target_id_of(made.repo_id))
    assert made.repo_id.startswith("my-shop-")
    assert places.target_of(str(main), "claude-code") == made
    gone = places.target_of("/nowhere/at/all", "claude-code")
    assert isinstance(gone, NewTarget)
    assert gone.path == "/nowhere/at/all"
    again = Places([]).target_of("/nowhere/at/all", "claude-code")
    assert again == gone


def test_a_target_above_the_repository_does_not_take_it(tmp_path: Path) -> None:
    inner = repository(tmp_path / "work" / "shop")
    places = Places([(UUID(int=1), str(tmp_path / "work"))])
    assert isinstance(places.target_of(str(inner), "claude-code"), NewTarget)
