// The tray of uploads: one at a time, with what has gone and what is left. A large file goes piece by piece (tus 1.0),
// so that a cut line costs a piece; a small one in a form.
import { el, icon, one } from "./kit/dom.js";
import { call } from "./kit/api.js";

const PIECE = 8 * 1024 * 1024;
const LIMIT = 2 * 1024 ** 3;
const waiting = [];
let running = null;

const token = () => one('meta[name="csrf-token"]')?.content || "";
const bytes = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));
export const size = (count) => {
  for (const [unit, at] of [["Go", 1e9], ["Mo", 1e6], ["Ko", 1e3]]) if (count >= at) return `${(count / at).toFixed(unit === "Ko" ? 0 : 1).replace(".", ",")}\u00a0${unit}`;
  return `${count}\u00a0octets`;
};

/** Sends with progress: `progress` gets bytes gone. Answers {status, headers, data}; status 0 when the line was cut. */
function send(method, url, body, headers, progress, item) {
  return new Promise((done) => {
    const request = new XMLHttpRequest();
    item.request = request;
    request.open(method, url);
    for (const [name, value] of Object.entries({ "X-CSRF-Token": token(), Accept: "application/json", ...headers })) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", (event) => progress(event.loaded));
    request.addEventListener("loadend", () => {
      let data = {};
      try { data = JSON.parse(request.responseText); } catch { /* no words came with it */ }
      done({ status: request.status, header: (name) => request.getResponseHeader(name), data });
    });
    request.send(body);
  });
}

class Cut extends Error {}
class Given extends Error {}

function checked(answer, item) {
  if (item.stopped) throw new Given();
  if (answer.status === 0 || answer.status >= 500) throw new Cut(answer.data.detail || "");
  if (answer.status >= 400 && answer.status !== 409) throw new Error(answer.data.errors?.[0]?.message || answer.data.detail || "Ce fichier n’a pas été accepté.");
  return answer;
}

/** A small file: one form. The same key again is the same document. */
async function small(item) {
  const { file, fields } = item;
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) if (value && name !== "document_id") form.append(name, value);
  form.append("file", file, file.name);
  const url = fields.document_id ? `/api/v1/documents/${fields.document_id}/versions` : "/api/v1/documents";
  const answer = checked(await send("POST", url, form, { "Idempotency-Key": item.key }, item.progress, item), item);
  return answer.data.id;
}

/** A large one: begun once, gone on where the other side says. */
async function large(item) {
  const { file } = item;
  const tus = { "Tus-Resumable": "1.0.0" };
  if (!item.url) {
    const told = Object.entries({ ...item.fields, filename: file.name }).filter(([, value]) => value).map(([name, value]) => `${name} ${bytes(value)}`);
    const begun = checked(await send("POST", "/api/v1/uploads", null, { ...tus, "Upload-Length": file.size, "Upload-Metadata": told.join(",") }, () => {}, item), item);
    item.url = begun.header("Location");
    item.at = 0;
  } else {
    const state = checked(await send("HEAD", item.url, null, tus, () => {}, item), item);
    item.at = Number(state.header("Upload-Offset"));
  }
  for (;;) {
    const from = item.at;
    const piece = file.slice(from, from + PIECE);
    const headers = { ...tus, "Upload-Offset": from, "Content-Type": "application/offset+octet-stream" };
    const answer = checked(await send("PATCH", item.url, piece, headers, (gone) => item.progress(from + gone), item), item);
    if (answer.status === 409) throw new Cut();
    item.at = Number(answer.header("Upload-Offset"));
    const made = answer.header("Content-Location");
    if (made) return made.split("/").pop();
  }
}

// --- the tray ----------------------------------------------------------------------------------------------------------
function tray() {
  const found = one(".upload-tray");
  if (found) return found;
  const fold = el("button", { type: "button", class: "tool", "aria-expanded": "true", "aria-label": "Replier les envois", title: "Replier les envois" }, icon("chevron-down"));
  const close = el("button", { type: "button", class: "tool", "aria-label": "Fermer les envois", title: "Fermer les envois" }, icon("x"));
  const made = el("section", { class: "upload-tray", "aria-label": "Envois" }, el("header", {}, el("p", { role: "status", "aria-live": "polite" }, el("b"), el("span")), fold, close), el("ul"));
  fold.addEventListener("click", () => fold.setAttribute("aria-expanded", String(!made.classList.toggle("folded"))));
  close.addEventListener("click", () => {
    for (const item of [running, ...waiting].filter(Boolean)) stop(item);
    made.remove();
  });
  document.body.append(made);
  return made;
}

function summary() {
  const root = tray();
  const items = [...root.querySelectorAll("li")];
  const by = (state) => items.filter((node) => node.dataset.state === state).length;
  const going = by("going") + by("waiting");
  const rest = [[by("done"), "terminé"], [by("broken"), "interrompu"], [by("refused"), "refusé"]].filter(([n]) => n).map(([n, word]) => `${n} ${word}${n > 1 ? "s" : ""}`);
  one("b", root).textContent = going ? `${going} envoi${going > 1 ? "s" : ""} en cours` : "Envois";
  one("header span", root).textContent = rest.join(", ");
}

