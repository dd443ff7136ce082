// What a colleague changes appears by itself. One stream a browser: the tab that holds the lock listens for all.
import { all, one } from "./dom.js";
import { dirty } from "./forms.js";
import { refresh } from "./refresh.js";
import { toast } from "./toast.js";

const channel = "BroadcastChannel" in window ? new BroadcastChannel("fiche.live") : null;
let timer;
let told = false;

/** Whether a hint is about what this page shows. */
function concerns(hint) {
  const fiche = one("[data-fiche]");
  if (fiche) return hint.client_id === fiche.dataset.fiche || hint.id === fiche.dataset.fiche;
  const shown = one("body [data-live]")?.dataset.live;
  if (!shown) return false;
  return shown.split(" ").some((word) => hint.kind.startsWith(word) || hint.id === word);
}

function heard(hint) {
  document.dispatchEvent(new CustomEvent("fiche:hint", { detail: hint }));
  if (!concerns(hint)) return;
  clearTimeout(timer);
  timer = setTimeout(show, 400);
}

function show() {
  if (document.hidden) { document.addEventListener("visibilitychange", show, { once: true }); return; }
  // What is being written in the page itself is not touched: the person says when.
  if (!all("#contenu form[data-api]").some(dirty)) { refresh(); return; }
  if (told) return;
  told = true;
  toast("Un collègue a modifié cette page", { name: "users", label: "Actualiser", undo: () => { told = false; refresh(); } });
}

function listen() {
  const stream = new EventSource("/live");
  stream.addEventListener("open", () => { document.documentElement.dataset.live = "open"; });
  stream.addEventListener("message", (event) => {
    const hint = JSON.parse(event.data);
    channel?.postMessage(hint);
    heard(hint);
  });
  // Closed for good (the session ended): try again now and then.
  stream.addEventListener("error", () => { if (stream.readyState === EventSource.CLOSED) setTimeout(listen, 30000); });
}

/** Starts to hear, on pages that somebody signed in sees. */
export function live() {
  if (!document.documentElement.dataset.user) return;
  if (channel) channel.addEventListener("message", (event) => heard(event.data));
  if (navigator.locks) navigator.locks.request("fiche.live", () => { listen(); return new Promise(() => {}); });
  else listen();
}
