/**
 * Answers the beats of the desk's stream, which proves that somebody's browser is still there, and
 * shows who is. A closed laptop answers nothing; that is the point.
 */

const slot = document.querySelector("#presence-slot");
const csrf = document.querySelector("#columns").dataset.csrf;
const SELDOM_MS = 5_000;
let active = Date.now();

for (const name of ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"]) {
  addEventListener(name, () => { active = Date.now(); }, { passive: true, capture: true });
}

async function show(answer) {
  if (!answer.ok || answer.headers.get("HX-Redirect")) return;
  const holder = document.createElement("template");
  holder.innerHTML = await answer.text();
  const fresh = holder.content.querySelector("#presence");
  if (!fresh) return;
  const shown = document.querySelector("#presence");
  // A click ends where it began: what has not changed stays the same element.
  if (shown?.innerHTML === fresh.innerHTML) return;
  fresh.open = Boolean(shown?.open);
  slot.replaceChildren(fresh);
}

async function refresh() {
  if (slot.contains(document.activeElement) && document.activeElement.name === "hours") return;
  try {
    await show(await fetch("/console/presence", { headers: { "HX-Request": "true", Accept: "text/html" } }));
  } catch { /* asked again at the next change */ }
}

async function beat() {
  if (!document.querySelector("#presence")) await refresh();
  if (!document.querySelector("#presence[data-beats]")) return;
  const idle = String(Math.round((Date.now() - active) / 1000));
  const headers = { "X-CSRF-Token": csrf, "HX-Request": "true" };
  try {
    await fetch("/console/presence/beat", { method: "POST", headers, body: new URLSearchParams({ idle }) });
  } catch { /* silence is what the server then hears */ }
}

slot.addEventListener("submit", async (event) => {
  event.preventDefault();
  const data = new URLSearchParams(new FormData(event.target));
  if (event.submitter?.name) data.set(event.submitter.name, event.submitter.value);
  const headers = { "X-CSRF-Token": csrf, "HX-Request": "true", Accept: "text/html" };
  await show(await fetch("/console/presence", { method: "POST", headers, body: data }));
});
/* Every message changes the desk; who is there changes seldom. */
let planned = null;
function soon() {
  if (planned) return;
  planned = setTimeout(() => { planned = null; refresh(); }, SELDOM_MS);
}

document.addEventListener("desk:beat", beat);
document.addEventListener("desk:changed", soon);
/* Whoever opens the desk is there at once, not when the next beat is due. */
beat().then(refresh);
