/* The search page by keyboard, and how many tickets are chosen. Works without this script too. */
document.documentElement.classList.add("js");

const $$ = (selector) => [...document.querySelectorAll(selector)];
const boxes = () => $$("#found input[name=pick]");
const all = document.getElementById("pick-all");
const told = document.getElementById("picked");

function count() {
  if (!told) return;
  const chosen = boxes().filter((box) => box.checked).length;
  told.textContent = chosen ? told.dataset.words.replace("#", String(chosen)) : "";
  all.checked = chosen > 0 && chosen === boxes().length;
  all.indeterminate = chosen > 0 && !all.checked;
}

function move(by) {
  const links = $$("#found .hit-title");
  if (!links.length) return;
  const at = links.findIndex((link) => link.closest(".hit").contains(document.activeElement));
  links[Math.min(links.length - 1, Math.max(0, at < 0 ? 0 : at + by))].focus();
}

function pick() {
  const box = document.activeElement?.closest(".hit")?.querySelector("input[name=pick]");
  if (box) { box.checked = !box.checked; count(); }
}

const KEYS = { j: () => move(1), k: () => move(-1), x: pick, s: () => document.querySelector("[name=q]").focus() };

document.addEventListener("change", (event) => {
  if (event.target === all) boxes().forEach((box) => { box.checked = all.checked; });
  if (event.target === all || event.target.name === "pick") count();
});
document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input:not([type=checkbox]), textarea, select");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || !KEYS[event.key]) return;
  event.preventDefault();
  KEYS[event.key]();
});
count();
