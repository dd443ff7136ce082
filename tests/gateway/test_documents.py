"""Documents over HTTP: streamed in, ranges out, never active content in line."""

from __future__ import annotations

import base64
import hashlib
import io
import uuid
from collections.abc import Iterator

import httpx
import pytest
from PIL import Image

from tests.gateway.conftest import Product
from tests.support.waiting import wait_until

PDF = b"%PDF-1.4\n" + bytes(range(256)) * 5000


def upload(product: Product, name: str, content: bytes, **form: str) -> httpx.Response:
    """The answer to an upload; a new client unless `client_id` is given."""
    data = {"client_id": form.pop("client_id", None) or product.new_client()["id"], **form}
    return product.http.post("/documents", data=data, files={"file": (name, content)})


def test_bytes_come_back_as_they_went(product: Product) -> None:
    client = product.new_client()
    first = upload(product, "premier.pdf", PDF, client_id=client["id"]).json()["id"]
    # The client's name comes by event: only once it is there do two readings of a document agree.
    wait_until(
        lambda: product.http.get(f"/documents/{first}").json()["client"]["name"] == client["display_name"],
        "the client is known to documents",
    )
    made = upload(product, "Contrat été.pdf", PDF, folder="Contrats", client_id=client["id"])
    assert made.status_code == 201, made.text
    document = made.json()
    assert (document["name"], document["folder"], document["size"]) == ("Contrat été.pdf", "Contrats", len(PDF))
    path = f"/documents/{document['id']}"
    assert product.http.get(path).json() == document
    answer = product.http.get(f"{path}/content")
    assert answer.content == PDF
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"].endswith("filename*=UTF-8''Contrat%20%C3%A9t%C3%A9.pdf")
    assert answer.headers["ETag"] == f'"{hashlib.sha256(PDF).hexdigest()}"'


def test_ranges(product: Product) -> None:
    path = f"/documents/{upload(product, 'a.pdf', PDF).json()['id']}/content"
    size = len(PDF)
    for asked, first, last in (("0-9", 0, 9), ("1000-", 1000, size - 1), ("-5", size - 5, size - 1),
                               (f"10-{size * 2}", 10, size - 1)):  # fmt: skip
        answer = product.http.get(path, headers={"Range": f"bytes={asked}"})
        assert answer.status_code == 206
        assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{size}"
        assert answer.content == PDF[first : last + 1]
    answer = product.http.get(path, headers={"Range": f"bytes={size}-"})
    assert (answer.status_code, answer.headers["Content-Range"]) == (416, f"bytes */{size}")
    # A range of another version, or one we don't read, gives the whole.
    for headers in ({"Range": "bytes=0-9", "If-Range": '"other"'}, {"Range": "lines=1-2"}, {"Range": "bytes=9-1"}):
        answer = product.http.get(path, headers=headers)
        assert (answer.status_code, len(answer.content)) == (200, size)


def test_active_content_is_never_in_line(product: Product) -> None:
    for name, content in (("page.html", b"<!doctype html><script>alert(1)</script>"),
                          ("image.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>'),
                          ("photo.png", b"<!doctype html><script>alert(1)</script>")):  # fmt: skip
        made = upload(product, name, content)
        assert made.status_code == 201, made.text
        answer = product.http.get(f"/documents/{made.json()['id']}/content")
        assert answer.headers["Content-Disposition"].startswith("attachment;")
        assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_a_pdf_is_shown_by_the_browsers_viewer_and_everything_else_is_caged(product: Product) -> None:
    for name, content, caged in (("a.pdf", PDF, False), ("a.txt", b"bonjour", True), ("a.html", b"<html>", True)):
        path = f"/documents/{upload(product, name, content).json()['id']}/content"
        headers = product.http.get(path).headers
        assert ("sandbox" in headers["Content-Security-Policy"]) is caged
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "script-src" not in headers["Content-Security-Policy"]
        assert product.http.get(path, params={"download": "1"}).headers["Content-Disposition"].startswith("attachment")


def test_names_cannot_break_the_header(product: Product) -> None:
    made = upload(product, 'a"; filename="evil.exe', b"x")
    if made.status_code == 201:
        header = product.http.get(f"/documents/{made.json()['id']}/content").headers["Content-Disposition"]
        assert header.count('"') == 2


def test_an_upload_repeated_under_its_key_is_one_document(product: Product) -> None:
    client = product.new_client()
    key = {"Idempotency-Key": str(uuid.uuid4())}
    ids = {
        product.http.post("/documents", data={"client_id": client["id"]}, files={"file": ("a.pdf", PDF)},
                          headers=key).json()["id"]
        for _ in range(2)
    }  # fmt: skip
    assert len(ids) == 1
    assert len(product.http.get("/documents", params={"client_id": client["id"]}).json()["items"]) == 1


def test_what_is_missing_is_named(product: Product) -> None:
    client = product.new_client()
    answer = product.http.post("/documents", data={"client_id": client["id"]}, files={"other": ("a", b"x")})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "file")
    answer = product.http.post("/documents", files={"file": ("a", b"x")})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "client_id")
    assert product.http.post("/documents", json={}).status_code == 422


