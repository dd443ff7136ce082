// Sections of the side column keep the state that this person gave them.
import { all, store } from "./dom.js";

const key = (section) => `section.${section.dataset.section}`;

/** Gives every section the state that was kept. */
export function applySections() {
  for (const section of all("details[data-section]:not([data-forced])")) {
    const saved = store(localStorage, key(section));
    if (saved !== null) section.open = saved;
  }
}

document.addEventListener("toggle", (event) => {
  const section = event.target;
  if (section.matches?.("details[data-section]:not([data-forced])")) store(localStorage, key(section), section.open);
}, true);
