// What is shown once is selected by one click, and copied by a button that is there only where it works.
(() => {
  "use strict";
  for (const place of document.querySelectorAll("[data-copies]")) {
    const field = document.getElementById(place.dataset.copies);
    const told = place.querySelector("output");
    field.addEventListener("focus", () => field.select());
    place.querySelector("button").addEventListener("click", async () => {
      field.focus();
      try {
        await navigator.clipboard.writeText(field.value);
        told.value = "Copied.";
      } catch {
        told.value = "It is selected: press Ctrl+C.";
      }
    });
    place.hidden = false;
  }
})();
