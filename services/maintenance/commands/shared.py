"""What plans and visits share: the company's day."""

from __future__ import annotations

from datetime import date

from chassis.uow import UnitOfWork
from services.kit.zone import company_zone


def today(uow: UnitOfWork) -> date:
    """The day it is for the company."""
    return uow.now.astimezone(company_zone(uow.session)).date()
