// Pictures and files: chosen, pasted or dropped, told their limits before they leave, shown small.

import { el, icon } from "./dom.js";
import { plain } from "./content.js";
import { say } from "./phrases.js";

const PICTURES = ["image/png", "image/jpeg", "image/gif", "image/webp"];
//: Which files are worth the way; what they really are the server looks at.
const ENDINGS = "png,jpg,jpeg,gif,webp,bmp,pdf,doc,docx,xls,xlsx,ppt,pptx,txt,log,csv".split(",");
const AT_ONCE = 5;

export function sizeOf(bytes) {
  const kib = bytes / 1024;
  return kib < 1000 ? `${Math.max(Math.round(kib), 1)} KB` : `${(kib / 1024).toFixed(1)} MB`;
}

export class Files {
  /** `limit` in bytes, 0 for none at all; `send(file)`; `tell(words)` says why something stays. */
  constructor({ button, input, main, field, limit, send, tell }) {
    Object.assign(this, { limit, send, tell, main });
    button.hidden = !limit;
    if (!limit) return;
    input.accept = ENDINGS.map((ending) => `.${ending}`).join(",");
    button.addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      this.take([...input.files]);
      // The same file may be chosen again.
      input.value = "";
      field.focus();
    });
    field.addEventListener("paste", (event) => this.took(event, event.clipboardData));
    main.addEventListener("dragover", (event) => {
      if (![...event.dataTransfer.types].includes("Files")) return;
      event.preventDefault();
      main.classList.add("dropping");
    });
    for (const over of ["dragleave", "drop"]) {
      main.addEventListener(over, () => main.classList.remove("dropping"));
    }
    main.addEventListener("drop", (event) => this.took(event, event.dataTransfer));
  }

  took(event, carried) {
    const files = carried ? [...carried.files] : [];
    if (!files.length) return;
    event.preventDefault();
    this.take(files);
  }

  take(files) {
    this.tell("");
    for (const file of files.slice(0, AT_ONCE)) {
      const why = this.refusal(file);
      if (why) this.tell(why);
      else this.send(file);
    }
    if (files.length > AT_ONCE) this.tell(say("file.too_many", { count: AT_ONCE }));
  }

  refusal({ name, size, type }) {
    const ending = name.toLowerCase().split(".").pop();
    if (/^hei[cf]$/.test(ending)) return say("file.heic", { name });
    if (!ENDINGS.includes(ending) && !PICTURES.includes(type)) return say("file.unsupported", { name });
    if (!size) return say("file.empty", { name });
    return size > this.limit ? say("file.too_large", { name, limit: sizeOf(this.limit) }) : "";
  }
}

/**
 * A message with files. `fetchFile(file, id)` resolves to an address for its bytes, `id` being the
 * sender's name of the message; `enlarge(image, opener)`.
 */
export function attachment({ text, data }, { fetchFile, enlarge }) {
  const files = data.attachments || [];
  return el(
    "div",
    { class: "bubble attachment" },
    data.captioned && plain(text),
    files.map((file) => {
      const address = () => fetchFile(file, data.client_msg_id);
      return PICTURES.includes(file.media_type) ? thumbnail(file, address, enlarge) : otherFile(file, address);
    }),
  );
}

function thumbnail(file, address, enlarge) {
  const { name, width, height } = file;
  const img = el("img", { alt: name, width: width || null, height: height || null });
  const label = say("image.enlarge", { name });
  const button = el("button", { class: "enlarge", type: "button", "aria-label": label }, img);
  button.addEventListener("click", () => enlarge({ src: img.src, caption: name, alt: name }, button));
  const broken = () => button.replaceWith(el("p", { class: "broken" }, say("file.gone", { name })));
  address().then((src) => (img.src = src), broken);
  img.addEventListener("error", broken);
  return el("figure", {}, button);
}

function otherFile(file, address) {
  const button = el("button", { class: "file", type: "button" }, icon("file"), el("span", {}, file.name));
  button.appendChild(el("small", {}, sizeOf(file.size)));
  button.addEventListener("click", async () => {
    try {
      el("a", { href: await address(), download: file.name }).click();
    } catch {
      button.replaceWith(el("p", { class: "broken" }, say("file.gone", { name: file.name })));
    }
  });
  return button;
}
