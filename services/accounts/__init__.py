"""Who may come in: staff, keys of machines, sessions."""
