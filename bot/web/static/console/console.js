/**
 * What makes the console live: countdowns, the streams, announcing new work, sending, shortcuts.
 * Everything that people read is rendered by the server; this only asks for it again and puts it
 * in place. Without this script every link and form still works.
 */

document.documentElement.classList.add("js");

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const words = JSON.parse($("#words").textContent);
const say = (key, values = {}) =>
  words[key].replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
const columns = $("#columns");
const csrf = columns.dataset.csrf;
const ownTitle = { text: document.title };
const SOON_S = 30 * 60;

/** Storage that a strict browser may refuse. */
const kept = {
  read(key) { try { return localStorage.getItem(key); } catch { return null; } },
  write(key, value) { try { value ? localStorage.setItem(key, value) : localStorage.removeItem(key); } catch { /* private window */ } },
};

/* ---- fetching parts ---------------------------------------------------------------------- */

async function part(address, options = {}) {
  const headers = { "HX-Request": "true", Accept: "text/html", ...options.headers };
  const answer = await fetch(address, { ...options, headers });
  const elsewhere = answer.headers.get("HX-Redirect");
  if (elsewhere) { keepDraft(); location.assign(elsewhere); throw new Error("logged out"); }
  return answer;
}

function parsed(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  return holder.content;
}

/** Replace an element, leaving open what the reader had opened and the keyboard where it was. */
function replace(old, fresh) {
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const open = new Set($$("details[open][data-keep]", old).map((one) => one.dataset.keep));
  $$("details[data-keep]", fresh).forEach((one) => { if (open.has(one.dataset.keep)) one.open = true; });
  const top = old.scrollTop;
  old.replaceWith(fresh);
  fresh.scrollTop = top;
  if (focused) sameIn(fresh, focused)?.focus({ preventScroll: true });
  if (window.htmx) window.htmx.process(fresh);
}

/** The counterpart of a control among freshly fetched parts. */
function sameIn(fresh, old) {
  if (old.id) return $(`#${CSS.escape(old.id)}`, fresh);
  if (old.tagName === "SUMMARY") return $(`details[data-keep="${old.parentElement.dataset.keep}"] > summary`, fresh);
  return $$("[data-sheet]", fresh).find((one) => one.textContent === old.textContent);
}

/* ---- countdowns -------------------------------------------------------------------------- */

function countdown(left) {
  const s = Math.floor(Math.abs(left));
  const span = s < 60 ? say("seconds", { count: s })
    : s < 3600 ? say("minutes", { count: Math.floor(s / 60) })
    : s < 86400 ? say("hours", { hours: Math.floor(s / 3600), minutes: Math.floor((s % 3600) / 60) })
    : say("days", { days: Math.floor(s / 86400), hours: Math.floor((s % 86400) / 3600) });
  return say(left < 0 ? "late" : "left", { span });
}

function tick() {
  const now = Date.now();
  $$("[data-due]").forEach((one) => {
    const left = (Date.parse(one.dateTime) - now) / 1000;
    const text = countdown(left);
    if (one.textContent !== text) one.textContent = text;
    one.className = `due due-${left < 0 ? "late" : left <= SOON_S ? "soon" : "ok"}`;
  });
}

/* ---- the transcript, each message once ----------------------------------------------------- */

const talk = {
  done: 0, source: null, owner: "", number: "", last: 0, received: 0, read: 0, asked: 0, busy: false, again: false,
};

const atEnd = () => { const log = $("#log"); return log.scrollHeight - log.scrollTop - log.clientHeight < 80; };
const toEnd = () => { const log = $("#log"); if (log) log.scrollTop = log.scrollHeight; const newer = $("#newer"); if (newer) newer.hidden = true; };

async function fetchMessages() {
  if (talk.busy) { talk.again = true; return; }
  talk.busy = true;
  const number = talk.number;
  try {
    do {
      talk.again = false;
      const answer = await part(`/console/tickets/${number}/transcript?after=${talk.last}`);
      if (answer.ok && number === talk.number) place(parsed(await answer.text()));
    } while (talk.again);
  } catch { /* the stream comes back and asks again */ } finally { talk.busy = false; }
  if (number === talk.number && document.visibilityState === "visible") markRead();
}

