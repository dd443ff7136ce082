// Somebody saved meanwhile: what both changed is shown side by side, and the person decides; what only one changed is kept.
import { call } from "./api.js";
import { el, icon } from "./dom.js";
import { fieldOf, labelOf, same } from "./fields.js";

const text = (value) => (value === null || value === undefined || value === "" ? "(vide)" : Array.isArray(value) ? value.join(", ") : String(value));

/** A form of a record that was merged meanwhile goes on with the one that it is part of. True where it was. */
function mergedInto(form, refused) {
  const root = refused?.problem.code === "client_merged" && refused.problem.data?.client_id;
  if (!root) return false;
  form.dataset.draft ||= form.dataset.api;
  for (const name of ["api", "resource"]) if (form.dataset[name]) form.dataset[name] = form.dataset[name].replace(/\/clients\/[^/]+/, `/clients/${root}`);
  return true;
}

/**
 * After a 412. Nothing in common was changed: saves again over the new version. Else shows both values at the top of
 * the form; the next save is over the version that was shown. False when the present state could not be read.
 */
export async function conflict(form, body, state, save, refused) {
  const into = mergedInto(form, refused);
  const url = form.dataset.resource || form.dataset.api.split(" ")[1];
  let now;
  try { now = await call("GET", url); } catch { return false; }
  form.dataset.version = now.version;
  // Of a field made of several (fields of one's own) only the parts that are sent count.
  const parts = (value, name) => (body[name] && typeof body[name] === "object" && !Array.isArray(body[name]) ? Object.fromEntries(Object.keys(body[name]).map((key) => [key, value?.[key] ?? null])) : value);
  const both = Object.keys(body).filter((name) => !same(parts(now.data[name], name), parts(state.before[name], name)) && !same(parts(now.data[name], name), body[name]));
  if (into && form.dataset.said) form.dataset.said = `Enregistré dans ${now.data.display_name || "la fiche"}, dont cette fiche fait partie`;
  if (!both.length) { await save(); return true; }
  const author = now.data.updated_by?.name || now.data.updated_by;
  // The refusal may say how both texts read joined.
  const joined = refused?.problem.data?.joined;
  const why = into ? `Cette fiche vient d’être fusionnée dans ${now.data.display_name || "une autre"}, qui dit autre chose.` : `${author || "Quelqu’un"} a modifié ${both.length > 1 ? "ces champs" : "ce champ"} pendant que vous écriviez.`;
  const box = el("div", { class: "conflict", role: "alert", tabindex: "-1" },
    el("p", { class: "lead" }, icon("users"), el("span", {}, `${why} Rien n’est perdu : choisissez, puis enregistrez de nouveau.`)));
  for (const name of both) {
    const field = fieldOf(form, name);
    const theirs = now.data[name];
    state.before[name] = theirs ?? null;
    if (!field) continue;
    const mine = field.value;
    const pick = (label, value) => {
      const button = el("button", { type: "button", class: "btn small" }, label);
      button.addEventListener("click", () => { field.value = value; field.dispatchEvent(new Event("input", { bubbles: true })); field.focus(); });
      return button;
    };
    const shown = field.tagName === "SELECT" ? [...field.options].find((option) => option.value === theirs)?.text : theirs;
    box.append(el("div", { class: "pair" }, el("h3", {}, labelOf(form, field)),
      el("dl", {}, el("div", {}, el("dt", {}, author ? `De ${author}` : "Enregistré"), el("dd", {}, text(shown))), el("div", {}, el("dt", {}, "De vous"), el("dd", {}, text(field.tagName === "SELECT" ? field.selectedOptions[0]?.text : mine)))),
      el("p", { class: "choices" }, pick("Prendre l’enregistré", theirs ?? ""), pick("Garder le mien", mine), field.tagName === "TEXTAREA" ? pick(joined ? "Joindre les deux textes" : "Garder les deux", joined || `${theirs || ""}\n\n${mine}`) : null)));
  }
  (form.querySelector("[data-errors]") || form).prepend(box);
  box.focus();
  return true;
}
