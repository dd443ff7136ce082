// The frame: side column, rows of tables, recently opened, previous and next client, services away.
import { all, el, one, store } from "./dom.js";
import { refresh } from "./refresh.js";
import { toast } from "./toast.js";

function foldColumn(folded) {
  const button = one("[data-column]");
  one("[data-fiche]").classList.toggle("folded", folded);
  button.setAttribute("aria-pressed", String(folded));
  button.ariaLabel = button.title = folded ? "Déplier la colonne" : "Replier la colonne";
}

document.addEventListener("click", async (event) => {
  const fold = event.target.closest("[data-fold]");
  if (fold) fold.setAttribute("aria-expanded", String(one(".column").classList.toggle("open")));
  if (event.target.closest("[data-column]")) {
    const folded = !one("[data-fiche]").classList.contains("folded");
    foldColumn(folded);
    store(localStorage, "column", folded);
  }
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    try { await navigator.clipboard.writeText(copy.dataset.copy); toast(copy.dataset.said); }
    catch { toast("La copie n’est pas permise par ce navigateur", { name: "circle-alert" }); }
  }
  // The whole row is the target; the link in its first cell says where.
  const row = event.target.closest("table.list tbody tr");
  if (row && !event.target.closest("a, button, input, label, summary, details") && !String(getSelection())) one("td:first-child a", row)?.click();
  const open = event.target.closest("[data-filters-sheet]");
  if (open) { const form = open.closest("form"); const opened = form.classList.toggle("sheet-open"); open.setAttribute("aria-expanded", String(opened)); }
  if (event.target.closest("[data-sheet-done]")) {
    const form = one("form.filters.sheet-open");
    form?.classList.remove("sheet-open");
    form && one("[data-filters-sheet]", form)?.setAttribute("aria-expanded", "false");
  }
});

const counted = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, "\u202f");

/** Asks where the fiche stands in the whole list, of which the browser knows one page. */
async function neighbours(here, beside) {
  const from = new URL(store(sessionStorage, "listUrl") || "/clients", location.origin);
  const answer = await fetch(`${here}/voisins${from.search}`, { headers: { Accept: "application/json" } }).catch(() => null);
  if (!answer?.ok || answer.redirected) return;
  const found = await answer.json();
  if (found.position) beside(found.previous && `/clients/${found.previous}`, found.next && `/clients/${found.next}`, `${counted(found.position)} sur ${counted(found.count)}`);
}

/** The list to go back to, with its filters, and the neighbours in it. */
export function place() {
  const fiche = one("[data-fiche]");
  if (!fiche) { if (location.pathname === "/clients") store(sessionStorage, "listUrl", location.pathname + location.search); return; }
  if (store(localStorage, "column")) foldColumn(true);
  const here = `/clients/${fiche.dataset.fiche}`;
  const list = store(sessionStorage, "list") || [];
  const at = list.indexOf(here);
  const tab = location.pathname.slice(here.length);
  const beside = (before, after, words) => {
    for (const [name, href] of [["previous", before], ["next", after]]) {
      const link = one(`[data-${name}]`);
      if (link) { link.hidden = !href; if (href) link.href = href + tab; }
    }
    if (one("[data-place]")) one("[data-place]").textContent = words;
  };
  if (at >= 0) beside(list[at - 1], list[at + 1], "");
  neighbours(here, beside);
  const from = store(sessionStorage, "listUrl");
  if (from) for (const link of all("[data-to-list]")) link.href = from;
  const entry = { href: here, name: fiche.dataset.name, letters: fiche.dataset.monogram, round: Boolean(fiche.dataset.round) };
  store(localStorage, "recent", [entry, ...(store(localStorage, "recent") || []).filter((known) => known.href !== here)].slice(0, 5));
  const current = one(".tabs a[aria-current]");
  if (current) current.parentElement.scrollLeft = current.offsetLeft - (current.parentElement.clientWidth - current.offsetWidth) / 2;
}

