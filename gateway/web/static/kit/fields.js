// What a form's fields say, as the API wants it.
import { all } from "./dom.js";

const LOCAL = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)/;

/** A wall-clock moment in the company's time zone as an instant (RFC 3339, UTC). */
export function instant(local, zone = document.documentElement.dataset.zone || "Europe/Paris") {
  const found = LOCAL.exec(local);
  if (!found) return local;
  const wanted = Date.UTC(found[1], found[2] - 1, found[3], found[4], found[5]);
  const format = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric" });
  const shown = (at) => {
    const part = Object.fromEntries(format.formatToParts(at).map((piece) => [piece.type, Number(piece.value)]));
    return Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute);
  };
  // Twice, since the first guess may fall on the other side of a change of hour.
  let at = wanted;
  for (let turn = 0; turn < 2; turn += 1) at += wanted - shown(at);
  return new Date(at).toISOString();
}

const decimal = (text) => text.replace(/[\s\u00a0\u202f]/g, "").replace(",", ".").replace("−", "-");

function value(field) {
  const kind = field.dataset.type || (field.type === "checkbox" ? "boolean" : field.type === "datetime-local" ? "datetime" : "text");
  if (kind === "boolean") return field.checked;
  const text = field.value;
  if (kind === "lines") return text.split("\n").map((line) => line.trim()).filter(Boolean);
  if (text.trim() === "") return null;
  if (kind === "decimal") return decimal(text);
  if (kind === "integer") return Number.isInteger(Number(decimal(text))) ? Number(decimal(text)) : text;
  if (kind === "datetime") return instant(text);
  if (kind === "words") return text.split(",").map((word) => word.trim()).filter(Boolean);
  return kind === "long" ? text : text.trim();
}

/** Sets `path` ("lines.0.label") in `into`; a number in it is a place in a list. */
function put(into, path, given) {
  const keys = path.split(".");
  let at = into;
  keys.forEach((key, index) => {
    if (index === keys.length - 1) at[key] = given;
    else at = at[key] ??= /^\d+$/.test(keys[index + 1]) ? [] : {};
  });
}

/** Everything the form says: {name: value}; empty is null. `data-type="list"`: the ticked boxes of one name. */
export function read(form) {
  const said = {};
  for (const field of all("input, select, textarea", form)) {
    if (!field.name || field.disabled || field.type === "file" || field.name === "csrf_token") continue;
    if (field.type === "radio") { if (field.checked) put(said, field.name, value(field)); continue; }
    if (field.dataset.type === "list") {
      said[field.name] ??= [];
      if (field.tagName === "SELECT") said[field.name].push(...[...field.selectedOptions].map((option) => option.value).filter(Boolean));
      else if ((field.type !== "checkbox" || field.checked) && field.value) said[field.name].push(field.value);
      continue;
    }
    put(said, field.name, value(field));
  }
  // Rows taken away leave holes in lists.
  for (const [name, list] of Object.entries(said)) if (Array.isArray(list)) said[name] = list.filter((entry) => entry !== undefined);
  return said;
}

// An empty text is no value, whichever way it is said.
const plain = (value) => (value === "" || value === undefined ? null : value);
const same = (a, b) => JSON.stringify(plain(a)) === JSON.stringify(plain(b));

/** The fields whose value differs from what they were. */
export function changed(now, before) {
  return Object.fromEntries(Object.entries(now).filter(([name, given]) => !same(given, before[name])));
}

/** For a POST: what is said, without the empty fields. */
export function filled(now) {
  return Object.fromEntries(Object.entries(now).filter(([, given]) => given !== null));
}

/** The field of that name; of a nested error the nearest that exists. */
export function fieldOf(form, name) {
  const find = (path) => all("input, select, textarea", form).find((field) => field.name === path && field.type !== "hidden") || form.querySelector(`[data-field-of="${CSS.escape(path)}"]`);
  for (let path = name; path; path = path.includes(".") ? path.slice(0, path.lastIndexOf(".")) : "") {
    const found = find(path);
    if (found) return found;
  }
  return null;
}

/** What a field is called; one of several of a name by what they choose of. */
export const labelOf = (form, field) => ((field.type === "radio" && field.closest("fieldset")?.querySelector("legend")?.textContent) || field.labels?.[0]?.firstChild?.textContent || field.getAttribute("aria-label") || field.name).trim();
export { same };
