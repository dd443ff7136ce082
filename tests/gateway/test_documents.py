"""Documents over HTTP: streamed in, ranges out, never active content in line."""

from __future__ import annotations

import hashlib
import uuid

import httpx

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
