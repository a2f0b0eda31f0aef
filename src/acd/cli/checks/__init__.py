"""What `acd doctor` looks at: one module a subject, each a function that gives findings."""
