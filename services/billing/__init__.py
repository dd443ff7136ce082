"""Quotes, invoices, credit notes and payments; the company's identity; how each client is billed."""
