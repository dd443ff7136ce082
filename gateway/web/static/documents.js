// Documents: adding by button, by drop and by replacing; rows dragged into folders; the preview beside the list.
import { act } from "./kit/acts.js";
import { all, el, icon, one } from "./kit/dom.js";
import { refresh } from "./kit/refresh.js";
import { upload } from "./uploads.js";

const FOLDER = "application/x-fiche-document";

/** A folder's form: a new one's name goes behind the folder it is made in; a new name is taken back by the old one. */
function folderForm(form) {
  form.addEventListener("fiche:saving", (event) => {
    const { body } = event.detail;
    if (form.dataset.parent && body.folder) body.folder = `${form.dataset.parent}/${body.folder}`;
    if (form.dataset.rename) form.dataset.undoBody = JSON.stringify({ client_id: body.client_id, folder: body.to, to: body.folder });
  });
}

/** Asks for files; `done` gets them. */
function choose(done, { several = true } = {}) {
  const field = el("input", { type: "file", multiple: several, hidden: true, "aria-hidden": "true" });
  field.addEventListener("change", () => { if (field.files.length) done([...field.files]); field.remove(); });
  field.addEventListener("cancel", () => field.remove());
  document.body.append(field);
  field.click();
}

function add(files, root, folder = root.dataset.folder) {
  for (const file of files) upload(file, { client_id: root.dataset.client, folder });
}

/** Takes pictures that do not come for the icon that stands for them. */
function orIcon(root) {
  for (const image of all("img[data-or]", root)) {
    const instead = () => image.replaceWith(icon(image.dataset.or));
    if (image.complete && !image.naturalWidth && image.getAttribute("src")) instead();
    else image.addEventListener("error", instead, { once: true });
  }
}

// --- dropping ----------------------------------------------------------------------------------------------------------
const holdsFiles = (event) => [...event.dataTransfer.types].includes("Files");
const holdsRow = (event) => [...event.dataTransfer.types].includes(FOLDER);

function dropping(root) {
  let depth = 0;
  const sign = el("div", { class: "drop-sign", hidden: true }, el("div", {}, icon("upload"), el("b"), el("span", {}, "Tous types de fichiers, jusqu’à 2\u00a0Go chacun")));
  const put = () => root.append(sign);
  put();
  // The server knows nothing of it: what is brought up to date leaves it out.
  document.addEventListener("htmx:after:swap", put);
  const clear = () => {
    depth = 0;
    sign.hidden = true;
    for (const tile of all(".folders a.over", root)) tile.classList.remove("over");
  };
  const show = (tile, event) => {
    const count = event.dataTransfer.items?.length || 0;
    const what = count > 1 ? `${count} fichiers` : "le fichier";
    one("b", sign).textContent = `Déposez ${what} dans «\u202f${tile?.dataset.word || root.dataset.drop}\u202f»`;
    sign.hidden = false;
  };
  root.addEventListener("dragenter", (event) => {
    if (!holdsFiles(event) && !holdsRow(event)) return;
    depth += 1;
    const tile = event.target.closest?.("[data-into]");
    for (const other of all(".folders a.over", root)) other.classList.remove("over");
    tile?.classList.add("over");
    if (holdsFiles(event)) show(tile, event);
  });
  root.addEventListener("dragleave", () => { depth -= 1; if (depth <= 0) clear(); });
  root.addEventListener("dragover", (event) => {
    if (holdsFiles(event) || (holdsRow(event) && event.target.closest?.("[data-into]"))) event.preventDefault();
  });
  root.addEventListener("drop", async (event) => {
    const tile = event.target.closest?.("[data-into]");
    const row = event.dataTransfer.getData(FOLDER);
    clear();
    if (holdsFiles(event)) {
      event.preventDefault();
      add([...event.dataTransfer.files], root, tile ? tile.dataset.into : root.dataset.folder);
    } else if (row && tile) {
      event.preventDefault();
      const { id, version, from } = JSON.parse(row);
      const url = `/api/v1/documents/${id}`;
      await act({ method: "PATCH", url, version, body: { folder: tile.dataset.into }, said: `Rangé dans «\u202f${tile.dataset.word}\u202f»`, undo: { method: "PATCH", url, body: { folder: from } }, name: "folder" });
    }
  });
  root.addEventListener("dragstart", (event) => {
    const row = event.target.closest?.("tr[data-document]");
    if (row) event.dataTransfer.setData(FOLDER, JSON.stringify({ id: row.dataset.document, version: row.dataset.version, from: row.dataset.from }));
  });
}

// --- the preview -------------------------------------------------------------------------------------------------------
async function go(link) {
  history.pushState(null, "", link.href);
  await refresh();
  one(".preview a.tool")?.focus();
}
window.addEventListener("popstate", () => { if (one(".documents")) refresh(); });

/** Pages turned to, by preview: a page brought up to date stays where its reader is. */
const turned = new Map();

function turn(step) {
  const bar = one(".preview .pages");
  const picture = one(".preview img[data-preview]");
  if (!bar || !picture) return;
  const count = Number(bar.dataset.pages);
  const preview = picture.dataset.preview;
  const at = Math.min(count, Math.max(1, (turned.get(preview) || 1) + step));
  if (step) turned.set(preview, at);
  else if (!turned.has(preview)) return;
  picture.src = `${preview}&page=${at}`;
  one("[role=status]", bar).textContent = `Page ${at} sur ${count}`;
}
document.addEventListener("fiche:refreshed", () => turn(0));

/** Times that each preview's pages were asked for: a picture that brings none is not asked about for ever. */
const counted = new Map();

/** The pages of a PDF are known once it was looked at: the first picture of it brings them. */
function countPages() {
  const picture = one(".preview .pages[data-pages='0']") && one(".preview img[data-preview]");
  if (!picture) return;
  if (picture.complete && picture.naturalWidth) looked({ target: picture });
  else picture.addEventListener("load", looked, { once: true });
}

function looked({ target }) {
  const times = counted.get(target.dataset.preview) || 0;
  counted.set(target.dataset.preview, times + 1);
  if (times < 3) setTimeout(refresh, times * 1000);
}
document.addEventListener("fiche:refreshed", countPages);

export default function documents(root) {
  if (root.matches("form")) { folderForm(root); return; }
  orIcon(root);
  countPages();
  document.addEventListener("fiche:refreshed", () => { orIcon(document); });
  if (root.dataset.drop) dropping(root);
}

document.addEventListener("click", (event) => {
  const root = one(".documents");
  if (!root) return;
  if (event.target.closest("[data-add]")) choose((files) => add(files, root));
  const replace = event.target.closest("[data-replace]");
  if (replace) {
    replace.closest("details")?.removeAttribute("open");
    choose(([file]) => upload(file, { document_id: replace.dataset.replace }, { as: replace.dataset.name }), { several: false });
  }
  const show = event.target.closest("a[data-show]");
  if (show && !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0) { event.preventDefault(); go(show); }
  const page = event.target.closest("[data-page]");
  if (page) turn(Number(page.dataset.page));
});
// The tray says what was added; the page shows it.
document.addEventListener("fiche:uploaded", () => { if (one(".documents, [data-files-of]")) refresh(); });
