// Draws messages by their kind. A kind that this release does not know is shown as its text.

import { dayName, instant, timeOf } from "./clock.js";
import { append, clear, el, icon } from "./dom.js";
import { blocks, picture, plain, safeUrl } from "./content.js";
import { attachment } from "./files.js";
import { say } from "./phrases.js";

//: Severity and status words come from the contracts; colours only underline them.
const SEVERITY = { 一般: "general", 紧急: "urgent", 重大: "major" };
const RESOLVED = "已解决";
const CLOSED = "已关闭";

/**
 * `context`: `root` address; `act(text, action, card)` sends; `enlarge(image, opener)`;
 * `fetchFile(file, id)`, see files.js; `choices` and `board`, see board.js; `human()` asks for a person.
 */
export class Cards {
  constructor(context) {
    this.context = context;
    this.kinds = {
      text: (message) => this.text(message),
      greeting: (message) => this.greeting(message),
      attachment: (message) => attachment(message, this.context),
      answer: (message) => this.answer(message),
      offer: (message) => this.offer(message),
      ask: (message) => this.ask(message),
      ticket: (message) => this.ticket(message),
      fault: (message) => this.fault(message),
      queue: (message) => this.queue(message),
      joined: (message) => this.joined(message),
      returned: (message) => this.returned(message),
      resolved: (message) => this.resolved(message),
      closed: (message) => this.closed(message),
      rating_request: (message) => this.rating(message),
    };
  }

  draw(message) {
    const kind = this.kinds[message.kind] || this.kinds.text;
    return el("div", { class: "content" }, this.speaker(message), kind(message));
  }

  speaker({ sender, data }) {
    if (sender === "engineer") {
      const name = data.name || say("who.engineer");
      return el(
        "div",
        { class: "speaker" },
        el("span", { class: "face", "aria-hidden": "true" }, [...name][0]),
        el("b", {}, name),
        data.post && el("span", { class: "post" }, data.post),
      );
    }
    return el("span", { class: "unseen" }, say(sender === "user" ? "who.you" : "who.bot"));
  }

  text({ sender, text }) {
    if (sender === "system") return el("p", { class: "line" }, text);
    return el("div", { class: "bubble" }, plain(text));
  }

  line(text, name) {
    return el("p", { class: "line" }, icon(name), el("span", {}, text));
  }

  joined(message) {
    this.context.board.setFrom("queue", message.seq, message.seq);
    return this.line(message.text, "headset");
  }

  returned(message) {
    this.context.board.setFrom("queue", message.seq, message.seq);
    return this.line(message.text, "check");
  }

  closed({ seq, text, data }) {
    this.context.board.setFrom(`ticket ${data.number}`, seq, CLOSED);
    return this.line(text, "check");
  }

  greeting({ text, data }) {
    const questions = data.hot_questions || [];
    const chips = questions.map((question) => this.chip(question, () => this.context.act(question)));
    return el(
      "div",
      { class: "bubble card" },
      plain(text),
      data.secrecy && el("p", { class: "secrecy" }, icon("shield"), el("span", {}, data.secrecy)),
      chips.length > 0 && [
        el("p", { class: "hint" }, say("greeting.hot")),
        el("div", { class: "chips" }, chips),
      ],
    );
  }

  chip(label, onClick) {
    return el("button", { class: "chip", type: "button", on: { click: onClick } }, label);
  }

  answer(message) {
    const { data } = message;
    const { root, enlarge } = this.context;
    return el(
      "div",
      { class: "bubble card answer" },
      data.lead && el("p", { class: "lead" }, data.lead),
      el("h2", {}, data.title || ""),
      blocks(data.blocks || [], { root, enlarge }),
      (data.images || []).map((image) => picture(image, root, enlarge)),
      this.files(data.files || []),
      this.source(data.source),
      this.feedback(message),
    );
  }

  /** Files that go with an answer, to save. */
  files(list) {
    const { root } = this.context;
    const links = list
      .map(({ name, url }) => ({ name: String(name || ""), href: safeUrl(url, root) }))
      .filter(({ name, href }) => name && href)
      .map(({ name, href }) => el("li", {}, el("a", { href, download: name }, name)));
    if (!links.length) return null;
    return el("div", { class: "files" }, el("p", { class: "hint" }, say("answer.files")), el("ul", {}, links));
  }

  source(source) {
    if (!source || !source.guide) return null;
    const details = [
      source.version,
      source.section,
      source.issued && say("answer.issued", { date: source.issued }),
      source.page && say("answer.page", { page: source.page }),
    ].filter(Boolean);
    return el(
      "p",
      { class: "source" },
      icon("book"),
      el("span", {}, [say("answer.source", { guide: source.guide }), ...details].join(" · ")),
    );
  }

