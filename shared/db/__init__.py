"""The database: who may do what, migrations, connections."""
