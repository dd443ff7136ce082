// One message at a time, at the bottom; it waits while the pointer or the focus is on it, and survives a change of page.
import { el, icon, one, store } from "./dom.js";

const SECONDS = 10;

/** Shows a message. `undo`: a function, or {method, url, body, version}: then « Annuler » is offered for 10 s. */
export function toast(text, { undo = null, name = "check", label = "Annuler" } = {}) {
  const note = el("div", { class: "toast" }, icon(name), el("p", {}, text));
  let timer;
  const close = () => { clearTimeout(timer); note.remove(); };
  const wait = () => { timer = setTimeout(close, (undo ? SECONDS : 5) * 1000); };
  if (undo) {
    const button = el("button", { type: "button", class: "undo" }, label);
    button.addEventListener("click", async () => {
      close();
      if (typeof undo === "function") undo();
      else (await import("./acts.js")).act({ ...undo, said: undo.said || "C’est annulé" });
    });
    note.append(button);
  }
  const cross = el("button", { type: "button", class: "close", "aria-label": "Fermer le message" }, icon("x"));
  cross.addEventListener("click", close);
  note.append(cross);
  for (const on of ["pointerenter", "focusin"]) note.addEventListener(on, () => clearTimeout(timer));
  for (const off of ["pointerleave", "focusout"]) note.addEventListener(off, () => { clearTimeout(timer); wait(); });
  // Inside an open dialog, else it would stand below the scrim.
  const place = one("dialog[open] .toasts") || one(".toasts");
  place.replaceChildren(note);
  wait();
  return close;
}

/** A message for the page that comes next. `undo` must be data. */
export function toastNext(text, options = {}) {
  store(sessionStorage, "toast", { text, options, at: Date.now() });
}

/** Shows what the page before left to say. */
export function toastLeft() {
  const left = store(sessionStorage, "toast");
  store(sessionStorage, "toast", null);
  if (left && Date.now() - left.at < 15000) toast(left.text, left.options);
}