function show(item, state, words = "") {
  const { node } = item;
  node.dataset.state = state;
  node.querySelector(".icon").replaceWith(icon({ done: "circle-check", broken: "circle-alert", refused: "circle-alert" }[state] || "circle-dashed"));
  node.querySelector(".said").textContent = state === "done" ? size(item.file.size) : "";
  node.querySelector(".why").textContent = words;
  const buttons = node.querySelector(".buttons");
  buttons.replaceChildren();
  if (state === "broken" || state === "refused") {
    const again = el("button", { type: "button", class: "link" }, state === "broken" ? "Reprendre" : "Réessayer");
    again.addEventListener("click", () => { item.stopped = false; waiting.push(item); show(item, "waiting"); next(); });
    buttons.append(again);
  }
  if (state !== "done") {
    const cross = el("button", { type: "button", class: "tool", "aria-label": `Abandonner l’envoi de ${item.file.name}`, title: "Abandonner" }, icon("x"));
    cross.addEventListener("click", () => stop(item));
    buttons.append(cross);
  }
  node.querySelector("progress").hidden = !["going", "waiting"].includes(state);
  summary();
}

function stop(item) {
  item.stopped = true;
  const at = waiting.indexOf(item);
  if (at >= 0) waiting.splice(at, 1);
  item.request?.abort();
  if (item.url) fetch(item.url, { method: "DELETE", headers: { "Tus-Resumable": "1.0.0", "X-CSRF-Token": token() } }).catch(() => {});
  item.node.remove();
  if (one(".upload-tray") && !one(".upload-tray li")) one(".upload-tray").remove(); else if (one(".upload-tray")) summary();
}

/** What has gone and what is left of it, in words and in the bar. */
function progress(item) {
  const begun = { at: Date.now(), from: null };
  return (gone) => {
    begun.from ??= gone;
    const part = item.file.size ? Math.min(1, gone / item.file.size) : 1;
    const speed = (gone - begun.from) / Math.max(1, Date.now() - begun.at);
    const left = speed > 0 ? (item.file.size - gone) / speed / 1000 : 0;
    const words = left >= 90 ? `${Math.round(left / 60)}\u00a0min` : left >= 1 ? `${Math.round(left)}\u00a0s` : "";
    item.node.querySelector("progress").value = part;
    item.node.querySelector(".said").textContent = `${Math.round(part * 100)}\u202f%${words ? ` · ${words}` : ""}`;
  };
}

async function next() {
  if (running || !waiting.length) return;
  const item = waiting.shift();
  running = item;
  item.progress = progress(item);
  show(item, "going");
  try {
    const id = await (item.file.size > PIECE ? large(item) : small(item));
    show(item, "done");
    document.dispatchEvent(new CustomEvent("fiche:uploaded", { detail: { id } }));
  } catch (fault) {
    if (fault instanceof Cut) {
      const part = item.file.size > PIECE && item.at ? `Connexion perdue à ${Math.round((item.at / item.file.size) * 100)}\u202f%. L’envoi reprend là où il s’est arrêté.` : "Connexion perdue. Rien n’est perdu\u202f: reprenez l’envoi.";
      show(item, "broken", fault.message || part);
    } else if (!(fault instanceof Given)) {
      item.key = crypto.randomUUID();
      item.url = null;
      show(item, "refused", fault.message);
    }
  } finally {
    running = null;
    next();
  }
}

/** Puts a file in the tray. `fields`: client_id and folder, or document_id to replace one. `as`: the name to show. */
export function upload(file, fields, { as = file.name } = {}) {
  const node = el("li", {}, icon("circle-dashed"), el("span", { class: "name", title: as }, as), el("span", { class: "said" }), el("span", { class: "buttons" }), el("progress", { max: 1, value: 0, "aria-label": `Envoi de ${as}` }), el("p", { class: "why" }));
  const item = { file, fields, name: as, node, key: crypto.randomUUID(), at: 0 };
  tray().querySelector("ul").append(node);
  if (file.size > LIMIT) { show(item, "refused", "Ce fichier dépasse 2\u00a0Go."); return; }
  waiting.push(item);
  show(item, "waiting");
  next();
}

/** Gives `add` the files chosen in a field: now, for a script that came late or a page loaded anew, and whenever some are. */
export function onChosen(field, add) {
  const take = () => { add([...field.files]); field.value = ""; };
  take();
  field.addEventListener("change", take);
}

/** A file that a form sends when it is saved: kept, so that what was cut goes on where it stopped. */
export const parcel = (file, fields) => ({ file, fields, key: crypto.randomUUID(), at: 0 });

/** Sends it; `progress` gets the part gone, 0 to 1. Answers the document's id. Throws an Error with words for a person. */
export async function deliver(item, progress) {
  if (item.file.size > LIMIT) throw new Error("Ce fichier dépasse 2\u00a0Go.");
  item.progress = (gone) => progress(item.file.size ? Math.min(1, gone / item.file.size) : 1);
  try {
    return await (item.file.size > PIECE ? large(item) : small(item));
  } catch (fault) {
    if (fault instanceof Cut) throw new Error(fault.message || "Connexion perdue. Enregistrez de nouveau\u202f: l’envoi reprendra là où il s’est arrêté.");
    item.key = crypto.randomUUID();
    item.url = null;
    throw fault;
  }
}

/** One photo, cleaned on its way in; answers the document. Throws `Refused`. */
export async function photo(file, fields, key) {
  const form = new FormData();
  for (const [name, value] of Object.entries({ ...fields, photo: "true" })) if (value) form.append(name, value);
  form.append("file", file, file.name || "photo.jpg");
  return (await call("POST", "/api/v1/documents", { body: form, key })).data;
}

// Back on line, what was cut goes on by itself.
window.addEventListener("online", () => { for (const button of document.querySelectorAll('.upload-tray li[data-state="broken"] .link')) button.click(); });
window.addEventListener("beforeunload", (event) => { if (running || waiting.length) event.preventDefault(); });
