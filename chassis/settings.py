"""Settings of every process, from the environment (`FICHE_*`); a wrong value stops the start with one clear line."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

#: The services of the product, in the order in which they are started.
SERVICES = (
    "accounts",
    "clients",
    "interventions",
    "billing",
    "equipment",
    "maintenance",
    "documents",
    "imports",
)


class SettingsError(Exception):
    """The environment holds a value that cannot be used; the message names it."""


class Settings(BaseSettings):
    """Everything that can be set. Names in the environment are these, upper case, behind `FICHE_`."""

    model_config = SettingsConfigDict(env_prefix="FICHE_", extra="ignore", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    #: Public address of the pages, for links; made of host and port when empty.
    url: str = ""
    #: Key with which the command line reaches a running product.
    token: str = ""
    data_dir: Path = Path("var")
    #: PostgreSQL. `{service}` stands for the service's name; without it `_<service>` is added to the database's name.
    #: Empty: the embedded server under `data_dir`.
    database_url: str = ""
    database_pool_size: int = Field(default=10, ge=1, le=200)
    #: Seconds that a statement waits for a lock before it gives up.
    database_lock_timeout_s: float = Field(default=10.0, gt=0)
    #: Seconds after which PostgreSQL ends a transaction whose process does nothing (frozen, say).
    database_idle_timeout_s: float = Field(default=30.0, gt=0)
    #: RabbitMQ. Empty: no broker, the whole product in one process.
    amqp_url: str = ""
    amqp_quorum: bool = False
    #: RabbitMQ's management API with an administrator's login, for `fiche broker` and `fiche partners` only.
    broker_admin_url: str = ""
    #: Leaves every frame to py-amqp: slower, for when the frames made by hand are in doubt.
    amqp_plain: bool = False
    #: S3. Empty: a folder under `data_dir`.
    s3_url: str = ""
    s3_access_key: str = ""
    s3_secret_key: str = ""
    s3_bucket: str = "fiche"
    s3_region: str = "us-east-1"
    #: How long the gateway waits for the services that answer a request.
    deadline_ms: int = Field(default=2000, ge=50, le=60_000)
    #: Calls that a service has in hand at once. Each may need a connection of the pool.
    max_workers: int = Field(default=10, ge=1, le=200)
    #: Administrator's API key made at the first start.
    bootstrap_token: str = ""
    #: `auto`: JSON where there is a broker, readable text in the one-process product.
    log_format: Literal["auto", "json", "text"] = "auto"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    #: Days during which a merge can be undone and a deleted client restored.
    undo_days: int = Field(default=30, ge=0, le=3650)
    #: Days after which a deleted client is erased for good; never before it can no longer be restored.
    purge_days: int = Field(default=30, ge=0, le=3650)
    #: Whether erasing a person blanks what the event log says of them, each event in its place.
    erase_event_log: bool = True
    #: Bytes of the largest file that may be uploaded.
    max_upload_bytes: int = Field(default=2 * 1024**3, ge=1)
    #: Where traces go: the base address of an OpenTelemetry collector (OTLP over HTTP). Empty: none are made.
    otlp_url: str = ""
    #: Share of requests that are traced.
    traces_share: float = Field(default=1.0, ge=0, le=1)
    #: Port of a service's `/metrics`, `/healthz` and `/readyz`; 0: none.
    ops_port: int = Field(default=0, ge=0, le=65535)
    #: Session cookies only over HTTPS; off for the loopback address.
    secure_cookies: bool = False

    @field_validator("bootstrap_token")
    @classmethod
    def _long_enough(cls, value: str) -> str:
        if value and len(value) < 32:
            raise ValueError("must be empty or 32 characters or more")
        return value

    @field_validator("database_url")
    @classmethod
    def _postgresql_only(cls, value: str) -> str:
        if value and urlsplit(value).scheme.split("+")[0] not in ("postgresql", "postgres"):
            raise ValueError("must be a postgresql:// address")
        return value

    @field_validator("amqp_url")
    @classmethod
    def _amqp_only(cls, value: str) -> str:
        if value and urlsplit(value).scheme not in ("amqp", "amqps"):
            raise ValueError("must be an amqp:// or amqps:// address")
        return value

    @field_validator("max_workers")
    @classmethod
    def _a_connection_each(cls, value: int, others: ValidationInfo) -> int:
        # A call that waits for a connection in vain would be refused as an overload that there is not.
        pool = others.data.get("database_pool_size")
        if pool is not None and value > pool:
            raise ValueError(f"must be at most FICHE_DATABASE_POOL_SIZE ({pool})")
        return value

    @property
    def embedded(self) -> bool:
        """True where the whole product runs in one process, without a broker."""
        return not self.amqp_url

    @property
    def json_logs(self) -> bool:
        """Whether log lines are JSON."""
        return self.log_format == "json" or (self.log_format == "auto" and not self.embedded)

    def service_database_url(self, service: str, base: str | None = None) -> str:
        """Address of a service's own database, for SQLAlchemy and psycopg2.

        `base` replaces `database_url` (the embedded server's address). See `database_url` for the naming.
        """
        url = base or self.database_url
        parts = urlsplit(url.replace("{service}", service))
        path = parts.path
        if "{service}" not in url:
            path = f"{parts.path.rstrip('/') or '/fiche'}_{service}"
        return urlunsplit(("postgresql+psycopg2", parts.netloc, path, parts.query, ""))


def load_settings(**overrides: object) -> Settings:
    """Settings of this process. Raises `SettingsError` with one line naming each variable at fault."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        faults = "; ".join(
            f"FICHE_{'_'.join(str(part) for part in fault['loc']).upper()}: {fault['msg']}"
            for fault in error.errors(include_url=False)
        )
        raise SettingsError(faults) from None
