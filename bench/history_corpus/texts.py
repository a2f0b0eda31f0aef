"""What people, models and tools say in a generated history: cut once, already escaped as JSON, used again and again."""

from __future__ import annotations

import random
from dataclasses import dataclass

_WORDS = (
    *("the", "value", "of", "each", "order", "is", "checked", "before", "it", "was", "written"),
    *("def", "async", "return", "await", "self", "import", "from", "class", "for", "in", "not"),
    *("src/shop/orders.py", "tests/test_orders.py", "assert", "==", "42", "path=/srv/shop"),
    *(r"\n", r"\n    ", r"\"total\"", r"\t", r"C:\\shop"),
)
_FOREIGN = ("über", "naïve", "—", "注文", "✓", r"\u2713", "🙂")
# A tool's result that shows a transcript: whoever searches lines as text takes it for one.
_DECOY = r"{\"type\":\"assistant\",\"message\":{\"id\":\"msg_decoy\",\"usage\":{\"input_tokens\":777777}}}"
_MEDIAN, _SPREAD, _LARGEST = 2300, 1.2, 200_000
_MEAN_WORD = 7
_RESULTS = 2500
_SHORT = 600


@dataclass(frozen=True)
class Texts:
    """Texts as they stand between the quotes of a JSON string. `results`: of tools; `short`: prompts, thoughts, replies."""

    results: list[str]
    short: list[str]
    pictures: list[str]


def make_texts(chance: random.Random, longest: int) -> Texts:
    """Every kind; `longest`: characters of the largest, a picture in base64."""
    plain = chance.choices(_WORDS, k=60_000)
    foreign = chance.choices([*_WORDS, *_FOREIGN], k=60_000)
    results = [
        _cut(
            chance,
            foreign if chance.random() < 0.25 else plain,
            min(int(chance.lognormvariate(0, _SPREAD) * _MEDIAN), _LARGEST, longest // 5),
        )
        for _ in range(_RESULTS)
    ]
    results[0] = results[0] + _DECOY
    short = [_cut(chance, foreign, chance.randint(40, 2000)) for _ in range(_SHORT)]
    picture = "".join(chance.choices("ABCDabcd0123+/", k=longest))
    return Texts(results, short, [picture[: longest // n] for n in (1, 2, 4)])


def _cut(chance: random.Random, words: list[str], size: int) -> str:
    count = max(1, size // _MEAN_WORD)
    start = chance.randrange(max(1, len(words) - count))
    return " ".join(words[start : start + count])
