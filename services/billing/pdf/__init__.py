"""PDF of quotes, invoices and credit notes: words by us, layout and bytes by Typst in a child process."""

from services.billing.pdf.render import key_of_draft, render

__all__ = ["key_of_draft", "render"]
