// The planning: work is dragged to another moment or person; forms tell what somebody already has at that time.
import { act } from "./kit/acts.js";
import { call } from "./kit/api.js";
import { all, el, one } from "./kit/dom.js";
import { instant } from "./kit/fields.js";
import { openPanel } from "./kit/panel.js";

const QUARTER = 11;
const MINUTE = 60000;
const DEFAULT_MINUTES = 60;
const pad = (number) => String(number).padStart(2, "0");
const zone = () => document.documentElement.dataset.zone || "Europe/Paris";
const clock = (quarter) => `${pad(Math.floor(quarter / 4))}:${pad((quarter % 4) * 15)}`;
/** `mar. 24 nov. 14:30`, by the company's clock. */
const told = (moment) => new Intl.DateTimeFormat("fr-FR", { timeZone: zone(), weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }).format(new Date(moment)).replace(" à ", " ").replace(",", "");
const hourOf = (moment) => new Intl.DateTimeFormat("fr-FR", { timeZone: zone(), hour: "2-digit", minute: "2-digit" }).format(new Date(moment));

/** What somebody of `people` has between these moments, but for one intervention. */
async function overlaps(people, starts, ends, except) {
  if (!people.length || !starts) return [];
  const asked = new URLSearchParams(people.map((id) => ["technician_ids", id]));
  asked.set("starts_at", starts);
  if (ends && new Date(ends) >= new Date(starts)) asked.set("ends_at", ends);
  if (except) asked.set("except_id", except);
  return (await call("GET", `/api/v1/interventions/overlaps?${asked}`)).data.items;
}

const sentence = (row) => `${(row.technicians || []).map((one) => one.name).join(", ")} : « ${row.title} », ${told(row.starts_at)}${row.ends_at ? ` – ${hourOf(row.ends_at)}` : ""}`;

// --- dragging ---------------------------------------------------------------------------------------------------------

/** What a node says of its work. */
function workOf(node) {
  const given = node.dataset;
  const list = given.people ? given.people.split(" ") : [];
  return { id: given.work, title: given.title, version: given.version, starts: given.starts, ends: given.ends, people: list, lead: given.lead || null };
}

/** Who has it once it goes from one row to another (`none`: nobody). */
function handed(work, from, to) {
  if (!to || to === from) return {};
  const people = work.people.filter((id) => id !== from);
  const lead = work.lead === from ? (to === "none" ? null : to) : work.lead;
  // Who only led it hands over the lead alone.
  const led = work.lead && work.lead === from && !work.people.includes(from);
  if (to !== "none" && !led && !people.includes(to)) people.push(to);
  return { technician_ids: people, lead_technician_id: lead };
}

class Drag {
  constructor(root, node, event) {
    this.root = root;
    this.node = node;
    this.work = workOf(node);
    this.from = node.closest("[data-person]")?.dataset.person || null;
    const box = node.getBoundingClientRect();
    this.grab = { x: event.clientX - box.left, y: event.clientY - box.top, width: box.width, height: box.height };
    const length = this.work.ends ? (new Date(this.work.ends) - new Date(this.work.starts)) / MINUTE : DEFAULT_MINUTES;
    this.quarters = Math.max(1, Math.round(length / 15));
    this.place = null;
    node.classList.add("lifted");
    this.flying = node.cloneNode(true);
    this.flying.classList.remove("lifted");
    this.flying.classList.add("flying");
    this.flying.removeAttribute("data-movable");
    this.flying.style.width = `${Math.min(box.width, 240)}px`;
    this.flying.style.height = `${Math.min(box.height, 90)}px`;
    this.grab.x = Math.min(this.grab.x, 120);
    this.grab.y = Math.min(this.grab.y, 45);
    document.body.append(this.flying);
    this.landing = el("div", { class: "landing" });
    for (const tray of all(".empty-tray", root)) tray.hidden = !this.work.starts;
  }

  move(event) {
    this.flying.style.left = `${event.clientX - this.grab.x}px`;
    this.flying.style.top = `${event.clientY - this.grab.y}px`;
    this.clear();
    const under = document.elementFromPoint(event.clientX, event.clientY);
    this.place = under && this.root.contains(under) ? this.placeOf(under, event) : null;
  }

  clear() {
    this.landing.remove();
    for (const node of all(".dropping", this.root)) node.classList.remove("dropping");
  }

  placeOf(under, event) {
    const tray = under.closest("[data-tray]");
    if (tray) {
      if (!this.work.starts) return null;
      tray.classList.add("dropping");
      return { tray: true };
    }
    const cell = under.closest("[data-day]");
    const grid = under.closest("[data-grid]");
    if (!cell || !grid) return null;
    const box = cell.getBoundingClientRect();
    const from = Number(grid.dataset.from || 0);
    const kind = grid.dataset.grid;
    if (kind === "month") {
      cell.classList.add("dropping");
      return { day: cell.dataset.day, time: this.work.starts ? this.timeOfDay() : "08:00" };
    }
    const share = kind === "week" ? (event.clientY - box.top - this.grab.y) / QUARTER : ((event.clientX - box.left - this.grab.x) / box.width) * (Number(grid.dataset.to) - from);
    const quarter = Math.max(0, Math.min(95, from + Math.round(share)));
    this.landing.textContent = clock(quarter);
    cell.append(this.landing);
    if (kind === "week") Object.assign(this.landing.style, { top: `${(quarter - from) * QUARTER}px`, height: `${this.quarters * QUARTER}px`, left: "2px", right: "2px", width: "" });
    else {
      const all96 = Number(grid.dataset.to) - from;
      Object.assign(this.landing.style, { left: `${((quarter - from) / all96) * 100}%`, width: `${Math.min(100, (this.quarters / all96) * 100)}%`, top: "8px", height: "56px", right: "" });
    }
    return { day: cell.dataset.day, time: clock(quarter), person: cell.closest("[data-person]")?.dataset.person };
  }

