// Brings the page up to date in place: what is open, scrolled, focused or typed stays as it is.
import { all, one, parse, start } from "./dom.js";
import { applySections } from "./sections.js";

let running = null;
let following = null;

// --- what a person opened ----------------------------------------------------------------------------------------------
const later = () => refresh();
const label = (details) => one("summary", details)?.getAttribute("aria-label");
const alike = (old, fresh) => old.classList[0] === fresh.classList[0] && old.dataset.section === fresh.dataset.section && label(old) === label(fresh);

/**
 * Before an element takes over what the server says of it. False leaves it: a question that is being asked stays as it
 * was read, with the version that it acts on, and is brought up to date once it is answered.
 */
function keepOpen(old, { newNode: fresh }) {
  if (old.matches?.("dialog[open]")) { old.addEventListener("close", later, { once: true }); return false; }
  // Only the same one: a menu is never handed to the row that took its row's place. Sections have a memory (sections.js).
  if (old.matches?.("details") && alike(old, fresh) && (old.open || !old.dataset.section)) fresh.open = old.open;
  return true;
}
window.htmx?.registerExtension("fiche", { htmx_before_morph_node: keepOpen });

// --- the page again ----------------------------------------------------------------------------------------------------
/** Something is carried, or further rows are on their way: the page is not drawn again under the hand. */
const busy = () => Boolean(one("#contenu [data-busy], #contenu .more .htmx-request"));
const free = () => new Promise((done) => { const look = () => { if (busy()) setTimeout(look, 50); else done(); }; look(); });
/** What the page shows: its address, and how many times older rows were asked for. */
const shown = () => `${location.pathname}${location.search} ${all("#contenu [data-older]").length}`;

/** Fetches a page; a list that « Afficher … précédentes » made longer comes as long. */
async function whole(url, request) {
  const answer = await fetch(url, request);
  if (!answer.ok || !one("#contenu [data-older]")) return answer;
  const page = await parse(answer);
  for (let more of all("#contenu .more:has([hx-get])", page)) {
    const list = document.getElementById(more.closest("[id]").id);
    for (let times = list ? all("[data-older]", list).length : 0; times && more; times -= 1) {
      const part = await fetch(one("[hx-get]", more).getAttribute("hx-get"), request);
      if (!part.ok || part.redirected) throw new Error(`Older rows: ${part.status}`);
      const { body } = await parse(part);
      const next = one(".more", body);
      more.replaceWith(...body.childNodes);
      more = next;
    }
  }
  return new Response(page.documentElement.outerHTML, { status: answer.status, headers: answer.headers });
}

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
  let late;
  let asked;
  let scrolled = [];
  let unfolded = false;
  // Looked at when the new page is taken over: a person goes on while it is fetched.
  const look = (event) => {
    if (event.detail.ctx.fetch !== whole) return;
    late = asked !== shown() || busy();
    if (late) { event.preventDefault(); return; }
    scrolled = all("[data-keep-scroll], .scroll, .column").map((node) => [node, node.scrollTop]);
    unfolded = Boolean(one(".column.open"));
  };
  document.addEventListener("htmx:before:swap", look);
  try {
    do {
      late = false;
      await free();
      asked = shown();
      await window.htmx.ajax("GET", location.pathname + location.search, { target: "#contenu", select: "#contenu", swap: "outerMorph", fetch: whole });
    } while (late);
  } finally { document.removeEventListener("htmx:before:swap", look); }
  // Heights first: what is folded can't be scrolled.
  if (unfolded) { one(".column")?.classList.add("open"); one("[data-fold]")?.setAttribute("aria-expanded", "true"); }
  applySections();
  for (const [node, top] of scrolled) if (node.isConnected) node.scrollTop = top;
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
