// Forms of the pages: <form data-api="POST /api/v1/clients/…/contacts" data-said="Contact ajouté" data-then="refresh">.
// A PATCH sends only what was changed; a refusal shows at its field and summed up; a stale save shows both values;
// nothing that was typed is lost: it is kept as a draft until it is saved or thrown away.
import { call } from "./api.js";
import { conflict } from "./conflict.js";
import { dropDraft, keepDraft, takeDraft } from "./drafts.js";
import { all, el, fill, icon, one, start, starting } from "./dom.js";
import { changed, fieldOf, filled, labelOf, read, same } from "./fields.js";
import { then } from "./refresh.js";
import { toast, toastNext } from "./toast.js";

const known = new WeakMap();

/** The form with the values that the page came with: what was typed before this script was there is a change like any. */
const asItCame = (form) => one("form", new DOMParser().parseFromString(form.outerHTML, "text/html"));

/** State of a form: {before: values when opened, key: Idempotency-Key of the deed in hand}. */
export function stateOf(form) {
  if (!known.has(form)) known.set(form, { before: read(asItCame(form)), key: crypto.randomUUID() });
  return known.get(form);
}

/** True when something was typed that is not saved. */
export const dirty = (form) => !same(read(form), stateOf(form).before);

/** Makes ready every form of `root`: remembers its values, takes up its draft. */
export function openForms(root = document) {
  for (const form of all("form[data-api]", root)) {
    if (known.has(form)) continue;
    stateOf(form);
    takeDraft(form);
  }
}

// --- errors ------------------------------------------------------------------------------------------------------------
function clear(form) {
  all(".error-summary, .conflict, .field .error[data-live]", form).forEach((node) => node.remove());
  for (const field of all("[aria-invalid]", form)) {
    field.removeAttribute("aria-invalid");
    const before = field.dataset.describedby;
    if (before) field.setAttribute("aria-describedby", before); else field.removeAttribute("aria-describedby");
  }
  for (const help of all(".help[data-hidden]", form)) { help.hidden = false; help.removeAttribute("data-hidden"); }
}

/** Says at a field what is wrong with it. */
export function errorAt(form, field, message) {
  const id = `${field.id || field.name}-erreur`;
  const box = field.closest(".field") || field.parentElement;
  const help = one(".help:not(label .help)", box);
  if (help) { help.hidden = true; help.dataset.hidden = ""; }
  box.append(el("p", { class: "error", id, "data-live": true }, icon("circle-alert"), message));
  field.dataset.describedby ??= field.getAttribute("aria-describedby") || "";
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", id);
}

/** Shows a refusal: at its fields, and on top with links. */
export function refuse(form, refused) {
  clear(form);
  const list = el("ul");
  for (const { field: name, message } of refused.errors) {
    const field = fieldOf(form, name);
    if (field) {
      field.id ||= `champ-${name.replaceAll(".", "-")}`;
      errorAt(form, field, message);
      const link = el("a", { href: `#${field.id}` }, `${labelOf(form, field)}\u202f: ${message}`);
      link.addEventListener("click", (event) => { event.preventDefault(); field.focus(); });
      list.append(el("li", {}, link));
    } else list.append(el("li", {}, message));
  }
  const title = refused.errors.length ? (refused.errors.length > 1 ? `${refused.errors.length} points à corriger` : "Un point à corriger") : refused.message;
  const box = el("div", { class: "error-summary", role: "alert", tabindex: "-1" }, icon("circle-alert"), el("div", {}, el("p", {}, title), refused.errors.length ? list : null));
  if (refused.status === 401) {
    const link = el("a", { href: "/connexion?suite=/connexion/faite", target: "_blank", rel: "opener" }, "Se connecter dans un autre onglet");
    box.lastChild.replaceChildren(el("p", {}, "Votre session a pris fin. Ce que vous avez écrit est gardé."), el("p", {}, link, ", puis enregistrez de nouveau."));
  }
  (one("[data-errors]", form) || form).prepend(box);
  box.focus();
  box.scrollIntoView({ block: "nearest" });
}

// --- saving ------------------------------------------------------------------------------------------------------------
/** What would be sent, or null when nothing was changed. */
function bodyOf(form, method) {
  const now = read(form);
  if (method !== "PATCH") return method === "PUT" ? now : filled(now);
  const body = changed(now, stateOf(form).before);
  return Object.keys(body).length ? body : null;
}

const UNLOADED = { status: 0, errors: [], message: "Une partie de la page n’a pas pu être chargée. Rechargez-la, puis enregistrez de nouveau." };

