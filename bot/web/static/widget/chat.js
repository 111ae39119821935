// Puts the widget together: what is said meets what is shown.

import { Api } from "./api.js";
import { Board, Choices } from "./board.js";
import { Cards } from "./cards.js";
import { Composer } from "./composer.js";
import { el } from "./dom.js";
import { Files } from "./files.js";
import { Host } from "./host.js";
import { browserStorage, HostStorage, Keep, spaceOf } from "./keep.js";
import { Lightbox } from "./lightbox.js";
import { messageId } from "./outbox.js";
import { say } from "./phrases.js";
import { Receipts } from "./receipts.js";
import { Session } from "./session.js";
import { Timeline } from "./timeline.js";

//: What only staff may see; a server that sends it here is wrong, and it is not shown.
const STAFF_KINDS = ["note", "draft"];
//: "Is typing" without news ends by itself: the server repeats what holds at least this often.
const TYPING_MS = 20_000;
const THINKING_MS = 30_000;
//: A short break in the line is not worth a word.
const LINK_PATIENCE_MS = 2_500;
const HUMAN_PAUSE_MS = 3_000;

const part = (name) => document.getElementById(name);
const touch = () => window.matchMedia("(pointer: coarse)").matches;

class Chat {
  constructor(user, host, storage) {
    const { root, limit, fileLimit } = document.body.dataset;
    this.local = new Map();
    this.host = host;
    this.visible = !host.embedded;
    this.owner = "bot";
    this.storage = storage;
    this.keep = new Keep(spaceOf(user), storage);
    this.board = new Board();
    this.choices = new Choices(this.keep);
    this.api = new Api(root);
    this.lightbox = new Lightbox({
      onOpen: () => this.expand(true),
      onClose: () => this.expand(false),
    });
    this.cards = new Cards({
      root,
      act: (text, action, card) => this.act(text, action, card),
      human: () => this.human(),
      enlarge: (image, opener) => this.enlarge(image, opener),
      fetchFile: (file, id) => this.fetchFile(file, id),
      choices: this.choices,
      board: this.board,
    });
    this.timeline = new Timeline(part("log"), (message) => this.cards.draw(message));
    this.composer = new Composer(part("composer"), {
      limit: Number(limit),
      send: (text) => this.act(text),
      suggest: (text) => this.suggest(text),
      typing: () => this.typing(),
      saveDraft: (text) => this.keep.set("draft", text),
    });
    this.files = new Files({
      button: part("attach"),
      input: part("file"),
      main: document.querySelector("main"),
      field: this.composer.input,
      limit: Number(fileLimit),
      send: (file) => this.sendFile(file),
      tell: (words) => (part("filenote").textContent = words),
    });
    this.session = new Session({
      api: this.api,
      keep: this.keep,
      user,
      onMessage: (message, live) => this.show(message, live),
      onState: (state) => this.state(state),
      onLink: (up) => this.link(up),
      onLoaded: () => this.loaded(),
      onRestart: (lost) => this.restarted(lost),
      onSending: (entry, state, detail) => this.sending(entry, state, detail),
    });
    this.receipts = new Receipts((told) => this.api.seen(this.session.conversation, told));
    this.listen();
    this.composer.takeOver(this.keep.get("draft") || "");
    if (this.visible || this.session.begun) this.session.start();
  }

