"""Which model works a target: by its complexity, as the queue file's `modelConfig` may say otherwise. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from acd.core.families import FAMILIES, family_of
from acd.core.models import Complexity

_MODELS: Mapping[Complexity, str] = {
    "critical": "opus",
    "high": "opus",
    "medium": "sonnet",
    "low": "haiku",
    "trivial": "haiku",
}


class ComplexityLevel(msgspec.Struct, frozen=True, rename="camel"):
    """What `modelConfig.complexityLevels.<level>` says; the first of `models` is used."""

    models: list[str] = []
    fallback: str | None = None
    max_retries: int | None = None


class ModelConfig(msgspec.Struct, frozen=True, rename="camel"):
    """The queue file's `modelConfig`. Task types are words (or phrases) that a target's focus text may hold."""

    default_complexity: Complexity = "medium"
    complexity_levels: dict[Complexity, ComplexityLevel] = {}
    task_type_mapping: dict[str, Complexity] = {}


class ModelChoice(msgspec.Struct, frozen=True):
    """The models to hand to the agent. `max_retries` None: the settings decide. `warnings` are for the user."""

    model: str
    fallback: str | None = None
    max_retries: int | None = None
    warnings: list[str] = []


def resolve_complexity(
    stated: Complexity | None, focus: str | None, config: ModelConfig
) -> Complexity:
    """A target's complexity: what its entry states, else what its focus text maps to, else the default.

    Among several task types in one focus text the most complex wins, so that nothing hard goes to a small model.
    """
    if stated is not None:
        return stated
    order = list(_MODELS)
    mapped = [
        complexity
        for task_type, complexity in config.task_type_mapping.items()
        if focus and _has_words(focus, task_type)
    ]
    return min(mapped, key=order.index, default=config.default_complexity)


def choose_model(complexity: Complexity, config: ModelConfig) -> ModelChoice:
    """Model and fallback for a complexity. The fallback is never costlier than the model asked for."""
    level = config.complexity_levels.get(complexity, ComplexityLevel())
    model = level.models[0] if level.models else _MODELS[complexity]
    fallback, warnings = level.fallback, []
    if fallback == model:
        fallback = None
    if fallback is not None and not _affordable(fallback, model):
        warnings.append(
            f"fallback {fallback!r} of complexity {complexity!r} is not known to cost at most what {model!r} costs; it is not used"
        )
        fallback = None
    return ModelChoice(model, fallback, level.max_retries, warnings)


def _affordable(fallback: str, model: str) -> bool:
    """Unknown names cannot be compared, and an unknown cost must not surprise anybody: they are dropped."""
    ours, theirs = family_of(model), family_of(fallback)
    if ours is None or theirs is None:
        return False
    return FAMILIES.index(theirs) <= FAMILIES.index(ours)


def _has_words(text: str, phrase: str) -> bool:
    """Whether the words of `phrase` follow one another in `text`, as whole words, in any case."""
    words = re.findall(r"\w+", phrase)
    pattern = r"\b" + r"\W+".join(map(re.escape, words)) + r"\b"
    return bool(words) and re.search(pattern, text, re.IGNORECASE) is not None