function place(fresh) {
  const list = $("#messages");
  const follow = atEnd();
  let added = 0;
  $$(".msg", fresh).forEach((one) => {
    const known = document.getElementById(one.id);
    if (!known) {
      $(".empty", list)?.remove();
      one.classList.add("is-new");
      list.append(one);
      added += 1;
    } else if (($(".turn", one) && !$(".turn", known)) || one.dataset.reading !== known.dataset.reading) known.replaceWith(one);
    talk.last = Math.max(talk.last, Number(one.dataset.seq));
  });
  showReceipts();
  if (added && follow) toEnd();
  else if (added) $("#newer").hidden = false;
}

function follow(pair) {
  talk.source?.close();
  talk.source = null;
  talk.owner = "";
  talk.number = pair?.dataset.number ?? "";
  talk.last = Number(pair?.dataset.last ?? 0);
  Object.assign(talk, { received: 0, read: 0 });
  if (!pair) return;
  toEnd();
  // Without a conversation the stream tells who else has the ticket open, and nothing more.
  const source = new EventSource(`/api/v1/tickets/${talk.number}/events?after=${talk.last}`);
  talk.source = source;
  source.onmessage = (event) => { if (Number(event.lastEventId) > talk.last) fetchMessages(); };
  source.addEventListener("state", (event) => {
    const state = JSON.parse(event.data);
    // Somebody took it, or gave it back: who may write must show at once.
    if (talk.owner && talk.owner !== state.owner) refreshPanel();
    talk.owner = state.owner;
    showWatchers(state.watchers ?? []);
    Object.assign(talk, { received: state.received ?? 0, read: state.read ?? 0 });
    showReceipts();
    const typing = $("#typing");
    if (typing && typing.hidden === state.typing) { const end = atEnd(); typing.hidden = !state.typing; if (end) toEnd(); }
  });
  source.onopen = () => connected(true);
  source.onerror = () => {
    connected(false);
    if (source.readyState === EventSource.CLOSED && talk.source === source) {
      setTimeout(() => { if (talk.source === source) { refreshPanel(); reopen(); } }, 4000);
    }
  };
}

/** Under each of the engineers' messages, how far it has come at the user's side. */
function showReceipts() {
  $$(".msg.from-engineer:not(.msg-note, .msg-draft)").forEach((one) => {
    const seq = Number(one.dataset.seq);
    const key = seq <= talk.read ? "read" : seq <= talk.received ? "received" : "";
    let line = $(".receipt", one);
    if (!key) { line?.remove(); return; }
    if (!line) { line = document.createElement("span"); line.className = "receipt"; $("header", one)?.append(line); }
    const text = say(key);
    if (line.textContent !== text) line.textContent = text;
  });
}

/** Colleagues who have this ticket open too: so that two do not answer the same thing. */
function showWatchers(names) {
  const line = $("#watchers");
  if (!line) return;
  line.hidden = !names.length;
  line.textContent = names.length ? say("watchers", { names: names.join("、") }) : "";
}

function reopen() {
  const pair = $(".pair");
  if (!pair) return;
  pair.dataset.last = String(talk.last);
  follow(pair);
}

function markRead() {
  if (!talk.number || !$("#say")) return;
  const row = $(`.row-ticket[data-number="${CSS.escape(talk.number)}"] .unread`);
  row?.remove();
  fetch(`/console/tickets/${talk.number}/read`, { method: "POST", headers: { "X-CSRF-Token": csrf, "HX-Request": "true" } }).catch(() => {});
}

/* ---- head, reply box and side column ------------------------------------------------------- */

const listQuery = () => $("#queue")?.dataset.query ?? "";

async function refreshPanel() {
  if (!talk.number) return;
  const { number, done: before } = talk;
  try {
    const answer = await part(`/console/tickets/${number}/panel${listQuery()}`);
    const content = answer.ok && parsed(await answer.text());
    // What was asked for before something was done here may not show it yet.
    if (before !== talk.done) refreshPanel();
    else if (content && number === talk.number) showPanel(content, false);
  } catch { /* asked again at the next change */ }
}

