// Menus and chips are <details>: one open at a time, closed by a click outside or Échap, walked with the arrows.
import { all, one } from "./dom.js";

const OPEN = "details.menu[open], details.chip[open]";
const close = (node, focus) => { node.open = false; if (focus) one("summary", node).focus(); };

document.addEventListener("toggle", (event) => {
  const node = event.target;
  if (!node.matches?.("details.menu, details.chip") || !node.open) return;
  for (const other of all(OPEN)) if (other !== node && !other.contains(node)) close(other);
  const list = one(".menu-list", node);
  list.classList.remove("flip", "up");
  list.removeAttribute("style");
  // The side column scrolls, and would cut a menu that is wider than it: there a menu stands over the page.
  if (node.closest(".column") && innerWidth > 760) {
    const from = one("summary", node).getBoundingClientRect();
    const tall = list.getBoundingClientRect();
    const up = from.bottom + tall.height > innerHeight - 8;
    Object.assign(list.style, { position: "fixed", left: `${from.left}px`, top: up ? "auto" : `${from.bottom + 6}px`, bottom: up ? `${innerHeight - from.top + 6}px` : "auto" });
    one("input[type=search], [autofocus]", list)?.focus();
    return;
  }
  const box = list.getBoundingClientRect();
  if (box.right > innerWidth - 8) list.classList.add("flip");
  if (box.bottom > innerHeight - 8 && node.getBoundingClientRect().top > box.height) list.classList.add("up");
  one("input[type=search], [autofocus]", list)?.focus();
}, true);
document.addEventListener("scroll", (event) => {
  for (const node of all(OPEN)) if (event.target.contains?.(node) && one(".menu-list", node).style.position) close(node);
}, true);
document.addEventListener("click", (event) => {
  for (const node of all(OPEN)) if (!node.contains(event.target) || event.target.closest("[data-close-menu]") || event.target === node) close(node);
});
document.addEventListener("keydown", (event) => {
  const node = event.target.closest?.(OPEN) || one(OPEN);
  if (!node) return;
  if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); close(node, true); return; }
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const items = all(".menu-list a, .menu-list button, .menu-list input", node).filter((item) => item.offsetParent);
  const at = items.indexOf(document.activeElement);
  if (items.length) { event.preventDefault(); items[(at + step + items.length) % items.length].focus(); }
}, true);

// A list brought up to date while its sheet of filters is open leaves it open; what else is open: refresh.js.
let sheet = false;
document.addEventListener("htmx:before:swap", () => { sheet = Boolean(one("form.filters.sheet-open")); });
document.addEventListener("htmx:after:swap", () => {
  const form = sheet && one("form.filters.has-sheet");
  if (form) { form.classList.add("sheet-open"); one("[data-filters-sheet]", form)?.setAttribute("aria-expanded", "true"); }
});
// Of one choice among several, the press on it is the last; the arrows go on (a press of theirs has no detail).
document.addEventListener("click", (event) => {
  if (event.detail && event.target.type === "radio") event.target.closest("details.chip")?.removeAttribute("open");
});

// A search inside a long list of boxes.
document.addEventListener("input", (event) => {
  const field = event.target.closest?.("[data-search-in]");
  if (!field) return;
  event.stopPropagation();
  const plain = (text) => text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
  const wanted = plain(field.value);
  for (const row of all("label.option", field.closest(".menu-list"))) row.hidden = !plain(row.textContent).includes(wanted);
}, true);

// Crosses of the active chips empty their boxes and send the form.
document.addEventListener("click", (event) => {
  const cross = event.target.closest("[data-empty]");
  if (!cross) return;
  event.preventDefault();
  const form = cross.closest("form");
  for (const field of all(`[name="${cross.dataset.empty}"]`, form)) {
    if (["checkbox", "radio"].includes(field.type)) field.checked = field.value === ""; else field.value = "";
  }
  form.dispatchEvent(new Event("change", { bubbles: true }));
});
