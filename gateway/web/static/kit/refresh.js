// Brings the page up to date in place: what is open, scrolled, focused or typed stays as it is.
import { all, one, start } from "./dom.js";
import { applySections } from "./sections.js";

let running = null;
let following = null;

/**
 * Fetches this page again and takes over what differs. What is asked meanwhile is one more fetch, after this one: what
 * is under way may have read the page, or the address, as it was before.
 */
export function refresh() {
  if (!running) {
    running = again().finally(() => { running = null; });
    return running;
  }
  following ??= running.catch(() => {}).then(() => { following = null; return refresh(); });
  return following;
}

async function again() {
  const scrolled = all("[data-keep-scroll], .scroll, .column").map((node) => [node, node.scrollTop]);
  // A menu may be opened while the page is fetched: looked at when the new one is taken over.
  let opened = all("details[open]");
  const unfolded = Boolean(one(".column.open"));
  document.addEventListener("htmx:before:swap", () => { opened = all("details[open]"); }, { once: true });
  // Filtered meanwhile, the page that came is of an address that is no longer shown.
  for (let asked = null; asked !== location.pathname + location.search;) {
    asked = location.pathname + location.search;
    await window.htmx.ajax("GET", asked, { target: "#contenu", select: "#contenu", swap: "outerMorph" });
  }
  for (const [node, top] of scrolled) if (node.isConnected) node.scrollTop = top;
  for (const node of opened) if (node.isConnected) node.open = true;
  applySections();
  if (unfolded) { one(".column")?.classList.add("open"); one("[data-fold]")?.setAttribute("aria-expanded", "true"); }
  start();
  document.dispatchEvent(new CustomEvent("fiche:refreshed"));
}

/** Goes on after a deed: "refresh", "none", or an address. */
export function then(what) {
  if (!what || what === "refresh") return refresh();
  if (what === "none") return null;
  if (what === "reload") return location.reload();
  const target = new URL(what, location.href);
  if (target.pathname === location.pathname && target.search === location.search) return refresh();
  location.assign(target);
  return null;
}

export const focusFirst = (root) => (one("[autofocus]", root) || one("input:not([type=hidden]):not([disabled]), select, textarea", root))?.focus();