/** Put new parts in place. What is being typed stays, unless ``sent`` says that it has gone; and
 * so does the dialog of resolving: the answer to a reply may come after it was opened. */
function showPanel(fresh, sent, resolved = false) {
  const dialog = $("#resolve");
  const head = $("#head", fresh);
  if (resolved || !dialog?.open || !$("#resolve", head)) replace($("#head"), head);
  const side = $("#side", fresh);
  const changing = $("#side .change [name=why]")?.value;
  if (sent || !changing) replace($("#side"), side);
  const composer = $("#composer", fresh);
  if (sent || composer.dataset.rights !== $("#composer").dataset.rights) swapComposer(composer, sent);
  tick();
}

function swapComposer(fresh, sent) {
  const text = $("#text");
  const typed = sent ? "" : text?.value ?? "";
  const had = document.activeElement === text;
  const asNote = $("#mode-note")?.checked;
  const couldReply = $("#mode-reply") && !$("#mode-reply").disabled;
  $("#composer").replaceWith(fresh);
  const field = $("#text");
  if (!field) return;
  if (typed && !field.value) field.value = typed;
  if (couldReply && asNote && $("#mode-note")) $("#mode-note").checked = true;
  if (had) field.focus();
  modeChanged();
}

/* ---- sending ----------------------------------------------------------------------------- */

function sendState(key, bad = false) {
  const line = $("#send-state");
  if (!line) return;
  line.textContent = key ? say(key) : "";
  line.classList.toggle("is-bad", bad);
}

