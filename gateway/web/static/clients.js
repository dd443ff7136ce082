// Clients: the panels of a fiche, its menu, its history, and how fiches are laid out.
import { call } from "./kit/api.js";
import { all, el, icon, one, parse, start } from "./kit/dom.js";
import { read, same } from "./kit/fields.js";
import { refuse, stateOf } from "./kit/forms.js";
import { refresh } from "./kit/refresh.js";
import { toast, toastNext } from "./kit/toast.js";

const PARTS = { new: fresh, edit, billing, actions, order, history };

export default function begin(element) { PARTS[element.dataset.part]?.(element); }

// --- a client being written --------------------------------------------------------------------------------------------
const TYPED = ["first_name", "last_name", "company_name", "siret", "email", "phone", "secondary_phone"];

/** Tells likely duplicates while one types; nothing is blocked by it. */
function watch(form, but = "") {
  const place = one("[data-duplicates]", form);
  let timer;
  let asked = "";
  const look = async () => {
    const now = read(form);
    const said = { ...Object.fromEntries(TYPED.filter((name) => now[name]).map((name) => [name, now[name]])), ...Object.fromEntries(Object.entries(now.address || {}).filter(([, value]) => value)) };
    const query = new URLSearchParams({ ...said, ...(but ? { but } : {}) }).toString();
    if (query === asked) return;
    asked = query;
    if (!TYPED.some((name) => (said[name] || "").length > 2)) { place.replaceChildren(); return; }
    const answer = await fetch(`/api/v1/clients/duplicates?${query}`, { headers: { Accept: "application/json" } }).catch(() => null);
    if (!answer?.ok || query !== asked) return;
    show((await answer.json()).items);
  };
  const show = (items) => {
    if (!items.length) { place.replaceChildren(); return; }
    const rows = items.slice(0, 3).map((each) => el("li", {},
      el("a", { href: `/clients/${each.client.id}`, target: "_blank", rel: "opener" }, each.client.display_name),
      el("span", {}, [each.client.reference, each.client.city, each.client.status === "archived" ? "archivée" : ""].filter(Boolean).join(" · ")),
      el("small", {}, each.reasons.map((why) => why.detail).join(", "))));
    const title = items.length > 1 ? `${items.length} fiches ressemblent à celle-ci` : "Une fiche ressemble à celle-ci";
    place.replaceChildren(el("div", { class: "alike" }, icon("users"), el("div", {}, el("p", {}, title), el("ul", {}, ...rows))));
  };
  const later = () => { clearTimeout(timer); timer = setTimeout(look, 300); };
  form.addEventListener("input", later);
  form.addEventListener("change", later);
  if (!but) later();
}

const number = (text) => Number(String(text).replace(/[\s\u00a0\u202f]/g, "").replace(",", "."));

/** Values of the fields of one's own as their types want them; what cannot be read is sent as it is, to be refused. */
function typed(form, values) {
  for (const field of all("[data-custom]", form)) {
    const key = field.name.split(".")[1];
    const given = values[key];
    if (given === null || given === undefined) continue;
    if (field.dataset.custom === "boolean") values[key] = given === "true";
    if (field.dataset.custom === "number" && !Number.isNaN(number(given))) values[key] = number(given);
  }
  return values;
}

function fresh(form) {
  watch(form);
  let address = null;
  form.addEventListener("fiche:saving", (event) => {
    const body = event.detail.body;
    address = Object.fromEntries(Object.entries(body.address || {}).filter(([, value]) => value));
    delete body.address;
    if (body.custom_fields) body.custom_fields = typed(form, Object.fromEntries(Object.entries(body.custom_fields).filter(([, value]) => value !== null)));
  });
  form.addEventListener("fiche:saved", async (event) => {
    const made = event.detail.data;
    let words = ["Client créé", {}];
    if (Object.keys(address).length) {
      try { await call("POST", `/api/v1/clients/${made.id}/addresses`, { body: address }); }
      catch { words = ["Client créé, mais pas son adresse\u202f: ajoutez-la depuis la fiche", { name: "circle-alert" }]; }
    }
    toastNext(...words);
    location.assign(`/clients/${made.id}`);
  });
}

