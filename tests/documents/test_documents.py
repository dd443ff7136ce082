"""Documents: what the service promises, on a real PostgreSQL and real stores."""

from __future__ import annotations

import io
import unicodedata
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chassis.errors import Gone, Invalid, NotFound, Stale
from chassis.ids import new_id
from chassis.objects import staging_key
from contracts import documents as c
from tests.documents.conftest import PNG, Documents

PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj"


def test_a_document_comes_back_to_the_byte(documents: Documents) -> None:
    home = new_id()
    answer = documents.upload(home, "notice.pdf", PDF, folder="Notices/Chaudière")
    read = c.Document.model_validate(answer)
    assert (read.content_type, read.inline, read.missing) == ("application/pdf", True, False)
    assert (read.size, read.folder) == (len(PDF), "Notices/Chaudière")
    assert documents.content(answer["id"]) == PDF
    [told] = [e for e in documents.service.events("document.added") if e["subject"] == answer["id"]]
    assert told["data"]["home_client_id"] == str(home)


@pytest.mark.parametrize(
    ("content", "found", "inline"),
    [
        (PNG, "image/png", True),
        (PDF, "application/pdf", True),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "image/jpeg", True),
        (b"bonjour, \xc3\xa9lectricit\xc3\xa9", "text/plain", True),
        (b"<html><script>alert(1)</script>", "text/html", False),
        (b"x\n<SCRIPT>alert(1)</SCRIPT>", "text/html", False),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='x'>", "image/svg+xml", False),
        (b"MZ\x90\x00\x03" + b"\x00" * 60, "application/vnd.microsoft.portable-executable", False),
        (b"PK\x03\x04\x14\x00" + b"\x00" * 24 + b"word/document.xml", None, False),
        (b"\x00\x01\x02\x03", "application/octet-stream", False),
        (b"", "text/plain", True),
    ],
)
def test_the_type_is_told_from_the_bytes_whatever_the_name_says(
    documents: Documents, content: bytes, found: str | None, inline: bool
) -> None:
    answer = documents.upload(new_id(), "innocent.png", content)
    expected = found or "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    assert (answer["content_type"], answer["inline"]) == (expected, inline)


def test_the_same_bytes_are_stored_once(documents: Documents) -> None:
    content = b"une seule fois " * 1000
    answers = [documents.upload(new_id(), f"copie {n}.txt", content) for n in range(3)]
    assert len({answer["sha256"] for answer in answers}) == 1
    assert len([o for o in documents.store.list("content/") if o.key.endswith(answers[0]["sha256"])]) == 1
    assert [documents.content(answer["id"]) for answer in answers] == [content] * 3


def test_the_same_bytes_sent_at_once_are_stored_once(documents: Documents) -> None:
    content = uuid.uuid4().bytes * 5000
    with ThreadPoolExecutor(max_workers=8) as pool:
        answers = list(pool.map(lambda n: documents.upload(new_id(), f"{n}.bin", content), range(8)))
    assert len({answer["id"] for answer in answers}) == 8
    assert {documents.content(answer["id"]) for answer in answers} == {content}


def test_the_same_name_twice_both_are_kept_and_told_apart(documents: Documents) -> None:
    home = new_id()
    composed, opened = (unicodedata.normalize(form, "façade.v2.JPG") for form in ("NFC", "NFD"))
    first, second = documents.upload(home, composed, PNG), documents.upload(home, opened, PDF)
    elsewhere = documents.upload(home, composed, PNG, folder="Avant")
    assert (first["name"], second["name"]) == (composed, opened)
    shown = {item["id"]: item["shown_name"] for item in documents.listed(tree=[home])}
    assert shown[first["id"]] == composed
    assert unicodedata.normalize("NFC", shown[second["id"]]) == "façade.v2 (2).JPG"
    assert shown[elsewhere["id"]] == composed
    assert documents.content(first["id"]) != documents.content(second["id"])
    documents.service.call(c.DeleteDocument(id=first["id"]))
    assert documents.service.call(c.GetDocument(id=second["id"]))["shown_name"] == opened


