/* The form of a rule is drawn anew by the server after each choice. What somebody typed while that was on
   its way would be lost: it is put back, and counted. */
(function () {
  "use strict";
  var sent = {}, late = {};

  function values() {
    var found = {};
    document.querySelectorAll("#rule-builder [id$='-value']").forEach(function (input) { found[input.id] = input.value; });
    return found;
  }

  function redraws(event) { return event.detail.target && event.detail.target.id === "rule-builder"; }

  document.addEventListener("htmx:beforeRequest", function (event) {
    if (redraws(event)) { sent = values(); }
  });
  document.addEventListener("htmx:beforeSwap", function (event) {
    if (!redraws(event)) { return; }
    var now = values(), pressed = event.detail.requestConfig.elt.value || "";
    late = {};
    if (pressed.indexOf("remove:") === 0) { return; } /* the others have moved up */
    Object.keys(now).forEach(function (id) { if (now[id] !== sent[id]) { late[id] = now[id]; } });
  });
  document.addEventListener("htmx:afterSettle", function () {
    var typed = late;
    late = {};
    Object.keys(typed).forEach(function (id) {
      var input = document.getElementById(id);
      if (!input || input.value === typed[id]) { return; }
      input.value = typed[id];
      input.dispatchEvent(new Event("input", { bubbles: true }));
    });
  });

  /* A choice made before the scripts were there, or brought back by the browser, has told nobody yet. htmx is
     loaded first, so its own listeners are in place by now. */
  document.addEventListener("DOMContentLoaded", function () {
    var select = Array.prototype.find.call(document.querySelectorAll("#rule-builder select"), function (one) {
      var option = one.options[one.selectedIndex];
      return option && !option.defaultSelected && (one.selectedIndex > 0 || one.querySelector("option[selected]"));
    });
    if (select) { select.dispatchEvent(new Event("change", { bubbles: true })); }
  });
})();
