// The list of clients: what it showed last, and back to the same place. Part of every page's script, not of an area's
// that may still be on its way when the first click comes.
import { all, one, store } from "./dom.js";

const here = () => location.pathname + location.search;

/** Names what the list last showed, for « previous » and « next ». */
export function rememberList() {
  const links = all("[data-clients] tbody td:first-child a");
  if (links.length) store(sessionStorage, "list", links.map((link) => link.getAttribute("href")));
}

/** Scrolls to the client that was left for, and gives it the focus. */
export function backToPlace() {
  const rows = one("[data-clients]");
  const left = store(sessionStorage, "list.place");
  if (!rows || left?.url !== here()) return;
  store(sessionStorage, "list.place", null);
  rows.closest(".scroll").scrollTop = left.top;
  one(`a[href="${CSS.escape(left.href)}"]`, rows)?.focus({ preventScroll: true });
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("[data-clients] a[href]");
  if (link) store(sessionStorage, "list.place", { url: here(), top: link.closest(".scroll").scrollTop, href: link.getAttribute("href") });
  // The page before is not told by a cursor: it is the one this reader came from.
  const later = event.target.closest?.("a[data-later]");
  if (later) store(sessionStorage, "list.before", { ...store(sessionStorage, "list.before"), [later.getAttribute("href")]: here() });
  const earlier = event.target.closest?.("a[data-earlier]");
  const before = earlier && store(sessionStorage, "list.before")?.[here()];
  if (before) earlier.href = before;
});
