"""Which target next: the queue file, jobs on PostgreSQL, turns, and the orchestrator that works them."""
