"""Months of Claude Code's own history, generated: the same seed gives the same bytes, with the right totals beside them.

    expected = write_history(folder, Plan(size=1_000_000_000))
    python -m bench.history_corpus FOLDER --size 1GB

`FOLDER/projects` is what `~/.claude/projects` is; `FOLDER/expected.json` holds the totals, summed and priced by rules
written down here (`truth.py`) and not by acd's code. A gigabyte has about 735 files, 213,000 lines and 62,000 requests:
replies of several lines whose counts grow (streaming), sessions that begin with the lines of another (resumed, some in
another project's folder), sidechains, subagents in every place where versions put them, cache writes for 5 minutes
and for an hour, tool results of up to 2 MB, ten models, half a year of days.

With `quirks` there are also lines as other versions and other programs wrote them, which readers stumble over: a byte
order mark, CRLF, spaces in JSON, bytes that are no UTF-8, nulls, counts as `12.0`, damaged lines, a last line that is cut.
"""

from bench.history_corpus.truth import Expected, Sum
from bench.history_corpus.writing import Plan, write_history

__all__ = ["Expected", "Plan", "Sum", "write_history"]
