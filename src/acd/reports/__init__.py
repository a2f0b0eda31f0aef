"""The read side: one module a subject, each giving JSON as PostgreSQL made it (`bytes`, passed through).

`rows` reads such JSON back as the types of `acd.core.contract`. The API, the pages and `--json` of the command line
all show these same bytes, so they cannot disagree.
"""
