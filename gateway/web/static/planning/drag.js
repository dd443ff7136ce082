// Work is taken to another moment or person, or made longer, with a mouse or a finger. A finger that moves at once
// scrolls; one that rests lifts what lies under it. The end of a box is a grip of its own.
import { all, el } from "../kit/dom.js";
import { QUARTER, clock, duration, lengthen, quarterOf, quartersOf, settle, workOf } from "./work.js";

/** Milliseconds that a finger rests before it lifts; pixels that it, or a mouse, may tremble meanwhile. */
const REST = 350;
const TREMBLE = 6;
/** Pixels from the edge of a region where a drag scrolls it. */
const EDGE = 44;

/** The place that a landing shows in a cell: by the hour of the grid it stands in. */
export function land(landing, cell, grid, quarter, quarters, word) {
  const from = Number(grid.dataset.from || 0);
  landing.textContent = word;
  cell.append(landing);
  if (grid.dataset.grid === "week") {
    Object.assign(landing.style, { top: `${(quarter - from) * QUARTER}px`, height: `${quarters * QUARTER}px`, left: "2px", right: "2px", width: "" });
  } else if (grid.dataset.grid === "timeline") {
    const span = Number(grid.dataset.to) - from;
    Object.assign(landing.style, { left: `${((quarter - from) / span) * 100}%`, width: `${Math.min(100, (quarters / span) * 100)}%`, top: "", height: "", right: "" });
  }
}

class Move {
  constructor(root, node, event) {
    this.root = root;
    this.node = node;
    this.work = workOf(node);
    this.from = node.closest("[data-person]")?.dataset.person || null;
    const box = node.getBoundingClientRect();
    this.grab = { x: Math.min(event.clientX - box.left, 120), y: Math.min(event.clientY - box.top, 45) };
    this.place = null;
    node.classList.add("lifted");
    this.flying = el(node.tagName === "LI" ? "div" : node.tagName.toLowerCase(), { class: `${node.className.replace("lifted", "")} flying`, "aria-hidden": "true" });
    this.flying.append(...[...node.children].map((child) => child.cloneNode(true)));
    Object.assign(this.flying.style, { width: `${Math.min(box.width, 240)}px`, height: `${Math.min(box.height, 90)}px` });
    document.body.append(this.flying);
    this.landing = el("div", { class: "landing" });
    for (const tray of all(".empty-tray", root)) tray.hidden = !this.work.starts;
  }

  move(at) {
    Object.assign(this.flying.style, { left: `${at.clientX - this.grab.x}px`, top: `${at.clientY - this.grab.y}px` });
    this.clear();
    const under = document.elementFromPoint(at.clientX, at.clientY);
    this.place = under && this.root.contains(under) ? this.placeOf(under, at) : null;
  }

  clear() {
    this.landing.remove();
    for (const node of all(".dropping", this.root)) node.classList.remove("dropping");
  }

  placeOf(under, at) {
    const tray = under.closest("[data-tray]");
    if (tray) {
      if (!this.work.starts) return null;
      tray.classList.add("dropping");
      return { tray: true };
    }
    const cell = under.closest("[data-day]");
    const grid = under.closest("[data-grid]");
    if (!cell || !grid || this.node.contains(cell)) return null;
    const box = cell.getBoundingClientRect();
    const from = Number(grid.dataset.from || 0);
    const kind = grid.dataset.grid;
    if (kind === "month") {
      cell.classList.add("dropping");
      return { day: cell.dataset.day, time: this.work.starts ? clock(quarterOf(this.work.starts)) : "08:00" };
    }
    const share = kind === "week" ? (at.clientY - box.top - this.grab.y) / QUARTER : ((at.clientX - box.left - this.grab.x) / box.width) * (Number(grid.dataset.to) - from);
    const quarter = Math.max(0, Math.min(95, from + Math.round(share)));
    land(this.landing, cell, grid, quarter, quartersOf(this.work), clock(quarter));
    return { day: cell.dataset.day, time: clock(quarter), person: cell.closest("[data-person]")?.dataset.person };
  }

  end() {
    this.clear();
    this.flying.remove();
    this.node.classList.remove("lifted");
    for (const tray of all(".empty-tray", this.root)) tray.hidden = true;
  }

  async drop() {
    this.end();
    if (this.place) await settle(this.root, this.node, this.work, this.exact(), this.from);
  }

  /** Another day keeps the minute it began at, even one between two quarters. */
  exact() {
    const { place, work } = this;
    return place.day && work.starts && place.time === clock(quarterOf(work.starts)) ? { ...place, time: minuteOf(work.starts) } : place;
  }
}

