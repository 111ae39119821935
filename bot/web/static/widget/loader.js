// 财问 widget loader: one script line in a host page puts the button there and, when it is pressed, the
// conversation in a frame. Leaves nothing global but `window.caiwen`; styles live in a shadow tree.
(function (served) {
  "use strict";

  var settings = window.caiwen || {};
  if (settings.open) return; // the line stands twice in the page
  var script = document.currentScript || document.querySelector('script[src*="/widget.js"]');
  if (!script) return;

  var words = served.words;
  var root = new URL(".", script.src).href.replace(/\/$/, "");
  var origin = new URL(root).origin;
  var data = script.dataset;
  var PHONE = "(max-width: 480px)";
  var READY_MS = 15000;
  var KEPT = "caiwen:kept:";

  var style =
    ":host{all:initial}" +
    "*{box-sizing:border-box;font-family:system-ui,-apple-system,'PingFang SC','Microsoft YaHei','Noto Sans CJK SC','Source Han Sans SC',sans-serif}" +
    "button{cursor:pointer;border:0;font:inherit}" +
    "button:focus-visible{outline:3px solid #ffb84d;outline-offset:2px}" +
    "#launch{position:fixed;z-index:2147483000;right:24px;bottom:var(--bottom,24px);display:flex;align-items:center;height:48px;" +
    "padding:0 20px 0 16px;border-radius:24px;background:#1b5fae;color:#fff;font-size:16px;line-height:1;" +
    "box-shadow:0 4px 16px rgba(16,42,77,.28);transition:background .15s}" +
    "#launch:hover{background:#174f92}#launch svg{width:24px;height:24px;margin-right:8px;fill:none;stroke:currentColor;stroke-width:1.8;stroke-linecap:round;stroke-linejoin:round}" +
    "#badge{position:absolute;top:-6px;right:-4px;min-width:22px;height:22px;padding:0 6px;border-radius:11px;border:2px solid #fff;" +
    "background:#c62828;color:#fff;font-size:12px;line-height:18px;text-align:center}" +
    "#panel{position:fixed;z-index:2147483001;right:24px;bottom:calc(var(--bottom,24px) + 64px);width:408px;" +
    "height:min(680px,calc(100vh - var(--bottom,24px) - 88px));border-radius:12px;overflow:hidden;background:#f4f6f9;" +
    "box-shadow:0 12px 48px rgba(16,42,77,.32);animation:rise .18s ease-out}" +
    "iframe{display:block;width:100%;height:100%;border:0;background:transparent;color-scheme:light dark}" +
    "#wait{position:absolute;top:0;right:0;bottom:0;left:0;display:flex;flex-direction:column;align-items:center;justify-content:center;" +
    "padding:24px;background:#f4f6f9;color:#44546a;font-size:15px;line-height:1.7;text-align:center}" +
    "#wait button{margin:16px 8px 0;padding:8px 20px;border-radius:18px;background:#1b5fae;color:#fff;font-size:15px}" +
    ".left #launch,.left #panel{right:auto;left:24px}" +
    "[hidden]{display:none!important}" +
    "@keyframes rise{from{opacity:0;transform:translateY(12px)}}" +
    "@media (max-height:640px){#panel{top:8px;bottom:8px;height:auto}}" +
    "@media (max-width:480px){#launch{right:16px;width:56px;height:56px;padding:0;border-radius:28px;justify-content:center}" +
    ".left #launch{left:16px}#launch svg{margin:0;width:28px;height:28px}#launch span.label{display:none}" +
    "#panel{top:0;right:0;bottom:auto;left:0;width:100%;height:100vh;height:100dvh;border-radius:0}.left #panel{left:0}}" +
    "#panel.large{top:0;right:0;bottom:0;left:0;width:100%;height:100%;border-radius:0;animation:none}" +
    "@media (prefers-color-scheme:dark){#panel,#wait{background:#12171e;color:#c3cedb}}" +
    "@media (prefers-reduced-motion:reduce){*{animation:none!important;transition:none!important}}" +
    "@media print{#launch,#panel{display:none!important}}";

  var user = userOf();
  var box, launch, badge, panel, frame, waiting, readyTimer;
  var state = { open: false, ready: false, unread: 0, title: null };

  function userOf() {
    var given = settings.user || {};
    var found = {};
    ["id", "name", "unit", "region", "audience", "phone", "proof"].forEach(function (field) {
      var attribute = data["user" + field[0].toUpperCase() + field.slice(1)];
      var value = given[field] || attribute;
      if (value) found[field] = String(value);
    });
    return found;
  }

  function make(tag, props, parent) {
    var node = document.createElement(tag);
    Object.keys(props).forEach(function (name) {
      node.setAttribute(name, props[name]);
    });
    if (parent) parent.appendChild(node);
    return node;
  }

  function build() {
    var host = make("div", { id: "caiwen-widget" }, document.body);
    var shadow = host.attachShadow({ mode: "open" });
    try {
      // Allowed also where the host page's policy forbids inline styles.
      var sheet = new CSSStyleSheet();
      sheet.replaceSync(style);
      shadow.adoptedStyleSheets = [sheet];
    } catch (error) {
      make("style", {}, shadow).textContent = style;
    }
    box = make("div", { lang: "zh-CN" }, shadow);
    if ((settings.side || data.side) === "left") box.className = "left";
    var bottom = parseInt(settings.bottom || data.bottom, 10);
    if (bottom >= 0) box.style.setProperty("--bottom", bottom + "px");
    panel = make("div", { id: "panel" }, box);
    panel.hidden = true;
    launch = make("button", { id: "launch", type: "button", "aria-expanded": "false", "aria-controls": "panel" }, box);
    drawLaunch();
    launch.addEventListener("click", toggle);
    panel.addEventListener("keydown", function (event) {
      if (event.key === "Escape") close();
    });
  }

  function drawLaunch() {
    var space = "http://www.w3.org/2000/svg";
    var svg = document.createElementNS(space, "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    var path = document.createElementNS(space, "path");
    path.setAttribute("d", "M5 4h14a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2h-7l-5 4v-4H5a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2zM8 9h8M8 12.500h5");
    svg.appendChild(path);
    launch.appendChild(svg);
    make("span", { class: "label" }, launch).textContent = settings.label || data.label || words.label;
    badge = make("span", { id: "badge", "aria-hidden": "true" }, launch);
    tellUnread(0);
  }

  function tellUnread(count) {
    state.unread = count;
    badge.hidden = count === 0;
    badge.textContent = count > 99 ? "99+" : String(count);
    var name = state.open ? words.close : words.open;
    launch.setAttribute("aria-label", count ? name + words.unread.replace("{count}", count) : name);
    tellTitle();
  }

  function tellTitle() {
    var wanted = state.unread > 0 && document.hidden;
    if (state.title && document.title === state.title.shown) document.title = state.title.own;
    state.title = null;
    if (!wanted) return;
    var shown = words.title.replace("{count}", state.unread).replace("{title}", document.title);
    state.title = { own: document.title, shown: shown };
    document.title = shown;
  }

  // -- the frame ----------------------------------------------------------------------------------

  function load() {
    if (frame) return;
    state.ready = false;
    showWaiting(words.loading);
    var address = root + "/widget?host=" + encodeURIComponent(location.origin);
    var key = settings.key || data.key;
    var props = { title: words.name, src: key ? address + "&key=" + encodeURIComponent(key) : address };
    if (origin !== location.origin) {
      // Within one origin a sandbox holds nothing, and browsers warn of it.
      props.sandbox = "allow-scripts allow-same-origin allow-forms allow-popups allow-popups-to-escape-sandbox allow-downloads";
    }
    frame = make("iframe", props, panel);
    readyTimer = setTimeout(function () {
      showWaiting(words.failed, true);
    }, READY_MS);
  }

  function unload() {
    clearTimeout(readyTimer);
    if (frame) frame.remove();
    frame = null;
  }

  function showWaiting(text, failed) {
    if (!waiting) waiting = make("div", { id: "wait", role: "status" }, panel);
    waiting.textContent = text;
    if (!failed) return;
    var buttons = make("div", {}, waiting);
    var again = make("button", { type: "button" }, buttons);
    again.textContent = words.again;
    again.addEventListener("click", function () {
      unload();
      load();
    });
    var leave = make("button", { type: "button" }, buttons);
    leave.textContent = words.close;
    leave.addEventListener("click", close);
  }

  /** The person, with a fresh proof when the page can make one. */
  function proven(then) {
    if (typeof settings.prove !== "function") return then(user);
    var done = function (proof) {
      then(typeof proof === "string" && proof ? Object.assign({}, user, { proof: proof }) : user);
    };
    try {
      Promise.resolve(settings.prove()).then(done, function () {
        done("");
      });
    } catch (error) {
      done("");
    }
  }

  function post(name, values) {
    if (!frame || !state.ready) return;
    frame.contentWindow.postMessage(Object.assign({ caiwen: name }, values), origin);
  }

  var heard = {
    ready: function (told) {
      clearTimeout(readyTimer);
      state.ready = true;
      if (waiting) waiting.remove();
      waiting = null;
      proven(function (person) {
        post("init", { user: person, open: state.open, kept: told.keeps ? null : kept() });
        if (state.open && state.focus) arrive();
        if (state.asked) ask(state.asked);
      });
    },
    close: close,
    unread: function (told) {
      tellUnread(Math.max(0, Math.floor(Number(told.count)) || 0));
    },
    keep: function (told) {
      if (typeof told.key !== "string" || !/^caiwen:/.test(told.key)) return;
      remember("localStorage", KEPT + told.key, typeof told.value === "string" ? told.value : null);
    },
    begun: function () {
      remember("localStorage", "caiwen:begun", String(Date.now()));
    },
    expand: function (told) {
      panel.classList.toggle("large", Boolean(told.large));
      fit();
    },
  };

  window.addEventListener("message", function (event) {
    if (!frame || event.source !== frame.contentWindow || event.origin !== origin) return;
    var told = event.data;
    if (told && typeof told.caiwen === "string" && Object.prototype.hasOwnProperty.call(heard, told.caiwen)) {
      heard[told.caiwen](told);
    }
  });

  // -- open and close -----------------------------------------------------------------------------

  function arrive() {
    frame.focus();
    post("opened", { focus: true });
  }

  function open(text, quietly) {
    state.open = true;
    state.focus = !quietly;
    panel.hidden = false;
    launch.setAttribute("aria-expanded", "true");
    remember("sessionStorage", "caiwen:open", "1");
    load();
    lockScroll(true);
    fit();
    tellUnread(state.unread);
    if (state.ready && state.focus) arrive();
    if (typeof text === "string") ask(text);
  }

  function ask(text) {
    state.asked = state.ready ? null : text;
    post("ask", { text: text });
  }

  function close() {
    if (!state.open) return;
    state.open = false;
    panel.hidden = true;
    panel.classList.remove("large");
    launch.setAttribute("aria-expanded", "false");
    remember("sessionStorage", "caiwen:open", null);
    lockScroll(false);
    tellUnread(state.unread);
    post("closed");
    launch.focus();
  }

  function toggle() {
    if (state.open) close();
    else open();
  }

  function identify(person) {
    settings.user = person || {};
    var before = JSON.stringify(user);
    user = userOf();
    if (!frame || JSON.stringify(user) === before) return;
    unload();
    tellUnread(0);
    load();
  }

  // -- phones -------------------------------------------------------------------------------------

  var overflow = null;

  function lockScroll(locked) {
    var page = document.documentElement;
    if (locked && overflow === null && window.matchMedia(PHONE).matches) {
      overflow = page.style.overflow;
      page.style.overflow = "hidden";
    } else if (!locked && overflow !== null) {
      page.style.overflow = overflow;
      overflow = null;
    }
  }

  /** Keeps the composer above the on-screen keyboard. */
  function fit() {
    var view = window.visualViewport;
    if (!view) return;
    var phone = state.open && window.matchMedia(PHONE).matches && view.scale <= 1.01;
    panel.style.height = phone ? view.height + "px" : "";
    panel.style.top = phone ? view.offsetTop + "px" : "";
  }

  function remember(area, key, value) {
    try {
      if (value === null) window[area].removeItem(key);
      else window[area].setItem(key, value);
    } catch (error) {
      // Storage is refused: the panel simply does not reopen by itself.
    }
  }

  /** What the frame asked to keep, in browsers that deny storage to frames of other sites. */
  function kept() {
    var found = {};
    try {
      Object.keys(localStorage).forEach(function (key) {
        if (key.indexOf(KEPT) === 0) found[key.slice(KEPT.length)] = localStorage.getItem(key);
      });
    } catch (error) {
      // Storage is refused here too: the conversation lasts as long as the page.
    }
    return found;
  }

  function recall(area, key) {
    try {
      return window[area].getItem(key);
    } catch (error) {
      return null;
    }
  }

  function start() {
    build();
    document.addEventListener("visibilitychange", tellTitle);
    window.addEventListener("storage", function (event) {
      if (event.key && event.key.indexOf(KEPT) === 0) {
        post("kept", { key: event.key.slice(KEPT.length), value: event.newValue });
      }
    });
    if (window.visualViewport) {
      window.visualViewport.addEventListener("resize", fit);
      window.visualViewport.addEventListener("scroll", fit);
    }
    var phone = window.matchMedia(PHONE).matches;
    if (recall("sessionStorage", "caiwen:open") && !phone) open(undefined, true);
    else if (Date.now() - Number(recall("localStorage", "caiwen:begun")) < 14 * 86400000) {
      // Somebody who has talked lately wants to see that an answer came.
      (window.requestIdleCallback || setTimeout)(load);
    }
    window.caiwen = Object.assign(settings, { open: open, close: close, toggle: toggle, identify: identify });
  }

  if (document.body) start();
  else document.addEventListener("DOMContentLoaded", start);
})(__CAIWEN__);
