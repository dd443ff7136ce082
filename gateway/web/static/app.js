// Keyboard, remembered sections and the phone's folded header. Everything here has a visible way without script.
const typing = (node) => node.closest("input, textarea, select, [contenteditable]");
const tabs = { f: "fiche", d: "documents", i: "interventions", v: "billing", e: "equipment", c: "job_sites", m: "maintenance" };
let waitingForTab = false;

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && typing(event.target)) { event.target.blur(); return; }
  if (typing(event.target)) return;
  if (event.key === "/") {
    const search = document.querySelector("[data-search]") || document.querySelector(".nav-search");
    if (search) { event.preventDefault(); search.matches("a") ? search.click() : search.focus(); }
    return;
  }
  if (waitingForTab) {
    waitingForTab = false;
    const target = event.key === "l" ? document.querySelector('.nav-list a[href="/clients"]')
      : document.querySelector(`.tabs a[data-tab="${tabs[event.key]}"]`);
    if (target) { event.preventDefault(); target.click(); }
    return;
  }
  if (event.key === "g") { waitingForTab = true; return; }
  const rows = [...document.querySelectorAll("table.list tbody tr:not(.group)")];
  const at = rows.findIndex((row) => row.classList.contains("current"));
  const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
  if (step && rows.length) {
    event.preventDefault();
    const next = rows[Math.min(rows.length - 1, Math.max(0, at + step))];
    if (at >= 0) rows[at].classList.remove("current");
    next.classList.add("current");
    next.scrollIntoView({ block: "nearest" });
  } else if (event.key === "Enter" && at >= 0 && event.target === document.body) {
    rows[at].querySelector("a")?.click();
  }
});

const key = (section) => `fiche.section.${section.dataset.section}`;
for (const section of document.querySelectorAll("details[data-section]")) {
  const saved = localStorage.getItem(key(section));
  if (saved !== null) section.open = saved === "1";
  section.addEventListener("toggle", () => localStorage.setItem(key(section), section.open ? "1" : "0"));
}

document.addEventListener("click", (event) => {
  const fold = event.target.closest("[data-fold]");
  if (!fold) return;
  const open = document.querySelector(".column").classList.toggle("open");
  fold.setAttribute("aria-expanded", String(open));
});

document.querySelector(".tabs a[aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
