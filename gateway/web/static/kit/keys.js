// The keyboard of the pages. Nothing acts while typing; everything has a visible way too.
import { all, one } from "./dom.js";

const typing = (node) => node.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");
const tabs = { f: "fiche", d: "documents", i: "interventions", v: "billing", e: "equipment", c: "job_sites", m: "maintenance" };
const buttons = { n: "[data-new]", c: "[data-consign]", m: "[data-memo]", "[": "[data-previous]:not([hidden])", "]": "[data-next]:not([hidden])" };
let waitingForTab = false;

function search(event) {
  const field = one("[data-search]");
  if (!field && !one(".nav-search")) return;
  event.preventDefault();
  if (field) field.focus(); else one(".nav-search").click();
}

function walk(step) {
  const links = all("table.list tbody tr td:first-child a");
  if (!links.length) return false;
  const at = links.indexOf(document.activeElement);
  links[Math.min(links.length - 1, Math.max(0, at + step))].focus();
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || one("dialog[open]")) return;
  if (typing(event.target)) {
    if (event.key === "Escape") {
      if (event.target.value && event.target.matches("[data-search]")) {
        event.preventDefault();
        event.target.value = "";
        event.target.dispatchEvent(new Event("input", { bubbles: true }));
      } else event.target.blur();
    } else if (event.key === "ArrowDown" && event.target.matches("[data-search]") && walk(1)) event.preventDefault();
    return;
  }
  if (waitingForTab) {
    waitingForTab = false;
    const target = event.key === "l" ? one('.nav-list a[href="/clients"]') : one(`.tabs a[data-tab="${tabs[event.key]}"]`);
    if (target) { event.preventDefault(); target.click(); }
    return;
  }
  const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
  const button = buttons[event.key] && one(buttons[event.key]);
  if (event.key === "/") search(event);
  else if (event.key === "g") waitingForTab = true;
  else if (event.key === "?") one("#raccourcis")?.showModal();
  else if (button) { event.preventDefault(); button.click(); }
  else if (step && walk(step)) event.preventDefault();
});
