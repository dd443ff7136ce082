"""Import jobs: from a foreign system or a generator, through the other services’ commands."""
