// The pages' script: the kit's parts, then what is on this page. Area scripts come by data-module (kit/dom.js).
import "./kit/acts.js";
import "./kit/keys.js";
import "./kit/menus.js";
import "./kit/pick.js";
import { all, one, start, starting } from "./kit/dom.js";
import { place, recents } from "./kit/frame.js";
import { prepare } from "./kit/forms.js";
import { backToPlace, rememberList } from "./kit/lists.js";
import { live } from "./kit/live.js";
import "./kit/panel.js";
import { applySections } from "./kit/sections.js";
import { toastLeft } from "./kit/toast.js";

function ready() {
  applySections();
  rememberList();
  backToPlace();
  place();
  prepare();
  start();
}
ready();
recents();
toastLeft();
live();
// Said of the page once everything on it hears, or can't: for whoever acts faster than a person.
Promise.resolve(starting(document.documentElement)).catch(() => {}).then(() => { document.documentElement.dataset.started = ""; });
document.addEventListener("fiche:refreshed", () => { rememberList(); place(); prepare(); });
document.addEventListener("htmx:after:swap", () => { rememberList(); backToPlace(); place(); start(); });

// --- htmx: the token of forms goes with each request; filters show what is set -----------------------------------------
document.addEventListener("htmx:config:request", (event) => {
  const request = event.detail?.ctx?.request;
  const token = one('meta[name="csrf-token"]')?.content;
  if (request && token) request.headers["X-CSRF-Token"] = token;
});
document.addEventListener("change", (event) => {
  const filters = event.target.closest?.("form.filters");
  if (!filters) return;
  for (const select of all("select", filters)) select.classList.toggle("set", Boolean(select.value) && select.value !== "all");
});
document.addEventListener("input", (event) => {
  const filters = event.target.closest?.("form.filters");
  const reset = filters && one("[data-reset]", filters);
  if (reset) reset.hidden = !all("select, input:not([data-search-in])", filters).some((field) => (["checkbox", "radio"].includes(field.type) ? field.checked !== field.defaultChecked || (field.checked && field.value) : field.value && field.value !== "all" && field.value !== "active"));
});
