"use strict";
// select2 leaves its boxes and its list without an accessible name; they get that of the field that they stand for.
// Among the chosen ones it puts a cross that drops them all at one slip, and that is no list item: it goes.
// Its list would stand behind everything, in no landmark; it stands in the page's main part.
{
  const fieldOf = (box) => (box.previousElementSibling instanceof HTMLSelectElement ? box.previousElementSibling : null);

  const nameOf = (field) => field.labels[0]?.textContent.trim() || field.getAttribute("aria-label") || field.name;

  const nameParts = (parts, field) => {
    for (const part of parts) part.setAttribute("aria-label", nameOf(field));
  };

  const nameBox = (box, field) => {
    const single = box.querySelector(".select2-selection--single");
    const label = field.labels[0];
    if (single && label) {
      // The name and what is chosen: by default it would be the latter alone.
      const chosen = single.querySelector(".select2-selection__rendered");
      label.id ||= `${field.id}_label`;
      chosen.setAttribute("aria-labelledby", label.id);
      single.setAttribute("aria-labelledby", `${label.id} ${chosen.id}`);
    }
    box.querySelector(".select2-selection--multiple .select2-selection__clear")?.remove();
    nameParts(box.querySelectorAll(".select2-selection--multiple, .select2-search__field"), field);
  };

  const nameAll = () => {
    for (const box of document.querySelectorAll(".select2-container")) {
      const field = fieldOf(box);
      if (!field) continue;
      nameBox(box, field);
      if (!box.classList.contains("select2-container--open")) continue;
      const shown = box.querySelector("[aria-owns]");
      shown?.setAttribute("aria-controls", shown.getAttribute("aria-owns"));
      nameParts(document.querySelectorAll(".select2-dropdown .select2-search__field, .select2-results__options"), field);
    }
  };

  // This runs before select2 does, which reads its options from data attributes.
  for (const field of document.querySelectorAll("select.admin-autocomplete")) field.dataset.dropdownParent = "#content-start";
  new MutationObserver(nameAll).observe(document.body, { childList: true, subtree: true });
}