/** « Ouverts récemment », without whose data were erased: this browser must not keep their names. */
export function recents() {
  const recent = one("[data-recent]");
  const erased = (one("[data-erased]")?.dataset.erased || "").split(" ").map((id) => `/clients/${id}`);
  const known = store(localStorage, "recent") || [];
  const opened = known.filter((entry) => !erased.includes(entry.href));
  if (opened.length < known.length) store(localStorage, "recent", opened);
  if (!recent) return;
  one("ul", recent).replaceChildren(...opened.map((entry) => el("li", {}, el("a", { href: entry.href, title: entry.name },
    el("span", { class: `mono small${entry.round ? " round" : ""}`, "aria-hidden": "true" }, entry.letters), el("span", {}, entry.name)))));
  recent.hidden = !opened.length;
}
document.addEventListener("fiche:hint", ({ detail: { kind, id } }) => {
  if (kind !== "clients.client.erased") return;
  const known = store(localStorage, "recent") || [];
  if (!known.some((entry) => entry.href === `/clients/${id}`)) return;
  store(localStorage, "recent", known.filter((entry) => entry.href !== `/clients/${id}`));
  recents();
});

// A service away: only its part tries again, in place, with a word of when, and since when this page lacks it.
let left = 15;
const hour = new Intl.DateTimeFormat("fr-FR", { timeStyle: "short", timeZone: document.documentElement.dataset.zone });
setInterval(() => {
  const waits = all("[data-retry-in]");
  const key = `away ${location.pathname}`;
  if (!waits.length) { left = 15; store(sessionStorage, key, null); return; }
  const since = store(sessionStorage, key) || Date.now();
  store(sessionStorage, key, since);
  for (const told of all("[data-away-since]")) told.textContent = `Sans réponse depuis ${hour.format(since)}. `;
  left -= 1;
  for (const wait of waits) wait.textContent = left > 0 ? `Nouvel essai dans ${left}\u00a0s` : "Nouvel essai…";
  if (left <= 0) { left = 15; refresh(); }
}, 1000);
document.addEventListener("click", async (event) => {
  const retry = event.target.closest("a[data-retry]");
  if (!retry || !one("#contenu")) return;
  event.preventDefault();
  retry.setAttribute("aria-busy", "true");
  left = 15;
  await refresh();
  retry.removeAttribute("aria-busy");
  if (retry.isConnected && one("[data-retry]")) toast("Toujours indisponible pour le moment", { name: "unplug" });
});

const shape = (name) => el("span", { class: `skeleton ${name}` });
const several = (count, make) => Array.from({ length: count }, (_, at) => make(at));
/** Shapes of what comes, at the heights that it will have: exchanges, the table of visits, or a bar and rows. */
const SHAPES = {
  fiche: () => el("div", { class: "wait-two" }, el("div", {}, shape("bar"), ...several(5, (at) => el("div", { class: "wait-said" }, shape("disc"), el("div", {}, shape("w60"), shape("w40"), ...(at % 2 ? [] : [shape("w100")]))))), el("div", {}, shape("card"), ...several(3, () => shape("w60")))),
  documents: () => el("div", {}, el("div", { class: "wait-tiles" }, ...several(3, () => shape("tile"))), ...several(6, () => el("div", { class: "wait-row" }, shape("thumb"), shape("w40"), shape("short"), shape("short")))),
  maintenance: () => el("div", {}, shape("bar"), ...several(5, () => el("div", { class: "wait-row tall" }, shape("w40"), ...several(6, () => shape("visit"))))),
};
const rows = () => el("div", {}, shape("bar"), ...several(8, () => el("div", { class: "wait-row" }, shape("w40"), shape("short"), shape("short"), shape("short"))));
const waiting = (tab) => el("div", { class: "wait", role: "status" }, el("span", { class: "sr" }, "Chargement"), (SHAPES[tab] || rows)());

// A page that takes its time shows the shapes of what comes: the frame, the tabs and the name stay.
document.addEventListener("click", (event) => {
  const link = event.target.closest(".tabs a[href]");
  if (!link || event.defaultPrevented || event.ctrlKey || event.metaKey) return;
  setTimeout(() => {
    const region = one(".content .scroll");
    if (!region) return;
    all(".tabs a[aria-current]").forEach((tab) => tab.removeAttribute("aria-current"));
    link.setAttribute("aria-current", "page");
    region.replaceChildren(waiting(link.dataset.tab));
  }, 150);
});
window.addEventListener("pageshow", (event) => { if (event.persisted) refresh(); });
