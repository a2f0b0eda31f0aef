"""PostgreSQL: the embedded server, connections, named queries, migrations. The only room that imports the driver."""
