"""acd: works a queue of git repositories with coding agents and records every session in PostgreSQL."""

__version__ = "0.1.0"
