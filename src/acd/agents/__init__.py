"""One package an agent; each knows its command line and how to read what it prints. Starts no process."""
