"""Model by complexity, as the mission's test of this name has it, and what `modelConfig` may change."""

from __future__ import annotations

import msgspec
import pytest

from acd.core.families import family_of
from acd.core.models import Complexity
from acd.harness.routing import (
    ComplexityLevel,
    ModelConfig,
    choose_model,
    resolve_complexity,
)

PLAIN = ModelConfig()


@pytest.mark.parametrize(
    ("complexity", "model"),
    [
        ("critical", "opus"),
        ("high", "opus"),
        ("medium", "sonnet"),
        ("low", "haiku"),
        ("trivial", "haiku"),
    ],
)
def test_each_complexity_has_its_model(complexity: Complexity, model: str) -> None:
    choice = choose_model(complexity, PLAIN)
    assert (choice.model, choice.fallback, choice.max_retries) == (model, None, None)


def test_config_of_the_queue_file_overrides_model_fallback_and_retries() -> None:
    text = b'{"defaultComplexity": "low", "complexityLevels": {"high": {"models": ["fable", "opus"], "fallback": "sonnet", "maxRetries": 3}}}'
    config = msgspec.json.decode(text, type=ModelConfig)
    choice = choose_model("high", config)
    assert (choice.model, choice.fallback, choice.max_retries) == ("fable", "sonnet", 3)
    assert choice.warnings == []
    assert choose_model(resolve_complexity(None, None, config), config).model == "haiku"


@pytest.mark.parametrize(
    ("model", "fallback", "kept"),
    [
        ("opus", "sonnet", True),
        ("opus", "haiku", True),
        ("sonnet", "opus", False),
        ("haiku", "fable", False),
        ("fable", "opus", True),
        ("claude-sonnet-5-5", "claude-sonnet-5", True),
        ("claude-sonnet-5-5", "claude-opus-5-5", False),
        ("sonnet", "some-new-model", False),
        ("some-new-model", "haiku", False),
    ],
)
def test_fallback_is_never_costlier(model: str, fallback: str, kept: bool) -> None:
    config = ModelConfig(complexity_levels={"high": ComplexityLevel([model], fallback)})
    choice = choose_model("high", config)
    assert choice.model == model
    assert choice.fallback == (fallback if kept else None)
    assert bool(choice.warnings) is not kept
    if not kept:
        assert fallback in choice.warnings[0]


def test_a_model_is_not_its_own_fallback() -> None:
    config = ModelConfig(complexity_levels={"high": ComplexityLevel(["opus"], "opus")})
    assert choose_model("high", config) == choose_model("high", PLAIN)


MAPPING = ModelConfig(
    task_type_mapping={"refactor": "high", "docs": "trivial", "bug-fix": "low", "c++": "critical"}
)


@pytest.mark.parametrize(
    ("focus", "complexity"),
    [
        ("Refactor the parser", "high"),
        ("refactoring the parser", "medium"),
        ("prefactor", "medium"),
        ("docs, then refactor", "high"),
        ("write the docs.", "trivial"),
        ("a bug fix for the cart", "low"),
        ("bug: fix it", "low"),
        ("fix a bug", "medium"),
        ("port to C++", "critical"),
        ("", "medium"),
        (None, "medium"),
    ],
)
def test_focus_maps_to_a_task_type_by_whole_words(focus: str | None, complexity: str) -> None:
    assert resolve_complexity(None, focus, MAPPING) == complexity


def test_what_an_entry_states_beats_its_focus() -> None:
    assert resolve_complexity("low", "refactor everything", MAPPING) == "low"


def test_a_task_type_without_words_matches_nothing() -> None:
    config = ModelConfig(task_type_mapping={"--": "critical"})
    assert resolve_complexity(None, "anything -- at all", config) == "medium"


def test_families() -> None:
    assert family_of("claude-haiku-4-5") == "haiku"
    assert family_of("Opus") == "opus"
    assert family_of("gpt-9") is None
