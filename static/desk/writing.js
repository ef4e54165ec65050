// The entry form while one types: counts, hints, the preview, rows of sources, keys. Without it the form works all the same.
(() => {
  "use strict";
  const form = document.getElementById("entry-form");
  if (!form) return;
  const token = form.elements.csrfmiddlewaretoken.value;

  const post = (url, data) => fetch(url, { method: "POST", body: data, headers: { "X-CSRFToken": token }, credentials: "same-origin" });

  // Counts

  const counted = [...form.querySelectorAll("[data-counts]")].map((output) => ({
    output, field: document.getElementById(output.dataset.counts), limit: Number(output.dataset.limit),
  }));
  const count = () => counted.forEach(({ output, field, limit }) => {
    const length = [...field.value].length;
    output.value = `${length.toLocaleString("en")} of ${limit.toLocaleString("en")}`;
    output.classList.toggle("over", length > limit);
  });

  // What the desk knows about what is typed

  const shown = (selector) => document.querySelector(selector);
  const list = (where, lead, found, words) => {
    where.replaceChildren();
    where.hidden = !found.length;
    if (!found.length) return;
    where.append(lead);
    found.forEach((one, number) => {
      const link = document.createElement("a");
      link.href = one.url;
      link.target = "_blank";
      link.rel = "noopener";
      link.textContent = words(one);
      where.append(number ? "; " : " ", link);
    });
  };
  const short = (text) => (text.length > 90 ? `${text.slice(0, 90)}…` : text);

  let asked = 0;
  const ask = async () => {
    const number = ++asked;
    const data = new FormData();
    data.append("pk", form.dataset.pk);
    for (const name of ["headline", "body", "date"]) data.append(name, form.elements[name].value);
    form.querySelectorAll("[name=source_url]").forEach((input) => data.append("source_url", input.value));
    let hints;
    try {
      const answer = await post(form.dataset.hints, data);
      if (!answer.ok || answer.redirected) return;
      hints = await answer.json();
    } catch {
      return;
    }
    if (number !== asked) return;
    shown("[data-slug-line]").hidden = !hints.slug;
    shown("[data-slug]").textContent = hints.slug;
    list(shown("[data-alike]"), "An entry of this day says nearly the same:", hints.alike, (one) => short(one.headline));
    list(shown("[data-cited]"), "Cited already:", hints.cited, (one) => `${one.source} in ${short(one.headline)}`);
    shown("[data-preview-panel]").hidden = !form.elements.headline.value && !hints.body;
    shown("[data-preview-headline]").textContent = form.elements.headline.value;
    // Cleaned by the server, as for the public page.
    shown("[data-preview]").innerHTML = hints.body;
  };
  let waiting;
  const askSoon = () => { clearTimeout(waiting); waiting = setTimeout(ask, 500); };

  // Sources

  const sources = form.querySelector("[data-sources]");
  const number = () => [...sources.children].forEach((row, place) => {
    const labels = [`Name of source ${place + 1}`, `Address of source ${place + 1}`, `Move source ${place + 1} up`, `Move source ${place + 1} down`, `Remove source ${place + 1}`];
    row.querySelectorAll("input, button").forEach((part, index) => part.setAttribute("aria-label", labels[index]));
    row.querySelectorAll("button").forEach((button, index) => { button.value = `${["up", "down", "remove"][index]}-${place}`; });
  });
  const addRow = (name = "", url = "") => {
    const row = sources.lastElementChild.cloneNode(true);
    row.querySelectorAll(".errorlist").forEach((one) => one.remove());
    const [nameInput, urlInput] = row.querySelectorAll("input");
    nameInput.value = name;
    urlInput.value = url;
    sources.append(row);
    number();
    return row;
  };
  const isBlank = (row) => [...row.querySelectorAll("input")].every((input) => !input.value.trim());
  const move = (row, where) => {
    if (where === "up" && row.previousElementSibling) row.previousElementSibling.before(row);
    else if (where === "down" && row.nextElementSibling) row.nextElementSibling.after(row);
    else if (where === "remove" && sources.children.length > 1) row.remove();
    else if (where === "remove") row.querySelectorAll("input").forEach((input) => { input.value = ""; });
    number();
    changed();
  };
  const paste = () => {
    const box = form.elements.pasted;
    const rest = [];
    for (const line of box.value.split(/\r?\n/).filter((one) => one.trim())) {
      const url = line.match(/https?:\/\/\S+/i);
      if (!url) { rest.push(line); continue; }
      const name = line.replace(url[0], " ").trim().replace(/^[\s\-–—:|]+|[\s\-–—:|]+$/g, "");
      let host = "";
      try { host = new URL(url[0]).hostname.replace(/^www\./, ""); } catch { /* the server says what is wrong */ }
      [...sources.children].filter(isBlank).forEach((row) => sources.children.length > 1 && row.remove());
      const only = sources.children.length === 1 && isBlank(sources.firstElementChild);
      addRow(name || host, url[0]);
      if (only) sources.firstElementChild.remove();
    }
    number();
    box.value = rest.join("\n");
    changed();
  };
  form.addEventListener("click", (event) => {
    const button = event.target.closest("button[name=move]");
    if (!button) return;
    event.preventDefault();
    const where = button.value.split("-")[0];
    if (where === "more") addRow().querySelector("input").focus();
    else if (where === "paste") paste();
    else {
      const row = button.closest("li");
      move(row, where);
      if (where === "remove") (sources.querySelector("input") || button).focus();
      else button.focus();
    }
  });
  sources.addEventListener("keydown", (event) => {
    if (!event.altKey || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
    event.preventDefault();
    const field = event.target;
    move(field.closest("li"), event.key === "ArrowUp" ? "up" : "down");
    field.focus();
  });

  // Adding a topic is an act of its own

  const addTopic = async (event) => {
    event.preventDefault();
    const name = window.prompt("Name of the new topic");
    if (!name) return;
    await sendTopic(name, false);
  };
  const sendTopic = async (name, confirmed) => {
    const data = new FormData();
    data.append("name", name);
    if (confirmed) data.append("confirmed", "1");
    let answer, told;
    try {
      answer = await post(form.dataset.quickAdd, data);
      told = await answer.json();
    } catch {
      window.alert("The topic could not be added. Save what you typed, and try again.");
      return undefined;
    }
    if (answer.ok) return chooseTopic(told);
    if (!told.likely) return window.alert(told.error || "This topic could not be added.");
    const names = told.likely.map((one) => one.text).join(", ");
    if (window.confirm(`There is already: ${names}. Add “${name}” all the same?`)) await sendTopic(name, true);
    return undefined;
  };
  const chooseTopic = ({ id, text }) => {
    const select = form.elements.topics;
    const there = [...select.options].find((option) => option.value === String(id));
    if (there) there.selected = true;
    else select.append(new Option(text, id, true, true));
    window.django.jQuery(select).trigger("change");
  };
  const quickAdd = form.querySelector("a[data-quick-add]");
  if (quickAdd) quickAdd.addEventListener("click", addTopic);

  // Keys

  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    if (event.repeat) {
      if (["s", "Enter"].includes(event.key)) event.preventDefault();
      return;
    }
    const button = { s: "[data-save]", Enter: "[data-main]" }[event.key];
    const target = button && (form.querySelector(button) || form.querySelector("[data-save]"));
    if (!target) return;
    event.preventDefault();
    target.click();
  }, true); // before select2, which lets no key out of its box

  const changed = () => {
    count();
    askSoon();
    form.dispatchEvent(new CustomEvent("typed"));
  };
  form.addEventListener("input", changed);
  if (window.django) window.django.jQuery(form).on("change", "select", changed);
  count();
  ask();
})();
