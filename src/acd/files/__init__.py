"""Files that a session leaves: its folder, its journal, reading lines of growing files, locks."""
