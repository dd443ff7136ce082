// What was typed and not saved, kept in this browser for the person signed in.
import { all, el, icon, one, store } from "./dom.js";
import { read, same } from "./fields.js";
import { addRow, stateOf } from "./forms.js";

const DAYS = 14;
const who = () => document.documentElement.dataset.user || "";
const keyOf = (form) => (form.dataset.draft === "no" ? null : `draft.${who()}.${form.dataset.draft || form.dataset.api}`);
/** Forms whose draft is not written yet, with what waits to write it. */
const timers = new Map();

const raw = (form) => all("input, select, textarea", form).filter((field) => field.name && !field.disabled && !["file", "password", "hidden"].includes(field.type) && !("private" in field.dataset));
const valueOf = (field) => (["checkbox", "radio"].includes(field.type) ? field.checked : field.value);

/** Keeps it, a moment after the last key. */
export function keepDraft(form) {
  if (!keyOf(form)) return;
  settle(form);
  timers.set(form, setTimeout(() => writeDraft(form), 300));
}

/** What waited to write it waits no more. */
function settle(form) {
  clearTimeout(timers.get(form));
  timers.delete(form);
}

/** Keeps it now. True when there was something to keep. */
export function writeDraft(form) {
  const key = keyOf(form);
  settle(form);
  if (!key) return false;
  if (same(read(form), stateOf(form).before)) { store(localStorage, key, null); return false; }
  store(localStorage, key, { at: Date.now(), fields: raw(form).map((field) => [field.name, field.type, field.type === "radio" ? field.value : null, valueOf(field)]) });
  return true;
}

// Whoever leaves within that moment (a telephone may never come back to the page) loses nothing.
const writeAll = () => { for (const form of [...timers.keys()]) writeDraft(form); };
window.addEventListener("pagehide", writeAll);
document.addEventListener("visibilitychange", () => { if (document.hidden) writeAll(); });

export function dropDraft(form) {
  settle(form);
  const key = keyOf(form);
  if (key) store(localStorage, key, null);
}

/** As many rows in each [data-rows] as the draft's names ask for ("lines.4.label": five). */
function addRows(form, names) {
  for (const rows of all("[data-rows]", form)) {
    const numbers = names.filter((name) => name.startsWith(`${rows.dataset.rows}.`)).map((name) => Number(name.split(".")[1]));
    while (all(":scope > [data-row]", rows).length <= Math.max(-1, ...numbers)) addRow(rows);
  }
}

/** Puts a kept draft back and says so. */
export function takeDraft(form) {
  const key = keyOf(form);
  const draft = key && store(localStorage, key);
  if (!draft) return;
  if (Date.now() - draft.at > DAYS * 86400000) { store(localStorage, key, null); return; }
  addRows(form, draft.fields.map(([name]) => name));
  for (const [name, type, choice, value] of draft.fields) {
    const field = raw(form).find((one_) => one_.name === name && one_.type === type && (type !== "radio" || one_.value === choice));
    if (!field) continue;
    if (["checkbox", "radio"].includes(type)) field.checked = value; else field.value = value;
  }
  const forget = el("button", { type: "button", class: "link" }, "Repartir de zéro");
  const note = el("p", { class: "notice", role: "status" }, icon("file-pen"), el("span", {}, "Votre brouillon a été repris. "), forget);
  forget.addEventListener("click", () => { dropDraft(form); form.reset(); note.remove(); form.dispatchEvent(new Event("change", { bubbles: true })); });
  (one("[data-errors]", form) || form).prepend(note);
  form.dispatchEvent(new Event("change", { bubbles: true }));
}
