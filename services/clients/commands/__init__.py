"""The write side of `clients`, a module a subject; each function is one use case and one transaction."""