async function submit(form) {
  if (form.dataset.busy) return;
  const verb = form.dataset.verb;
  // What is being done may change to whom this goes: a note before 接单, a reply after it.
  if (verb === "say" && $("form[data-verb][data-busy]")) return;
  form.dataset.busy = "yes";
  const mode = $("#mode-note")?.checked ? "note" : "reply";
  const buttons = [...$$("button", form), ...(verb === "say" ? [] : $$("#say button"))];
  buttons.forEach((one) => { one.disabled = true; });
  const sent = verb === "say" ? $("#text")?.value ?? "" : "";
  if (verb === "say") sendState("sending");
  try {
    const answer = await part(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    if (!answer.ok && ![409, 412, 413, 422, 403].includes(answer.status)) throw new Error(String(answer.status));
    if (!(answer.headers.get("content-type") ?? "").includes("html")) throw new Error("no page");
    const content = parsed(await answer.text());
    if (!$("#composer", content)) throw new Error("not a panel");
    done(verb, mode, content, answer.ok, sent);
  } catch {
    if (verb === "say") sendState("failed", true); else failed(form);
  } finally {
    delete form.dataset.busy;
    buttons.forEach((one) => { one.disabled = false; });
  }
}

function done(verb, mode, content, ok, sent) {
  if (verb === "resolve" && ok) $("#resolve")?.close();
  // The next words may have been typed while these were on their way; what was refused stays too.
  const now = $("#text")?.value ?? "";
  const typing = ok && now.startsWith(sent) ? now.slice(sent.length) : now;
  talk.done += 1;
  showPanel(content, true, verb === "resolve");
  const field = $("#text");
  if (field && typing && (!field.value || (verb === "say" && !ok))) field.value = typing;
  const slot = $("#sheet-slot", content);
  if (verb === "sheet") showSheet(ok ? null : slot);
  const refused = verb === "resolve" && $("#resolve[open]");
  if (refused) { refused.close(); refused.showModal(); }
  if (verb === "say" && ok) {
    if (mode === "note" && !$("#mode-note").checked) $("#mode-note").checked = true;
    kept.write(draftKey(), typing);
    sendState("sent");
    setTimeout(() => sendState(""), 2500);
    toEnd();
    field?.focus();
  }
  if (verb === "claim" && ok) { list("?queue=mine"); $("#mode-reply")?.click(); field?.focus(); }
  modeChanged();
  fetchMessages();
  refreshQueue();
}

function failed(form) {
  let line = $(".alert", form);
  if (!line) {
    line = document.createElement("div");
    line.className = "alert";
    line.setAttribute("role", "alert");
    form.prepend(line);
  }
  line.textContent = say("failed");
}

const draftKey = () => `caiwen.draft.${talk.number}`;
function keepDraft() { const text = $("#text"); if (text && talk.number) kept.write(draftKey(), text.value); }
function bringDraft() {
  const text = $("#text");
  const draft = text && talk.number ? kept.read(draftKey()) : "";
  if (draft && !text.value) { text.value = draft; sendState("draft"); }
}

/** A pasted picture goes the way of a chosen one. */
function pastePicture(event) {
  const field = $("#file");
  const picture = [...(event.clipboardData?.files ?? [])][0];
  if (!field || !picture || event.target.id !== "text") return;
  event.preventDefault();
  const files = new DataTransfer();
  files.items.add(picture);
  field.files = files.files;
  field.form.requestSubmit();
}
document.addEventListener("paste", pastePicture);

let typingAt = 0;
function tellTyping() {
  if (!$("#mode-reply")?.checked || Date.now() - typingAt < 3000) return;
  typingAt = Date.now();
  fetch(`/api/v1/tickets/${talk.number}/typing`, { method: "POST", headers: { "X-CSRF-Token": csrf } }).catch(() => {});
}

function modeChanged() {
  const text = $("#text");
  if (text) text.placeholder = $("#mode-note")?.checked ? text.dataset.note : text.dataset.reply;
}

/* ---- the queue, and announcing new work ----------------------------------------------------- */

const numbers = () => new Set(($("#queue")?.dataset.waiting ?? "").split(" ").filter(Boolean));
const news = { known: numbers(), unread: Number($("#queue")?.dataset.unread ?? 0), count: 0 };
let queueBusy = false;
let queueAgain = false;

async function refreshQueue() {
  if (queueBusy) { queueAgain = true; return; }
  queueBusy = true;
  try {
    do {
      queueAgain = false;
      const query = listQuery();
      const answer = await part(`/console/queue${query}${query ? "&" : "?"}chosen=${encodeURIComponent(talk.number)}`);
      if (answer.ok && query === listQuery()) showQueue(parsed(await answer.text()));
    } while (queueAgain);
  } catch { /* asked again at the next change */ } finally { queueBusy = false; }
}

function showQueue(fresh) {
  const old = $("#queue");
  const search = $("#search");
  const queue = $("#queue", fresh);
  const focused = document.activeElement?.dataset?.number;
  const searching = document.activeElement === search;
  const typed = search?.value;
  const top = $(".col-list").scrollTop;
  replace(old, queue);
  $(".col-list").scrollTop = top;
  if (searching) { const field = $("#search"); field.value = typed; field.focus(); field.setSelectionRange(typed.length, typed.length); }
  if (focused) $(`.row-ticket[data-number="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  choose(talk.number);
  tick();
  announce();
}

function announce() {
  const waiting = numbers();
  const fresh = [...waiting].filter((one) => !news.known.has(one));
  const unread = Number($("#queue").dataset.unread);
  const replied = unread > news.unread && document.hidden;
  const title = (number) => $(`.row-ticket[data-number="${CSS.escape(number)}"] .row-title`)?.textContent ?? number;
  if (fresh.length) tell(fresh.length === 1 ? say("news", { title: title(fresh[0]) }) : say("news_many", { count: fresh.length }), fresh.length);
  else if (replied) tell(say("reply_news", { title: ownTitle.text }), 1);
  waiting.forEach((one) => news.known.add(one));
  news.unread = unread;
}

function tell(text, count) {
  beep();
  if (!document.hidden) return;
  news.count += count;
  document.title = say("title", { count: news.count, title: ownTitle.text });
  $("#favicon").href = $("#favicon").dataset.news;
  if ("Notification" in window && Notification.permission === "granted") {
    const note = new Notification(text, { tag: "caiwen-desk" });
    note.onclick = () => { window.focus(); note.close(); };
  }
}

function quiet() {
  if (document.hidden) return;
  news.count = 0;
  document.title = ownTitle.text;
  $("#favicon").href = $("#favicon").dataset.quiet;
  if (talk.number) markRead();
}

let audio = null;
function beep() {
  if (kept.read("caiwen.sound") !== "on") return;
  audio ??= new AudioContext();
  const tone = audio.createOscillator();
  const volume = audio.createGain();
  tone.frequency.value = 740;
  volume.gain.setValueAtTime(0.08, audio.currentTime);
  volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + 0.35);
  tone.connect(volume).connect(audio.destination);
  tone.start();
  tone.stop(audio.currentTime + 0.36);
}

function showSound() {
  const on = kept.read("caiwen.sound") === "on";
  $("#sound").setAttribute("aria-pressed", String(on));
  $("#sound").textContent = say(on ? "sound_on" : "sound_off");
}

function showNotify() {
  $("#notify").hidden = !("Notification" in window) || Notification.permission !== "default";
}

/* ---- streams --------------------------------------------------------------------------------- */

let lost = 0;
function connected(yes) {
  clearTimeout(lost);
  const line = $("#connection");
  if (yes) line.textContent = "";
  else lost = setTimeout(() => { line.textContent = say("offline"); }, 1500);
}

function changed() { refreshQueue(); refreshPanel(); }

/** News of the desk soon after a quiet moment; while much happens, every few seconds. Fifty open
    consoles that ask for everything several times a second, or all in the same moment, would be most
    of the server's work and keep everybody waiting: each takes a moment of its own.
    The open conversation has its own stream, which waits for nothing. */
const DESK_PAUSE = 5000;
const DESK_SPREAD = 1500;
let deskLast = -DESK_PAUSE;
let deskSoon = 0;
function deskChanged() {
  if (deskSoon) return;
  const wait = Math.max(0, deskLast + DESK_PAUSE - performance.now()) + Math.random() * DESK_SPREAD;
  deskSoon = setTimeout(() => {
    deskSoon = 0;
    deskLast = performance.now();
    changed();
    // The text of a picture comes after the picture, without a message of its own.
    if ($(".msg[data-reading*=pending]")) fetchMessages();
    document.dispatchEvent(new Event("desk:changed"));
  }, wait);
}

function watchDesk() {
  const source = new EventSource("/api/v1/desk/events");
  let opened = false;
  source.addEventListener("changed", deskChanged);
  source.addEventListener("beat", () => document.dispatchEvent(new Event("desk:beat")));
  source.onopen = () => { connected(true); if (opened) changed(); opened = true; };
  source.onerror = () => {
    connected(false);
    if (source.readyState === EventSource.CLOSED) setTimeout(() => { changed(); watchDesk(); }, 4000);
  };
}

/* ---- moving about ------------------------------------------------------------------------------ */

function choose(number) {
  $$(".row-ticket").forEach((row) => {
    const on = row.dataset.number === number;
    row.classList.toggle("is-on", on);
    if (on) row.setAttribute("aria-current", "true"); else row.removeAttribute("aria-current");
  });
}

function move(by) {
  const rows = $$(".row-ticket");
  if (!rows.length) return;
  const at = rows.findIndex((row) => row.dataset.number === talk.number);
  const next = rows[Math.min(rows.length - 1, Math.max(0, at < 0 ? 0 : at + by))];
  next.focus();
  if (next.dataset.number !== talk.number) next.click();
}

function step(name) { columns.dataset.step = name; if (name === "talk") toEnd(); }

function openResolve() {
  const dialog = $("#resolve");
  if (!dialog) return;
  if (dialog.open) dialog.close();
  dialog.showModal();
  $("#cause").focus();
}

/* ---- dialogs of the menu ------------------------------------------------------------------- */

async function openSheet(link) {
  $("#more")?.removeAttribute("open");
  try {
    const answer = await part(link.dataset.sheet);
    if (!answer.ok) throw new Error(String(answer.status));
    const content = parsed(await answer.text());
    if ($("#sheet", content)) showSheet(content); else refreshPanel();
  } catch { location.assign(link.href); }
}

/** Show the dialog that these parts hold, modal; without one, close what is open. */
function showSheet(content) {
  const dialog = content && $("#sheet", content);
  $("#sheet-slot").replaceChildren(...(dialog ? [dialog] : []));
  if (!dialog) return;
  dialog.close();
  dialog.showModal();
  $("select, textarea, input:not([type=hidden])", dialog)?.focus();
}

function write(mode) {
  const choice = $(`#mode-${mode}`);
  if (!choice || choice.disabled) return;
  choice.checked = true;
  modeChanged();
  step("talk");
  $("#text").focus();
}

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  c: () => $("#do-claim")?.click(),
  r: () => write("reply"),
  n: () => write("note"),
  e: openResolve,
  s: () => { step("list"); $("#search").focus(); },
  "?": () => $("#help").showModal(),
};

document.addEventListener("keydown", (event) => {
  const field = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.id === "text") {
    event.preventDefault();
    if (event.target.value.trim()) event.target.form.requestSubmit();
    return;
  }
  if (event.key === "Escape" && field && !$("dialog:modal")) { field.blur(); return; }
  if (field || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || $("dialog:modal")) return;
  const act = KEYS[event.key];
  if (act) { event.preventDefault(); act(); }
});

