"""Benchmarks: `python -m bench [name …] [--json]`. Each measures ours and a baseline in turns in the same run."""