const minuteOf = (moment) => new Intl.DateTimeFormat("en-GB", { timeZone: document.documentElement.dataset.zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(new Date(moment));

class Stretch {
  constructor(root, node, event) {
    this.root = root;
    this.node = node;
    this.work = workOf(node);
    this.start = event;
    this.by = 0;
    const grid = node.closest("[data-grid]");
    this.tall = grid.dataset.grid === "week";
    this.box = node.getBoundingClientRect();
    const cell = node.closest("[data-day]").getBoundingClientRect();
    this.pixels = this.tall ? QUARTER : cell.width / (Number(grid.dataset.to) - Number(grid.dataset.from));
    this.word = el("span", { class: "landing stretch" });
    node.classList.add("stretching");
    node.append(this.word);
  }

  move(at) {
    const moved = this.tall ? at.clientY - this.start.clientY : at.clientX - this.start.clientX;
    this.by = Math.max(1 - quartersOf(this.work), Math.round(moved / this.pixels));
    const size = Math.max(8, (this.tall ? this.box.height : this.box.width) + this.by * this.pixels);
    this.node.style[this.tall ? "height" : "width"] = `${size}px`;
    const quarters = quartersOf(this.work) + this.by;
    this.word.textContent = `${clock(Math.min(96, quarterOf(this.work.starts) + quarters) % 96)} · ${duration(quarters * 15)}`;
  }

  end() {
    this.word.remove();
    this.node.classList.remove("stretching");
    this.node.style.width = "";
    this.node.style.height = "";
  }

  async drop() {
    this.end();
    if (this.by) await lengthen(this.root, this.node, this.work, this.by);
  }
}

/** Scrolls the region, or on a phone the page, while a drag that went there stays near its edge. */
function edge(root, at, from) {
  const region = all(".month-scroll, .week-scroll, .timeline-scroll", root).find((node) => node.offsetParent);
  const box = region ? region.getBoundingClientRect() : { top: 96, bottom: innerHeight - 64 };
  const step = at.clientY < Math.min(box.top + EDGE, from.clientY) ? -8 : at.clientY > Math.max(box.bottom - EDGE, from.clientY) ? 8 : 0;
  if (step && at.clientY > box.top - EDGE) (region || document.scrollingElement).scrollTop += step;
  return Boolean(step);
}

export function dragging(root) {
  let pressed = null;
  let drag = null;
  let dragged = false;
  let last = null;
  let frame = 0;
  const tick = () => { frame = requestAnimationFrame(tick); if (drag && last && edge(root, last, pressed.event)) drag.move(last); };
  const stop = () => {
    clearTimeout(pressed?.timer);
    cancelAnimationFrame(frame);
    root.removeAttribute("data-busy");
    pressed = null;
    drag = null;
  };
  const begin = () => {
    drag = new (pressed.grip ? Stretch : Move)(root, pressed.node, pressed.event);
    dragged = true;
    // What a colleague changes meanwhile waits: the page is not drawn again under the pointer.
    root.dataset.busy = "";
    getSelection()?.removeAllRanges();
    drag.move(last || pressed.event);
    if (!pressed.grip) frame = requestAnimationFrame(tick);
  };
  root.addEventListener("pointerdown", (event) => {
    const node = event.target.closest("[data-movable]");
    dragged = false;
    if (!node || event.button !== 0 || pressed || event.target.closest(".mover")) return;
    pressed = { node, event, grip: event.target.closest(".grip"), touch: event.pointerType === "touch", id: event.pointerId };
    last = null;
    if (pressed.touch && !pressed.grip) pressed.timer = setTimeout(begin, REST);
  });
  document.addEventListener("pointermove", (event) => {
    if (!pressed || event.pointerId !== pressed.id) return;
    last = event;
    const away = Math.hypot(event.clientX - pressed.event.clientX, event.clientY - pressed.event.clientY);
    if (!drag && away > TREMBLE) {
      if (pressed.touch && !pressed.grip) { stop(); return; }
      begin();
    }
    if (!drag) return;
    drag.move(event);
    event.preventDefault();
  });
  document.addEventListener("pointerup", (event) => { if (pressed && event.pointerId === pressed.id) { const ended = drag; stop(); ended?.drop(); } });
  document.addEventListener("pointercancel", (event) => { if (pressed && event.pointerId === pressed.id) { drag?.end(); stop(); } });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && drag) { event.preventDefault(); event.stopPropagation(); drag.end(); stop(); } }, true);
  // From the moment it is lifted the finger carries it: the page neither scrolls nor opens the menu of the link.
  root.addEventListener("touchmove", (event) => { if (drag) event.preventDefault(); }, { passive: false });
  root.addEventListener("contextmenu", (event) => { if (pressed?.touch) event.preventDefault(); });
  root.addEventListener("dragstart", (event) => { if (event.target.closest("[data-movable]")) event.preventDefault(); });
  // The link under the pointer is not followed by the press that moved it.
  root.addEventListener("click", (event) => { if (dragged) { event.preventDefault(); event.stopPropagation(); dragged = false; } }, true);
}
