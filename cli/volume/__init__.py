"""`fiche generate --direct`: a company of any size, written straight into the databases.

A small **pattern** company is made by the product itself, in a server of its own: every row, event and copy of it is
what commands and consumers make. Its clients with all that hangs on them are then **stamped** out by COPY as often as
the size asks for, each time under other ids, names, places and numbers. Nothing here knows a table or an event by
heart, so a new column or event is in the next company without a change; what is unique by rule (numbers without a
hole, references, the chain of hashes) is counted anew.
"""
