"""The real servers of the suite and of `make stack`.

Each kind is looked for in this order: an address in the environment (`FICHE_TEST_DATABASE_URL`, `FICHE_TEST_AMQP_URL`,
`FICHE_TEST_S3_URL` with `FICHE_TEST_S3_ACCESS_KEY` and `FICHE_TEST_S3_SECRET_KEY`, `FICHE_TEST_CHROMIUM`); Docker; a
package, started privately on free ports of the loopback address; on Debian or Ubuntu as root, `apt-get install`.

Nothing is skipped: what cannot be had stops the run and says what to install. Whatever was started is stopped at exit.
`python -m tests.support.servers up` runs them until Ctrl-C and prints their addresses.
"""

from tests.support.servers.found import amqp, postgres, s3
from tests.support.servers.machine import IMAGES, USED, chromium_path, run_folder, used
from tests.support.servers.postgres import PostgresServer
from tests.support.servers.rabbitmq import RabbitServer
from tests.support.servers.s3 import S3Server

__all__ = [
    "IMAGES",
    "USED",
    "PostgresServer",
    "RabbitServer",
    "S3Server",
    "amqp",
    "chromium_path",
    "postgres",
    "run_folder",
    "s3",
    "used",
]
