// Exchanges: files joined to one, and what uses each address of a client (counted apart, so that the fiche does not wait
// for four services).
import { call } from "./kit/api.js";
import { all, el, icon, one } from "./kit/dom.js";
import { refuse } from "./kit/forms.js";
import { deliver, onChosen, parcel, size } from "./uploads.js";

export default function begin(element) { return element.matches("form") ? joined(element) : addresses(element); }

// --- files joined to an exchange: sent when it is saved ----------------------------------------------------------------
function joined(form) {
  const box = one("[data-joins]", form);
  const list = one("ul", box);
  const field = one("input[type=file]", box);
  const zone = one(".join-add", box);
  const add = (files) => {
    for (const file of files) {
      const off = el("button", { type: "button", class: "tool", "data-unjoin": "", "aria-label": `Enlever ${file.name}`, title: "Enlever" }, icon("x"));
      const row = el("li", {}, icon("paperclip"), el("span", { class: "name" }, file.name), el("span", { class: "meta" }, size(file.size)), off);
      row.parcel = parcel(file, { client_id: form.dataset.client, folder: "Pièces jointes" });
      list.append(row);
    }
  };
  onChosen(field, add);
  for (const name of ["dragenter", "dragover"]) zone.addEventListener(name, (event) => { event.preventDefault(); zone.classList.add("over"); });
  for (const name of ["dragleave", "drop"]) zone.addEventListener(name, () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => { event.preventDefault(); add([...event.dataTransfer.files]); });
  box.addEventListener("click", (event) => {
    const off = event.target.closest("[data-unjoin]");
    if (!off) return;
    off.closest("li").remove();
    field.focus();
    form.dispatchEvent(new Event("input", { bubbles: true }));
  });
  form.addEventListener("fiche:saving", async (event) => {
    const rows = all("li", list).filter((row) => row.parcel);
    if (!rows.length) return;
    event.preventDefault();
    const button = one("button.primary", form);
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    try {
      for (const row of rows) {
        const word = one(".meta", row);
        const id = await deliver(row.parcel, (part) => { word.textContent = `${Math.round(part * 100)}\u202f%`; });
        row.append(el("input", { type: "hidden", name: "document_ids", "data-type": "list", value: id }));
        row.parcel = null;
      }
    } catch (fault) {
      refuse(form, { errors: [], message: fault.message, status: 0 });
      return;
    } finally { button.removeAttribute("aria-busy"); }
    form.requestSubmit(button);
  });
}

// --- what uses an address ----------------------------------------------------------------------------------------------
const spoken = (words, counts) => Object.entries(counts).map(([kind, count]) => `${count} ${words[kind][count > 1 ? 1 : 0]}`);

/** The two that say most, and the rest behind a word. */
function said(words, counts) {
  const found = spoken(words, counts);
  if (found.length < 4) return [found.join(", ")];
  const rest = Object.values(counts).slice(2).reduce((sum, count) => sum + count, 0);
  return [`${found.slice(0, 2).join(", ")} et `, el("details", { class: "others" }, el("summary", {}, `${rest} autres`), el("span", {}, found.slice(2).join(", ")))];
}

function show(node, found) {
  const words = JSON.parse(node.dataset.words);
  for (const place of all("[data-uses]", node)) {
    const counts = found.uses[place.dataset.uses] || {};
    const used = Object.keys(counts).length > 0;
    const address = place.closest(".address");
    for (const part of all("[data-unused]", address)) part.hidden = used;
    for (const part of all("[data-used]", address)) part.hidden = !used;
    // Drawn anew only when it reads otherwise: the rest may be unfolded.
    if (used && place.dataset.said === JSON.stringify(counts) && place.textContent) continue;
    place.dataset.said = JSON.stringify(counts);
    place.replaceChildren(...(used ? said(words, counts) : [found.unavailable.length ? "Usage indisponible pour le moment" : ""]));
  }
}

/** What a service that is away counted before still stands. */
function known(found, before) {
  for (const [address, counts] of Object.entries(before?.uses || {})) {
    for (const kind of found.unavailable) if (counts[kind]) (found.uses[address] ??= {})[kind] = counts[kind];
  }
  return found;
}

function addresses(node) {
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
