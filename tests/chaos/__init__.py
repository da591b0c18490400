"""Faults of every kind on the real thing: processes, Kafka, PostgreSQL, SMTP, and the network between them."""
