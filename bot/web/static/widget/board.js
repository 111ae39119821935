// Facts that several cards share: which choices were made, how tickets stand, which queue card is
// the newest. A card watches its fact and redraws itself.

import { say } from "./phrases.js";

export class Board {
  constructor() {
    this.values = new Map();
    this.watchers = new Map();
  }

  get(key) {
    return this.values.get(key);
  }

  set(key, value) {
    this.values.set(key, value);
    for (const watcher of this.watchers.get(key) || []) watcher(value);
  }

  /** `watcher(value)` now, when the fact is known, and at every change. */
  watch(key, watcher) {
    if (!this.watchers.has(key)) this.watchers.set(key, []);
    this.watchers.get(key).push(watcher);
    if (this.values.has(key)) watcher(this.values.get(key));
  }

  /** A later message of the same fact wins, in whatever order they come. */
  setFrom(key, seq, value) {
    const known = this.values.get(key);
    if (!known || known.seq <= seq) this.set(key, { seq, value });
  }

  clear() {
    this.values.clear();
    this.watchers.clear();
  }
}

const REMEMBERED = 300;
//: How far back a message's choice may lie.
const REACH = 30;

/** What the user chose on cards, by the card's number; remembered across visits. */
export class Choices extends Board {
  constructor(keep) {
    super();
    this.keep = keep;
    this.load();
  }

  load() {
    for (const [seq, choice] of this.keep.get("choices") || []) this.values.set(seq, choice);
  }

  /** `by` is the id of the message that carries the choice. */
  choose(seq, value, by) {
    this.set(seq, { value, by });
    this.keep.set("choices", [...this.values].slice(-REMEMBERED));
  }

  forget() {
    this.clear();
    this.keep.remove("choices");
  }

  /** A choice that was made on another device shows in the words that it sent. */
  infer(message, messages) {
    const id = message.data.client_msg_id;
    if ([...this.values.values()].some((choice) => choice.by === id)) return;
    const earlier = messages.filter((each) => each.seq < message.seq).slice(-REACH);
    for (const card of earlier.reverse()) {
      const value = this.values.has(card.seq) ? undefined : meaning(card, message.text);
      if (value !== undefined) {
        this.choose(card.seq, value, id);
        return;
      }
    }
  }
}

/** What a user's words choose on a card; undefined when they are about something else. */
function meaning(card, text) {
  switch (card.kind) {
    case "offer": {
      const titles = (card.data.candidates || []).map((candidate) => candidate.title);
      return titles.includes(text) || text === say("offer.none") ? text : undefined;
    }
    case "ask":
      return (card.data.options || []).includes(text) ? text : undefined;
    case "answer":
      if (text === say("answer.helpful")) return "helpful";
      return text === say("answer.unhelpful") ? "unhelpful" : undefined;
    case "resolved":
      return [say("resolved.yes"), say("resolved.no")].includes(text) ? text : undefined;
    case "rating_request": {
      const stars = [1, 2, 3, 4, 5].find((count) => text.startsWith(say("rating.said", { count })));
      return stars;
    }
    default:
      return undefined;
  }
}