function edit(form) {
  watch(form, form.dataset.client);
  form.addEventListener("fiche:saving", (event) => {
    const body = event.detail.body;
    if (!body?.custom_fields) return;
    const before = stateOf(form).before.custom_fields || {};
    const changed = Object.fromEntries(Object.entries(body.custom_fields).filter(([key, value]) => !same(value, before[key])));
    body.custom_fields = typed(form, changed);
  });
}

// SIRET and VAT number are the client's, the rest is billing's: two saves, the client's first.
const OF_CLIENT = ["siret", "vat_number"];

function billing(form) {
  form.addEventListener("fiche:saving", async (event) => {
    const body = event.detail.body || {};
    const own = Object.fromEntries(OF_CLIENT.filter((name) => name in body).map((name) => [name, body[name]]));
    if (!Object.keys(own).length) return;
    event.preventDefault();
    const button = one("button.primary", form);
    button.setAttribute("aria-busy", "true");
    try {
      const done = await call("PATCH", `/api/v1/clients/${form.dataset.client}`, { body: own, version: form.dataset.clientVersion });
      form.dataset.clientVersion = done.version;
      Object.assign(stateOf(form).before, own);
    } catch (refused) {
      if (!("status" in refused)) throw refused;
      button.removeAttribute("aria-busy");
      if (refused.status !== 412) { refuse(form, refused); return; }
      form.dataset.clientVersion = refused.problem.data?.version || form.dataset.clientVersion;
      refuse(form, { errors: [], message: "Quelqu’un vient de modifier cette fiche. Vérifiez, puis enregistrez de nouveau.", status: 412 });
      return;
    }
    button.removeAttribute("aria-busy");
    if (Object.keys(body).some((name) => !OF_CLIENT.includes(name))) { form.requestSubmit(button); return; }
    const dialog = form.closest("dialog");
    if (dialog) { dialog.dataset.saved = ""; dialog.close(); }
    toast("Facturation enregistrée");
    await refresh();
  });
}

// --- the menu of a fiche: what keeps it from being deleted is asked when the menu opens --------------------------------
function actions(box) {
  one("details", box).addEventListener("toggle", async (event) => {
    if (!event.target.open) return;
    const answer = await fetch(box.dataset.url, { headers: { Accept: "text/html" } }).catch(() => null);
    if (!answer?.ok || answer.redirected) return;
    const page = await parse(answer);
    one("[data-delete]", box).replaceChildren(...page.body.children);
  });
}

// --- sections and fields in their order --------------------------------------------------------------------------------
function order(form) {
  const number_ = (set) => all("li", set).forEach((row, at) => {
    for (const field of all("input", row)) field.name = field.name.replace(/\.\d+\.(key|shown)$/, `.${at}.$1`);
  });
  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-move]");
    if (!button) return;
    const row = button.closest("li");
    const other = Number(button.dataset.move) < 0 ? row.previousElementSibling : row.nextElementSibling;
    if (!other) return;
    if (Number(button.dataset.move) < 0) other.before(row); else other.after(row);
    number_(button.closest("[data-order]"));
    button.focus();
    form.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

// --- the history, page after page --------------------------------------------------------------------------------------
function history(body) {
  body.addEventListener("click", async (event) => {
    const link = event.target.closest("[data-more]");
    if (!link) return;
    event.preventDefault();
    link.setAttribute("aria-busy", "true");
    const answer = await fetch(link.href, { headers: { "X-Panel": "1", Accept: "text/html" } }).catch(() => null);
    if (!answer?.ok || answer.redirected) { link.removeAttribute("aria-busy"); toast("La suite ne vient pas. Recommencez dans un instant.", { name: "circle-alert" }); return; }
    const page = await parse(answer);
    const more = one("[data-part=history]", page);
    const known = all("h3", body).at(-1)?.textContent;
    const first = one("h3", more);
    if (first?.textContent === known) first.remove();
    const rows = [...more.children];
    link.parentElement.replaceWith(...rows);
    (rows[0]?.matches("article") ? rows[0] : rows[1])?.setAttribute("tabindex", "-1");
    start(body);
  });
}
