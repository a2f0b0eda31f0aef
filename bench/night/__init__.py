"""A simulated night: many targets, agents that misbehave in every known way, a database and a harness that die.

    python -m bench.night [--targets 40] [--seed 1] [--keep]

It ends by itself. Then everything that acd recorded is held against what the agents wrote down themselves.
"""
