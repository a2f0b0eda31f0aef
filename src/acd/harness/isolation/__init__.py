"""Each session in a git worktree of its own: making it, keeping and merging what was done there, removing it."""