@pytest.mark.parametrize(
    "name",
    ["MÉMO chaudière n°2 – façade.pdf", "../x", "/etc/passwd", "é" * 250, "🔥 chaufferie.png", " espaces .txt", "sans"],
)
def test_a_strange_name_comes_back_as_given_and_never_becomes_a_path(documents: Documents, name: str) -> None:
    for form in ("NFC", "NFD"):
        given = unicodedata.normalize(form, name)
        if len(given) > 255:
            continue
        answer = documents.upload(new_id(), given)
        assert documents.service.call(c.GetDocument(id=answer["id"]))["name"] == given
        assert documents.service.call(c.GetContent(id=answer["id"]))["key"] == (
            f"content/{answer['sha256'][:2]}/{answer['sha256']}"
        )


@pytest.mark.parametrize("name", ["", " ", "..", "a\nb", "a\x00b", "x" * 256])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError):
        c.DocumentBody(name=name)


@pytest.mark.parametrize("folder", ["../ailleurs", "a//b", "a/./b", "a\x01b"])
def test_what_is_no_folder_is_refused(folder: str) -> None:
    with pytest.raises(ValueError):
        c.DocumentBody(name="x", folder=folder)


def test_bytes_that_are_not_there_or_not_whole_make_no_document(documents: Documents) -> None:
    home, key = new_id(), staging_key()
    stored = documents.store.put(key, io.BytesIO(b"entier"))
    body = c.DocumentBody(name="x")
    for wrong in ({"key": staging_key()}, {"size": stored.size + 1}):
        values = {"key": key, "sha256": stored.sha256, "size": stored.size} | wrong
        with pytest.raises(Invalid):
            documents.service.call(c.CommitDocument(home_client_id=home, written_client_id=home, body=body, **values))
    assert documents.listed(tree=[home]) == []
    with pytest.raises(ValueError):
        c.CommitDocument(
            home_client_id=home, written_client_id=home, key="content/ab", sha256=stored.sha256, size=1, body=body
        )


def test_a_repeated_upload_under_one_key_is_one_document(documents: Documents) -> None:
    home, key = new_id(), staging_key("camille\nclé-1")
    assert key == staging_key("camille\nclé-1")
    answers = []
    for _ in range(2):
        stored = documents.store.put(key, io.BytesIO(b"deux fois"))
        request = c.CommitDocument(
            home_client_id=home, written_client_id=home, key=key, sha256=stored.sha256, size=stored.size,
            body=c.DocumentBody(name="a.txt"),
        )  # fmt: skip
        answers.append(documents.service.call(request, key="clé-1"))
        documents.store.delete(key)
    assert answers[0] == answers[1]
    assert len(documents.listed(tree=[home])) == 1


def test_renamed_moved_and_told_once_each(documents: Documents) -> None:
    answer = documents.upload(new_id(), "a.png", folder="Photos")
    changed = documents.service.call(
        c.UpdateDocument(id=answer["id"], expected_version=1, changes={"name": "b.png", "folder": "Photos/2026"})
    )
    assert (changed["name"], changed["folder"], changed["version"]) == ("b.png", "Photos/2026", 2)
    same = documents.service.call(c.UpdateDocument(id=answer["id"], changes={"name": "b.png"}))
    assert same["version"] == 2
    with pytest.raises(Stale):
        documents.service.call(c.UpdateDocument(id=answer["id"], expected_version=1, changes={"name": "c.png"}))
    told = [e["type"].split(".")[-2] for e in documents.service.events() if e["subject"] == answer["id"]]
    assert told == ["added", "moved", "renamed"]


