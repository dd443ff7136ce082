"""The published language: models of every RPC request, answer and event, one module per owning service."""
