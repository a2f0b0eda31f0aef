"""History that agents left in their own folders, into the records: what `acd import` and `acd audit` do.

looking.py     which files are there, which of them hold something new
folding.py     lines (and entries of stores) → news of one session: pure
reading.py     a file from a remembered offset, in parts of bounded size
seen.py        what a file tells of its session as a whole: when, where, on which branch
placing.py     a working folder → the target that it belongs to
batch.py       news of many files → one transaction: writing.py, requests.py, roll_up.py
share.py       some files, one after the other: read ahead, write batch after batch
order.py       in which order; much is shared out, processes.py imports the shares at the same time
commits.py     commits made in a session's time, on its branch
importing.py   all of it, with progress
timeline.py    the timeline of an imported session, built when it is first looked at
audit.py       where each counted token stands
"""
