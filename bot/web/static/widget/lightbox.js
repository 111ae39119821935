// A picture over everything. Focus stays inside; Escape and the way back lead to where it came from.

import { clear, el, icon } from "./dom.js";
import { say } from "./phrases.js";

export class Lightbox {
  /** `onOpen()` and `onClose()` let the host page make room. */
  constructor({ onOpen, onClose }) {
    this.onOpen = onOpen;
    this.onClose = onClose;
    this.node = null;
  }

  get open() {
    return this.node !== null;
  }

  /** `images` are `{src, caption, alt}`; `opener` gets the focus back. */
  show(images, at, opener) {
    this.close();
    Object.assign(this, { images, at, opener });
    this.stage = el("div", { class: "stage" });
    this.count = el("span", { class: "count" });
    this.caption = el("p", { class: "caption" });
    const several = images.length > 1;
    this.node = el(
      "div",
      {
        class: "lightbox",
        role: "dialog",
        "aria-modal": "true",
        "aria-label": say("image.viewer"),
        on: { keydown: (event) => this.key(event) },
      },
      el(
        "div",
        { class: "bar" },
        this.count,
        several && this.button("left", "image.previous", () => this.move(-1)),
        several && this.button("right", "image.next", () => this.move(1)),
        this.button("close", "image.close", () => this.close()),
      ),
      this.stage,
      this.caption,
    );
    this.stage.addEventListener("click", (event) => {
      if (event.target === this.stage) this.close();
    });
    document.body.appendChild(this.node);
    this.draw();
    this.node.querySelector(".bar button:last-child").focus();
    this.onOpen();
  }

  button(name, key, onClick) {
    const label = say(key);
    return el("button", { type: "button", "aria-label": label, title: label, on: { click: onClick } }, icon(name));
  }

  draw() {
    const { src, alt, caption } = this.images[this.at];
    const img = el("img", { src, alt });
    const zoom = el(
      "button",
      { class: "zoom", type: "button", "aria-pressed": "false", "aria-label": say("image.zoom", { name: alt }) },
      img,
    );
    zoom.addEventListener("click", () => {
      const large = this.stage.classList.toggle("large");
      zoom.setAttribute("aria-pressed", String(large));
    });
    this.stage.classList.remove("large");
    clear(this.stage).appendChild(zoom);
    this.caption.textContent = caption;
    this.count.textContent =
      this.images.length > 1 ? say("image.count", { at: this.at + 1, of: this.images.length }) : "";
  }

  move(by) {
    this.at = (this.at + by + this.images.length) % this.images.length;
    this.draw();
  }

  key(event) {
    if (event.key === "Escape") this.close();
    else if (event.key === "ArrowLeft" && this.images.length > 1) this.move(-1);
    else if (event.key === "ArrowRight" && this.images.length > 1) this.move(1);
    else if (event.key === "Tab") this.trap(event);
    else return;
    event.stopPropagation();
    if (event.key !== "Tab") event.preventDefault();
  }

  trap(event) {
    const stops = [...this.node.querySelectorAll("button")];
    const first = stops[0];
    const last = stops[stops.length - 1];
    const from = document.activeElement;
    if (event.shiftKey && from === first) last.focus();
    else if (!event.shiftKey && from === last) first.focus();
    else if (!this.node.contains(from)) first.focus();
    else return;
    event.preventDefault();
  }

  close() {
    if (!this.node) return;
    this.node.remove();
    this.node = null;
    this.onClose();
    if (this.opener && this.opener.isConnected) this.opener.focus();
  }
}
