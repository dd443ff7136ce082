"""What each service that keeps rows of clients has the same: homes, aliases, and copies of names told by events.

It is a library, not a service: it may import `contracts` and `chassis`, and every service may import it
(docs/adr, "services.kit").
"""
