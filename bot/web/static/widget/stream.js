// Server-sent events over fetch, because EventSource cannot send an Authorization header.

//: The server speaks at least every 15 s; longer silence is a dead connection behind some proxy.
const SILENCE_MS = 45_000;
const LONGEST_WAIT_MS = 30_000;

/** Parses the wire format in pieces of any size. */
export class EventParser {
  constructor() {
    this.rest = "";
    this.reset();
  }

  reset() {
    this.name = "";
    this.data = [];
    this.id = null;
  }

  /** The events that this piece completes: `{name, data, id}` or `{retry}`. */
  push(text) {
    const events = [];
    this.rest += text;
    // A lone CR at the end may be half of CRLF: it waits for the next piece.
    const lines = this.rest.split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop();
    for (const line of lines) this.line(line, events);
    return events;
  }

  line(line, events) {
    if (line === "") {
      if (this.data.length) {
        events.push({ name: this.name || "message", data: this.data.join("\n"), id: this.id });
      }
      this.reset();
      return;
    }
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.name = value;
    else if (field === "data") this.data.push(value);
    else if (field === "id" && !value.includes("\0")) this.id = value;
    else if (field === "retry" && /^\d+$/.test(value)) events.push({ retry: Number(value) });
  }
}

/** Exponential with full jitter: many widgets coming back at once must not come back together. */
export function backoff(attempt, baseMs, random = Math.random) {
  return random() * Math.min(LONGEST_WAIT_MS, baseMs * 2 ** Math.min(attempt, 16));
}

/**
 * Keeps one connection open and comes back after every loss.
 * `open(signal)` gives a response; `onEvent(event)`, `onUp()`, `onDown()`, `onGone()` are told.
 */
export class Stream {
  constructor({ open, onEvent, onUp, onDown, onGone }) {
    Object.assign(this, { open, onEvent, onUp, onDown, onGone });
    this.baseMs = 1_000;
    this.attempt = 0;
    this.running = false;
    this.connected = false;
  }

  start() {
    if (this.running) return;
    this.running = true;
    this.attempt = 0;
    this.connect();
  }

  stop() {
    this.running = false;
    this.connected = false;
    clearTimeout(this.timer);
    clearTimeout(this.watchdog);
    if (this.abort) this.abort.abort();
  }

  /** Comes back now when it is waiting: the person returned. */
  nudge() {
    if (this.running && this.timer) this.renew();
  }

  /** A new connection at once: after a change of networks the old one may be dead without a sign. */
  renew() {
    if (!this.running) return;
    clearTimeout(this.timer);
    this.attempt = 0;
    this.connected = false;
    if (this.abort) this.abort.abort();
    this.connect();
  }

  async connect() {
    this.timer = null;
    const abort = new AbortController();
    this.abort = abort;
    try {
      this.listen(abort);
      const response = await this.open(abort.signal);
      if (this.abort !== abort || !this.running) return;
      if (!/^text\/event-stream/.test(response.headers.get("Content-Type") || "")) {
        throw new Error("not an event stream"); // a login page of the network, for one
      }
      this.connected = true;
      this.onUp();
      await this.read(response, abort);
    } catch (error) {
      if (this.abort !== abort || !this.running) return;
      if (error && error.gone) {
        this.stop();
        this.onGone();
        return;
      }
      this.waitS = (error && error.retryAfterS) || 0;
    }
    if (this.abort === abort && this.running) this.later();
  }

  async read(response, abort) {
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    const parser = new EventParser();
    for (;;) {
      const { done, value } = await reader.read();
      if (done || abort.signal.aborted) return;
      this.listen(abort);
      for (const event of parser.push(decoder.decode(value, { stream: true }))) {
        if (!this.running || abort.signal.aborted) return;
        if (event.retry !== undefined) this.baseMs = Math.min(Math.max(event.retry, 1), 60_000);
        else {
          this.attempt = 0;
          this.onEvent(event);
        }
      }
    }
  }

  listen(abort) {
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(() => abort.abort(), SILENCE_MS);
  }

  later() {
    clearTimeout(this.watchdog);
    this.connected = false;
    this.onDown();
    const wait = Math.max(backoff(this.attempt, this.baseMs), (this.waitS || 0) * 1_000);
    this.waitS = 0;
    this.attempt += 1;
    this.timer = setTimeout(() => this.connect(), wait);
  }
}
