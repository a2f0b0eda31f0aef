"""Pages, rendered on the server from the same reports as the API; readable without JavaScript."""
