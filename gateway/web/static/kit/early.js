// What is pressed or typed before the page's scripts are there is not lost: it waits, and is done once they hear.
// A classic script, first in <head>: it is there before anything that can be pressed.
(() => {
  // What only scripts answer, or answer better than a page of its own. What an area's script answers waits for that too.
  const KIT = "[data-act]:not(input), [data-dialog], [data-fold], [data-column], [data-copy], [data-filters-sheet], [data-empty], [data-add-row], [data-remove-row], a[data-panel], a[hx-get], table.list tbody tr";
  const AREA = `${["add", "add-file", "replace", "page", "up", "down", "add-title", "move", "unjoin"].map((name) => `button[data-${name}]`)}, a[data-more], .shot-off`;
  // What answers by itself does so, in a row as well.
  const ANY = `${KIT}, ${AREA}, a, button, input, select, textarea, label, summary, details`;
  const PATIENCE = 10000;
  const UNLOADED = "Une partie de la page n’a pas pu être chargée. Rechargez-la, puis enregistrez de nouveau.";
  const root = document.documentElement;
  const typed = new Map();
  let here = false;
  let lost = false;
  let going = false;
  let held = null;

  const started = () => here && "started" in root.dataset;
  const hears = (node) => going || lost || (node.matches(AREA) ? started() : here);
  const fieldHears = (field) => (field.matches("[data-act]") || field.form?.matches("[hx-get]") ? here : started());

  function forget() {
    clearTimeout(held?.late);
    held?.shown.removeAttribute("aria-busy");
    held = null;
  }

  /** Only the last press is kept: who presses again, or elsewhere, changed their mind. */
  function keep(event, node, shown, again) {
    event.preventDefault();
    event.stopPropagation();
    forget();
    shown.setAttribute("aria-busy", "true");
    // A link has a way of its own, which is better than a wait without end; a button waits.
    held = { node, shown, again, late: node.matches("a") ? setTimeout(go, PATIENCE) : 0 };
  }

  function go() {
    const { node, again } = held;
    forget();
    if (!node.isConnected) return;
    going = true;
    try { again(); } finally { going = false; }
  }

  /** Sent by the browser itself, it would put what was written into the address. */
  function unsent(button) {
    button?.setCustomValidity(UNLOADED);
    button?.reportValidity();
  }

  function release() {
    for (const [field, types] of typed) {
      if (!fieldHears(field)) continue;
      typed.delete(field);
      if (field.isConnected) for (const type of types) field.dispatchEvent(new Event(type, { bubbles: true }));
    }
    if (held && hears(held.node)) go();
  }

  addEventListener("click", (event) => {
    const node = event.target.closest(ANY);
    if (!node?.matches(`${KIT}, ${AREA}`) || hears(node)) return;
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    keep(event, node, node, () => node.click());
  }, true);
  addEventListener("submit", (event) => {
    const form = event.target;
    if (here || !form.matches("form[data-api]")) return;
    const button = event.submitter;
    keep(event, form, button || form, () => (lost ? unsent(button) : form.requestSubmit(button?.isConnected ? button : null)));
    if (lost) go();
  }, true);
  // Not files: what takes those looks for them itself.
  for (const type of ["input", "change"]) addEventListener(type, ({ target }) => {
    if (target.matches?.("input:not([type=file]), select, textarea") && !fieldHears(target)) typed.set(target, (typed.get(target) || new Set()).add(type));
  }, true);

  addEventListener("error", ({ target }) => {
    if (target.type !== "module") return;
    lost = true;
    if (held) go();
  }, true);
  // The page's script ran before this; htmx looks at the page in a timer that it set before, too.
  addEventListener("DOMContentLoaded", () => setTimeout(() => { here = !lost; release(); }));
  new MutationObserver(release).observe(root, { attributeFilter: ["data-started"] });
})();
