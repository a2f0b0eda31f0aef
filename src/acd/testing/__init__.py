"""Stand-ins for what costs money: an agent and a model endpoint that follow a script, each with a ledger of its own.

Imported by tests and the demo only.
"""
