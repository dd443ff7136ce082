// The side panel (whole screen on a phone): a link with data-panel opens there; without script it is a page of its own.
import { dropDraft, writeDraft } from "./drafts.js";
import { all, el, loaded, one, parse, start } from "./dom.js";
import { dirty, prepare } from "./forms.js";
import { focusFirst } from "./refresh.js";
import { toast } from "./toast.js";

let opener = null;

function dialogOf() {
  const found = one("#panneau");
  if (found) return found;
  const dialog = el("dialog", { class: "panel", id: "panneau" });
  dialog.addEventListener("close", () => {
    if (dialog.dataset.saved === undefined) {
      const kept = all("form[data-api]", dialog).filter((form) => dirty(form) && writeDraft(form));
      if (kept.length) toast("Brouillon gardé : rouvrez ce panneau pour le reprendre", { name: "file-pen" });
    }
    dialog.replaceChildren();
    opener?.isConnected && opener.focus();
  });
  // The scrim closes; a press that began inside (selecting text) does not.
  dialog.addEventListener("mousedown", (event) => { if (event.target === dialog) dialog.close(); });
  document.body.append(dialog);
  return dialog;
}

const skeleton = () => el("div", { class: "panel-wait", role: "status" }, el("span", { class: "sr" }, "Chargement"), ...[60, 100, 100, 40, 100].map((width) => el("span", { class: `skeleton w${width}` })));

/** Opens an address in the panel. */
export async function openPanel(url, from = null) {
  const dialog = dialogOf();
  opener = from || document.activeElement;
  delete dialog.dataset.saved;
  const wait = setTimeout(() => { dialog.replaceChildren(skeleton()); if (!dialog.open) dialog.showModal(); }, 150);
  try {
    const answer = await fetch(url, { headers: { "X-Panel": "1", Accept: "text/html" } });
    if (answer.redirected && new URL(answer.url).pathname.startsWith("/connexion")) { location.assign(url); return; }
    const page = await parse(answer);
    const content = page.querySelector("[data-panel-content]");
    if (!content) { location.assign(url); return; }
    // A panel that is shown hears: a photo chosen before its script was there would be left out without a word.
    await loaded(content);
    clearTimeout(wait);
    dialog.setAttribute("aria-labelledby", content.querySelector("h2[id]")?.id || "");
    dialog.replaceChildren(content);
    if (!dialog.open) dialog.showModal();
    prepare(dialog);
    start(dialog);
    focusFirst(one(".panel-body", dialog) || dialog);
  } catch {
    clearTimeout(wait);
    if (dialog.open) dialog.close();
    toast("Fiche ne répond pas. Vérifiez la connexion, puis recommencez.", { name: "circle-alert" });
  }
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-panel]");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    link.closest("details.menu")?.removeAttribute("open");
    openPanel(link.href, link.closest("details.menu")?.querySelector("summary") || link);
  }
  const cancel = event.target.closest("[data-cancel]");
  if (cancel) {
    const form = cancel.closest("form");
    const dialog = cancel.closest("dialog");
    if (form && !dirty(form)) dropDraft(form);
    if (dialog) { event.preventDefault(); dialog.close(); }
  }
});
