/* Light, dark or as the machine says. The key and the attribute are those of Django's admin, so that
   one choice holds for both faces. Loaded in the head, before anything is drawn. */
(function () {
  "use strict";
  var order = ["auto", "light", "dark"];
  var names = { auto: "as the machine", light: "light", dark: "dark" };

  function present() {
    var kept = null;
    try { kept = localStorage.getItem("theme"); } catch (error) { /* storage may be closed */ }
    return order.indexOf(kept) < 0 ? "auto" : kept;
  }

  function apply(theme) {
    document.documentElement.dataset.theme = theme;
    document.querySelectorAll("[data-theme-switch]").forEach(function (button) {
      (button.querySelector("[data-theme-name]") || button).textContent = "Colours: " + names[theme];
    });
  }

  apply(present());
  document.addEventListener("DOMContentLoaded", function () {
    apply(present());
    document.querySelectorAll("[data-theme-switch]").forEach(function (button) {
      button.hidden = false;
      button.addEventListener("click", function () {
        var next = order[(order.indexOf(present()) + 1) % order.length];
        try { localStorage.setItem("theme", next); } catch (error) { /* lasts for this page only */ }
        apply(next);
      });
    });
  });
})();
