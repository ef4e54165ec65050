// What is typed is kept in this browser until the server says that it was saved, so that an expired login, a refusal, a
// crash or a closed tab loses nothing. Each opened form has an id of its own; what was saved comes back as ?saved=ID.
(() => {
  "use strict";
  const PREFIX = "desk:";
  const keys = () => Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));
  const store = (key, value) => { try { localStorage.setItem(key, value); } catch { /* full or forbidden: the form still works */ } };
  const stored = (key) => { try { return JSON.parse(localStorage.getItem(key)); } catch { return null; } };

  if (document.querySelector("[data-forget-typed]")) keys().forEach((key) => localStorage.removeItem(key));

  const here = new URL(location.href);
  const saved = here.searchParams.get("saved");
  if (saved) {
    keys().filter((key) => key.endsWith(`:${saved}`)).forEach((key) => localStorage.removeItem(key));
    here.searchParams.delete("saved");
    history.replaceState(history.state, "", here);
  }

  const form = document.querySelector("form[data-keep]");
  if (!form) return;
  const place = `${PREFIX}${form.dataset.user}:${location.pathname}:`;
  const key = place + form.elements.form_id.value;
  const login = `${PREFIX}login:${form.dataset.user}:${location.pathname}`;
  const LEFT_OUT = ["csrfmiddlewaretoken", "form_id", "lock_version", "base", "live", "conflict", "listed"];

  // Reading and putting back

  const fields = () => [...form.elements].filter((one) => one.name && !LEFT_OUT.includes(one.name) && one.type !== "submit" && !one.name.startsWith("lock_"));
  const valueOf = (field) => {
    if (["radio", "checkbox"].includes(field.type)) return field.checked ? field.value : null;
    if (field.tagName === "SELECT") return [...field.selectedOptions].filter((one) => one.value).map((one) => [one.value, one.textContent]);
    return field.value;
  };
  const read = () => {
    const values = {};
    for (const field of fields()) {
      const value = valueOf(field);
      (values[field.name] ||= []).push(...(value === null ? [] : [value]));
    }
    return { at: Date.now(), lock: form.elements.lock_version?.value, values };
  };
  const bare = ({ values }) => JSON.stringify(Object.entries(values).map(([name, list]) => [name, list.filter((value) => String(value))]));

  const putSelect = (select, chosen) => {
    for (const option of select.options) option.selected = false;
    for (const [value, text] of chosen) {
      const there = [...select.options].find((option) => option.value === value);
      if (there) there.selected = true;
      else select.append(new Option(text, value, true, true));
    }
    if (window.django?.jQuery) window.django.jQuery(select).trigger("change");
  };
  const putField = (field, list, number) => {
    if (["radio", "checkbox"].includes(field.type)) field.checked = list.includes(field.value);
    else if (field.tagName === "SELECT") putSelect(field, list[0] || []);
    else field.value = list[number] ?? "";
  };
  const put = (typed) => {
    const rows = typed.values.source_name?.length || 0;
    const more = form.querySelector("button[value=more]");
    while (more && form.querySelectorAll("[name=source_name]").length < rows) more.click();
    const seen = {};
    for (const field of fields()) {
      const number = (seen[field.name] = (seen[field.name] ?? -1) + 1);
      if (field.name in typed.values) putField(field, typed.values[field.name], number);
    }
    // What was typed is newer than the copy that it was typed over, not than what others saved since.
    if (typed.lock && form.elements.lock_version) form.elements.lock_version.value = typed.lock;
    form.dispatchEvent(new Event("input", { bubbles: true }));
  };

  // What an earlier visit left

  const original = read();
  const left = keys().filter((one) => one.startsWith(place) && one !== key).map((one) => [one, stored(one)]).filter(([one, typed]) => {
    if (typed?.values && bare(typed) !== bare(original)) return true;
    localStorage.removeItem(one);
    return false;
  }).sort(([, one], [, other]) => other.at - one.at)[0];

  const button = (words, act) => {
    const one = document.createElement("button");
    one.type = "button";
    one.className = "button small";
    one.textContent = words;
    one.addEventListener("click", act);
    return one;
  };
  if (left) {
    const [old, typed] = left;
    const bar = document.createElement("p");
    bar.className = "note care";
    bar.setAttribute("role", "status");
    const at = new Date(typed.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    const back = () => { put(typed); localStorage.removeItem(old); };
    if (localStorage.getItem(login)) {
      setTimeout(back);
      bar.append(`What you typed before you logged in again, at ${at}, is back. It is not saved yet. `);
      bar.append(button("Throw it away", () => { dirty = false; localStorage.removeItem(key); location.reload(); }));
    } else {
      bar.append(`What you typed here at ${at} was not saved. It is kept in this browser. `);
      bar.append(button("Put it back", () => { back(); bar.remove(); }), " ", button("Throw it away", () => { localStorage.removeItem(old); bar.remove(); }));
    }
    form.before(bar);
  }
  localStorage.removeItem(login);

  // What is typed now

  let dirty = false;
  const typing = () => {
    const typed = read();
    dirty = bare(typed) !== bare(original);
    if (dirty) store(key, JSON.stringify(typed));
    else localStorage.removeItem(key);
  };
  form.addEventListener("typed", typing);
  form.addEventListener("input", typing);
  form.addEventListener("change", typing);

  // Sending: once, and not into a login that has expired

  let state = "idle";
  window.addEventListener("pageshow", () => { state = "idle"; });
  window.addEventListener("beforeunload", (event) => {
    if (dirty && state === "idle") event.preventDefault();
  });
  form.addEventListener("submit", async (event) => {
    if (state === "ready") { state = "sent"; return; }
    event.preventDefault();
    if (state !== "idle") return;
    state = "asking";
    const submitter = event.submitter;
    let alive = true;
    try {
      alive = (await (await fetch(form.dataset.alive, { credentials: "same-origin" })).json()).alive;
    } catch { /* the server does not answer: sending tells */ }
    if (!alive) {
      store(login, "1");
      location.assign(`${form.dataset.login}?next=${encodeURIComponent(location.pathname + location.search)}`);
      return;
    }
    state = "ready";
    form.requestSubmit(submitter);
    // What the browser refused to send, such as an empty required field, can be sent again.
    if (state === "ready") state = "idle";
  });
})();
