"""A store of files for each client; the bytes are in the object store."""
