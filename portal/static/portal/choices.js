/* A <select data-searchable> becomes a field to type in, with the matches below it. Without scripts the select works. */
(function () {
  "use strict";

  var SHOWN = 100;

  function plain(text) {
    return text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
  }

  function element(name, attributes, text) {
    var made = document.createElement(name);
    Object.keys(attributes).forEach(function (key) { made.setAttribute(key, attributes[key]); });
    if (text) { made.textContent = text; }
    return made;
  }

  function enhance(select) {
    if (select.dataset.enhanced) { return; }
    select.dataset.enhanced = "1";
    var id = select.id;
    var options = Array.prototype.filter.call(select.options, function (option) { return option.value; });
    var keys = options.map(function (option) { return plain(option.text); });
    var box = element("div", { "class": "combobox" });
    var input = element("input", {
      type: "text", role: "combobox", id: id, autocomplete: "off", spellcheck: "false",
      "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": id + "-listbox",
      placeholder: "Type to search " + options.length.toLocaleString("en") + " " + (select.dataset.what || "")
    });
    ["aria-describedby", "aria-invalid"].forEach(function (name) {
      if (select.hasAttribute(name)) { input.setAttribute(name, select.getAttribute(name)); }
    });
    var list = element("ul", { role: "listbox", id: id + "-listbox", "aria-label": select.dataset.what || "Choices" });
    var said = element("span", { "class": "hidden-text", role: "status" });
    list.hidden = true;
    select.id = id + "-native";
    select.hidden = true;
    select.parentNode.insertBefore(box, select);
    box.append(input, list, said, select);

    var active = -1;
    var shown = [];

    function label() {
      var chosen = select.selectedOptions[0];
      return chosen && chosen.value ? chosen.text : "";
    }

    function mark(index) {
      var items = list.querySelectorAll("[role=option]");
      if (items[active]) { items[active].classList.remove("is-active"); }
      active = index;
      if (!items[index]) { input.removeAttribute("aria-activedescendant"); return; }
      items[index].classList.add("is-active");
      items[index].scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", items[index].id);
    }

    function show(text) {
      var wanted = plain(text.trim());
      var found = options.filter(function (option, index) { return keys[index].includes(wanted); });
      shown = found.slice(0, SHOWN);
      list.replaceChildren.apply(list, shown.map(function (option, index) {
        return element("li", {
          role: "option", id: id + "-option-" + index, "aria-selected": String(option.selected),
          "aria-disabled": String(option.disabled)
        }, option.text);
      }));
      if (found.length > SHOWN) {
        list.append(element("li", { "class": "more", role: "presentation" },
          (found.length - SHOWN).toLocaleString("en") + " more. Type more letters to find one."));
      }
      if (!found.length) { list.append(element("li", { "class": "more", role: "presentation" }, "Nothing matches.")); }
      said.textContent = found.length.toLocaleString("en") + (found.length === 1 ? " match" : " matches");
      list.hidden = false;
      input.setAttribute("aria-expanded", "true");
      mark(wanted && shown.length ? step(-1, 1) : shown.findIndex(function (option) { return option.selected; }));
    }

    function hide() {
      list.hidden = true;
      input.setAttribute("aria-expanded", "false");
      said.textContent = "";
      mark(-1);
    }

    function close() {
      hide();
      input.value = label();
    }

    function choose(option) {
      if (!option || option.disabled) { return; }
      var isNew = select.value !== option.value;
      select.value = option.value;
      close();
      if (isNew) { select.dispatchEvent(new Event("change", { bubbles: true })); }
    }

    /* The next one that can be chosen, from the end to the beginning. */
    function step(from, by) {
      for (var tried = 0, at = from; tried < shown.length; tried += 1) {
        at = (at + by + shown.length) % shown.length;
        if (!shown[at].disabled) { return at; }
      }
      return -1;
    }

    input.addEventListener("focus", function () { input.select(); });
    input.addEventListener("click", function () { if (list.hidden) { show(""); } });
    input.addEventListener("input", function (event) { event.stopPropagation(); show(input.value); });
    input.addEventListener("change", function (event) { event.stopPropagation(); });
    input.addEventListener("blur", close);
    input.addEventListener("keydown", function (event) {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        if (list.hidden) { show(""); }
        var down = event.key === "ArrowDown";
        mark(step(active < 0 && !down ? shown.length : active, down ? 1 : -1));
      } else if (event.key === "Enter" && !list.hidden) {
        event.preventDefault();
        choose(shown[active]);
      } else if (event.key === "Escape" && !list.hidden) {
        event.preventDefault();
        close();
      }
    });
    /* Before the field loses the focus, so that the choice is not closed away. */
    list.addEventListener("mousedown", function (event) {
      event.preventDefault();
      var item = event.target.closest("[role=option]");
      if (item) { choose(shown[Array.prototype.indexOf.call(list.children, item)]); }
    });
    close();
  }

  function enhanceAll() { document.querySelectorAll("select[data-searchable]").forEach(enhance); }

  document.addEventListener("DOMContentLoaded", enhanceAll);
  document.addEventListener("htmx:afterSwap", enhanceAll);
})();