  feedback({ seq }) {
    const { act, choices, human } = this.context;
    const row = el("div", { class: "feedback" });
    const verdict = (kind, mark) => {
      const words = say(`answer.${kind}`);
      const send = () => act(words, { kind, seq }, { seq, value: kind });
      return el("button", { type: "button", on: { click: send } }, icon(mark), words);
    };
    append(row, [
      el("span", { class: "hint" }, say("answer.question")),
      verdict("helpful", "up"),
      verdict("unhelpful", "down"),
    ]);
    choices.watch(seq, ({ value }) => {
      clear(row);
      append(row, [
        icon(value === "helpful" ? "up" : "down"),
        el("span", {}, say(value === "helpful" ? "answer.thanks" : "answer.next")),
        value !== "helpful" &&
          el("button", { type: "button", on: { click: human } }, icon("headset"), say("human.ask")),
      ]);
    });
    return row;
  }

  /** Buttons of which one is chosen, once. */
  choice(seq, entries) {
    const list = el("div", { class: "choices" });
    for (const { label, text, action } of entries) {
      const send = () => this.context.act(text, action, { seq, value: text });
      list.appendChild(
        el("button", { class: "choice", type: "button", "data-value": text, on: { click: send } }, label),
      );
    }
    this.context.choices.watch(seq, ({ value }) => {
      for (const button of list.children) {
        button.disabled = true;
        button.classList.toggle("chosen", button.dataset.value === value);
        if (button.dataset.value === value) button.setAttribute("aria-pressed", "true");
      }
    });
    return list;
  }

  offer({ seq, text, data }) {
    const none = say("offer.none");
    const entries = (data.candidates || []).map((candidate) => ({
      label: candidate.title,
      text: candidate.title,
      action: { kind: "choose", answer_id: candidate.answer_id },
    }));
    entries.push({ label: none, text: none, action: { kind: "none_of_these" } });
    return el(
      "div",
      { class: "bubble card" },
      el("p", { class: "lead" }, data.lead || text.split("\n")[0]),
      this.choice(seq, entries),
    );
  }

  ask({ seq, text, data }) {
    const options = (data.options || []).map((option) => ({ label: option, text: option }));
    const card = el("div", { class: "bubble card" }, plain(text));
    if (!options.length) return card;
    const list = this.choice(seq, options);
    list.classList.add("chips");
    return append(card, [list]);
  }

  ticket({ seq, text, data }) {
    const { board } = this.context;
    const severity = el(
      "span",
      { class: `severity ${SEVERITY[data.severity] || "general"}` },
      data.severity,
    );
    const status = el("span", { class: "status" });
    board.setFrom(`ticket ${data.number}`, seq, data.status);
    board.watch(`ticket ${data.number}`, ({ value }) => {
      if (status.textContent !== value) status.textContent = value;
    });
    return el(
      "div",
      { class: "bubble card ticket" },
      el("div", { class: "head" }, icon("ticket"), el("b", {}, data.number), severity, status),
      // A status line says no more than the head; a sentence with the promise says it once.
      text.includes(data.number) && text.includes(data.status) ? null : el("p", {}, text),
      facts([
        [say("ticket.about"), data.title],
        [say("ticket.category"), [data.category, data.module].filter(Boolean).join(" · ")],
        [say("ticket.promise"), text.includes(data.promise) ? "" : data.promise],
      ]),
      this.reasons(data.reasons || []),
    );
  }

  reasons(reasons) {
    if (!reasons.length) return null;
    return el(
      "details",
      { class: "why" },
      el("summary", {}, say("ticket.why")),
      el("ul", {}, reasons.map((reason) => el("li", {}, String(reason)))),
    );
  }

  /** A known fault: what, since when, what to do meanwhile; following it or asking for a person. */
  fault({ seq, data }) {
    const over = data.status === RESOLVED;
    const { board } = this.context;
    const began = instant(data.since);
    const status = el("span", { class: "status" });
    board.setFrom(`fault ${data.number}`, seq, data.status);
    board.watch(`fault ${data.number}`, ({ value }) => {
      if (status.textContent !== value) status.textContent = value;
    });
    const card = el(
      "div",
      { class: `bubble card fault${over ? " over" : ""}` },
      el(
        "div",
        { class: "head" },
        icon(over ? "check" : "shield"),
        el("b", {}, say(over ? "fault.over" : data.news ? "fault.news" : "fault.known")),
        status,
      ),
      el("h2", {}, data.title || ""),
      plain(data.note || ""),
      facts([
        [say("fault.meanwhile"), data.meanwhile],
        [say("fault.began"), say("fault.since", { day: dayName(began), time: timeOf(began) })],
      ]),
    );
    if (over) return card;
    const list = this.choice(seq, [
      { label: say("fault.follow"), text: say("fault.follow"), action: { kind: "follow", number: data.number } },
      { label: say("fault.human"), text: say("fault.human"), action: { kind: "human" } },
    ]);
    list.classList.add("chips");
    append(card, [list]);
    return card;
  }

