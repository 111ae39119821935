// One person's conversation with the server: opened when needed, followed, resumed, started anew when
// the server does not know it any more. Knows nothing of how messages look.

import { Problem } from "./api.js";
import { backoff, Stream } from "./stream.js";
import { Outbox } from "./outbox.js";
import { Shelf } from "./shelf.js";
import { Tabs } from "./tabs.js";

//: A page of history this full may have more behind it.
const FULL_PAGE = 100;
//: So long another tab may take to lay a file down whose message is queued already.
const LAID_MS = 15_000;

export class Session {
  /**
   * `onMessage(message, live)`, `onState(state)`, `onLink(up)`, `onLoaded()`, `onRestart()`,
   * `onSending(entry, state, detail)`.
   */
  constructor({ api, keep, user, ...told }) {
    Object.assign(this, { api, keep, user, ...told });
    this.conversation = keep.get("conversation");
    this.rewind();
    this.loaded = false;
    this.failures = 0;
    this.shelf = new Shelf(keep.space);
    this.outbox = new Outbox(keep, {
      send: (entry) => this.deliver(entry),
      onState: (entry, state, detail) => this.onSending(entry, state, detail),
      onGone: () => this.restart(),
      onDone: ({ id }) => this.shelf.remove(id),
    });
    this.stream = new Stream({
      open: (signal) => this.api.events(this.conversation, this.cursor, signal),
      onEvent: (event) => this.hear(event),
      onUp: () => this.linked(true),
      onDown: () => this.linked(false),
      onGone: () => this.restart(),
    });
    this.tabs = new Tabs(keep, {
      onLead: () => this.stream.start(),
      onFollow: () => this.stream.stop(),
      onNews: (news) => this.hearTab(news),
    });
  }

  rewind() {
    // Everything up to `cursor` is here; `ahead` came beyond a number that is missing. Numbers may
    // be missing for good (what only staff sees), so a finished batch closes every gap.
    this.cursor = 0;
    this.newest = 0;
    this.ahead = new Set();
  }

  /** Whether there is a conversation from an earlier visit. */
  get begun() {
    return this.conversation !== null;
  }

  /** Opens or resumes; comes back to it by itself until it worked. */
  async start() {
    if (this.starting || this.loaded) return;
    this.starting = true;
    try {
      await this.ensure();
      await this.load();
      this.failures = 0;
      this.loaded = true;
      this.onLink(true);
      this.onLoaded();
      this.tabs.start();
      this.shelf.sweep(this.outbox.entries().map(({ id }) => id));
      this.outbox.flush();
    } catch (error) {
      if (error instanceof Problem && error.gone && this.conversation) this.forget();
      this.onLink(false);
      this.later(error);
    } finally {
      this.starting = false;
    }
  }

  later(error) {
    clearTimeout(this.timer);
    const wait = Math.max(backoff(this.failures, 1_000), 300, ((error && error.retryAfterS) || 0) * 1_000);
    this.failures += 1;
    this.timer = setTimeout(() => this.start(), wait);
  }

  async ensure() {
    if (this.conversation) {
      this.prove();
      return this.conversation;
    }
    if (!this.opening) {
      this.opening = this.open().finally(() => {
        this.opening = null;
      });
    }
    return this.opening;
  }

  /** A conversation from an earlier visit becomes the person's own once they are known. */
  prove() {
    const { proof } = this.user;
    if (!proof || this.keep.get("proven") === this.conversation.id) return;
    this.user = { ...this.user, proof: "" };
    const { id } = this.conversation;
    this.api.prove(this.conversation, proof).then(
      () => this.keep.set("proven", id),
      () => {}, // It goes on as it began; the next visit brings another proof.
    );
  }

