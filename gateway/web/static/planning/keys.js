// Work is carried with the keyboard: Espace lifts the box or card that has the focus, arrows take it along (with Maj
// they change its length), ↵ or Espace sets it down, Échap gives up. Told to screen readers at each step.
import { all, el, one } from "../kit/dom.js";
import { land } from "./drag.js";
import { clock, duration, quarterOf, quartersOf, settle, workOf } from "./work.js";

const DAY_KEYS = { PageUp: -1, PageDown: 1 };

class Carry {
  constructor(root, node, grid) {
    this.root = root;
    this.node = node;
    this.grid = grid;
    this.kind = grid.dataset.grid;
    this.work = workOf(node);
    this.quarters = quartersOf(this.work);
    this.before = this.quarters;
    this.from = node.closest("[data-person]")?.dataset.person || null;
    this.days = [...new Set(all("[data-day]", grid).map((cell) => cell.dataset.day))];
    this.people = [...new Set(all("[data-person]", grid).map((row) => row.dataset.person))];
    const own = node.closest("[data-day]")?.dataset.day;
    this.day = Math.max(0, this.days.indexOf(own ?? new Date().toISOString().slice(0, 10)));
    this.person = this.people.indexOf(this.from ?? "none");
    this.quarter = this.work.starts ? quarterOf(this.work.starts) : 32;
    this.landing = el("div", { class: "landing" });
    node.classList.add("lifted");
    root.dataset.busy = "";
    this.show();
  }

  get cell() {
    const within = this.person < 0 ? this.grid : one(`[data-person="${this.people[this.person]}"]`, this.grid);
    return one(`[data-day="${this.days[this.day]}"]`, within);
  }

  show() {
    for (const cell of all(".dropping", this.root)) cell.classList.remove("dropping");
    const { cell } = this;
    const hours = `${clock(this.quarter)} (${duration(this.quarters * 15)})`;
    if (this.kind === "month") cell.classList.add("dropping");
    else land(this.landing, cell, this.grid, this.quarter, this.quarters, clock(this.quarter));
    (this.landing.isConnected ? this.landing : cell).scrollIntoView({ block: "nearest", inline: "nearest" });
    const day = new Intl.DateTimeFormat("fr-FR", { weekday: "long", day: "numeric", month: "long", timeZone: "UTC" }).format(new Date(`${this.days[this.day]}T12:00Z`));
    const who = this.person < 0 ? "" : `, ${cell.closest("[data-person]").dataset.name}`;
    one("[data-carried]", this.root).textContent = `${day}, ${hours}${who}`;
  }

  /** Takes it along; false for a key that says nothing here. */
  key(event) {
    const along = { ArrowLeft: -1, ArrowRight: 1 }[event.key] || 0;
    const down = { ArrowUp: -1, ArrowDown: 1 }[event.key] || 0;
    const days = DAY_KEYS[event.key] || 0;
    if (!along && !down && !days) return false;
    let [day, person, quarter] = [days, 0, 0];
    if (this.kind === "month") day += along + down * 7;
    else if (this.kind === "week") { day += along; quarter = down; }
    else { quarter = along; person = down; }
    const clamp = (value, most) => Math.max(0, Math.min(most, value));
    if (event.shiftKey) this.quarters = clamp(this.quarters + quarter - 1, 95) + 1;
    else {
      this.day = clamp(this.day + day, this.days.length - 1);
      if (person) this.person = clamp(this.person + person, this.people.length - 1);
      this.quarter = clamp(this.quarter + quarter, 95);
    }
    this.show();
    return true;
  }

  end() {
    this.landing.remove();
    for (const cell of all(".dropping", this.root)) cell.classList.remove("dropping");
    this.node.classList.remove("lifted");
    this.root.removeAttribute("data-busy");
    one("[data-carried]", this.root).textContent = "";
  }

  async drop() {
    this.end();
    const place = { day: this.days[this.day], time: clock(this.quarter), person: this.people[this.person] };
    await settle(this.root, this.node, this.work, place, this.from, this.quarters === this.before ? null : this.quarters);
    // The focus stays with the work, wherever it is drawn now.
    all(`[data-work="${this.work.id}"] > a`, this.root).find((link) => link.offsetParent)?.focus();
  }
}

export function carrying(root) {
  let carry = null;
  root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const handled = () => { event.preventDefault(); event.stopPropagation(); };
    if (carry) {
      if (event.key === "Escape") { handled(); carry.end(); carry = null; return; }
      if (event.key === "Enter" || event.key === " ") { handled(); const ended = carry; carry = null; ended.drop(); return; }
      if (event.key === "Tab") { carry.end(); carry = null; return; }
      if (carry.key(event)) handled();
      return;
    }
    const node = event.key === " " && event.target.matches("[data-movable] > a") ? event.target.closest("[data-movable]") : null;
    const grid = node && all("[data-grid]", root).find((shown) => shown.offsetParent && !shown.matches(".strip, .dots"));
    if (!grid) return;
    handled();
    carry = new Carry(root, node, grid);
  }, true);
  root.addEventListener("focusout", (event) => { if (carry && event.relatedTarget && !root.contains(event.relatedTarget)) { carry.end(); carry = null; } });
}