async function save(form, submitter, again = false) {
  const [method, url] = form.dataset.api.split(" ");
  const state = stateOf(form);
  const button = submitter || one("button[type=submit], button:not([type])", form);
  if (!again && button?.getAttribute("aria-busy") === "true") return;
  // Before its module is there, a form would say what only the module puts into the API's words.
  const loading = starting(form);
  if (loading) {
    button?.setAttribute("aria-busy", "true");
    try { await loading; } catch { refuse(form, UNLOADED); return; } finally { button?.removeAttribute("aria-busy"); }
  }
  const event = new CustomEvent("fiche:saving", { bubbles: true, cancelable: true, detail: { body: bodyOf(form, method) } });
  if (!form.dispatchEvent(event)) return;
  const body = event.detail.body;
  if (body === null) { closePanel(form); return; }
  button?.setAttribute("aria-busy", "true");
  try {
    const done = await call(method, url, { body, version: form.dataset.version, key: state.key });
    clear(form);
    dropDraft(form);
    state.before = read(form);
    state.key = crypto.randomUUID();
    if (done.version) form.dataset.version = done.version;
    const target = fill(submitter?.dataset.then || form.dataset.then || "refresh", done.data);
    closePanel(form);
    const said = form.dataset.said && fill(form.dataset.said, done.data);
    if (said) (target.startsWith("/") ? toastNext : toast)(said, { undo: undoOf(form, done) });
    form.dispatchEvent(new CustomEvent("fiche:saved", { bubbles: true, detail: done }));
    document.dispatchEvent(new CustomEvent("fiche:saved", { detail: { ...done, form } }));
    await then(target);
  } catch (refused) {
    if (!("status" in refused)) throw refused;
    // An answered refusal ends the deed; without an answer the same key asks for the same deed again.
    if (refused.status >= 400 && refused.status < 500 && refused.status !== 401) state.key = crypto.randomUUID();
    keepDraft(form);
    if (refused.status === 412 && (await conflict(form, body, state, () => save(form, submitter, true), refused))) return;
    refuse(form, refused);
  } finally { button?.removeAttribute("aria-busy"); }
}

function undoOf(form, done) {
  if (!form.dataset.undo) return null;
  const [method, url] = form.dataset.undo.split(" ");
  const body = form.dataset.undoBody ? JSON.parse(form.dataset.undoBody) : undefined;
  return { method, url: fill(url, done.data), body, version: method === "PATCH" || method === "PUT" ? done.version : undefined };
}

function closePanel(form) {
  const dialog = form.closest("dialog");
  if (dialog) { dialog.dataset.saved = ""; dialog.close(); }
}

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-api]");
  if (!form) return;
  event.preventDefault();
  save(form, event.submitter);
});
document.addEventListener("input", (event) => {
  const form = event.target.closest?.("form[data-api]");
  if (form) keepDraft(form);
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  const form = event.target.closest?.("form[data-api]");
  if (form) { event.preventDefault(); form.requestSubmit(); }
});

// Fields that show only with a certain value of another: <div data-when="kind=company property_manager">.
function shows(form) {
  const said = read(form);
  for (const part of all("[data-when]", form)) {
    const [name, values] = part.dataset.when.split("=");
    const shown = values.split(" ").includes(String(said[name]));
    part.hidden = !shown;
    for (const field of all("input, select, textarea", part)) field.disabled = !shown;
  }
}
document.addEventListener("change", (event) => { const form = event.target.closest?.("form"); if (form && one("[data-when]", form)) shows(form); });

// Rows that repeat: <div data-rows="lines"><template>…name="lines.#.label"…</template></div>, a [data-add-row], [data-remove-row].
document.addEventListener("click", (event) => {
  const add = event.target.closest("[data-add-row]");
  if (add) addRow(one(`[data-rows="${add.dataset.addRow}"]`, add.closest("form")));
  const remove = event.target.closest("[data-remove-row]");
  if (remove) { const form = remove.closest("form"); remove.closest("[data-row]").remove(); form.dispatchEvent(new Event("input", { bubbles: true })); }
});

/** Adds a row from the template of a [data-rows]; answers it. */
export function addRow(rows) {
  const at = Number(rows.dataset.next || all(":scope > [data-row]", rows).length);
  rows.dataset.next = at + 1;
  const row = one("template", rows).content.firstElementChild.cloneNode(true);
  for (const node of [row, ...all("*", row)]) for (const attribute of [...node.attributes]) if (attribute.value.includes("#")) attribute.value = attribute.value.replaceAll(".#.", `.${at}.`).replaceAll("-#", `-${at}`);
  rows.append(row);
  start(row);
  one("input:not([type=hidden]), select, textarea", row)?.focus();
  row.closest("form")?.dispatchEvent(new Event("input", { bubbles: true }));
  return row;
}

export function prepare(root = document) {
  for (const form of all("form", root)) if (one("[data-when]", form)) shows(form);
  openForms(root);
}
