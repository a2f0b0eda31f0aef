"""One module a page: its route, and what it reads for its template."""
