// The front page's countdowns, and its keys. Without it the page says the same, at the moment it was made.
"use strict";

{
  const page = document.querySelector("[data-now]");
  // The clock of the site counts, not that of the browser.
  const ahead = page ? Date.parse(page.dataset.now) - Date.now() : 0;

  // As `until` in events/desk/tags.py has it.
  const until = (seconds) => {
    if (seconds <= 0) return "now";
    if (seconds < 60) return `in ${seconds} s`;
    const minutes = Math.ceil(seconds / 60);
    const parts = [[Math.floor(minutes / 1440), "d"], [Math.floor(minutes / 60) % 24, "h"], [minutes % 60, "min"]];
    return "in " + parts.filter(([number]) => number).map(([number, unit]) => `${number} ${unit}`).join(" ");
  };

  const count = () => {
    const now = Date.now() + ahead;
    for (const time of document.querySelectorAll("time[data-countdown]")) {
      const words = until(Math.ceil((Date.parse(time.dateTime) - now) / 1000));
      if (time.textContent !== words) time.textContent = words;
    }
  };

  const typing = (element) => element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName);

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || typing(event.target)) return;
    const target = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
    if (!target) return;
    event.preventDefault();
    if (typing(target)) target.focus();
    else target.click();
  });

  if (document.querySelector("time[data-countdown]")) setInterval(count, 1000);
}
