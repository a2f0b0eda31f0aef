"""Notifications: what is told, how often, and how it gets there (Apprise, in processes of its own)."""
