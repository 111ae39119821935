// The page that embeds the widget, on the other side of the frame. Every message names its receiver's
// origin, and only the parent window's messages from the origin it was opened for are heard.

export class Host {
  /** `on` maps a message's name to what is done with it. */
  constructor(on) {
    this.origin = new URLSearchParams(location.search).get("host") || "";
    this.embedded = window.parent !== window;
    if (!this.embedded || !/^https?:\/\/[^/]+$/.test(this.origin)) return;
    window.addEventListener("message", (event) => {
      if (event.source !== window.parent || event.origin !== this.origin) return;
      const { data } = event;
      if (!data || typeof data.caiwen !== "string") return;
      if (Object.prototype.hasOwnProperty.call(on, data.caiwen)) on[data.caiwen](data);
    });
  }

  post(name, values = {}) {
    if (!this.embedded || !this.origin) return;
    try {
      window.parent.postMessage({ caiwen: name, ...values }, this.origin);
    } catch {
      // An origin that is none: the page cannot be spoken to.
    }
  }
}
