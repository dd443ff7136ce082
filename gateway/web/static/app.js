// Keyboard, remembered sections and column, recent clients, toasts. Everything here has a visible way without script.
const one = (selector, from = document) => from.querySelector(selector);
const all = (selector, from = document) => [...from.querySelectorAll(selector)];

const store = (place, key, value) => {
  try {
    if (value === undefined) return JSON.parse(place.getItem(`fiche.${key}`));
    place.setItem(`fiche.${key}`, JSON.stringify(value));
  } catch { /* a browser that keeps nothing works without memory */ }
  return null;
};

export function toast(text) {
  const note = document.createElement("p");
  note.className = "toast";
  note.textContent = text;
  one(".toasts").replaceChildren(note);
  setTimeout(() => note.remove(), 4000);
}

// --- keyboard -------------------------------------------------------------------------------------------------------
const typing = (node) => node.closest?.("input, textarea, select, [contenteditable]");
const tabs = { f: "fiche", d: "documents", i: "interventions", v: "billing", e: "equipment", c: "job_sites", m: "maintenance" };
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
  if (event.key === "/") search(event);
  else if (event.key === "g") waitingForTab = true;
  else if (event.key === "?") one("#raccourcis")?.showModal();
  else if (event.key === "[") one("[data-previous]:not([hidden])")?.click();
  else if (event.key === "]") one("[data-next]:not([hidden])")?.click();
  else if (event.key === "m" && one("#memo")) one("#memo").scrollIntoView({ block: "center" });
  else if (step && walk(step)) event.preventDefault();
});

// --- side column ----------------------------------------------------------------------------------------------------
for (const section of all("details[data-section]:not([data-forced])")) {
  const key = `section.${section.dataset.section}`;
  const saved = store(localStorage, key);
  if (saved !== null) section.open = saved;
  section.addEventListener("toggle", () => store(localStorage, key, section.open));
}

const fiche = one("[data-fiche]");
const columnButton = one("[data-column]");
function foldColumn(folded) {
  fiche.classList.toggle("folded", folded);
  columnButton.setAttribute("aria-pressed", String(folded));
  columnButton.ariaLabel = columnButton.title = folded ? "Déplier la colonne" : "Replier la colonne";
}
if (fiche && columnButton && store(localStorage, "column")) foldColumn(true);

document.addEventListener("click", async (event) => {
  const fold = event.target.closest("[data-fold]");
  if (fold) fold.setAttribute("aria-expanded", String(one(".column").classList.toggle("open")));
  if (event.target.closest("[data-column]")) {
    foldColumn(!fiche.classList.contains("folded"));
    store(localStorage, "column", fiche.classList.contains("folded"));
  }
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    try { await navigator.clipboard.writeText(copy.dataset.copy); toast(copy.dataset.said); }
    catch { toast("La copie n’est pas permise par ce navigateur"); }
  }
  // The whole row is the target; the link in its first cell says where.
  const row = event.target.closest("table.list tbody tr");
  if (row && !event.target.closest("a, button, input") && !String(getSelection())) one("td:first-child a", row)?.click();
});

// --- previous and next client, as the list last showed them; recently opened -----------------------------------------
function rememberList() {
  const links = all("[data-clients] tbody td:first-child a");
  if (links.length) store(sessionStorage, "list", links.map((link) => link.getAttribute("href")));
}
rememberList();
document.addEventListener("htmx:after:swap", rememberList);

if (fiche) {
  const here = `/clients/${fiche.dataset.fiche}`;
  const list = store(sessionStorage, "list") || [];
  const at = list.indexOf(here);
  const tab = location.pathname.slice(here.length);
  for (const [name, href] of [["previous", list[at - 1]], ["next", list[at + 1]]]) {
    const link = one(`[data-${name}]`);
    if (at >= 0 && href) { link.href = href + tab; link.hidden = false; }
  }
  if (at >= 0) one("[data-place]").textContent = `${at + 1} sur ${list.length}`;
  const known = (store(localStorage, "recent") || []).filter((entry) => entry.href !== here);
  const entry = { href: here, name: fiche.dataset.name, letters: fiche.dataset.monogram, round: Boolean(fiche.dataset.round) };
  store(localStorage, "recent", [entry, ...known].slice(0, 5));
}

const recent = one("[data-recent]");
const opened = store(localStorage, "recent") || [];
if (recent && opened.length) {
  one("ul", recent).replaceChildren(...opened.map((entry) => {
    const [item, link, letters, name] = ["li", "a", "span", "span"].map((kind) => document.createElement(kind));
    link.href = entry.href;
    letters.className = `mono small${entry.round ? " round" : ""}`;
    letters.ariaHidden = "true";
    letters.textContent = entry.letters;
    name.textContent = entry.name;
    link.append(letters, name);
    item.append(link);
    return item;
  }));
  recent.hidden = false;
}

// --- a service away: the page tries again by itself --------------------------------------------------------------------
const waits = all("[data-retry-in]");
if (waits.length) {
  let left = 15;
  const tick = () => {
    for (const wait of waits) wait.textContent = `Nouvel essai dans ${left}\u00a0s`;
    if (left === 0) location.reload(); else left -= 1;
  };
  tick();
  setInterval(tick, 1000);
}

// --- htmx: the token of forms goes with each request; filters show what is set -----------------------------------------
const token = one('meta[name="csrf-token"]')?.content;
document.addEventListener("htmx:config:request", (event) => {
  const request = event.detail?.ctx?.request;
  if (request && token) request.headers["X-CSRF-Token"] = token;
});
const filters = one("form.filters");
filters?.addEventListener("change", () => {
  for (const select of all("select", filters)) select.classList.toggle("set", Boolean(select.value) && select.value !== "all");
});
filters?.addEventListener("input", () => {
  const reset = one("[data-reset]", filters);
  if (reset) reset.hidden = !all("select, input", filters).some((field) => field.value && field.value !== "all" && field.value !== "active");
});

const current = one(".tabs a[aria-current]");
if (current) current.parentElement.scrollLeft = current.offsetLeft - (current.parentElement.clientWidth - current.offsetWidth) / 2;
