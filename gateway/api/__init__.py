"""The HTTP API, a module a subject; `routes` holds the registry that also makes the OpenAPI document."""
