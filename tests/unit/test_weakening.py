"""Signs of weakened checks, in several languages; and which command a repository's files suggest."""

from __future__ import annotations

from pathlib import Path

import pytest

from acd.git import ChangedLines
from acd.harness.proposal import propose_verify_command
from acd.harness.weakening import ChangedFile, is_test, signs


@pytest.mark.parametrize(
    "path",
    [
        "tests/a.py",
        "src/test_x.py",
        "x_test.go",
        "web/a.test.tsx",
        "web/b.spec.js",
        "spec/m_spec.rb",
        "AppTests.swift",
        "a/__tests__/b.js",
        "conftest.py",
        "src/FooTest.java",
    ],
)
def test_test_files(path: str) -> None:
    assert is_test(path)


@pytest.mark.parametrize(
    "path", ["src/app.py", "latest.py", "contest.py", "attestation.go", "docs/test.md"]
)
def test_other_files(path: str) -> None:
    assert not is_test(path)


@pytest.mark.parametrize(
    "line",
    [
        "@pytest.mark.skip(reason='later')",
        "    pytest.skip('no')",
        "@unittest.skip",
        "it.skip('works', () => {",
        "describe.only('all', () => {",
        "xit('works')",
        "\tt.Skip()",
        "#[ignore]",
        "@Disabled",
    ],
)
def test_skips(line: str) -> None:
    (found,) = signs(
        [ChangedFile("M", "tests/test_a.py")], {"tests/test_a.py": ChangedLines([line], [])}, []
    )
    assert "leaves tests out" in found


@pytest.mark.parametrize(
    "line", ["def test_skip_list():", "exit(1)", "t.SkipList()", "submit('x')", "fit_model(x)"]
)
def test_no_skips(line: str) -> None:
    assert signs([], {"tests/test_a.py": ChangedLines([line], [])}, []) == []


@pytest.mark.parametrize(
    "test",
    [
        "def test_a():",
        "    async def test_b(self):",
        "it('adds', () => {",
        "test.each([1, 2])('adds %s', n => {",
        "func TestAdd(t *testing.T) {",
        "    #[test]",
        "    @Test",
        "  it 'adds' do",
    ],
)
def test_fewer_tests(test: str) -> None:
    gone = {
        "tests/a": ChangedLines([], [test, "x = 1"]),
        "tests/b": ChangedLines(["y = 1"], [test]),
    }
    (found,) = signs([], gone, [])
    assert found == "the number of tests fell by 2, in tests/a, tests/b"
    moved = {"tests/a": ChangedLines([], [test]), "tests/b": ChangedLines([test], [])}
    assert signs([], moved, []) == []


def test_files_that_a_command_names() -> None:
    changed = [
        ChangedFile("M", "app/check.sh"),
        ChangedFile("D", "app/tests/test_f1.py"),
        ChangedFile("R", "tests/test_moved.py"),
        ChangedFile("A", "app/tests/test_new.py"),
        ChangedFile("M", "app/other.sh"),
    ]
    commands = [
        "X=1 ./check.sh --config=other.sh",
        "pytest tests/test_f1.py::test_a tests/test_new.py 'x",
    ]
    assert signs(changed, {}, commands, "app/") == [
        "app/check.sh, which a verify command names, was edited",
        "app/tests/test_f1.py, which a verify command names, was deleted",
        "app/other.sh, which a verify command names, was edited",
    ]
    many = [ChangedFile("D", f"tests/test_{n}.py") for n in range(30)]
    assert signs(many, {}, [])[-1] == "and 20 more"


@pytest.mark.parametrize(
    ("name", "text", "command"),
    [
        ("Makefile", "all:\n\ntest: all\n\ttrue\n", "make test"),
        ("Makefile", "check :\n", "make check"),
        ("Makefile", "test := 3\n", None),
        ("package.json", '{"scripts": {"test": "jest"}}', "npm ci && npm test"),
        (
            "package.json",
            '{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}',
            None,
        ),
        ("package.json", "{", None),
        ("Cargo.toml", "", "cargo test"),
        ("go.mod", "", "go test ./..."),
        ("pyproject.toml", "[tool.pytest.ini_options]", "python -m pytest -q"),
        ("test_it.py", "", "python -m pytest -q"),
        ("README.md", "make test", None),
    ],
)
def test_proposals(tmp_path: Path, name: str, text: str, command: str | None) -> None:
    (tmp_path / name).write_text(text)
    assert propose_verify_command(tmp_path) == command
