/* The property is offered a name with the chosen field, until somebody types one. What becomes of the old
   property is asked once the name is another. */
(function () {
  "use strict";
  var select = document.querySelector("select[name=field]");
  var input = document.getElementById("id_property");
  if (!select || !input) { return; }
  var old = document.getElementById("old-values");
  function ask() { if (old) { old.hidden = input.value.trim() === old.dataset.name; } }
  ask();
  input.addEventListener("input", ask);
  var offered = input.value === "";
  input.addEventListener("input", function () { offered = input.value === ""; });
  select.addEventListener("change", function () {
    var option = select.options[select.selectedIndex];
    if (offered && option && option.dataset.name) { input.value = option.dataset.name; }
  });
})();
