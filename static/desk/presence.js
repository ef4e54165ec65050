// Says that the entry is open here, and shows who else has it open.
(() => {
  "use strict";
  const form = document.getElementById("entry-form");
  if (!form || !form.dataset.presence) return;
  const others = document.querySelector("[data-others]");
  const changed = document.querySelector("[data-changed]");
  const EVERY = 15000;

  const say = async () => {
    if (document.hidden) return;
    const data = new FormData();
    data.append("lock_version", form.elements.lock_version.value);
    try {
      const answer = await fetch(form.dataset.presence, { method: "POST", body: data, headers: { "X-CSRFToken": form.elements.csrfmiddlewaretoken.value }, credentials: "same-origin" });
      if (!answer.ok || answer.redirected) return;
      const told = await answer.json();
      others.hidden = !told.others.length;
      others.querySelector("[data-names]").textContent = told.others.join(", ");
      changed.hidden = !told.changed;
    } catch { /* the next one may get through */ }
  };
  say();
  setInterval(say, EVERY);
  document.addEventListener("visibilitychange", say);
})();
