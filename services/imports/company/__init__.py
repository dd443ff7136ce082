"""A made-up company, for a demo and for measures."""

from services.imports.company.generator import generate

__all__ = ["generate"]
