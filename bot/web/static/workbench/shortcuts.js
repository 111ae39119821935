// The workbench by keyboard: through lists, from one answer of a list to the next, and submitting.
// Says nothing that the pages' own links and buttons do not do.
const KEPT = "caiwen.workbench.list";
const ADDRESS = "/workbench/answers/";
const all = (selector) => [...document.querySelectorAll(selector)];

// The list that somebody came from, of this tab only; pages work without it.
function keep(addresses) {
  try { sessionStorage.setItem(KEPT, JSON.stringify(addresses)); } catch { /* storage is off */ }
}

function kept() {
  try {
    const found = JSON.parse(sessionStorage.getItem(KEPT) || "[]");
    return Array.isArray(found) ? found.filter((one) => String(one).startsWith(ADDRESS)) : [];
  } catch { return []; }
}

const links = () => all("#answers td:first-child > a[href]");

function moveInList(rows, by) {
  const at = rows.indexOf(document.activeElement);
  rows[at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + by))].focus();
}

function moveToAnswer(by) {
  const list = kept();
  const at = list.indexOf(location.pathname);
  const next = at < 0 ? undefined : list[at + by];
  if (next) location.assign(next);
}

function move(by) {
  const rows = links();
  if (rows.length) moveInList(rows, by); else moveToAnswer(by);
}

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  e: () => document.querySelector("#edit")?.click(),
  "?": () => document.querySelector("#keys").showModal(),
};

document.addEventListener("keydown", (event) => {
  const field = event.target.closest("input, textarea, select, [contenteditable]");
  if (field || event.isComposing || document.querySelector("dialog:modal")) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    const button = document.querySelector("#submit-review");
    if (button) { event.preventDefault(); button.click(); }
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const act = KEYS[event.key];
  if (act) { event.preventDefault(); act(); }
});

document.querySelector("#keys-open").addEventListener("click", () => KEYS["?"]());
if (links().length) keep(links().map((link) => link.getAttribute("href")));
