// Enhancements of the workbench; every page works without them.
const tokenField = () => document.querySelector('input[name="csrf_token"]');

// Requests that change something carry the token of the page's own form.
document.body.addEventListener("htmx:configRequest", (event) => {
  const token = tokenField();
  if (token) event.detail.headers["X-CSRF-Token"] = token.value;
});

const LARGEST = 900_000;
const WIDEST = 1600;

// A screenshot is made small enough to send; pictures that are small stay untouched.
async function small(file) {
  if (file.size <= LARGEST) return file;
  const bitmap = await createImageBitmap(file);
  for (const quality of [0.9, 0.75, 0.6]) {
    const scale = Math.min(1, WIDEST / bitmap.width);
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(bitmap.width * scale);
    canvas.height = Math.round(bitmap.height * scale);
    canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((done) => canvas.toBlob(done, "image/webp", quality));
    if (blob && blob.size <= LARGEST) return new File([blob], "picture.webp", { type: blob.type });
  }
  throw new Error("too large");
}

async function insertPicture(area, file) {
  await insert(area, area.dataset.pictures, area.dataset.failed, () => small(file));
}

async function insertFile(area, file) {
  await insert(area, area.dataset.files, area.dataset.fileFailed, () => file);
}

async function insert(area, address, failed, made) {
  try {
    const body = new FormData();
    body.append("file", await made());
    const headers = { "X-CSRF-Token": tokenField().value };
    const answer = await fetch(address, { method: "POST", body, headers });
    const told = await answer.json();
    if (!answer.ok) throw new Error(told.detail);
    const before = area.selectionStart === 0 || area.value[area.selectionStart - 1] === "\n" ? "" : "\n";
    area.setRangeText(`${before}${told.markup}\n`, area.selectionStart, area.selectionEnd, "end");
    area.dispatchEvent(new Event("picture"));
  } catch (error) {
    window.alert(`${failed} ${error.message || ""}`);
  }
}

function editor(form) {
  const area = form.querySelector("#answer");
  const input = form.querySelector("#picture");
  const button = form.querySelector("#choose-picture");
  button.hidden = false;
  button.addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    for (const file of input.files) insertPicture(area, file);
    input.value = "";
  });
  const files = form.querySelector("#file");
  const attach = form.querySelector("#choose-file");
  attach.hidden = false;
  attach.addEventListener("click", () => files.click());
  files.addEventListener("change", () => {
    for (const file of files.files) insertFile(area, file);
    files.value = "";
  });
  for (const kind of ["paste", "drop"]) {
    area.addEventListener(kind, (event) => {
      const files = (event.clipboardData || event.dataTransfer).files;
      const images = [...files].filter((file) => file.type.startsWith("image/"));
      if (!images.length) return;
      event.preventDefault();
      for (const file of images) insertPicture(area, file);
    });
  }
  // A filter in hx-trigger would have to be evaluated, which the page's policy forbids.
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing || !event.target.matches("[data-enter]")) return;
    event.preventDefault();
    event.target.parentElement.querySelector("button").click();
  });
  let isChanged = false;
  form.addEventListener("input", () => { isChanged = true; });
  form.addEventListener("submit", () => { isChanged = false; });
  window.addEventListener("beforeunload", (event) => { if (isChanged) event.preventDefault(); });
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "s") {
      event.preventDefault();
      form.querySelector("#save").click();
    }
  });
}

const form = document.querySelector("#editor");
if (form) editor(form);
