// Merging: choosing the duplicates, the preview and its choices, how a merge goes. Erasing goes the same way.
import { call } from "./kit/api.js";
import { all, el, icon, one, parse } from "./kit/dom.js";
import { dropDraft, writeDraft } from "./kit/drafts.js";
import { refuse, stateOf } from "./kit/forms.js";
import { refresh } from "./kit/refresh.js";

const PARTS = { choose, preview, progress, undo, erase };

export default function begin(element) { PARTS[element.dataset.part]?.(element); }

// --- the other client: found while one types, what is ticked stays ---------------------------------------------------
function choose(form) {
  let timer;
  let asked = null;
  const look = async () => {
    const query = new URLSearchParams(all("input[name=doublon]:checked", form).map((box) => ["doublon", box.value]));
    query.set("q", one("[name=q]", form).value.trim());
    if (String(query) === asked) return;
    asked = String(query);
    const answer = await fetch(`${form.dataset.url}?${query}`, { headers: { "X-Panel": "1", Accept: "text/html" } }).catch(() => null);
    if (!answer?.ok || answer.redirected || asked !== String(query)) return;
    const page = await parse(answer);
    // Ticked while the answer was on its way.
    const ticked = new Set(all("input[name=doublon]:checked", form).map((box) => box.value));
    one("[data-candidates]", form).replaceChildren(...one("[data-candidates]", page).children);
    for (const box of all("input[name=doublon]", form)) box.checked ||= ticked.has(box.value);
  };
  form.addEventListener("input", (event) => {
    one("[data-none]", form).hidden = true;
    if (event.target.name !== "q") return;
    clearTimeout(timer);
    timer = setTimeout(look, 180);
  });
  // Typed before this script was there.
  if (one("[name=q]", form).value !== one("[name=q]", form).defaultValue) look();
  form.addEventListener("submit", (event) => {
    const chosen = all("input[name=doublon]:checked", form).length;
    if (chosen) { one("[name=q]", form).disabled = true; return; }
    event.preventDefault();
    one("[data-none]", form).hidden = false;
    one("[name=q]", form).focus();
  });
}

// --- the preview: what was chosen stays, also when the records changed meanwhile --------------------------------------
const texts = (form) => Object.fromEntries(all("[data-field]", form).map((row) => [row.dataset.field, all(".value", row).map((node) => node.textContent).join("|")]));

function preview(form) {
  const chosen = new Map();
  let shown = texts(form);
  const keep = () => { for (const input of all("input[name^='choices.']:checked", form)) if (!input.hasAttribute("data-proposed") || chosen.has(input.name)) chosen.set(input.name, input.value); };
  keep();
  form.addEventListener("change", (event) => { if (event.target.name?.startsWith("choices.")) chosen.set(event.target.name, event.target.value); });
  // Brought up to date: choices are made again, and rows that read otherwise are marked.
  document.addEventListener("fiche:refreshed", () => {
    if (!form.isConnected) return;
    const now = texts(form);
    for (const row of all("[data-field]", form)) {
      const before = shown[row.dataset.field];
      row.classList.toggle("changed", before !== now[row.dataset.field]);
      const value = chosen.get(`choices.${row.dataset.field}`);
      const input = all("input", row).find((each) => (value ? each.value === value : each.hasAttribute("data-proposed")));
      if (input) input.checked = true;
    }
    shown = now;
  });
  form.addEventListener("fiche:saving", (event) => { event.preventDefault(); merge(form); });
}

