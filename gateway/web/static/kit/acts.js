// A deed by one click: <button data-act="POST /api/v1/clients/…/archive" data-said="Fiche archivée" data-undo="POST …">.
import { call } from "./api.js";
import { fill, one } from "./dom.js";
import { then } from "./refresh.js";
import { toast, toastNext } from "./toast.js";

/**
 * Does it, says so, brings the page up to date. Undo takes data: {method, url, body, version}.
 * Answers the API's answer, or null when it was refused (the reason was shown).
 */
export async function act({ method, url, body, version, said = "", undo = null, after = "refresh", name }) {
  try {
    const done = await call(method, url, { body: body ?? (method === "POST" ? {} : undefined), version });
    const back = undo && { ...undo, url: fill(undo.url, done.data), version: undo.method === "PATCH" || undo.method === "PUT" ? done.version : undefined };
    const target = fill(after, done.data);
    if (said) (target.startsWith("/") ? toastNext : toast)(fill(said, done.data), { undo: back, name });
    await then(target);
    return done;
  } catch (refused) {
    if (!("status" in refused)) throw refused;
    const stale = refused.status === 412;
    // Merged meanwhile: what was asked of the old record is not done to the one that it is part of now.
    const root = refused.problem.code === "client_merged" && refused.problem.data?.client_id;
    if (root && !stale) {
      toast(`${refused.message} Rien n’a été changé.`, { name: "merge", label: "Ouvrir la fiche", undo: () => location.assign(`/clients/${root}`) });
      return null;
    }
    toast(stale ? "Quelqu’un vient de changer cela. La page est à jour : recommencez si besoin." : refused.errors[0]?.message || refused.message, { name: "circle-alert" });
    if (stale) await then("refresh");
    return null;
  }
}

const split = (words) => { const at = words.indexOf(" "); return { method: words.slice(0, at), url: words.slice(at + 1) }; };

function read(node) {
  const given = node.dataset;
  const asked = split(given.act);
  const undo = given.undo ? { ...split(given.undo), body: given.undoBody ? JSON.parse(given.undoBody) : undefined } : null;
  return { ...asked, body: given.body ? JSON.parse(given.body) : undefined, version: given.version, said: given.said, undo, after: given.then || "refresh", name: given.icon };
}

async function run(node, changes = {}) {
  if (node.getAttribute("aria-busy") === "true" || node.getAttribute("aria-disabled") === "true") return null;
  node.setAttribute("aria-busy", "true");
  try { return await act({ ...read(node), ...changes }); } finally { node.removeAttribute("aria-busy"); }
}

document.addEventListener("click", async (event) => {
  const node = event.target.closest("[data-act]:not(input)");
  if (!node) return;
  event.preventDefault();
  node.closest("details.menu")?.removeAttribute("open");
  if (node.dataset.confirm) { one(node.dataset.confirm).showModal(); return; }
  await run(node);
  node.closest("dialog.confirm")?.close();
});

// A switch: <input type="checkbox" role="switch" data-act="PATCH …" data-field="portal_access" data-version="3">.
document.addEventListener("change", async (event) => {
  const node = event.target.closest("input[data-act]");
  if (!node) return;
  const body = { [node.dataset.field]: node.checked };
  const undo = { ...split(node.dataset.act), body: { [node.dataset.field]: !node.checked } };
  const said = node.checked ? node.dataset.said : node.dataset.saidOff || node.dataset.said;
  if ((await run(node, { body, undo, said })) === null) node.checked = !node.checked;
});

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog]");
  if (opener) { event.preventDefault(); one(opener.dataset.dialog)?.showModal(); }
  if (event.target.closest("[data-close]")) event.target.closest("dialog")?.close();
});