  queue({ seq, text, data }) {
    const { board } = this.context;
    const place = el("b", { role: "status" }, placeWords(data));
    const wait = el("span", { class: "wait" }, waitWords(data));
    const card = el(
      "div",
      { class: "bubble card queue" },
      el("div", { class: "head" }, icon("clock"), place, wait),
      el("p", {}, text),
    );
    board.setFrom("queue", seq, seq);
    board.watch("queue", ({ value }) => card.classList.toggle("past", value !== seq));
    board.watch("place", (now) => {
      // Only the newest card is about the present; the older ones say what was true then.
      if (board.get("queue").value !== seq) return;
      if (place.textContent !== placeWords(now)) place.textContent = placeWords(now);
      if (wait.textContent !== waitWords(now)) wait.textContent = waitWords(now);
    });
    return card;
  }

  resolved({ seq, data }) {
    this.context.board.setFrom(`ticket ${data.number}`, seq, RESOLVED);
    const answer = (key, kind) => ({ label: say(key), text: say(key), action: { kind, number: data.number } });
    const answers = [answer("resolved.yes", "confirm"), answer("resolved.no", "reopen")];
    const list = this.choice(seq, answers);
    list.classList.add("chips");
    return el(
      "div",
      { class: "bubble card ticket resolved" },
      el("div", { class: "head" }, icon("check"), el("b", {}, say("resolved.title", data))),
      facts([
        [say("resolved.cause"), data.cause],
        [say("resolved.solution"), data.solution],
      ]),
      el("p", { class: "hint" }, say("resolved.question")),
      data.until && el("p", { class: "hint" }, say("resolved.until", data)),
      list,
    );
  }

  rating(message) {
    const card = el("div", { class: "bubble card rating" });
    append(card, [ratingForm(message, this.context)]);
    this.context.choices.watch(message.seq, ({ value }) => {
      const count = Number(value);
      append(clear(card), [
        el("p", {}, say("rating.done", { count })),
        el("div", { class: "stars", "aria-hidden": "true" }, [1, 2, 3, 4, 5].map((n) => star(n <= count))),
      ]);
    });
    return card;
  }
}

function placeWords({ handed, off_hours: offHours, position }) {
  if (handed) return say("queue.handed");
  if (offHours || !position) return say("queue.off_hours");
  return say("queue.position", { position });
}

function waitWords({ handed, off_hours: offHours, minutes }) {
  return Number.isFinite(minutes) && !offHours && !handed ? say("queue.minutes", { minutes }) : "";
}

function facts(pairs) {
  const told = pairs.filter(([, value]) => value);
  return el("dl", {}, told.map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

function star(lit) {
  const drawn = icon("star");
  if (lit) drawn.classList.add("lit");
  return drawn;
}

function ratingForm({ seq, text }, { act }) {
  const hint = el("span", { class: "hint", role: "status" });
  const submit = el("button", { class: "primary", type: "submit", disabled: true }, say("rating.send"));
  const comment = el("textarea", { rows: "2", maxlength: "500", "aria-label": say("rating.comment") });
  comment.placeholder = say("rating.comment");
  const stars = [1, 2, 3, 4, 5].map((count) => {
    const input = el("input", { type: "radio", name: `stars-${seq}`, value: count });
    const name = say("rating.star", { count, meaning: say(`rating.meaning.${count}`) });
    return el("label", { title: name }, input, el("span", { class: "unseen" }, name), star(false));
  });
  const form = el(
    "form",
    {},
    el("fieldset", {}, el("legend", {}, text), el("div", { class: "stars" }, stars), hint),
    comment,
    submit,
  );
  const chosen = () => Number((form.querySelector("input:checked") || {}).value || 0);
  form.addEventListener("change", () => {
    const count = chosen();
    submit.disabled = count === 0;
    hint.textContent = count ? say(`rating.meaning.${count}`) : "";
    stars.forEach((label, n) => label.lastChild.classList.toggle("lit", n < count));
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const count = chosen();
    if (!count) return;
    const action = { kind: "rate", stars: count, comment: comment.value.trim() };
    act(say("rating.said", { count }), action, { seq, value: count });
  });
  return form;
}
