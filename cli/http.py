"""The command line as a client of a running product: `FICHE_URL` and `FICHE_TOKEN`, or the one of this data folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chassis.errors import FicheError, Unavailable
from chassis.ids import new_id
from chassis.settings import load_settings
from cli import local_key

if TYPE_CHECKING:
    import httpx


def base_url() -> str:
    """Address of the running product."""
    settings = load_settings()
    return settings.url or local_key.known(settings)[0] or f"http://{settings.host}:{settings.port}"


def client(timeout: float = 60.0) -> httpx.Client:
    """An HTTP client with the key of `FICHE_TOKEN` (or `FICHE_BOOTSTRAP_TOKEN`, or this machine's own).

    Raises `FicheError` where address or key is none.
    """
    import httpx

    settings = load_settings()
    # The key of this folder is for the product of this folder, never shown to another address.
    own = local_key.known(settings)[1] if not settings.url else ""
    token = settings.token or settings.bootstrap_token or own
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        return httpx.Client(base_url=base_url(), headers=headers, timeout=timeout)
    except httpx.InvalidURL:
        raise FicheError(f"FICHE_URL n’est pas une adresse\u202f: {base_url()}.") from None
    except UnicodeEncodeError:
        raise FicheError("FICHE_TOKEN n’est pas une clé d’API.") from None


def api(method: str, path: str, body: Any = None) -> Any:
    """Calls the API and returns its JSON. Raises `FicheError` with the problem's own sentence."""
    import httpx

    try:
        with client() as http:
            answer = http.request(method, path, json=body, headers={"Idempotency-Key": str(new_id())})
    except httpx.HTTPError as error:
        raise Unavailable(
            f"Rien ne répond à {base_url()} ({error}). Lancez d’abord make run, ou réglez FICHE_URL."
        ) from None
    if answer.status_code == 401:
        raise FicheError("Réglez FICHE_TOKEN\u202f: une clé d’API (fiche api-keys add, ou FICHE_BOOTSTRAP_TOKEN).")
    if answer.status_code >= 400:
        try:
            problem = answer.json()
            detail = problem.get("detail") or problem.get("title") or answer.text
            faults = "; ".join(f"{fault['field']} : {fault['message']}" for fault in problem.get("errors", []))
        except ValueError:
            detail, faults = answer.text[:500], ""
        raise FicheError(f"{detail}{' ' + faults if faults else ''}")
    if answer.is_redirect:
        # To HTTPS, say; a key is not sent on to where an answer points.
        raise FicheError(f"{base_url()} renvoie à {answer.headers['Location']}\u202f: réglez FICHE_URL.")
    try:
        return answer.json() if answer.content else {}
    except ValueError:
        raise FicheError(f"Ce qui répond à {base_url()} n’est pas Fiche\u202f: réglez FICHE_URL.") from None