  timeOfDay() {
    return new Intl.DateTimeFormat("en-GB", { timeZone: zone(), hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(new Date(this.work.starts));
  }

  end() {
    this.clear();
    this.flying.remove();
    this.node.classList.remove("lifted");
    for (const tray of all(".empty-tray", this.root)) tray.hidden = true;
  }

  /** Sends it. The page is drawn again by the server; a refusal leaves the work where it was, and says why. */
  async drop() {
    const { work, place } = this;
    this.end();
    if (!place) return;
    const before = { starts_at: work.starts || null, ends_at: work.ends || null };
    let body;
    let said;
    if (place.tray) {
      body = { starts_at: null, ends_at: null };
      said = `« ${work.title} » est à planifier`;
    } else {
      const starts = instant(`${place.day}T${place.time}`);
      const length = work.ends ? new Date(work.ends) - new Date(work.starts) : work.starts ? null : DEFAULT_MINUTES * MINUTE;
      const given = handed(work, this.from, place.person);
      if (work.starts && new Date(starts).getTime() === new Date(work.starts).getTime() && !Object.keys(given).length) return;
      body = { starts_at: starts, ends_at: length === null ? null : new Date(new Date(starts).getTime() + length).toISOString(), ...given };
      if ("technician_ids" in given) Object.assign(before, { technician_ids: work.people, lead_technician_id: work.lead });
      said = `« ${work.title} » ${work.starts ? "déplacée" : "planifiée"}, ${told(starts)}`;
      if (!(await this.accepted(body))) return;
    }
    const url = `/api/v1/interventions/${work.id}`;
    this.node.classList.add("lifted");
    this.node.setAttribute("aria-busy", "true");
    await act({ method: "PATCH", url, body, version: work.version, said, undo: { method: "PATCH", url, body: before } });
    this.node.classList.remove("lifted");
    this.node.removeAttribute("aria-busy");
  }

  /** An overlap is told before saving, and allowed only on purpose. */
  async accepted(body) {
    const people = body.technician_ids ?? this.work.people;
    const lead = "lead_technician_id" in body ? body.lead_technician_id : this.work.lead;
    let found;
    try { found = await overlaps([...new Set([...people, lead].filter(Boolean))], body.starts_at, body.ends_at, this.work.id); } catch { return true; }
    if (!found.length) return true;
    const dialog = one("#chevauchement", this.root);
    one("[data-overlap]", dialog).replaceChildren(...found.slice(0, 5).flatMap((row, at) => (at ? [el("br"), sentence(row)] : [sentence(row)])));
    return new Promise((decide) => {
      const answer = (yes) => { dialog.close(); decide(yes); };
      one("[data-accept]", dialog).onclick = () => answer(true);
      one("[data-refuse]", dialog).onclick = () => answer(false);
      dialog.oncancel = () => decide(false);
      dialog.showModal();
    });
  }
}

function dragging(root) {
  let pressed = null;
  let drag = null;
  let dragged = false;
  // A finger scrolls; on a touch screen the way is « Déplacer… ».
  root.addEventListener("pointerdown", (event) => {
    const node = event.target.closest("[data-movable]");
    dragged = false;
    if (!node || event.button !== 0 || event.pointerType === "touch") return;
    pressed = { node, event };
  });
  const move = (event) => {
    if (!pressed) return;
    if (!drag && Math.hypot(event.clientX - pressed.event.clientX, event.clientY - pressed.event.clientY) > 5) {
      drag = new Drag(root, pressed.node, pressed.event);
      getSelection()?.removeAllRanges();
    }
    drag?.move(event);
    if (drag) event.preventDefault();
  };
  const stop = () => { pressed = null; drag = null; };
  document.addEventListener("pointermove", move);
  document.addEventListener("pointerup", () => { const ended = drag; dragged = Boolean(ended); stop(); ended?.drop(); });
  document.addEventListener("pointercancel", () => { drag?.end(); stop(); });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && drag) { event.preventDefault(); event.stopPropagation(); drag.end(); dragged = true; stop(); } }, true);
  root.addEventListener("dragstart", (event) => { if (event.target.closest("[data-movable]")) event.preventDefault(); });
  // The link under the pointer is not followed by the press that moved it.
  root.addEventListener("click", (event) => { if (dragged) { event.preventDefault(); event.stopPropagation(); dragged = false; } }, true);
}

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
  let length = starts.value && ends.value ? new Date(ends.value) - new Date(starts.value) : DEFAULT_MINUTES * MINUTE;
  const local = (time) => { const at = new Date(time); return `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}T${pad(at.getHours())}:${pad(at.getMinutes())}`; };
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
    if (ends.value || "keepLength" in form.dataset) ends.value = local(new Date(starts.value).getTime() + length);
  });
  ends.addEventListener("change", () => { if (starts.value && ends.value > starts.value) length = new Date(ends.value) - new Date(starts.value); });
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
  if ("planning" in node.dataset) { dragging(node); creating(node); }
  if ("overlaps" in node.dataset) watching(node);
  if ("chooseClient" in node.dataset) choosing(node);
  if ("subscribe" in node.dataset) subscribing(node);
  if ("report" in node.dataset) reporting(node);
}
