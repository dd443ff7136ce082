// What the planning says of a piece of work, and how a change of it is sent.
import { act } from "../kit/acts.js";
import { call } from "../kit/api.js";
import { el, one } from "../kit/dom.js";
import { instant } from "../kit/fields.js";

/** Pixels of a quarter of an hour in the week and the day. */
export const QUARTER = 11;
export const MINUTE = 60000;
export const DEFAULT_MINUTES = 60;
export const pad = (number) => String(number).padStart(2, "0");
const zone = () => document.documentElement.dataset.zone || "Europe/Paris";
export const clock = (quarter) => `${pad(Math.floor(quarter / 4))}:${pad((quarter % 4) * 15)}`;
const written = (moment, parts) => new Intl.DateTimeFormat("fr-FR", { timeZone: zone(), hour: "2-digit", minute: "2-digit", ...parts }).format(new Date(moment));
/** `mar. 24 nov. 14:30`, by the company's clock. */
export const told = (moment) => written(moment, { weekday: "short", day: "numeric", month: "short" }).replace(" à ", " ").replace(",", "");
export const hourOf = (moment) => written(moment, {});
/** Quarters since midnight, by the company's clock. */
export function quarterOf(moment) {
  const [hours, minutes] = hourOf(moment).split(":").map(Number);
  return hours * 4 + Math.floor(minutes / 15);
}
/** `1 h 30` of 90. */
export function duration(minutes) {
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  if (!hours) return `${rest}\u00a0min`;
  return rest ? `${hours}\u00a0h\u00a0${pad(rest)}` : `${hours}\u00a0h`;
}

/** What a node says of its work. */
export function workOf(node) {
  const given = node.dataset;
  const list = given.people ? given.people.split(" ") : [];
  return { id: given.work, title: given.title, version: given.version, starts: given.starts, ends: given.ends, people: list, lead: given.lead || null };
}

/** How many quarters it is drawn with. */
export function quartersOf(work) {
  const minutes = work.starts && work.ends ? (new Date(work.ends) - new Date(work.starts)) / MINUTE : DEFAULT_MINUTES;
  return Math.max(1, Math.round(minutes / 15));
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

/** What somebody of `people` has between these moments, but for one intervention. */
export async function overlaps(people, starts, ends, except) {
  if (!people.length || !starts) return [];
  const asked = new URLSearchParams(people.map((id) => ["technician_ids", id]));
  asked.set("starts_at", starts);
  if (ends && new Date(ends) >= new Date(starts)) asked.set("ends_at", ends);
  if (except) asked.set("except_id", except);
  return (await call("GET", `/api/v1/interventions/overlaps?${asked}`)).data.items;
}

export const sentence = (row) => `${(row.technicians || []).map((one) => one.name).join(", ")}\u202f: «\u202f${row.title}\u202f», ${told(row.starts_at)}${row.ends_at ? ` – ${hourOf(row.ends_at)}` : ""}`;

/** An overlap is told before saving, and allowed only on purpose. */
async function accepted(root, work, body) {
  const people = body.technician_ids ?? work.people;
  const lead = "lead_technician_id" in body ? body.lead_technician_id : work.lead;
  let found;
  try { found = await overlaps([...new Set([...people, lead].filter(Boolean))], body.starts_at ?? work.starts, body.ends_at, work.id); } catch { return true; }
  if (!found.length) return true;
  const dialog = one("#chevauchement", root);
  one("[data-overlap]", dialog).replaceChildren(...found.slice(0, 5).flatMap((row, at) => (at ? [el("br"), sentence(row)] : [sentence(row)])));
  return new Promise((decide) => {
    const answer = (yes) => { dialog.close(); decide(yes); };
    one("[data-accept]", dialog).onclick = () => answer(true);
    one("[data-refuse]", dialog).onclick = () => answer(false);
    dialog.oncancel = () => decide(false);
    dialog.showModal();
  });
}

/** Sends it. The page is drawn again by the server; a refusal leaves the work where it was, and says why. */
async function send(root, node, work, body, said) {
  if (body.starts_at !== null && !(await accepted(root, work, body))) return;
  const were = { starts_at: work.starts || null, ends_at: work.ends || null, technician_ids: work.people, lead_technician_id: work.lead };
  const before = Object.fromEntries(Object.keys(body).map((name) => [name, were[name]]));
  const url = `/api/v1/interventions/${work.id}`;
  node.classList.add("lifted");
  node.setAttribute("aria-busy", "true");
  await act({ method: "PATCH", url, body, version: work.version, said, undo: { method: "PATCH", url, body: before } });
  node.classList.remove("lifted");
  node.removeAttribute("aria-busy");
}

/**
 * Work goes to a place: {tray: true}, or {day, time, person}. `from` is the row it comes from; `quarters`, where given,
 * its new length.
 */
export async function settle(root, node, work, place, from, quarters = null) {
  if (place.tray) { await send(root, node, work, { starts_at: null, ends_at: null }, `«\u202f${work.title}\u202f» est à planifier`); return; }
  const starts = instant(`${place.day}T${place.time}`);
  const given = handed(work, from, place.person);
  const same = work.starts && new Date(starts).getTime() === new Date(work.starts).getTime();
  if (same && quarters === null && !Object.keys(given).length) return;
  const kept = work.ends ? new Date(work.ends) - new Date(work.starts) : work.starts ? null : DEFAULT_MINUTES * MINUTE;
  const length = quarters === null ? kept : quarters * 15 * MINUTE;
  const ends = length === null ? null : new Date(new Date(starts).getTime() + length).toISOString();
  await send(root, node, work, { starts_at: starts, ends_at: ends, ...given }, `«\u202f${work.title}\u202f» ${work.starts ? "déplacée" : "planifiée"}, ${told(starts)}`);
}

/** Work ends so many quarters later, or earlier. */
export async function lengthen(root, node, work, by) {
  const quarters = Math.max(1, quartersOf(work) + by);
  const end = work.ends ? new Date(work.ends) : new Date(new Date(work.starts).getTime() + DEFAULT_MINUTES * MINUTE);
  const ends = new Date(end.getTime() + (quarters - quartersOf(work)) * 15 * MINUTE);
  const minutes = (ends - new Date(work.starts)) / MINUTE;
  await send(root, node, work, { ends_at: ends.toISOString() }, `«\u202f${work.title}\u202f» finit à ${hourOf(ends)} (${duration(minutes)})`);
}
