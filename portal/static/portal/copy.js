/* Copy buttons: what stands in data-copy goes to the clipboard; where that is not allowed, the text is selected. */
(function () {
  "use strict";
  document.documentElement.classList.add("can-copy");

  var said = document.createElement("p");
  said.className = "hidden-text";
  said.setAttribute("role", "status");
  document.addEventListener("DOMContentLoaded", function () { document.body.append(said); });

  function tell(button, words) {
    var label = button.querySelector("span");
    said.textContent = "";
    label.textContent = words;
    window.setTimeout(function () { said.textContent = words; }, 50);
    window.clearTimeout(button.copyTimer);
    button.copyTimer = window.setTimeout(function () { label.textContent = "Copy"; }, 2000);
  }

  function select(button) {
    var text = button.parentElement.querySelector("code");
    window.getSelection().selectAllChildren(text);
    tell(button, document.execCommand("copy") ? "Copied" : "Selected");
  }

  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-copy]");
    if (!button) { return; }
    if (!navigator.clipboard) { select(button); return; }
    navigator.clipboard.writeText(button.dataset.copy).then(
      function () { tell(button, "Copied"); },
      function () { select(button); }
    );
  });
})();
