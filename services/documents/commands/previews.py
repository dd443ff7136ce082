"""Pictures of contents, made when first asked for."""

from __future__ import annotations

from sqlalchemy import text

from chassis.objects import ObjectStore
from chassis.uow import UnitOfWork
from contracts import documents as c
from services.documents.pictures import preview_key, render


def render_preview(uow: UnitOfWork, store: ObjectStore, request: c.RenderPreview) -> c.Preview:
    """Where the picture is, made if it was not; nowhere where the bytes show nothing.

    The database is asked for nothing before the picture is there: no connection waits for the child.
    """
    key = preview_key(request.sha256, request.size, request.page)
    if store.exists(key):
        return c.Preview(key=key)
    about = render(store, request.sha256, request.size, request.page)
    # A page that the PDF does not have says nothing of the PDF.
    if about is not None or request.page == 1:
        seen = about or {"pages": None, "width": None, "height": None}
        known = uow.session.execute(
            text(
                "UPDATE content SET shows = :shows, pages = coalesce(:pages, pages), "
                "width = coalesce(:width, width), height = coalesce(:height, height) WHERE sha256 = :sha256"
            ),
            {"shows": about is not None, "sha256": request.sha256, **seen},
        )
        if not getattr(known, "rowcount", 0):
            # The bytes went meanwhile, with the person they were of.
            store.delete(key)
            return c.Preview(key=None)
    return c.Preview(key=key if about is not None else None)