def test_trash_and_back(product: Product) -> None:
    made = upload(product, "a.pdf", PDF).json()
    path = f"/documents/{made['id']}"
    assert product.http.delete(path).status_code == 204
    assert product.http.get(f"{path}/content").status_code in (404, 410)
    assert product.http.post(f"{path}/restore", json={}).status_code == 200
    assert product.http.get(f"{path}/content").content == PDF


def test_an_announced_checksum_is_verified(product: Product) -> None:
    client_id = product.new_client()["id"]
    answer = upload(product, "a.pdf", PDF, client_id=client_id, sha256="0" * 64)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "sha256")
    assert product.http.get("/documents", params={"client_id": client_id}).json()["items"] == []
    assert upload(product, "a.pdf", PDF, client_id=client_id, sha256=hashlib.sha256(PDF).hexdigest()).is_success


def test_bytes_that_rotted_are_not_taken_for_the_document(product: Product) -> None:
    content = b"%PDF-1.4\n" + uuid.uuid4().bytes * 50_000
    document = upload(product, "a.pdf", content).json()
    sha256 = document["sha256"]
    stored = product.data_dir / "objects" / "content" / sha256[:2] / sha256
    stored.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(httpx.HTTPError):
        product.http.get(f"/documents/{document['id']}/content")


def test_a_form_of_another_shape_is_refused_in_words(product: Product) -> None:
    for body, kind in (
        (b"", "multipart/form-data"),
        (b"--x\r\n\r\n", "multipart/form-data; boundary=x"),
        (
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhalf',
            "multipart/form-data; boundary=x",
        ),
        (b"a=b", "application/x-www-form-urlencoded"),
    ):
        answer = product.http.post("/documents", content=body, headers={"Content-Type": kind})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) in ((422, "file"), (422, "client_id")), body


