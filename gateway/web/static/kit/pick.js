// A field that finds one row by typing (combobox of ARIA 1.2): <div class="pick" data-pick="/api/v1/clients?status=active&q=">
// holds a visible input[role=combobox] and a hidden input with the id.
import { all, el, one } from "./dom.js";

const timers = new WeakMap();
const parts = (box) => ({ field: one("input[role=combobox]", box), hidden: one("input[type=hidden]", box), list: one("[role=listbox]", box) });

function shut(box) { const { field, list } = parts(box); list.hidden = true; field.setAttribute("aria-expanded", "false"); field.removeAttribute("aria-activedescendant"); }

function choose(box, option) {
  const { field, hidden } = parts(box);
  hidden.value = option.dataset.id;
  field.value = option.dataset.name;
  field.dataset.chosen = field.value;
  shut(box);
  hidden.dispatchEvent(new Event("change", { bubbles: true }));
  hidden.dispatchEvent(new Event("input", { bubbles: true }));
}

async function find(box) {
  const { field, list } = parts(box);
  const typed = field.value.trim();
  if (!typed) { shut(box); return; }
  const answer = await fetch(box.dataset.pick + encodeURIComponent(typed) + "&limit=8", { headers: { Accept: "application/json" } }).catch(() => null);
  if (!answer?.ok || field.value.trim() !== typed) return;
  const rows = (await answer.json()).items.filter((row) => row.id !== box.dataset.except);
  list.replaceChildren(...rows.map((row, at) => {
    const name = row.display_name || row.name || row.title || row.label;
    return el("li", { role: "option", id: `${field.id}-${at}`, "data-id": row.id, "data-name": name, "aria-selected": "false" }, el("b", {}, name), el("span", {}, row.reference || row.number || row.city || ""));
  }));
  if (!rows.length) list.replaceChildren(el("li", { class: "none" }, "Aucun résultat"));
  list.hidden = false;
  field.setAttribute("aria-expanded", "true");
}

document.addEventListener("input", (event) => {
  const field = event.target.closest?.(".pick input[role=combobox]");
  if (!field) return;
  const box = field.closest(".pick");
  parts(box).hidden.value = "";
  clearTimeout(timers.get(box));
  timers.set(box, setTimeout(() => find(box), 160));
});
document.addEventListener("keydown", (event) => {
  const field = event.target.closest?.(".pick input[role=combobox]");
  if (!field) return;
  const box = field.closest(".pick");
  const { list } = parts(box);
  const options = all("[role=option]", list);
  if (list.hidden || !options.length) return;
  const at = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    event.preventDefault();
    const next = options[(at + step + options.length) % options.length];
    options.forEach((option) => option.setAttribute("aria-selected", String(option === next)));
    field.setAttribute("aria-activedescendant", next.id);
    next.scrollIntoView({ block: "nearest" });
  } else if (event.key === "Enter") { event.preventDefault(); choose(box, options[Math.max(0, at)]); }
  else if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); shut(box); }
}, true);
document.addEventListener("mousedown", (event) => {
  const option = event.target.closest?.(".pick [role=option]");
  if (option) { event.preventDefault(); choose(option.closest(".pick"), option); }
});
document.addEventListener("focusout", (event) => { const box = event.target.closest?.(".pick"); if (box) shut(box); });
