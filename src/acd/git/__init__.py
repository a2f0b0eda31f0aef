"""Every git call of acd, hardened: a repository is somebody else's, and its configuration can name programs to run."""

from acd.git.calls import OUTPUT_LIMIT, TIME_LIMIT
from acd.git.cloning import clone
from acd.git.repository import LONGEST_MESSAGE, ChangedLines, Repository, git_version, is_repository
from acd.git.writing import AUTHOR, Merged, WritableRepository, merge_files

__all__ = [
    "AUTHOR",
    "LONGEST_MESSAGE",
    "OUTPUT_LIMIT",
    "TIME_LIMIT",
    "ChangedLines",
    "Merged",
    "Repository",
    "WritableRepository",
    "clone",
    "git_version",
    "is_repository",
    "merge_files",
]
