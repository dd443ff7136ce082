"""The write side of `documents`: one function a use case."""

from services.documents.commands.files import (
    commit_document,
    delete_document,
    import_entry,
    link_photos,
    rehomed,
    restore_document,
    update_document,
)
from services.documents.commands.folders import create_folder, delete_folder, rename_folder
from services.documents.commands.previews import render_preview
from services.documents.commands.versions import replace_content, restore_version

__all__ = [
    "commit_document",
    "create_folder",
    "delete_document",
    "delete_folder",
    "import_entry",
    "link_photos",
    "rehomed",
    "rename_folder",
    "render_preview",
    "replace_content",
    "restore_document",
    "restore_version",
    "update_document",
]
