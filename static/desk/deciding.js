// The decision pages: a local time shown in UTC as it is typed, and the key that decides.
(() => {
  "use strict";
  const form = document.getElementById("decision");
  if (!form) return;
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    // A key that is still held from the page before decides nothing.
    if (event.repeat) return;
    form.requestSubmit();
  });
  const output = form.querySelector("[data-in-utc]");
  if (!output) return;
  const field = form.elements.issue;
  const show = async () => {
    if (!field.value) { output.value = ""; return; }
    try {
      const answer = await fetch(`${output.dataset.asks}?at=${encodeURIComponent(field.value)}`, { credentials: "same-origin" });
      const told = await answer.json();
      output.value = told.utc ? `That is ${told.utc}.` : told.problem;
    } catch { /* the page says it after sending */ }
  };
  field.addEventListener("input", show);
  show();
})();
