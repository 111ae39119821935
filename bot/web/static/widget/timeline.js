// The list of messages: each once, in the server's order, the unsent ones last.
//
// A message is known by its number; a user's own also by the id that this widget gave it, so that
// the bubble drawn while sending becomes the message when it arrives.

import { clear, el } from "./dom.js";
import { dayName, dayOf, instant, timeOf } from "./clock.js";

const NEAR_END_PX = 96;
//: Messages of one sender closer than this share one time line.
const GROUP_MS = 180_000;

export class Timeline {
  /** `draw(message)` gives the node of a message's content. */
  constructor(log, draw) {
    this.log = log;
    this.draw = draw;
    // A picture of unknown size pushes its end out of sight; unless the person scrolled, it follows.
    // Where the log stands says nothing of it: browsers move it too when something above grows.
    this.left = true;
    const leave = () => { this.left = true; };
    ["wheel", "touchmove", "pointerdown", "keydown"].forEach((name) => log.addEventListener(name, leave, { passive: true }));
    log.addEventListener("load", () => this.left || this.reveal(), true);
    this.items = [];
    this.bySeq = new Map();
    this.byId = new Map();
  }

  clear() {
    this.items = [];
    this.bySeq.clear();
    this.byId.clear();
    clear(this.log);
  }

  has(seq) {
    return this.bySeq.has(seq);
  }

  /** Draws a message of the server. False when it stands here already. */
  add(message) {
    const id = message.sender === "user" ? message.data.client_msg_id : undefined;
    const known = this.bySeq.get(message.seq) || (id !== undefined && this.byId.get(id));
    if (known) {
      this.confirm(known, message);
      return false;
    }
    this.insert({ seq: message.seq, id, message, at: instant(message.created_at) });
    return true;
  }

  /** Draws a message of our own that the server has not confirmed. */
  addPending({ id, text, at, file }) {
    if (this.byId.has(id)) return;
    const data = { client_msg_id: id, ...(file && { attachments: [file], captioned: Boolean(text) }) };
    const message = { seq: null, sender: "user", kind: file ? "attachment" : "text", text, data };
    this.insert({ seq: null, id, message, at: new Date(at) });
  }

  /** The server's number for a message of our own, told before the message itself comes back. */
  accepted(id, seq) {
    const item = this.byId.get(id);
    if (!item || item.seq !== null || !Number.isInteger(seq)) return;
    if (this.bySeq.has(seq)) this.drop(item);
    else this.place(item, seq);
  }

  confirm(item, message) {
    if (item.confirmed) return;
    if (item.seq === null) this.place(item, message.seq);
    item.confirmed = true;
    const { text } = item.message;
    item.message = message;
    item.at = instant(message.created_at);
    // The server may have masked numbers; what is kept is what is shown.
    if (message.text !== text) item.node.replaceChild(this.draw(message), item.node.firstChild);
    this.relabel();
  }

  place(item, seq) {
    this.items.splice(this.items.indexOf(item), 1);
    item.seq = seq;
    item.node.dataset.seq = seq;
    this.bySeq.set(seq, item);
    const at = this.position(seq);
    this.items.splice(at, 0, item);
    const next = this.items[at + 1];
    // Moving a node makes screen readers say it again: only when it really stands elsewhere.
    if ((next ? next.node : null) !== this.following(item.node)) {
      this.log.insertBefore(item.node, next ? next.node : null);
    }
    this.relabel();
  }

  following(node) {
    let next = node.nextElementSibling;
    while (next && next.classList.contains("day")) next = next.nextElementSibling;
    return next;
  }

  insert(item) {
    item.confirmed = item.seq !== null;
    const kind = String(item.message.kind).replace(/[^a-z_]/g, "");
    item.node = el(
      "div",
      { class: `message from-${item.message.sender} kind-${kind}` },
      this.draw(item.message),
    );
    item.meta = el("div", { class: "meta" });
    item.node.appendChild(item.meta);
    const at = item.seq === null ? this.items.length : this.position(item.seq);
    const next = this.items[at];
    this.items.splice(at, 0, item);
    if (item.seq !== null) {
      item.node.dataset.seq = item.seq;
      this.bySeq.set(item.seq, item);
    }
    if (item.id !== undefined) this.byId.set(item.id, item);
    this.log.insertBefore(item.node, next ? next.node : null);
    this.relabel();
  }

  drop(item) {
    this.items.splice(this.items.indexOf(item), 1);
    item.node.remove();
    this.relabel();
  }

  /** Where a number belongs; new ones are nearly always the last, so the search starts there. */
  position(seq) {
    let at = this.items.length;
    while (at > 0 && (this.items[at - 1].seq === null || this.items[at - 1].seq > seq)) at -= 1;
    return at;
  }

  /** Redraws day lines and times once per batch of changes. */
  relabel() {
    if (this.labelling) return;
    this.labelling = true;
    Promise.resolve().then(() => {
      this.labelling = false;
      this.drawLabels();
    });
  }

  drawLabels() {
    const days = new Map();
    for (const line of this.log.querySelectorAll(".day")) days.set(line.dataset.day, line);
    let day = "";
    this.items.forEach((item, n) => {
      const today = dayOf(item.at);
      if (today !== day) {
        day = today;
        const line = days.get(day) || dayLine(day, item.at);
        days.delete(day);
        if (item.node.previousElementSibling !== line) this.log.insertBefore(line, item.node);
      }
      this.drawMeta(item, this.items[n + 1]);
    });
    for (const line of days.values()) line.remove();
  }

  drawMeta(item, next) {
    const closes =
      !next ||
      next.message.sender !== item.message.sender ||
      next.at - item.at > GROUP_MS ||
      item.message.sender === "user";
    const time = closes && item.message.sender !== "system" ? timeOf(item.at) : "";
    if (item.time === time) return;
    item.time = time;
    const old = item.meta.querySelector("time");
    if (old) old.remove();
    if (time) {
      const node = el("time", { datetime: item.at.toISOString() }, time);
      item.meta.insertBefore(node, item.meta.firstChild);
    }
  }

  /** Shows how sending stands; `content` is a node or nothing. */
  setState(id, state, content) {
    const item = this.byId.get(id);
    if (!item) return;
    item.node.dataset.state = state;
    const old = item.meta.querySelector(".state");
    if (old) old.remove();
    if (content) item.meta.appendChild(content);
  }

  remove(id) {
    const item = this.byId.get(id);
    if (!item) return;
    this.byId.delete(id);
    if (item.seq !== null) this.bySeq.delete(item.seq);
    this.drop(item);
  }

  /** Messages drawn from the server, oldest first. */
  messages() {
    return this.items.filter((item) => item.seq !== null).map((item) => item.message);
  }

  atEnd() {
    const { scrollTop, clientHeight, scrollHeight } = this.log;
    return scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
  }

  toEnd() {
    this.log.scrollTop = this.log.scrollHeight;
  }

  /** Shows what is new without losing the question that it answers. */
  reveal() {
    const own = this.items.filter((item) => item.message.sender === "user");
    const last = own[own.length - 1];
    const end = this.log.scrollHeight - this.log.clientHeight;
    const question = last ? last.node.offsetTop - 8 : end;
    this.log.scrollTop = Math.min(end, Math.max(question, 0));
    this.left = false;
  }
}

function dayLine(day, at) {
  return el("div", { class: "day", role: "separator", "data-day": day }, el("span", {}, dayName(at)));
}
