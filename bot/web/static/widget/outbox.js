// The send queue. A message rests in storage before it is shown as on its way, leaves in the order
// it was written, and stays until the server has answered for it. The server knows a repeated id.

import { backoff } from "./stream.js";

const START = "queue.";
//: After so many failures in a row the message is shown as failed; it is still tried quietly.
const PATIENCE = 3;

export function messageId() {
  const bytes = crypto.getRandomValues(new Uint8Array(10));
  const random = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${Date.now().toString(36)}-${random}`;
}

export class Outbox {
  /**
   * `send(entry)` resolves to the server's `{seq}` or rejects; `onState(entry, state, detail)` with
   * state sending, sent, waiting (for the network), failed or refused; `onGone()` when the
   * conversation does not exist any more; `onDone(entry)` when it need not be kept.
   */
  constructor(keep, { send, onState, onGone, onDone }) {
    Object.assign(this, { keep, deliver: send, onState, onGone, onDone });
    this.last = 0;
    this.attempt = 0;
    this.running = false;
  }

  /** Everything that has not been accepted, oldest first. */
  entries() {
    return this.keep
      .keys(START)
      .map((key) => this.keep.get(key))
      .filter((entry) => entry && typeof entry.id === "string");
  }

  put(id, text, action, file) {
    this.last = Math.max(this.last + 1, Date.now());
    const stamp = String(this.last).padStart(15, "0");
    const entry = { key: `${START}${stamp}.${id}`, id, text, action: action || null, file: file || null, at: this.last };
    this.keep.set(entry.key, entry);
    return entry;
  }

  find(id) {
    return this.entries().find((each) => each.id === id);
  }

  discard(entry) {
    this.keep.remove(entry.key);
    if (entry.file) this.onDone(entry);
  }

  /** A refused message is tried once more, in its old place. */
  retry(id) {
    const entry = this.find(id);
    if (entry && entry.refused) this.keep.set(entry.key, { ...entry, refused: false });
    this.attempt = 0;
    return this.flush();
  }

  /** Sends from the head until the queue is empty or the head does not go through. */
  async flush() {
    this.again = true;
    if (this.running) return;
    this.running = true;
    clearTimeout(this.timer);
    try {
      while (this.again) {
        this.again = false;
        for (let entry = this.head(); entry; entry = this.head()) {
          if (!(await this.attemptToSend(entry))) break;
        }
      }
    } finally {
      this.running = false;
    }
  }

  head() {
    return this.entries().find((entry) => !entry.refused);
  }

  /** True when the head has left the queue one way or another. */
  async attemptToSend(entry) {
    // Once shown as failed it stays so while it is tried quietly, instead of flickering.
    if (this.attempt < PATIENCE) this.onState(entry, "sending");
    try {
      const accepted = await this.deliver(entry);
      this.attempt = 0;
      this.discard(entry);
      this.onState(entry, "sent", accepted);
      return true;
    } catch (error) {
      return this.failed(entry, error);
    }
  }

  failed(entry, error) {
    if (error && error.gone) {
      this.onGone();
      return false;
    }
    // It came back over the stream meanwhile: it did arrive.
    if (!this.find(entry.id)) return true;
    if (error && error.status && !error.passing) {
      this.keep.set(entry.key, { ...entry, refused: true });
      this.onState(entry, "refused", error.detail || error.title);
      return true;
    }
    const wait = Math.max(backoff(this.attempt, 1_000), ((error && error.retryAfterS) || 0) * 1_000);
    this.attempt += 1;
    this.onState(entry, this.stateOfWaiting());
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush(), Math.max(wait, 300));
    return false;
  }

  stateOfWaiting() {
    if (navigator.onLine === false) return "waiting";
    return this.attempt >= PATIENCE ? "failed" : "sending";
  }
}
