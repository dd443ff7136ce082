// The planning: work is dragged to another moment or person; forms tell what somebody already has at that time.
import { all, el, one } from "./kit/dom.js";
import { instant } from "./kit/fields.js";
import { openPanel } from "./kit/panel.js";
import { dragging } from "./planning/drag.js";
import { carrying } from "./planning/keys.js";
import { DEFAULT_MINUTES, MINUTE, QUARTER, clock, overlaps, sentence } from "./planning/work.js";

/** A double click on an empty hour begins new work there. */
function creating(root) {
  root.addEventListener("dblclick", (event) => {
    const fresh = one("a[data-new]", root);
    const cell = event.target.closest("[data-day]");
    const grid = event.target.closest("[data-grid]");
    if (!fresh || !cell || !grid || event.target.closest(".event, a")) return;
    const box = cell.getBoundingClientRect();
    const from = Number(grid.dataset.from || 0);
    let quarter = 32;
    if (grid.dataset.grid === "week") quarter = from + Math.floor((event.clientY - box.top) / QUARTER / 2) * 2;
    if (grid.dataset.grid === "timeline") quarter = from + Math.floor((((event.clientX - box.left) / box.width) * (Number(grid.dataset.to) - from)) / 2) * 2;
    const starts = instant(`${cell.dataset.day}T${clock(quarter)}`);
    const url = new URL(fresh.href);
    url.searchParams.set("starts_at", starts);
    url.searchParams.set("ends_at", new Date(new Date(starts).getTime() + DEFAULT_MINUTES * MINUTE).toISOString());
    const person = cell.closest("[data-person]")?.dataset.person;
    if (person && person !== "none") url.searchParams.set("technician_id", person);
    openPanel(url.href);
  });
}

// --- forms ------------------------------------------------------------------------------------------------------------

function watching(form) {
  const starts = one("[name=starts_at]", form);
  const ends = one("[name=ends_at]", form);
  const notice = one("[data-overlap-notice]", form);
  // Wall clocks are reckoned as if they were UTC: the browser's own zone, and its changes of hour, have no say in it.
  const wall = (field) => Date.parse(`${field.value}Z`);
  let length = starts.value && ends.value ? wall(ends) - wall(starts) : DEFAULT_MINUTES * MINUTE;
  const local = (time) => new Date(time).toISOString().slice(0, 16);
  let asked = 0;
  async function look() {
    asked += 1;
    const turn = asked;
    const people = [...all("[name=technician_ids]:checked", form), one("[name=lead_technician_id]", form)].map((field) => field?.value).filter(Boolean);
    let found = [];
    try { found = await overlaps([...new Set(people)], starts.value && instant(starts.value), ends.value && instant(ends.value), form.dataset.overlaps); } catch { /* told again by the one who saves */ }
    if (turn !== asked) return;
    notice.replaceChildren();
    if (found.length) notice.append(el("div", { class: "notice amber", role: "status" }, el("span", {}, "Chevauchement. ", ...found.slice(0, 4).flatMap((row) => [el("br"), sentence(row)]))));
  }
  // The end follows the start, by the clock on the wall.
  starts.addEventListener("change", () => {
    if (!starts.value) { ends.value = ""; return; }
    if (ends.value || "keepLength" in form.dataset) ends.value = local(wall(starts) + length);
  });
  ends.addEventListener("change", () => { if (starts.value && ends.value > starts.value) length = wall(ends) - wall(starts); });
  form.addEventListener("change", look);
  look();
}

function choosing(form) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const asked = new URLSearchParams(new FormData(form));
    asked.delete("q");
    if (!asked.get("client_id")) { one("[role=combobox]", form).focus(); return; }
    if (form.closest("dialog")) openPanel(`${form.getAttribute("action")}?${asked}`);
    else location.assign(`${form.getAttribute("action")}?${asked}`);
  });
  form.addEventListener("change", (event) => { if (event.target.name === "client_id" && event.target.value) form.requestSubmit(); });
}

function reporting(form) {
  form.addEventListener("fiche:saving", (event) => {
    const body = event.detail.body;
    if (body) body.parts = (body.parts || []).filter((part) => part && part.label);
  });
}

function subscribing(form) {
  form.addEventListener("fiche:saving", (event) => { if (event.detail.body) event.detail.body.filters = JSON.parse(form.dataset.filters); });
  // The secret is told once: it is shown to be copied, and never again.
  form.addEventListener("fiche:saved", (event) => {
    const url = `${location.origin}/api/v1/interventions/calendar.ics?key=${event.detail.data.key}`;
    const field = el("input", { type: "text", readonly: true, value: url, "aria-labelledby": "adresse-titre", autofocus: true });
    const copy = el("button", { type: "button", class: "btn primary", "data-copy": url, "data-said": "Adresse copiée" }, "Copier l’adresse");
    const close = el("button", { type: "button", class: "btn ghost", "data-close": true }, "Fermer");
    const dialog = el("dialog", { class: "confirm", "aria-labelledby": "adresse-titre" }, el("h2", { id: "adresse-titre" }, "Adresse de l’agenda"), el("p", {}, "Copiez-la maintenant dans votre agenda : elle ne sera plus montrée."), field, el("footer", {}, close, copy));
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
    field.select();
  });
}

export default function start(node) {
  if ("planning" in node.dataset) { dragging(node); carrying(node); creating(node); node.dataset.ready = ""; }
  if ("overlaps" in node.dataset) watching(node);
  if ("chooseClient" in node.dataset) choosing(node);
  if ("subscribe" in node.dataset) subscribing(node);
  if ("report" in node.dataset) reporting(node);
}
