"""A prompt as a word of a command line."""

from __future__ import annotations

from acd.core.errors import ConfigError
from acd.core.text import storable

# Linux takes no single argument longer than this, its closing NUL included (MAX_ARG_STRLEN).
_LONGEST = 128 * 1024 - 1


def prompt_argument(prompt: str) -> str:
    """`prompt` such that no agent takes it for a flag and the kernel takes it at all.

    Raises:
        ConfigError: the prompt is too long for a command line.
    """
    argument = storable(prompt)
    if argument.startswith("-"):
        argument = " " + argument
    size = len(argument.encode())
    if size > _LONGEST:
        raise ConfigError(
            f"the prompt has {size} bytes; a command line takes {_LONGEST}: "
            "move what is long into a file of the repository and let the prompt name it"
        )
    return argument
