// What is typed is kept in this browser until it is saved, so that an expired login, a crash or a closed tab loses nothing.
(() => {
  "use strict";
  const form = document.getElementById("entry-form");
  if (!form || !form.dataset.user) return;
  const place = form.dataset.pk || "new";
  const key = `desk:${form.dataset.user}:${location.pathname}:${place}`;
  const sent = `${key}:sent`;
  const fields = ["headline", "body", "date", "category", "language", "origin_name", "origin_url", "origin_licence", "pasted", "kind", "note"];

  const read = () => {
    const typed = { at: Date.now(), lock: form.elements.lock_version.value, values: {} };
    for (const name of fields) if (form.elements[name]) typed.values[name] = form.elements[name].value;
    for (const name of ["story", "topics"]) {
      typed[name] = [...form.elements[name].selectedOptions].filter((one) => one.value).map((one) => [one.value, one.textContent]);
    }
    typed.sources = [...form.querySelectorAll("[data-sources] li")].map((row) => [...row.querySelectorAll("input")].map((input) => input.value));
    return typed;
  };
  const same = (one, other) => {
    const bare = ({ values, story, topics, sources }) => JSON.stringify([values, story, topics, sources.filter((pair) => pair.join(""))]);
    return bare(one) === bare(other);
  };
  const store = (name, value) => { try { localStorage.setItem(name, value); } catch { /* full or forbidden: the form still works */ } };
  const stored = () => { try { return JSON.parse(localStorage.getItem(key)); } catch { return null; } };
  const login = `${key}:login`;
  const forget = () => [key, sent, login].forEach((name) => localStorage.removeItem(name));

  const putChoices = (select, chosen) => {
    for (const option of select.options) option.selected = false;
    for (const [value, text] of chosen) {
      const there = [...select.options].find((option) => option.value === value);
      if (there) there.selected = true;
      else select.append(new Option(text, value, true, true));
    }
    window.django.jQuery(select).trigger("change");
  };
  const put = (typed) => {
    for (const [name, value] of Object.entries(typed.values)) if (form.elements[name]) form.elements[name].value = value;
    for (const name of ["story", "topics"]) putChoices(form.elements[name], typed[name]);
    const list = form.querySelector("[data-sources]");
    while (list.children.length < typed.sources.length) form.querySelector("button[value=more]").click();
    [...list.children].forEach((row, number) => row.querySelectorAll("input").forEach((input, part) => { input.value = (typed.sources[number] || [])[part] || ""; }));
    // What was typed is newer than the copy that it was typed over, not than what others saved since.
    form.elements.lock_version.value = typed.lock;
    form.dispatchEvent(new Event("input", { bubbles: true }));
  };

  const bar = document.createElement("p");
  bar.className = "note care";
  bar.setAttribute("role", "status");
  const button = (words, act) => {
    const one = document.createElement("button");
    one.type = "button";
    one.className = "button small";
    one.textContent = words;
    one.addEventListener("click", act);
    return one;
  };

  const original = read();
  const kept = stored();
  const wasSent = localStorage.getItem(sent);
  const refused = form.querySelector(".errornote, .errorlist, .conflict, [aria-labelledby=meet]");
  if (refused || !kept || same(kept, original)) {
    if (!refused) forget();
  } else if (wasSent && original.lock !== kept.lock) {
    // It was sent, and the entry is newer than the form was: it arrived.
    forget();
  } else {
    const at = new Date(kept.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    const discard = button("Throw it away", () => { forget(); location.reload(); });
    if (localStorage.getItem(login)) {
      localStorage.removeItem(login);
      setTimeout(() => put(kept));
      bar.append(`What you typed before you logged in again, at ${at}, is back. It is not saved yet. `, discard);
    } else {
      const back = button("Put it back", () => { put(kept); bar.remove(); });
      bar.append(`What you typed here at ${at} was not saved. It is kept in this browser. `, back, " ", discard);
    }
    form.before(bar);
  }

  let dirty = false;
  let sending = false;
  form.addEventListener("typed", () => {
    const typed = read();
    dirty = !same(typed, original);
    if (dirty) store(key, JSON.stringify(typed));
    localStorage.removeItem(sent);
  });
  window.addEventListener("beforeunload", (event) => {
    if (dirty && !sending) event.preventDefault();
  });

  form.addEventListener("submit", async (event) => {
    if (sending) return;
    event.preventDefault();
    const submitter = event.submitter;
    if (dirty) store(key, JSON.stringify(read()));
    let alive = true;
    try {
      alive = (await (await fetch(form.dataset.alive, { credentials: "same-origin" })).json()).alive;
    } catch { /* the server does not answer: sending tells */ }
    sending = true;
    if (!alive) {
      store(login, "1");
      location.assign(`${form.dataset.login}?next=${encodeURIComponent(location.pathname + location.search)}`);
      return;
    }
    store(sent, "1");
    form.requestSubmit(submitter);
  });
})();
