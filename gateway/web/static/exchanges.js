// What uses each address of a client: counted apart, so that the fiche does not wait for four services.
import { call } from "./kit/api.js";
import { all } from "./kit/dom.js";

const said = (words, counts) => Object.entries(counts).map(([kind, count]) => `${count} ${words[kind][count > 1 ? 1 : 0]}`).join(", ");

function show(node, found) {
  const words = JSON.parse(node.dataset.words);
  for (const place of all("[data-uses]", node)) {
    const counts = found.uses[place.dataset.uses] || {};
    const used = Object.keys(counts).length > 0;
    place.textContent = said(words, counts) || (found.unavailable.length ? "Usage indisponible pour le moment" : "");
    const address = place.closest(".address");
    for (const part of all("[data-unused]", address)) part.hidden = used;
    for (const part of all("[data-used]", address)) part.hidden = !used;
  }
}

/** What a service that is away counted before still stands. */
function known(found, before) {
  for (const [address, counts] of Object.entries(before?.uses || {})) {
    for (const kind of found.unavailable) if (counts[kind]) (found.uses[address] ??= {})[kind] = counts[kind];
  }
  return found;
}

export default function addresses(node) {
  let last = null;
  const bring = async () => {
    if (!node.isConnected) { document.removeEventListener("fiche:refreshed", bring); return; }
    if (last) show(node, last);
    try { last = known((await call("GET", node.dataset.usesUrl)).data, last); } catch { return; }
    if (node.isConnected) show(node, last);
  };
  document.addEventListener("fiche:refreshed", bring);
  return bring();
}
