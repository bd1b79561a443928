/* Charts are drawn on the server and read without this file. Where a script may run, a chart that a
   person points at becomes a live one: the same specification, drawn by Vega from our own address,
   tells the numbers of each point. Expressions are interpreted, never evaluated: strict CSP holds. */
(function () {
  "use strict";
  var bundle = null;

  function loadBundle() {
    if (!bundle) {
      bundle = new Promise(function (resolve, reject) {
        var script = document.createElement("script");
        script.src = "/static/vega.js";
        script.onload = function () { resolve(window.vegaEmbed); };
        script.onerror = reject;
        document.head.appendChild(script);
      });
    }
    return bundle;
  }

  function isDark() {
    var set = document.documentElement.dataset.theme;
    return set ? set === "dark" : window.matchMedia("(prefers-color-scheme: dark)").matches;
  }

  function visible(figure) {
    return Array.prototype.find.call(figure.querySelectorAll(".drawn"), function (part) {
      return part.offsetParent !== null;
    });
  }

  function enliven(figure) {
    var drawn = visible(figure);
    if (!drawn || drawn.dataset.live) { return; }
    drawn.dataset.live = "1";
    var still = drawn.querySelector("svg");
    var width = Math.round(still.getBoundingClientRect().width);
    var separator = figure.dataset.spec.indexOf("?") < 0 ? "?" : "&";
    var address = figure.dataset.spec + separator + "width=" + width + "&theme=" + (isDark() ? "dark" : "light");
    Promise.all([loadBundle(), fetch(address).then(function (answer) {
      if (!answer.ok) { throw new Error(String(answer.status)); }
      return answer.json();
    })]).then(function (both) {
      var place = document.createElement("div");
      place.className = "live";
      place.setAttribute("role", "img");
      place.setAttribute("aria-label", still.getAttribute("aria-label"));
      still.insertAdjacentElement("beforebegin", place);
      return both[0](place, both[1], {
        actions: false, ast: true, defaultStyle: false, renderer: "canvas",
        tooltip: { disableDefaultStyle: true }
      }).then(function () { still.remove(); });
    }).catch(function () {
      /* The drawing of the server stays. */
      delete drawn.dataset.live;
    });
  }

  document.querySelectorAll("figure.chart[data-spec]").forEach(function (figure) {
    figure.addEventListener("pointerenter", function () { enliven(figure); }, { once: true });
  });
}());
