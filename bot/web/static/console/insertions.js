/**
 * `/` and a few words in the reply box open a list of answers and canned phrases; the arrows walk
 * it, Enter puts one in place of the words, Esc leaves the words as they are.
 */

const $ = (selector, root = document) => root.querySelector(selector);
const PAUSE_MS = 150;
/** The stroke begins a line or follows a space, so that dates and addresses open nothing. */
const ASKED = /(?:^|\s)\/([^\n/]{0,100})$/;
const state = { at: -1, left: -1, timer: 0, stop: null };

const box = () => $("#text");
const list = () => $("#insertions-list");
const options = () => [...(list()?.querySelectorAll("[role=option]") ?? [])];
const chosen = () => options().find((one) => one.getAttribute("aria-selected") === "true");

/** Where the stroke before the caret stands and what follows it. */
function asked(field) {
  if (field.selectionStart !== field.selectionEnd) return null;
  const before = field.value.slice(0, field.selectionStart);
  const found = ASKED.exec(before);
  return found ? { at: before.length - found[1].length - 1, words: found[1] } : null;
}

function close() {
  clearTimeout(state.timer);
  state.stop?.abort();
  state.at = -1;
  $("#insertions")?.remove();
  const field = box();
  field?.setAttribute("aria-expanded", "false");
  field?.removeAttribute("aria-activedescendant");
}

function mark(one) {
  for (const each of options()) each.setAttribute("aria-selected", String(each === one));
  box().setAttribute("aria-activedescendant", one.id);
  one.scrollIntoView({ block: "nearest" });
}

async function search(number, words) {
  state.stop?.abort();
  const stop = new AbortController();
  state.stop = stop;
  const headers = { "HX-Request": "true", Accept: "text/html" };
  try {
    const address = `/console/tickets/${encodeURIComponent(number)}/insertions?${new URLSearchParams({ q: words })}`;
    const answer = await fetch(address, { headers, signal: stop.signal });
    if (!answer.ok || answer.headers.get("HX-Redirect")) return;
    const holder = document.createElement("template");
    holder.innerHTML = await answer.text();
    // Another ticket, another word, or Esc meanwhile: this answers nobody.
    if (stop.signal.aborted || state.at < 0 || $(".pair")?.dataset.number !== number) return;
    show(holder.content.querySelector("#insertions"));
  } catch { /* typing on asks again */ }
}

function show(fresh) {
  const field = box();
  if (!field || !fresh) return;
  $("#insertions")?.remove();
  field.before(fresh);
  field.setAttribute("aria-expanded", "true");
  const first = options()[0];
  if (first) mark(first);
}

function look(field) {
  const found = asked(field);
  if (!found) state.left = -1;
  if (!found || found.at === state.left) { close(); return; }
  state.at = found.at;
  clearTimeout(state.timer);
  const { number } = $(".pair").dataset;
  state.timer = setTimeout(() => search(number, found.words), PAUSE_MS);
}

function take(one) {
  const field = box();
  const { at } = state;
  const text = one.dataset.text;
  state.left = -1;
  close();
  field.setRangeText(text, at, field.selectionStart, "end");
  // The draft is kept and the user sees that somebody writes, as with typed words.
  field.dispatchEvent(new Event("input", { bubbles: true }));
  close();
  field.focus();
}

function step(by) {
  const all = options();
  if (all.length) mark(all[(all.indexOf(chosen()) + by + all.length) % all.length]);
}

const KEYS = {
  ArrowDown: () => step(1),
  ArrowUp: () => step(-1),
  Enter: () => take(chosen()),
  Escape: () => { state.left = state.at; close(); },
};

/* Before the console's own keys: Enter and Esc mean something else while the list is open. */
document.addEventListener("keydown", (event) => {
  if (event.target.id !== "text" || !$("#insertions") || event.isComposing) return;
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  const act = KEYS[event.key];
  if (!act || (event.key !== "Escape" && !chosen())) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  act();
}, { capture: true });

document.addEventListener("input", (event) => {
  if (event.target.id === "text" && !event.isComposing) look(event.target);
});
document.addEventListener("compositionend", (event) => { if (event.target.id === "text") look(event.target); });
document.addEventListener("focusout", (event) => { if (event.target.id === "text") close(); });
document.addEventListener("submit", close, { capture: true });
document.addEventListener("pointerdown", (event) => {
  const one = event.target.closest("#insertions [role=option]");
  if (one) { event.preventDefault(); mark(one); }
  else if (!event.target.closest("#insertions, #text")) close();
});
document.addEventListener("click", (event) => {
  const one = event.target.closest("#insertions [role=option]");
  if (one) take(one);
});
