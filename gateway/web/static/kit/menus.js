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
  const box = list.getBoundingClientRect();
  if (box.right > innerWidth - 8) list.classList.add("flip");
  if (box.bottom > innerHeight - 8 && node.getBoundingClientRect().top > box.height) list.classList.add("up");
  one("input[type=search], [autofocus]", list)?.focus();
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
