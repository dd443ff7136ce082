// Small words for the page's tree, and a memory that may be absent.
export const one = (selector, from = document) => from.querySelector(selector);
export const all = (selector, from = document) => [...from.querySelectorAll(selector)];

/** The page that an answer brings. */
export const parse = async (answer) => new DOMParser().parseFromString(await answer.text(), "text/html");

/** Reads (two arguments) or writes (three) a JSON value; a browser that keeps nothing works without memory. */
export function store(place, key, value) {
  try {
    if (value === undefined) return JSON.parse(place.getItem(`fiche.${key}`));
    if (value === null) place.removeItem(`fiche.${key}`);
    else place.setItem(`fiche.${key}`, JSON.stringify(value));
  } catch { /* private windows */ }
  return null;
}

/** An element: `el("p", {class: "x"}, "text", child)`. Text is text, never markup. */
export function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** An icon of the sprite, hidden from screen readers. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `${document.documentElement.dataset.icons}#${name}`);
  svg.append(use);
  return svg;
}

/** `/clients/{id}` with the values of an answer; a dot goes inside: `{client.id}`; `{folder?}` as a value of a query. */
export function fill(template, values) {
  return template.replace(/\{([\w.]+)(\?)?\}/g, (_, path, query) => {
    const found = path.split(".").reduce((at, key) => at?.[key], values) ?? "";
    return query ? encodeURIComponent(found) : found;
  });
}

// --- code of an area, loaded when an element asks for it: <div data-module="billing.js"> ------------------------------
/** What an element waits for; null once its module was started. */
const started = new WeakMap();
/** Modules that are here, by name: they start without a moment in which an element is shown and deaf. */
const here = new Map();

async function load(name) {
  const module = await import(new URL(`../${name}`, import.meta.url));
  here.set(name, module);
  return module;
}

const asking = (root) => [...(root.matches?.("[data-module]") ? [root] : []), ...all("[data-module]", root)];

/** Resolves once the modules that elements of `root` ask for are here, or can't be had. Starts none. */
export const loaded = (root) => Promise.allSettled(asking(root).map((node) => load(node.dataset.module)));

/** Starts the modules that elements of `root` ask for, once an element. */
export function start(root = document) {
  for (const node of asking(root)) {
    if (started.has(node)) continue;
    const name = node.dataset.module;
    if (here.has(name)) { started.set(node, null); here.get(name).default(node); continue; }
    started.set(node, load(name).then((module) => { started.set(node, null); module.default(node); }));
  }
}

/** Resolves once the modules in and around an element are started; null when they are. Rejects when one can't be had. */
export function starting(element) {
  const around = [];
  for (let node = element; node; node = node.parentElement) around.push(node);
  const waits = [...around, ...all("[data-module]", element)].map((node) => started.get(node)).filter(Boolean);
  return waits.length ? Promise.all(waits) : null;
}
