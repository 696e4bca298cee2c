/* Small manners that HTML has no word for. Every page works without them. */
(function () {
  "use strict";

  /* A submit button works once: a second click while the first is on its way does nothing. */
  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (form.method.toLowerCase() !== "post" || event.defaultPrevented) { return; }
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    delete form.dataset.changed;
    form.querySelectorAll("button[type=submit], button:not([type])").forEach(function (button) {
      button.setAttribute("aria-disabled", "true");
    });
  });
  window.addEventListener("pageshow", function () {
    document.querySelectorAll("form[data-sent]").forEach(function (form) {
      delete form.dataset.sent;
      form.querySelectorAll("[aria-disabled]").forEach(function (button) { button.removeAttribute("aria-disabled"); });
    });
  });

  /* Leaving a form with unsaved changes asks first. */
  document.addEventListener("input", function (event) {
    var form = event.target.closest("form[data-warn-unsaved]");
    if (form) { form.dataset.changed = "1"; }
  });
  window.addEventListener("beforeunload", function (event) {
    if (document.querySelector("form[data-warn-unsaved][data-changed]")) { event.preventDefault(); }
  });

  /* Demo log-ins fill the form. */
  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-fill-email]");
    if (!button) { return; }
    document.getElementById("id_username").value = button.dataset.fillEmail;
    document.getElementById("id_password").value = button.dataset.fillPassword;
    document.getElementById("log-in").focus();
  });

  /* A menu closes by Escape and by a click beside it. */
  document.addEventListener("keydown", function (event) {
    if (event.key !== "Escape") { return; }
    document.querySelectorAll("details[data-menu][open]").forEach(function (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    });
  });
  document.addEventListener("click", function (event) {
    document.querySelectorAll("details[data-menu][open]").forEach(function (menu) {
      if (!menu.contains(event.target)) { menu.open = false; }
    });
  });

  /* A select that navigates or filters sends its form; a button stays for those without scripts. */
  document.addEventListener("change", function (event) {
    if (event.target.matches("[data-submit-on-change]")) { event.target.form.requestSubmit(); }
  });

  /* A row opens its detail; the link in it stays the way for the keyboard. */
  document.addEventListener("click", function (event) {
    var row = event.target.closest("tr[data-href]");
    if (!row || event.target.closest("a, button, summary, input, label") || String(window.getSelection())) { return; }
    if (event.metaKey || event.ctrlKey) { window.open(row.dataset.href); } else { location.href = row.dataset.href; }
  });

  /* The tab shows the progress of a run: the polled fragment carries the title. */
  function takeTitle() {
    var carrier = document.querySelector("[data-page-title]");
    if (carrier) { document.title = carrier.dataset.pageTitle; }
  }
  document.addEventListener("htmx:afterSwap", takeTitle);
  document.addEventListener("DOMContentLoaded", takeTitle);
})();
