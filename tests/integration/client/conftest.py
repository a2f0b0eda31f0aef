"""The fixtures of the command line's tests, for the same commands over HTTP."""

from tests.integration.cli.conftest import acd, environment, seed

__all__ = ["acd", "environment", "seed"]
