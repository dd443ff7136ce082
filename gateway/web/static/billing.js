// Lines of a quote, an invoice or a credit note: totals by the server while one types, rows moved, titles between them.
import { call } from "./kit/api.js";
import { all, el, one } from "./kit/dom.js";
import { fieldOf, read } from "./kit/fields.js";
import { addRow } from "./kit/forms.js";

const NARROW = "\u202f";
const WAIT = 250;

/** `1 264,50 €` of the server's "1264.50": digits only, so that no cent is lost in a float. */
export function money(text) {
  const [, sign, whole, cents = "00"] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text) || [];
  if (whole === undefined) return "";
  return `${sign ? "−" : ""}${whole.replace(/\B(?=(\d{3})+$)/g, NARROW)},${cents.padEnd(2, "0")}${NARROW}€`;
}

/** Lines as the API wants them: what is empty is left to its default. */
export function tidy(lines) {
  return (lines || []).map((line) => Object.fromEntries(Object.entries(line).filter(([, value]) => value !== null)));
}

const isBlank = (line) => !line.label && line.unit_price === undefined;

export default function editor(root) {
  const form = root.closest("form");
  const rows = one("[data-rows]", root);
  const note = one("[data-totals-note]", root);
  const list = () => all(":scope > [data-row]", rows);
  let timer = 0;
  let asked = 0;

  /** The order of the rows is that of the names. */
  function renumber() {
    list().forEach((row, at) => {
      for (const node of all("[name]", row)) node.name = node.name.replace(/^lines\.\d+\./, `lines.${at}.`);
      row.dataset.kind = one("[data-kind-field]", row).value;
      row.setAttribute("aria-label", `${row.dataset.kind === "section" ? "Titre" : "Ligne"} ${at + 1}`);
      one("[data-up]", row).disabled = at === 0;
      one("[data-down]", row).disabled = at === list().length - 1;
    });
    rows.dataset.next = list().length;
    const zero = one("[data-zero]", form);
    if (zero) zero.hidden = !list().some((row) => row.dataset.kind !== "section" && one("[data-vat]", row).value === "0");
  }

  function grow() {
    for (const area of all("[data-grow]", rows)) { area.style.height = "auto"; area.style.height = `${area.scrollHeight + 2}px`; }
  }

  function show(totals, at) {
    const places = list();
    places.forEach((row) => { one("[data-line-total]", row).textContent = ""; });
    totals.lines.forEach((line, index) => { const row = places[at[index]]; if (row && row.dataset.kind !== "section") one("[data-line-total]", row).textContent = money(line.total_excl_tax); });
    for (const node of all("[data-total]", root)) node.textContent = money(totals[node.dataset.total]);
    one("[data-taxes]", root).replaceChildren(...totals.taxes.map((tax) => el("div", {}, el("dt", {}, `TVA ${tax.rate.replace(".", ",")}${NARROW}% sur ${money(tax.base)}`), el("dd", { class: "num" }, money(tax.tax)))));
  }

  function mark(refused, at) {
    for (const { field } of refused?.errors || []) {
      const [, index, name] = /^lines\.(\d+)\.(\w+)$/.exec(field) || [];
      if (name) fieldOf(form, `lines.${at[index]}.${name}`)?.setAttribute("data-doubt", "");
    }
  }

  async function compute() {
    const turn = (asked += 1);
    const lines = tidy(read(form).lines);
    const at = [...lines.keys()].filter((index) => !isBlank(lines[index]));
    // A line is counted before it is named.
    const body = { lines: at.map((index) => ({ ...lines[index], label: lines[index].label || "…" })) };
    try {
      const { data } = await call("POST", "/api/v1/totals", { body });
      if (turn !== asked) return;
      all("[data-doubt]", rows).forEach((field) => field.removeAttribute("data-doubt"));
      root.classList.remove("doubtful");
      note.hidden = true;
      show(data, at);
    } catch (refused) {
      if (!("status" in refused)) throw refused;
      if (turn !== asked) return;
      all("[data-doubt]", rows).forEach((field) => field.removeAttribute("data-doubt"));
      root.classList.add("doubtful");
      note.textContent = refused.status === 422 ? "Corrigez les lignes signalées pour voir le total." : "Le total s’affichera dès que la facturation répondra. Rien n’est perdu.";
      note.hidden = false;
      mark(refused, at);
    }
  }

  const later = () => { renumber(); grow(); clearTimeout(timer); timer = setTimeout(compute, WAIT); };

  root.addEventListener("click", (event) => {
    const row = event.target.closest("[data-row]");
    if (event.target.closest("[data-up]")) { row.previousElementSibling?.matches("[data-row]") && row.previousElementSibling.before(row); event.target.closest("button").focus(); later(); }
    if (event.target.closest("[data-down]")) { row.nextElementSibling?.after(row); event.target.closest("button").focus(); later(); }
    if (event.target.closest("[data-add-title]")) {
      const added = addRow(rows);
      one("[data-kind-field]", added).value = "section";
      later();
      one("textarea", added).focus();
    }
  });
  // A new line has the rate of the one before it.
  new MutationObserver((changes) => {
    for (const added of changes.flatMap((change) => [...change.addedNodes])) {
      const before = added.previousElementSibling;
      if (added.matches?.("[data-row]") && before?.matches("[data-row]") && !("known" in added.dataset)) one("[data-vat]", added).value = one("[data-vat]", before).value;
      if (added.dataset) added.dataset.known = "";
    }
    later();
  }).observe(rows, { childList: true });
  form.addEventListener("input", (event) => { if (root.contains(event.target) || event.target === form) later(); });
  form.addEventListener("change", later);
  form.addEventListener("fiche:saving", (event) => {
    const { body } = event.detail;
    if (body?.lines) body.lines = tidy(body.lines).filter((line) => !isBlank(line));
  });
  for (const row of list()) row.dataset.known = "";
  renumber();
  grow();
  if (list().some((row) => one("textarea", row).value)) compute();
}
