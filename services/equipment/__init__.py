"""Equipment installed at a client's address."""
