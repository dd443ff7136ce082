"""Maintenance plans and their visits."""