def test_the_bin_gives_back_what_was_put_there(documents: Documents) -> None:
    home = new_id()
    answer = documents.upload(home)
    documents.service.call(c.DeleteDocument(id=answer["id"], expected_version=1))
    for refused in (c.GetDocument(id=answer["id"]), c.GetContent(id=answer["id"]), c.DeleteDocument(id=answer["id"])):
        with pytest.raises(Gone):
            documents.service.call(refused)
    assert documents.listed(tree=[home]) == []
    assert [item["id"] for item in documents.listed(tree=[home], status="deleted")] == [answer["id"]]
    restored = documents.service.call(c.RestoreDocument(id=answer["id"]))
    assert (restored["deleted_at"], restored["version"]) == (None, 3)
    assert documents.service.call(c.RestoreDocument(id=answer["id"])) == restored
    assert documents.content(answer["id"]) == PNG


def test_an_entry_without_content_says_so_until_it_is_supplied(documents: Documents) -> None:
    home, identifier = new_id(), new_id()
    entry = c.ImportDocumentEntry(
        id=identifier, home_client_id=home, written_client_id=home, created_at="2019-05-06T10:00:00Z",
        body=c.DocumentBody(name="FA1905-0042.pdf", folder="Factures"),
    )  # fmt: skip
    answer = documents.service.call(entry)
    assert (answer["missing"], answer["size"], answer["created_at"][:10]) == (True, 0, "2019-05-06")
    assert documents.service.call(entry) == answer
    with pytest.raises(NotFound) as refused:
        documents.service.call(c.GetContent(id=identifier))
    assert refused.value.code == "content_missing"
    key = staging_key()
    stored = documents.store.put(key, io.BytesIO(PDF))
    supply = c.ReplaceContent(id=identifier, key=key, sha256=stored.sha256, size=stored.size)
    supplied = documents.service.call(supply)
    assert (supplied["missing"], supplied["content_type"]) == (False, "application/pdf")
    assert documents.content(str(identifier)) == PDF
    assert documents.service.call(supply) == supplied
    told = [e["type"].split(".")[-2] for e in documents.service.events() if e["subject"] == str(identifier)]
    assert told == ["added", "added"]


def test_found_by_words_without_accents_by_folder_and_counted(documents: Documents) -> None:
    home = new_id()
    memo = documents.upload(home, "MÉMO chaudière.pdf", folder="Notices", description="L’Haÿ")
    photo = documents.upload(home, "100%.png")
    found = {q: [item["id"] for item in documents.listed(tree=[home], q=q)] for q in ("memo chaud", "l'hay", "100%")}
    assert found == {"memo chaud": [memo["id"]], "l'hay": [memo["id"]], "100%": [photo["id"]]}
    assert [item["id"] for item in documents.listed(tree=[home], folder="")] == [photo["id"]]
    counted = documents.service.call(c.ListFolders(tree=[home]))["items"]
    assert counted == [{"folder": "", "count": 1}, {"folder": "Notices", "count": 1}]
    fiche = documents.service.call(c.DocumentsFiche(client_id=home, limit=1))
    section = fiche["sections"]["documents"]
    assert (fiche["tree"], section["count"], len(section["items"])) == ([str(home)], 2, 1)
    rest = documents.listed(tree=[home], cursor=section["next"])
    assert {section["items"][0]["id"], rest[0]["id"]} == {memo["id"], photo["id"]}
    stranger = new_id()
    checked = documents.service.call(c.CheckDocuments(ids=[memo["id"], stranger], tree=[home]))
    assert checked == {"foreign": [str(stranger)]}


def test_no_bytes_of_ours_leave_the_data_folder(documents: Documents) -> None:
    root = Path(documents.service.settings.data_dir) / "objects"
    if documents.service.settings.s3_url:
        pytest.skip("S3 keeps no files here")
    documents.upload(new_id(), "../../evasion.txt", b"dedans")
    assert not list(root.parent.parent.glob("evasion*"))
    assert not list((root / ".writing").iterdir())
