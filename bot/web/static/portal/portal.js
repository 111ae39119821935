// The demonstration portal: dates around today, a menu for phones, filters, and what is only for show.
(function () {
  "use strict";

  var WEEK = "日一二三四五六";
  var now = new Date();

  function all(selector) {
    return Array.prototype.slice.call(document.querySelectorAll(selector));
  }

  function day(offset) {
    return new Date(now.getFullYear(), now.getMonth(), now.getDate() + offset);
  }

  all("[data-days]").forEach(function (node) {
    var at = day(Number(node.dataset.days));
    node.textContent = at.getMonth() + 1 + "月" + at.getDate() + "日";
    if (node.tagName === "TIME") node.dateTime = at.toISOString().slice(0, 10);
  });
  document.querySelector("[data-year]").textContent = now.getFullYear();
  document.querySelector("[data-today]").textContent =
    now.getMonth() + 1 + "月" + now.getDate() + "日 星期" + WEEK[now.getDay()];
  var hour = now.getHours();
  document.querySelector("[data-greeting]").textContent =
    hour < 5 || hour > 17 ? "晚上好" : hour < 12 ? "上午好" : "下午好";

  var toast = document.querySelector(".toast");
  var timer;
  all("[data-demo]").forEach(function (node) {
    node.addEventListener("click", function () {
      toast.hidden = false;
      clearTimeout(timer);
      timer = setTimeout(function () {
        toast.hidden = true;
      }, 3000);
    });
  });

  all("[data-ask]").forEach(function (node) {
    node.addEventListener("click", function () {
      if (window.caiwen && window.caiwen.open) window.caiwen.open(node.dataset.ask);
    });
  });

  var tabs = all("[role=tab]");
  tabs.forEach(function (tab, n) {
    tab.addEventListener("click", function () {
      tabs.forEach(function (each) {
        each.setAttribute("aria-selected", String(each === tab));
        each.tabIndex = each === tab ? 0 : -1;
      });
      all("#rows tbody tr").forEach(function (row) {
        row.hidden = Boolean(tab.dataset.filter) && row.dataset.kind !== tab.dataset.filter;
      });
    });
    tab.tabIndex = n === 0 ? 0 : -1;
    tab.addEventListener("keydown", function (event) {
      var step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      var next = tabs[(n + step + tabs.length) % tabs.length];
      next.focus();
      next.click();
    });
  });

  var menu = document.querySelector(".menu");
  menu.addEventListener("click", function () {
    var open = document.body.classList.toggle("menu-open");
    menu.setAttribute("aria-expanded", String(open));
  });
})();