  async open() {
    let opened;
    try {
      opened = await this.api.open(this.user);
      if (this.user.proof) this.keep.set("proven", opened.id);
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 401 || !this.user.proof) throw error;
      // A proof that is not taken must not leave anybody without help.
      this.user = { ...this.user, proof: "" };
      opened = await this.api.open(this.user);
    }
    this.user = { ...this.user, proof: "" };
    // Another tab may have been quicker; then there is one conversation all the same.
    this.conversation = this.keep.get("conversation") || opened;
    this.keep.set("conversation", this.conversation);
    this.tabs.post({ kind: "conversation" });
    return this.conversation;
  }

  /** Everything after the newest message that is known. */
  async load() {
    const { conversation } = this;
    for (;;) {
      const page = await this.api.messages(conversation, this.cursor);
      if (conversation !== this.conversation) return;
      for (const message of page.messages) this.take(message, this.loaded);
      this.close();
      this.onState({ owner: page.owner });
      if (page.messages.length < FULL_PAGE) return;
    }
  }

  take(message, live) {
    if (!message || !Number.isInteger(message.seq) || message.seq < 1) return;
    this.newest = Math.max(this.newest, message.seq);
    if (message.seq > this.cursor) this.ahead.add(message.seq);
    while (this.ahead.delete(this.cursor + 1)) this.cursor += 1;
    const told = {
      ...message,
      sender: String(message.sender),
      kind: String(message.kind),
      text: String(message.text === undefined || message.text === null ? "" : message.text),
      data: message.data || {},
    };
    this.onMessage(told, live);
  }

  /** Nothing between here and the newest message is still to come. */
  close() {
    this.cursor = this.newest;
    this.ahead.clear();
  }

  hear({ name, data }) {
    let body;
    try {
      body = JSON.parse(data);
    } catch {
      return;
    }
    if (name === "message") {
      const since = this.newest;
      this.take(body, true);
      this.tabs.post({ kind: "message", since, message: body, of: this.conversation.id });
    } else if (name === "state") {
      this.close();
      this.onState(body);
      this.tabs.post({ kind: "state", state: body, of: this.conversation.id });
    }
  }

  hearTab(news) {
    if (news.kind === "conversation") this.adopt();
    if (!this.loaded || !this.conversation || news.of !== this.conversation.id) return;
    if (news.kind === "state") this.onState(news.state);
    else if (news.kind === "link") this.onLink(news.up);
    else if (news.kind === "message") {
      // Something between was missed, perhaps while this tab slept: the server has it.
      if (news.since > this.newest) this.catchUp();
      else this.take(news.message, true);
    }
  }

  async catchUp() {
    if (this.catching) return;
    this.catching = true;
    try {
      await this.load();
    } catch {
      // The next piece of news tries again.
    } finally {
      this.catching = false;
    }
  }

  linked(up) {
    this.onLink(up);
    this.tabs.post({ kind: "link", up, of: this.conversation.id });
    if (up) this.outbox.flush();
    else if (this.ahead.size) this.catchUp();
  }

  /** Another tab opened a conversation. */
  adopt() {
    const other = this.keep.get("conversation");
    if (!other || (this.conversation && other.id === this.conversation.id)) return;
    this.leave();
    this.conversation = other;
    this.onRestart(false);
    this.start();
  }

  leave() {
    this.tabs.stop();
    this.rewind();
    this.loaded = false;
  }

  forget() {
    const kept = this.keep.get("conversation");
    if (kept && kept.id === this.conversation.id) this.keep.remove("conversation");
    this.leave();
    this.conversation = this.keep.get("conversation");
    this.onRestart(true);
  }

  /** The server does not know the conversation: a new one begins, unsent messages go along. */
  restart() {
    if (!this.conversation) return;
    this.forget();
    this.later();
  }

  async deliver(entry) {
    const conversation = await this.ensure();
    if (!entry.file) return this.api.send(conversation, entry);
    const told = (share) => this.onSending(entry, "uploading", Math.round(share * 100));
    const file = await this.shelf.get(entry.id);
    if (!file && Date.now() - entry.at < LAID_MS) throw new Error("not laid down yet");
    return this.api.upload(conversation, entry, file, told);
  }

  send(id, text, action, blob) {
    const file = blob && { name: blob.name || "", size: blob.size, media_type: blob.type };
    if (blob) this.shelf.put(id, blob);
    const entry = this.outbox.put(id, text, action, file);
    // The caller draws the bubble first.
    Promise.resolve().then(() => this.outbox.flush());
    if (!this.loaded) this.start();
    return entry;
  }

  /** The server has the message, whatever became of the answer to our sending it; true: it waited. */
  settle(id) {
    const entry = this.outbox.find(id);
    if (entry) this.outbox.discard(entry);
    return Boolean(entry);
  }

  /** The network or the person is back: everything that waits goes on now. */
  nudge({ renew = false } = {}) {
    if (this.loaded) {
      if (renew) this.stream.renew();
      else this.stream.nudge();
      this.outbox.flush();
    } else if (this.timer && !this.starting) {
      clearTimeout(this.timer);
      this.start();
    }
  }

  stop() {
    this.tabs.stop();
  }

  resume() {
    if (this.loaded) this.tabs.start();
  }
}
