"""The read side of `clients`: PostgreSQL makes the JSON."""