document.addEventListener("click", (event) => {
  const at = (selector) => event.target.closest(selector);
  if (at("#do-resolve")) { event.preventDefault(); openResolve(); }
  else if (at("[data-close]")) { event.preventDefault(); at("dialog").close(); }
  else if (at("[data-sheet]")) { event.preventDefault(); openSheet(at("[data-sheet]")); }
  else if (at(".desk-steps [data-go]")) { event.preventDefault(); step(at("[data-go]").dataset.go); }
  else if (at("#newer")) toEnd();
  else if (at("#help-open")) $("#help").showModal();
  else if (at("#sound")) { kept.write("caiwen.sound", kept.read("caiwen.sound") === "on" ? "" : "on"); showSound(); beep(); }
  else if (at("#notify")) Notification.requestPermission().then(showNotify);
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.verb) { event.preventDefault(); submit(form); }
});

document.addEventListener("input", (event) => {
  if (event.target.id === "text") { keepDraft(); sendState(""); tellTyping(); }
  if (event.target.id === "search") { clearTimeout(filterSoon); filterSoon = setTimeout(filter, 300); }
});
let filterSoon = 0;

document.addEventListener("change", (event) => {
  if (event.target.name === "mode") modeChanged();
  if (event.target.closest(".filters") && event.target.id !== "search") filter();
  if (event.target.id === "canned" && event.target.value) {
    const text = $("#text");
    text.setRangeText(event.target.value, text.selectionStart, text.selectionEnd, "end");
    event.target.value = "";
    write("reply");
    keepDraft();
  }
});

/** Narrow the list in place; the address follows, so that it can be kept or sent on. */
async function filter() {
  const form = $(".filters");
  list(`?${new URLSearchParams([...new FormData(form)].filter(([, value]) => value))}`);
  await refreshQueue();
}

function list(query) {
  $("#queue").dataset.query = query;
  history.replaceState(history.state, "", location.pathname + query);
}

document.addEventListener("htmx:beforeRequest", keepDraft);
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id !== "work") return;
  const pair = $(".pair");
  follow(pair);
  choose(talk.number);
  step("talk");
  bringDraft();
  modeChanged();
  tick();
  refreshQueue();
  ownTitle.text = pair ? `${talk.number} ${$("#head h1").textContent}` : ownTitle.text;
  if (!document.hidden) document.title = ownTitle.text;
});
document.addEventListener("visibilitychange", quiet);
window.addEventListener("pagehide", keepDraft);

follow($(".pair"));
bringDraft();
modeChanged();
showSound();
showNotify();
tick();
setInterval(tick, 1000);
setInterval(changed, 60_000);
watchDesk();
const dialog = $("#resolve[open]");
if (dialog) { dialog.close(); openResolve(); }
if ($("#sheet")) showSheet($("#sheet-slot").cloneNode(true));
