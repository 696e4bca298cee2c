/* Signing in at the other side in a window of its own. Without scripts the same page does it in one window. */
(function () {
  "use strict";

  /* The page that asks: open the window while the click allows it, and send the form into it. */
  var form = document.querySelector("form[data-connect]");
  if (form) {
    form.addEventListener("submit", function () {
      var chosen = form.querySelector("input[name=way]:checked");
      form.removeAttribute("target");
      form.elements.window.value = "";
      if (!chosen || chosen.value !== "oauth") { return; }
      var size = "popup,width=560,height=760";
      var opened = window.open("", "sign-in", size);
      if (!opened) { return; }
      form.target = "sign-in";
      form.elements.window.value = "pop-up";
      opened.focus();
      /* The pop-up may be closed by hand: the button works again. */
      window.setTimeout(function () {
        delete form.dataset.sent;
        form.querySelectorAll("[aria-disabled]").forEach(function (button) { button.removeAttribute("aria-disabled"); });
      }, 1000);
    });
    new BroadcastChannel(form.dataset.channel).onmessage = function () {
      window.location.assign(form.dataset.then);
    };
  }

  /* The pop-up, back from the other side: tell the page behind it, and close. */
  var done = document.querySelector("[data-signed-in]");
  if (done) {
    new BroadcastChannel(done.dataset.signedIn).postMessage("connected");
    window.setTimeout(function () { window.close(); }, 150);
  }
  document.querySelectorAll("[data-close]").forEach(function (button) {
    button.hidden = false;
    button.addEventListener("click", function () { window.close(); });
  });
})();
