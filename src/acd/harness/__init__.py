"""One session from prompt to outcome: process, workspace, feature list, prompts, model routing, recovery."""
