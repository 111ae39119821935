/** Menus of the top bar and of a ticket close by a click elsewhere, and by Escape. */

const open = () => document.querySelectorAll("details.account[open], details.more[open]");

document.addEventListener("click", (event) => {
  for (const one of open()) if (!one.contains(event.target)) one.open = false;
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const one of open()) {
    one.open = false;
    if (one.contains(document.activeElement)) one.querySelector("summary").focus();
  }
});