async function merge(form) {
  const button = one("button.primary", form);
  if (button.getAttribute("aria-busy") === "true") return;
  const reason = form.elements.reason;
  if (!reason.value.trim()) {
    refuse(form, { errors: [{ field: "reason", message: "Dites en quelques mots pourquoi ces deux fiches sont la même." }], message: "", status: 422 });
    return;
  }
  const state = stateOf(form);
  const choices = Object.fromEntries(all("input[name^='choices.']:checked", form).map((input) => [input.name.slice("choices.".length), input.value]));
  const body = { survivor_id: form.elements.survivor_id.value, duplicate_id: form.elements.duplicate_id.value, reason: reason.value.trim(), choices, survivor_version: Number(form.dataset.survivorVersion), duplicate_version: Number(form.dataset.duplicateVersion) };
  button.setAttribute("aria-busy", "true");
  try {
    const done = await call("POST", "/api/v1/merges", { body, key: state.key });
    dropDraft(form);
    state.before = null;
    const rest = form.dataset.rest ? `?${new URLSearchParams(form.dataset.rest.split(" ").map((id) => ["doublon", id]))}` : "";
    location.assign(`/fusions/${done.data.id}${rest}`);
  } catch (refused) {
    if (!("status" in refused)) throw refused;
    button.removeAttribute("aria-busy");
    writeDraft(form);
    // Without an answer the same key asks for the same merge again; an answered refusal ends the deed.
    if (refused.status >= 400 && refused.status < 500 && refused.status !== 401) state.key = crypto.randomUUID();
    if (refused.status === 412) { await stale(form, refused); return; }
    if (refused.problem.code === "client_merged") { merged(form, refused); return; }
    refuse(form, refused);
  }
}

/** One of the two records changed since it was read: its new state is shown, what was chosen stays. */
async function stale(form, refused) {
  await refresh();
  const lead = el("p", { class: "lead" }, icon("users"), el("span", {}, `${refused.message} Voici son état à présent\u202f: vos choix sont gardés, ce qui a changé est marqué. Fusionnez de nouveau si tout est juste.`));
  const box = el("div", { class: "conflict", role: "alert", tabindex: "-1" }, lead);
  one("[data-errors]", form).replaceChildren(box);
  box.focus();
}

/** Somebody was faster: where it led is one press away. */
function merged(form, refused) {
  refuse(form, refused);
  const { client_id: client, merge_id: merge_ } = refused.problem.data || {};
  const links = [merge_ && el("a", { href: `/fusions/${merge_}` }, "Voir cette fusion"), client && el("a", { href: `/clients/${client}` }, "Ouvrir la fiche qui reste")].filter(Boolean);
  one("[data-errors] .error-summary div", form)?.append(el("p", {}, ...links.flatMap((link, at) => (at ? [" · ", link] : [link]))));
}

// --- taking it back: rows that lie across, documents to decide on ----------------------------------------------------
function undo(form) {
  form.addEventListener("fiche:saving", (event) => {
    const moves = all(".crossing input:checked", form).map((box) => JSON.parse(box.dataset.move));
    const keep = [];
    const errors = [];
    for (const box of all("fieldset.decide", form)) {
      const move = JSON.parse(box.dataset.move);
      const chosen = one("input:checked", box)?.value;
      if (!chosen) errors.push({ field: `decisions.${move.id}`, message: "Dites à laquelle des deux fiches va cette pièce." });
      else if (chosen === box.dataset.moves) moves.push(move);
      else keep.push(move.id);
    }
    if (errors.length) { event.preventDefault(); refuse(form, { errors, message: "", status: 422 }); return; }
    event.detail.body = { moves, keep };
  });
}

// --- erasing a person: whoever types the name back has read whose data go ---------------------------------------------
const ASKED = { reason: "Dites pourquoi ces données sont effacées.", name: "Recopiez-le tel qu’il est affiché." };

function erase(form) {
  form.addEventListener("fiche:saving", (event) => {
    const errors = Object.entries(ASKED).filter(([field]) => !form.elements[field].value.trim()).map(([field, message]) => ({ field, message }));
    if (errors.length) { event.preventDefault(); refuse(form, { errors, message: "", status: 422 }); }
  });
}

// --- how it goes: told by the stream, and asked for in case a hint was lost -------------------------------------------
function progress(page) {
  let wait = 800;
  const again = async () => {
    if (!page.isConnected) return;
    const running = page.hasAttribute("data-running");
    if (running && !document.hidden) await refresh().catch(() => {});
    // An undo may be asked for on this very page: it is watched from its beginning.
    wait = running ? Math.min(wait * 1.5, 10000) : 800;
    setTimeout(again, wait);
  };
  setTimeout(again, wait);
}
