/* The property is offered a name with the chosen field, until somebody types one. */
(function () {
  "use strict";
  var select = document.getElementById("id_field");
  var input = document.getElementById("id_property");
  if (!select || !input) { return; }
  var offered = input.value === "";
  input.addEventListener("input", function () { offered = input.value === ""; });
  select.addEventListener("change", function () {
    var option = select.options[select.selectedIndex];
    if (offered && option && option.dataset.name) { input.value = option.dataset.name; }
  });
})();