def test_a_field_behind_the_file_counts_too(product: Product) -> None:
    client_id = product.new_client()["id"]
    body = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n' + b"\r\n--y" * 100_000
        + b'\r\n--x\r\nContent-Disposition: form-data; name="client_id"\r\n\r\n' + client_id.encode() + b"\r\n--x--\r\n"
    )  # fmt: skip
    made = product.http.post("/documents", content=body, headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert made.status_code == 201, made.text
    assert product.http.get(f"/documents/{made.json()['id']}/content").content == b"\r\n--y" * 100_000


def test_a_large_file_goes_through_without_filling_the_memory(product: Product) -> None:
    size = 160 * 1024 * 1024
    form = b'--x\r\nContent-Disposition: form-data; name="client_id"\r\n\r\n' + product.new_client()["id"].encode()
    form += b'\r\n--x\r\nContent-Disposition: form-data; name="file"; filename="film.mp4"\r\n\r\n'
    piece = uuid.uuid4().bytes * 65536

    def body() -> Iterator[bytes]:
        yield form
        for _ in range(size // len(piece)):
            yield piece
        yield b"\r\n--x--\r\n"

    length = len(form) + size + len(b"\r\n--x--\r\n")
    headers = {"Content-Type": "multipart/form-data; boundary=x", "Content-Length": str(length)}
    before = product.peak_memory()
    made = product.http.post("/documents", content=body(), headers=headers, timeout=120)
    assert made.json()["size"] == size, made.text
    received, seen = 0, hashlib.sha256()
    with product.http.stream("GET", f"/documents/{made.json()['id']}/content", timeout=120) as answer:
        for chunk in answer.iter_raw():
            received += len(chunk)
            seen.update(chunk)
    assert (received, seen.hexdigest()) == (size, made.json()["sha256"])
    assert product.peak_memory() - before < size // 4


def test_versions_over_http(product: Product) -> None:
    made = upload(product, "plan.txt", b"un").json()
    path = f"/documents/{made['id']}"
    stale = product.http.post(f"{path}/versions", files={"file": ("b.txt", b"deux")}, headers={"If-Match": '"7"'})
    assert stale.status_code == 412
    second = product.http.post(f"{path}/versions", files={"file": ("b.txt", b"deux")}, headers={"If-Match": '"1"'})
    assert (second.status_code, second.json()["name"], second.headers["ETag"]) == (200, "plan.txt", '"2"')
    versions = product.http.get(f"{path}/versions").json()["items"]
    assert [one["number"] for one in versions] == [2, 1]
    old = product.http.get(f"{path}/versions/{versions[1]['id']}/content")
    assert old.content == b"un"
    assert product.http.post(f"{path}/versions/{versions[1]['id']}/restore", json={}).json()["version"] == 3
    assert product.http.get(f"{path}/content").content == b"un"
    assert product.http.post(f"/documents/{uuid.uuid4()}/versions", files={"file": ("b", b"x")}).status_code == 404
    actions = [line["action"] for line in product.http.get(f"{path}/history").json()["items"]]
    assert actions == ["replaced", "replaced", "added"]


def test_a_thumbnail_is_a_picture_of_ours_whatever_was_sent(product: Product) -> None:
    held = io.BytesIO()
    Image.new("RGB", (300, 200), "teal").save(held, "PNG")
    path = f"/documents/{upload(product, 'a.png', held.getvalue()).json()['id']}"
    answer = product.http.get(f"{path}/thumbnail", params={"size": "small"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/webp")
    assert Image.open(io.BytesIO(answer.content)).size == (160, 107)
    again = product.http.get(
        f"{path}/thumbnail", params={"size": "small"}, headers={"If-None-Match": answer.headers["ETag"]}
    )
    assert again.status_code == 304
    assert product.http.get(f"{path}/thumbnail", params={"size": "huge"}).status_code == 422
    text = upload(product, "a.txt", b"bonjour").json()
    refused = product.http.get(f"/documents/{text['id']}/thumbnail")
    assert (refused.status_code, refused.json()["code"]) == (404, "no_preview")


def test_a_photo_is_cleaned_on_its_way_in(product: Product) -> None:
    told = Image.Exif()
    told[0x0112], told[0x010F] = 6, "Appareil"
    held = io.BytesIO()
    Image.new("RGB", (300, 200), "teal").save(held, "JPEG", exif=told)
    made = upload(product, "plaque.jpg", held.getvalue(), photo="true").json()
    clean = Image.open(io.BytesIO(product.http.get(f"/documents/{made['id']}/content").content))
    assert (clean.size, dict(clean.getexif())) == ((200, 300), {})
    refused = upload(product, "plaque.jpg", b"%PDF-1.4", photo="true")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "file")


def test_folders_over_http(product: Product) -> None:
    client_id = product.new_client()["id"]
    whose = {"client_id": client_id}
    assert product.http.post("/documents/folders", json={**whose, "folder": "Photos"}).status_code == 201
    assert product.http.post("/documents/folders", json={**whose, "folder": "../x"}).status_code == 422
    upload(product, "a.txt", b"a", client_id=client_id, folder="Photos")
    assert product.http.post("/documents/folders/delete", json={**whose, "folder": "Photos"}).status_code == 409
    renamed = product.http.post("/documents/folders/rename", json={**whose, "folder": "Photos", "to": "Avant"})
    assert renamed.json() == {"folder": "Avant", "count": 1}
    listed = product.http.get("/documents/folders", params=whose).json()["items"]
    assert listed == [{"folder": "", "count": 0}, {"folder": "Avant", "count": 1}]


TUS = {"Tus-Resumable": "1.0.0"}


def begin(product: Product, length: int, http: httpx.Client | None = None, **fields: str) -> httpx.Response:
    """Begins an upload that can be resumed."""
    told = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in fields.items())
    headers = TUS | {"Upload-Length": str(length), "Upload-Metadata": told}
    return (http or product.http).post("/uploads", headers=headers)


def send(product: Product, path: str, at: int, piece: bytes) -> httpx.Response:
    """Sends a piece."""
    headers = TUS | {"Upload-Offset": str(at), "Content-Type": "application/offset+octet-stream"}
    return product.http.patch(path, content=piece, headers=headers)


def test_an_upload_goes_on_where_the_line_was_cut(product: Product) -> None:
    client_id = product.new_client()["id"]
    begun = begin(product, len(PDF), client_id=client_id, filename="Été.pdf", folder="Plans")
    assert begun.status_code == 201, begun.text
    path = begun.headers["Location"].removeprefix("/api/v1")
    assert send(product, path, 0, PDF[:500_000]).headers["Upload-Offset"] == "500000"

    def cut() -> Iterator[bytes]:
        yield PDF[500_000:700_000]
        raise ConnectionError("the line is cut")

    with pytest.raises(ConnectionError):
        send(product, path, 500_000, cut())  # type: ignore[arg-type]
    state = product.http.head(path, headers=TUS)
    assert (state.headers["Upload-Offset"], state.headers["Upload-Length"]) == ("500000", str(len(PDF)))
    assert send(product, path, 0, PDF[:10]).status_code == 409
    assert send(product, path, 500_000, PDF).status_code == 413
    last = send(product, path, 500_000, PDF[500_000:])
    assert last.status_code == 204, last.text
    document = product.http.get(last.headers["Content-Location"].removeprefix("/api/v1")).json()
    assert (document["name"], document["folder"], document["size"]) == ("Été.pdf", "Plans", len(PDF))
    assert product.http.get(f"/documents/{document['id']}/content").content == PDF
    assert product.http.head(path, headers=TUS).status_code == 404
    assert not [kept for kept in (product.data_dir / "objects" / "staging").rglob("*") if kept.is_file()]


def test_an_upload_whose_end_met_an_absent_service_ends_when_it_is_back(product: Product) -> None:
    path = begin(product, 4, client_id=product.new_client()["id"], filename="a.txt").headers["Location"]
    path = path.removeprefix("/api/v1")
    product.command("stop", "documents")
    try:
        assert send(product, path, 0, b"tout").status_code == 503
    finally:
        product.command("start", "documents")
    assert product.http.head(path, headers=TUS).headers["Upload-Offset"] == "4"
    assert send(product, path, 4, b"").headers["Content-Location"]


def test_an_upload_is_refused_before_it_begins(product: Product) -> None:
    client_id = product.new_client()["id"]
    assert begin(product, 3 * 1024**3, client_id=client_id, filename="a").status_code == 413
    assert begin(product, 3, client_id=str(uuid.uuid4()), filename="a").status_code == 422
    assert begin(product, 3, client_id=client_id, role="a").status_code == 422
    assert begin(product, 3, document_id=str(uuid.uuid4())).status_code == 404
    begun = begin(product, 3, client_id=client_id, filename="a").headers["Location"].removeprefix("/api/v1")
    assert product.as_key("read", "write").head(begun, headers=TUS).status_code == 404
    assert product.http.head(begun).status_code == 412
    assert product.http.delete(begun, headers=TUS).status_code == 204
    assert product.http.head(begun, headers=TUS).status_code == 404
