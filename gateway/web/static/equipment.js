// An equipment's form: photos are taken, shown at once, and sent when the form is saved. Its page: documents added to it.
import { all, el, icon, one } from "./kit/dom.js";
import { read } from "./kit/fields.js";
import { refuse, stateOf } from "./kit/forms.js";
import { onChosen, photo, upload } from "./uploads.js";

/** A photo that waits for the form to be saved, drawn as it will stand. */
function shot(file) {
  const picture = el("canvas", { role: "img", "aria-label": file.name });
  const off = el("button", { type: "button", class: "shot-off", "aria-label": `Enlever ${file.name}`, title: "Enlever cette photo" }, icon("x"));
  const node = el("figure", { class: "shot" }, picture, off);
  node.file = file;
  node.key = crypto.randomUUID();
  createImageBitmap(file, { resizeWidth: 480, resizeQuality: "medium" }).then((bitmap) => {
    picture.width = bitmap.width;
    picture.height = bitmap.height;
    picture.getContext("2d").drawImage(bitmap, 0, 0);
    bitmap.close();
  }).catch(() => picture.replaceWith(icon("image")));
  return node;
}

/** The rows of details that say something. */
const details = (said) => (said.details || []).filter((row) => row && (row.label || row.value)).map((row) => ({ label: row.label || "", value: row.value || "" }));

/** Details are sent as one list, when it is another than it was. */
function keepDetails(form) {
  // As it was before a draft was taken up: what was typed then is still to be sent.
  const before = JSON.stringify(details(stateOf(form).before));
  form.addEventListener("fiche:saving", (event) => {
    const now = details(read(form));
    const { detail } = event;
    if (detail.body) delete detail.body.details;
    if (JSON.stringify(now) !== before) detail.body = { ...detail.body, details: now };
  });
}

function photos(form) {
  const box = one(".photos", form);
  const add = one(".shot-add", box);
  for (const field of all(".shot-add input", box)) onChosen(field, (files) => add.before(...files.map(shot)));
  box.addEventListener("click", (event) => {
    const off = event.target.closest(".shot-off");
    if (!off) return;
    off.parentElement.remove();
    all(".shot-add input", box).at(-1).focus();
  });
  // Photos go first; the equipment is saved with their documents' ids.
  form.addEventListener("fiche:saving", async (event) => {
    const waiting = all("figure.shot", box).filter((node) => node.file);
    if (!waiting.length) return;
    event.preventDefault();
    const button = one("button.primary", form);
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    try {
      for (const node of waiting) {
        const made = await photo(node.file, { client_id: form.dataset.client, folder: "Photos", equipment_id: form.dataset.equipment }, node.key);
        node.append(el("input", { type: "hidden", name: "photos", "data-type": "list", value: made.id }));
        node.file = null;
      }
    } catch (refused) {
      if (!("status" in refused)) throw refused;
      refuse(form, refused);
      return;
    } finally { button.removeAttribute("aria-busy"); }
    form.requestSubmit(button);
  });
}

export default function equipment(root) {
  if (root.matches("form")) { keepDetails(root); photos(root); return; }
  root.addEventListener("click", (event) => {
    if (!event.target.closest("[data-add-file]")) return;
    const field = el("input", { type: "file", multiple: true, hidden: true });
    field.addEventListener("change", () => {
      for (const file of field.files) upload(file, { client_id: root.dataset.client, equipment_id: root.dataset.filesOf, folder: "Équipements" });
      field.remove();
    });
    document.body.append(field);
    field.click();
  });
  // The menu of a document and what comes after an upload are told by its own module.
  import("./documents.js");
}
