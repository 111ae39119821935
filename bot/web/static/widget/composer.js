// The line where people write: grows with the text, suggests questions, never loses a draft.

import { clear, el } from "./dom.js";
import { say } from "./phrases.js";

const SUGGEST_AFTER_MS = 180;
const SUGGEST_CHARS = { least: 2, most: 60 };
const TYPING_EVERY_MS = 3_000;
const DRAFT_AFTER_MS = 300;

export class Composer {
  /**
   * `form` holds textarea, button and list. `limit` in characters. `send(text)`,
   * `suggest(text)` resolves to texts, `typing()`, `saveDraft(text)`.
   */
  constructor(form, { limit, send, suggest, typing, saveDraft }) {
    Object.assign(this, { form, limit, send, suggest, typing, saveDraft });
    this.input = form.querySelector("textarea");
    this.button = form.querySelector("button[type=submit]");
    this.list = form.querySelector("[role=listbox]");
    this.counter = form.querySelector(".counter");
    this.told = form.querySelector("[role=status]");
    this.active = -1;
    this.asked = 0;
    this.typedAt = 0;
    this.input.addEventListener("input", () => this.changed());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("blur", () => setTimeout(() => this.hide(), 150));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.fit();
  }

  get text() {
    return this.input.value;
  }

  fill(text) {
    this.input.value = text;
    this.fit();
  }

  /** What was typed before the script stood is kept; what was ended with Enter is sent. */
  takeOver(draft) {
    const typed = this.text;
    if (typed.endsWith("\n")) this.submit();
    else this.fill(typed || draft);
  }

  focus() {
    this.input.focus();
  }

  changed() {
    this.fit();
    const now = Date.now();
    if (this.text && now - this.typedAt >= TYPING_EVERY_MS) {
      this.typedAt = now;
      this.typing();
    }
    clearTimeout(this.draftTimer);
    this.draftTimer = setTimeout(() => this.saveDraft(this.text), DRAFT_AFTER_MS);
    clearTimeout(this.suggestTimer);
    this.suggestTimer = setTimeout(() => this.offer(), SUGGEST_AFTER_MS);
  }

  /** Height by content, the counter near the limit, the button by whether there is anything. */
  fit() {
    this.input.style.height = "auto";
    this.input.style.height = `${this.input.scrollHeight + 2}px`;
    const length = this.text.length;
    const over = length > this.limit;
    this.button.disabled = over || !this.text.trim();
    this.counter.textContent =
      length > this.limit * 0.9 ? say(over ? "input.over" : "input.count", { length, limit: this.limit }) : "";
    this.counter.classList.toggle("over", over);
    this.input.setAttribute("aria-invalid", String(over));
  }

  submit(text = this.text) {
    if (!text.trim() || text.length > this.limit) return;
    this.send(text.trim());
    this.clear();
  }

  clear() {
    this.fill("");
    this.typedAt = 0;
    clearTimeout(this.draftTimer);
    this.saveDraft("");
    this.hide();
  }

  key(event) {
    // While an input method composes, Enter and arrows belong to it (229 for older browsers).
    if (event.isComposing || event.keyCode === 229) return;
    const shown = !this.list.hidden;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      if (shown && this.active >= 0) this.choose(this.active);
      else this.submit();
    } else if (shown && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      this.move(event.key === "ArrowDown" ? 1 : -1);
    } else if (shown && event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      this.hide();
    }
  }

  async offer() {
    const text = this.text.trim();
    clearTimeout(this.suggestTimer);
    this.asked += 1;
    const asked = this.asked;
    if (text.length < SUGGEST_CHARS.least || text.length > SUGGEST_CHARS.most || text.includes("\n")) {
      this.hide();
      return;
    }
    let found = [];
    try {
      found = await this.suggest(text);
    } catch {
      // Suggestions are a convenience; without them one simply sends.
    }
    if (asked === this.asked && document.activeElement === this.input) this.show(found, text);
  }

  show(found, text) {
    this.found = (Array.isArray(found) ? found : []).filter((each) => each !== text).slice(0, 5);
    if (!this.found.length) {
      this.hide();
      return;
    }
    clear(this.list);
    this.active = -1;
    this.found.forEach((each, n) => {
      const option = el("li", { id: `suggestion-${n}`, role: "option", "aria-selected": "false" }, each);
      // Before the blur of the textarea, which hides the list.
      option.addEventListener("mousedown", (event) => event.preventDefault());
      option.addEventListener("click", () => this.choose(n));
      this.list.appendChild(option);
    });
    this.list.hidden = false;
    this.told.textContent = say("input.suggestions", { count: this.found.length });
  }

  hide() {
    this.asked += 1;
    if (this.list.hidden) return;
    this.list.hidden = true;
    this.active = -1;
    this.told.textContent = "";
    this.input.removeAttribute("aria-activedescendant");
  }

  move(by) {
    const count = this.found.length;
    // One place more than there are suggestions: what was typed.
    this.active = ((this.active + 1 + by + count + 1) % (count + 1)) - 1;
    [...this.list.children].forEach((option, n) => {
      option.setAttribute("aria-selected", String(n === this.active));
    });
    if (this.active < 0) this.input.removeAttribute("aria-activedescendant");
    else this.input.setAttribute("aria-activedescendant", `suggestion-${this.active}`);
  }

  choose(n) {
    clearTimeout(this.suggestTimer);
    this.submit(this.found[n]);
  }
}
