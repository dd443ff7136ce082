"""Versions, folders and pictures of documents."""

from __future__ import annotations

import contextlib
import io
import threading
import uuid

import pypdfium2
import pytest
from PIL import Image

from chassis.errors import Conflict, Gone, Invalid, NotFound, Stale
from chassis.ids import new_id
from chassis.objects import staging_key
from contracts import documents as c
from tests.documents.conftest import Documents


def picture(width: int, height: int, kind: str = "JPEG", **more: object) -> bytes:
    """A real picture, red at its left and blue at its right."""
    image = Image.new("RGB", (width, height), "blue")
    image.paste("red", (0, 0, width // 2, height))
    held = io.BytesIO()
    image.save(held, kind, **more)  # type: ignore[arg-type]
    return held.getvalue()


def pdf(pages: int) -> bytes:
    """A real PDF of so many empty pages."""
    made = pypdfium2.PdfDocument.new()
    for _ in range(pages):
        made.new_page(595, 842)
    held = io.BytesIO()
    made.save(held)
    return held.getvalue()


def shown(documents: Documents, answer: dict[str, str], **asked: object) -> Image.Image | None:
    """The preview of a document, opened."""
    key = documents.service.call(c.RenderPreview(sha256=answer["sha256"], **asked))["key"]
    return Image.open(io.BytesIO(b"".join(documents.store.open(key)))) if key else None


def test_a_replaced_document_keeps_what_it_had_and_can_take_it_back(documents: Documents) -> None:
    first = documents.upload(new_id(), "plan.txt", b"un", folder="Plans")
    with pytest.raises(Stale):
        documents.replace(first["id"], b"deux", expected_version=9)
    second = documents.replace(first["id"], b"deux", expected_version=1, name="plan v2.txt")
    assert (second["name"], second["version"], second["version_count"]) == ("plan v2.txt", 2, 2)
    assert documents.content(first["id"]) == b"deux"
    assert documents.replace(first["id"], b"deux") == second
    versions = documents.service.call(c.ListVersions(id=first["id"]))["items"]
    assert [c.Version.model_validate(one).number for one in versions] == [2, 1]
    assert [one["current"] for one in versions] == [True, False]
    assert documents.content(first["id"], versions[1]["id"]) == b"un"
    back = documents.service.call(c.RestoreVersion(id=first["id"], version_id=versions[1]["id"]))
    assert (back["name"], back["version_count"], back["folder"]) == ("plan.txt", 3, "Plans")
    assert documents.content(first["id"]) == b"un"
    assert documents.told(first["id"]) == ["added", "replaced", "replaced"]
    assert documents.history(first["id"]) == [
        ("added", "", None, None), ("replaced", "version", 1, 2), ("replaced", "version", 2, 3),
    ]  # fmt: skip


def test_a_version_of_another_document_is_none_of_this_one(on_disk: Documents) -> None:
    one, other = (on_disk.upload(new_id(), "a.txt", content) for content in (b"a", b"b"))
    [version] = on_disk.service.call(c.ListVersions(id=other["id"]))["items"]
    for asked in (
        c.GetContent(id=one["id"], version_id=version["id"]),
        c.RestoreVersion(id=one["id"], version_id=version["id"]),
        c.ListVersions(id=new_id()),
    ):
        with pytest.raises(NotFound):
            on_disk.service.call(asked)


def test_two_who_replace_at_once_make_two_versions(on_disk: Documents) -> None:
    made = on_disk.upload(new_id(), "a.txt", b"0")
    threads = [threading.Thread(target=on_disk.replace, args=(made["id"], b"%d" % n)) for n in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers = [one["number"] for one in on_disk.service.call(c.ListVersions(id=made["id"]))["items"]]
    assert numbers == [7, 6, 5, 4, 3, 2, 1]


def folders(documents: Documents, *tree: uuid.UUID) -> dict[str, int]:
    """Folders of a tree and how many documents each holds."""
    items = documents.service.call(c.ListFolders(tree=list(tree)))["items"]
    return {item["folder"]: item["count"] for item in items}


def test_a_folder_stays_when_empty_and_goes_only_then(on_disk: Documents) -> None:
    home = new_id()
    made = on_disk.service.call(
        c.CreateFolder(home_client_id=home, written_client_id=home, body=c.FolderBody(folder="Chaufferie/Photos"))
    )
    assert made == {"folder": "Chaufferie/Photos", "count": 0}
    inside = on_disk.upload(home, folder="Chaufferie/Photos")
    assert folders(on_disk, home) == {"": 0, "Chaufferie": 0, "Chaufferie/Photos": 1}
    for path in ("Chaufferie", "Chaufferie/Photos"):
        with pytest.raises(Conflict):
            on_disk.service.call(c.DeleteFolder(tree=[home], body=c.FolderBody(folder=path)))
    on_disk.service.call(c.DeleteDocument(id=inside["id"]))
    on_disk.service.call(c.DeleteFolder(tree=[home], body=c.FolderBody(folder="Chaufferie/Photos")))
    assert folders(on_disk, home) == {"": 0, "Chaufferie": 0}
    on_disk.service.call(c.RestoreDocument(id=inside["id"]))
    assert folders(on_disk, home) == {"": 0, "Chaufferie": 0, "Chaufferie/Photos": 1}


def test_a_renamed_folder_takes_all_in_it_along_in_every_record_of_the_client(on_disk: Documents) -> None:
    survivor, merged = new_id(), new_id()
    kept = on_disk.upload(survivor, folder="Photos_1/2026")
    of_merged = on_disk.upload(merged, folder="Photos_1")
    other = on_disk.upload(survivor, folder="Photosx1")
    rename = c.FolderRename(folder="Photos_1", to="Archives/Photos")
    renamed = on_disk.service.call(c.RenameFolder(tree=[survivor, merged], body=rename))
    assert renamed == {"folder": "Archives/Photos", "count": 1}
    read = [on_disk.service.call(c.GetDocument(id=row["id"]))["folder"] for row in (kept, of_merged, other)]
    assert read == ["Archives/Photos/2026", "Archives/Photos", "Photosx1"]
    assert on_disk.told(kept["id"]) == ["added", "moved"]
    assert on_disk.history(kept["id"])[1] == ("changed", "folder", "Photos_1/2026", "Archives/Photos/2026")
    with pytest.raises(NotFound):
        on_disk.service.call(c.RenameFolder(tree=[survivor, merged], body=rename))
    for to, refusal in (("Photosx1", Conflict), ("Archives/Photos/dedans", Invalid)):
        asked = c.FolderRename(folder="Archives/Photos", to=to)
        with pytest.raises(refusal):
            on_disk.service.call(c.RenameFolder(tree=[survivor, merged], body=asked))


def test_a_document_filed_while_its_folder_is_taken_away_still_has_a_folder(on_disk: Documents) -> None:
    for _ in range(4):
        home = new_id()
        on_disk.service.call(
            c.CreateFolder(home_client_id=home, written_client_id=home, body=c.FolderBody(folder="Ici"))
        )

        def take_away(home: uuid.UUID = home) -> None:
            with contextlib.suppress(Conflict):
                on_disk.service.call(c.DeleteFolder(tree=[home], body=c.FolderBody(folder="Ici")))

        threads = [
            threading.Thread(target=take_away),
            threading.Thread(target=on_disk.upload, args=(home, "a.txt", b"a"), kwargs={"folder": "Ici"}),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert folders(on_disk, home) == {"": 0, "Ici": 1}


def test_what_equipment_a_document_is_about_is_kept_filtered_and_told(on_disk: Documents) -> None:
    home, equipment = new_id(), new_id()
    made = on_disk.upload(home, "notice.pdf", pdf(1), equipment_id=equipment)
    on_disk.upload(home, "autre.pdf", pdf(2))
    assert [row["id"] for row in on_disk.listed(tree=[home], equipment_id=equipment)] == [made["id"]]
    assert [row["id"] for row in on_disk.listed(tree=[home], id=[made["id"]])] == [made["id"]]
    changed = on_disk.service.call(c.UpdateDocument(id=made["id"], changes={"equipment_id": None}))
    assert changed["equipment_id"] is None
    assert on_disk.history(made["id"])[1] == ("changed", "equipment_id", str(equipment), None)


def test_a_picture_is_shown_small_and_upright(documents: Documents) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6  # the camera was held upright: turn it by a quarter
    answer = documents.upload(new_id(), "photo.jpg", picture(1200, 800, exif=turned))
    assert (answer["preview"], answer["width"]) == (True, None)
    small = shown(documents, answer, size="medium")
    assert small is not None
    assert (small.format, small.size) == ("WEBP", (427, 640))
    top = small.convert("RGB").getpixel((200, 20))
    assert isinstance(top, tuple)
    assert top[0] > 200 > top[2]
    read = documents.service.call(c.GetDocument(id=answer["id"]))
    assert (read["width"], read["height"], read["pages"]) == (800, 1200, None)
    assert documents.content(answer["id"]) != b""


def test_a_pdf_is_shown_page_by_page_and_its_pages_are_counted(on_disk: Documents) -> None:
    answer = on_disk.upload(new_id(), "contrat.pdf", pdf(3))
    second = shown(on_disk, answer, size="small", page=2)
    assert second is not None
    assert second.height == 160
    assert on_disk.service.call(c.GetDocument(id=answer["id"]))["pages"] == 3
    assert shown(on_disk, answer, size="small", page=4) is None
    assert on_disk.service.call(c.GetDocument(id=answer["id"]))["preview"]


@pytest.mark.parametrize(
    "content",
    [b"\xff\xd8\xff\xe0" + b"not a picture" * 20, b"%PDF-1.7\nnothing of one", b"\x89PNG\r\n\x1a\n" + b"\x00" * 40],
)
def test_what_only_begins_like_a_picture_shows_nothing_and_is_asked_once(on_disk: Documents, content: bytes) -> None:
    answer = on_disk.upload(new_id(), "x", content)
    assert answer["preview"]
    assert shown(on_disk, answer) is None
    assert not on_disk.service.call(c.GetDocument(id=answer["id"]))["preview"]
    with pytest.raises(NotFound):
        on_disk.service.call(c.RenderPreview(sha256="0" * 64))


def test_a_picture_that_would_fill_the_memory_is_not_opened(on_disk: Documents) -> None:
    bomb = io.BytesIO()
    Image.new("1", (60_000, 60_000)).save(bomb, "PNG")
    answer = on_disk.upload(new_id(), "bombe.png", bomb.getvalue())
    assert answer["size"] < 1_000_000
    assert shown(on_disk, answer) is None


def test_a_photo_of_a_nameplate_stands_upright_and_tells_nothing_of_where_it_was_taken(documents: Documents) -> None:
    told = Image.Exif()
    told[0x0112], told[0x010F] = 8, "Appareil de Karim"
    told[0x8825] = {1: "N", 2: (45.0, 46.0, 0.0)}
    key = staging_key()
    documents.store.put(key, io.BytesIO(picture(900, 600, exif=told)))
    staged = documents.service.call(c.PreparePhoto(key=key))
    content = b"".join(documents.store.open(key))
    assert staged["size"] == len(content) == documents.store.size(key)
    clean = Image.open(io.BytesIO(content))
    assert (clean.format, clean.size, dict(clean.getexif())) == ("JPEG", (600, 900), {})
    assert b"Karim" not in content
    documents.store.put(key, io.BytesIO(b"<html>"))
    with pytest.raises(Invalid):
        documents.service.call(c.PreparePhoto(key=key))


def test_the_history_of_a_document_outlives_the_bin(on_disk: Documents) -> None:
    made = on_disk.upload(new_id(), "a.txt", b"a")
    on_disk.service.call(c.UpdateDocument(id=made["id"], changes={"name": "b.txt", "folder": "F"}))
    on_disk.service.call(c.DeleteDocument(id=made["id"]))
    with pytest.raises(Gone):
        on_disk.service.call(c.GetDocument(id=made["id"]))
    assert on_disk.history(made["id"]) == [
        ("added", "", None, None), ("changed", "folder", "", "F"), ("changed", "name", "a.txt", "b.txt"),
        ("deleted", "", None, None),
    ]  # fmt: skip