  listen() {
    part("human").addEventListener("click", () => this.human());
    part("close").addEventListener("click", () => this.close());
    part("latest").addEventListener("click", () => this.timeline.toEnd());
    part("log").addEventListener("scroll", () => this.scrolled(), { passive: true });
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !this.lightbox.open) this.close();
    });
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) return;
      this.session.nudge();
      this.read();
    });
    window.addEventListener("online", () => {
      this.link(true);
      this.session.nudge({ renew: true });
    });
    window.addEventListener("offline", () => this.link(false));
    window.addEventListener("pagehide", () => {
      this.keep.set("draft", this.composer.text);
      this.session.stop();
    });
    window.addEventListener("pageshow", (event) => event.persisted && this.session.resume());
  }

  // -- what the person does ---------------------------------------------------------------------

  /** The file takes what is written along. */
  sendFile(file) {
    const { text } = this.composer;
    const fits = text.length <= this.composer.limit;
    if (fits) this.composer.clear();
    this.act(fits ? text.trim() : "", undefined, undefined, file);
  }

  /** An address for a file's bytes: our own as it left, others fetched once. */
  async fetchFile(file, id) {
    const key = file.id || id;
    const known = this.local.get(id) || this.local.get(key);
    if (known) return known;
    const waiting = file.id ? null : await this.session.shelf.get(id);
    const bytes = waiting || (await this.api.file(this.session.conversation, file.id));
    const address = URL.createObjectURL(bytes);
    this.local.set(key, address);
    return address;
  }

  act(text, action, card, file) {
    const id = messageId();
    const focused = document.activeElement;
    if (file) this.local.set(id, URL.createObjectURL(file));
    const entry = this.session.send(id, text, action, file);
    part("renewed").hidden = true;
    this.timeline.addPending(entry);
    if (card) this.choices.choose(card.seq, card.value, id);
    // The button that was pressed is gone or dead now: the focus must not fall to nowhere.
    if (focused && (!focused.isConnected || focused.disabled) && !touch()) this.composer.focus();
    this.timeline.reveal();
  }

  human() {
    const button = part("human");
    if (button.disabled) return;
    button.disabled = true;
    setTimeout(() => {
      button.disabled = false;
    }, HUMAN_PAUSE_MS);
    this.act(say("human.ask"), { kind: "human" });
  }

  typing() {
    if (this.owner === "bot" || !this.session.conversation) return;
    this.api.typing(this.session.conversation).catch(() => {});
  }

  async suggest(text) {
    if (this.owner !== "bot" || !this.session.conversation) return [];
    return this.api.suggestions(this.session.conversation, text);
  }

  enlarge(image, opener) {
    const card = opener.closest(".card") || opener;
    const buttons = [...card.querySelectorAll("button.enlarge")];
    const images = buttons.map((button) => {
      const { src, alt } = button.querySelector("img");
      const caption = button.parentNode.querySelector("figcaption");
      return { src, alt, caption: caption ? caption.textContent : "" };
    });
    const at = Math.max(buttons.indexOf(opener), 0);
    this.lightbox.show(images.length ? images : [image], at, opener);
  }

  /** A screenshot needs the whole window, not a narrow panel. */
  expand(large) {
    if (large) this.scrollBack = part("log").scrollTop;
    this.host.post("expand", { large });
    for (const each of document.querySelectorAll("main, header")) {
      each.toggleAttribute("inert", large);
    }
    if (!large) setTimeout(() => (part("log").scrollTop = this.scrollBack), 60);
  }

  // -- what the server says ---------------------------------------------------------------------

  show(message, live) {
    if (STAFF_KINDS.includes(message.kind)) return;
    const { timeline } = this;
    const follows = timeline.atEnd();
    const fresh = timeline.add(message);
    if (message.sender === "user") {
      this.choices.infer(message, timeline.messages());
      this.settled(message.data.client_msg_id);
    } else if (message.sender === "engineer") this.presence({ typing: false });
    if (!fresh || !live) return;
    if (follows || message.sender === "user") timeline.reveal();
    if (!timeline.atEnd() && message.sender !== "user") part("latest").hidden = false;
    this.read();
  }

  settled(id) {
    if (id !== undefined && this.session.settle(id)) this.sent(id);
  }

  /** Only the newest message says that it was sent; the older ones plainly were. */
  sent(id) {
    if (this.lastSent && this.lastSent !== id) this.timeline.setState(this.lastSent, "sent", null);
    this.lastSent = id;
    this.timeline.setState(id, "sent", stateLine("sent"));
    part("alert").textContent = "";
  }

  sending(entry, state, detail) {
    const { timeline } = this;
    timeline.addPending(entry);
    if (state === "sent") {
      timeline.accepted(entry.id, detail.seq);
      this.sent(entry.id);
      return;
    }
    if (state === "uploading") {
      const line = el("span", { class: "state" }, say("state.uploading", { percent: detail }));
      timeline.setState(entry.id, "sending", line);
      return;
    }
    const failed = state === "failed" || state === "refused";
    timeline.setState(entry.id, state, failed ? this.resend(entry, detail) : stateLine(state));
    if (failed) part("alert").textContent = say("state.failed_said");
  }

  resend(entry, detail) {
    const retry = () => {
      this.timeline.setState(entry.id, "sending", stateLine("sending"));
      this.session.outbox.retry(entry.id);
    };
    const button = el("button", { type: "button", on: { click: retry } }, say("state.failed"));
    return el("span", { class: "state" }, button, detail && el("span", { class: "reason" }, detail));
  }

  state(state) {
    if (typeof state.owner === "string" && state.owner !== this.owner) this.owned(state.owner);
    this.presence(state);
    if (state.queue) this.board.set("place", state.queue);
    else this.board.values.delete("place");
  }

  owned(owner) {
    this.owner = owner;
    document.body.dataset.owner = owner;
    part("standing").textContent = say(`standing.${["queue", "engineer"].includes(owner) ? owner : "bot"}`);
    part("human").hidden = owner === "engineer";
  }

  /** "Is typing" and "is looking it up", beside the log so that they are not read as messages. */
  presence({ typing, thinking }) {
    const node = part("presence");
    const words = typing ? say("presence.typing") : thinking ? say("presence.thinking") : "";
    clearTimeout(this.presenceTimer);
    if (words) {
      const wait = typing ? TYPING_MS : THINKING_MS;
      this.presenceTimer = setTimeout(() => this.presence({}), wait);
    }
    const follows = this.timeline.atEnd();
    node.hidden = !words;
    if (node.lastElementChild.textContent !== words) node.lastElementChild.textContent = words;
    if (words && follows) this.timeline.toEnd();
  }

  link(up) {
    const offline = navigator.onLine === false;
    const tell = () => {
      part("notice").hidden = false;
      part("notice").lastElementChild.textContent = say(offline ? "link.offline" : "link.lost");
    };
    if (!up && !offline) {
      // Every further failure finds the clock running: it must not start it again.
      this.linkTimer = this.linkTimer || setTimeout(tell, LINK_PATIENCE_MS);
      return;
    }
    clearTimeout(this.linkTimer);
    this.linkTimer = null;
    if (offline) tell();
    else part("notice").hidden = true;
  }

  loaded() {
    for (const entry of this.session.outbox.entries()) {
      this.timeline.addPending(entry);
      if (entry.refused) this.sending(entry, "refused");
    }
    const log = part("log");
    part("waiting").hidden = true;
    this.timeline.toEnd();
    this.read();
    // After the history stands, so that only what comes from now on is read out.
    setTimeout(() => {
      log.setAttribute("aria-busy", "false");
      this.timeline.toEnd();
    }, 50);
    this.host.post("begun");
  }

  restarted(lost) {
    this.timeline.clear();
    this.board.clear();
    this.choices.forget();
    this.keep.remove("read");
    this.receipts.forget();
    this.lastSent = undefined;
    this.owned("bot");
    part("log").setAttribute("aria-busy", "true");
    if (!lost) return;
    part("renewed").hidden = false;
    part("renewed").textContent = say("history.gone");
  }

  // -- seen or unseen ---------------------------------------------------------------------------

  scrolled() {
    if (this.timeline.atEnd()) part("latest").hidden = true;
  }

  opened({ focus }) {
    this.visible = true;
    this.session.start();
    this.timeline.reveal();
    this.read();
    if (!focus) return;
    if (touch()) part("title").focus();
    else this.composer.focus();
  }

  close() {
    if (!this.host.embedded) return;
    this.visible = false;
    this.host.post("close");
  }

  closed() {
    this.visible = false;
    this.lightbox.close();
  }

  /** Another page of the host, with a widget of its own, changed what the host keeps for us. */
  kept({ key, value }) {
    if (!(this.storage instanceof HostStorage) || typeof key !== "string") return;
    this.storage.changed(key, value);
    if (key === `${this.keep.space}conversation`) this.session.adopt();
  }

  ask({ text }) {
    if (typeof text === "string" && text.trim()) this.composer.fill(text);
  }

  /** What is on screen counts as read; the rest is the badge on the button. */
  read() {
    if (!this.session.loaded) return;
    const messages = this.timeline.messages().filter(({ sender }) => sender !== "user");
    const newest = messages.reduce((most, { seq }) => Math.max(most, seq), 0);
    const seen = this.visible && !document.hidden;
    if (seen) this.keep.set("read", newest);
    this.receipts.tell(messages, seen);
    const known = this.keep.get("read") || 0;
    const unread = messages.filter(({ seq }) => seq > known).length;
    if (!this.host.embedded) document.title = titled(unread);
    this.host.post("unread", { count: unread });
  }
}

function titled(unread) {
  return unread ? say("title.unread", { count: unread, title: say("title.page") }) : say("title.page");
}

function stateLine(state) {
  return el("span", { class: "state" }, say(`state.${state}`));
}

let chat = null;
const own = browserStorage();
const begin = (user, kept) => {
  const tell = (key, value) => host.post("keep", { key, value });
  chat = chat || new Chat(user, host, own || (kept && new HostStorage(kept, tell)));
};
const host = new Host({
  init: ({ user, open, kept }) => {
    begin(user && typeof user === "object" ? user : {}, kept);
    if (open) chat.opened({ focus: false });
  },
  opened: (told) => chat && chat.opened(told),
  closed: () => chat && chat.closed(),
  ask: (told) => chat && chat.ask(told),
  kept: (told) => chat && chat.kept(told),
});
document.body.classList.toggle("embedded", host.embedded);
const person = part("person");
if (host.embedded) host.post("ready", { keeps: Boolean(own) });
else begin(person ? JSON.parse(person.textContent) : {});
