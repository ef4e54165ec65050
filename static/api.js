// "Try it": sends what a form of the API's page says, and shows the answer as it came. Without it, the page is a list.
(() => {
  "use strict";
  const LONGEST = 100000;

  const values = (form, place) =>
    [...form.querySelectorAll(`[data-place=${place}]`)].filter((field) => field.value !== "");

  const address = (form) => {
    let path = form.dataset.path;
    for (const field of values(form, "path")) {
      path = path.replace(`{${field.name}}`, encodeURIComponent(field.value));
    }
    const query = new URLSearchParams(values(form, "query").map((field) => [field.name, field.value]));
    return query.size ? `${path}?${query}` : path;
  };

  const request = (form) => {
    const headers = new Headers({ Accept: "application/json" });
    const key = document.getElementById("key").value.trim();
    if (key) headers.set("Authorization", `Bearer ${key}`);
    for (const field of values(form, "header")) headers.set(field.name, field.value);
    const options = { method: form.dataset.method, headers, credentials: "omit", cache: "no-store" };
    const [body] = values(form, "body");
    if (body) {
      headers.set("Content-Type", "application/json");
      options.body = body.value;
    }
    return options;
  };

  const written = (text, type) => {
    if (!type.includes("json")) return text;
    try {
      return JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      return text;
    }
  };

  const block = (name, text) => {
    const element = document.createElement(name);
    element.textContent = text;
    return element;
  };

  // What can be scrolled must be reachable by keyboard.
  const passage = (text) => {
    const element = block("pre", text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);
    element.tabIndex = 0;
    return element;
  };

  const show = async (form) => {
    const shown = form.parentElement.querySelector(".answer");
    const path = address(form);
    shown.replaceChildren(block("p", `${form.dataset.method} ${path} …`));
    try {
      const answer = await fetch(path, request(form));
      const text = await answer.text();
      const headers = [...answer.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
      const said = block("p", `${form.dataset.method} ${path}`);
      const parts = [said, block("strong", `${answer.status} ${answer.statusText}`), passage(headers)];
      if (text) parts.push(passage(written(text, answer.headers.get("Content-Type") || "")));
      shown.replaceChildren(...parts);
    } catch (error) {
      shown.replaceChildren(block("p", `No answer: ${error.message}`));
    }
  };

  document.querySelectorAll(".operation form").forEach((form) => {
    form.querySelector(".try").hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      show(form);
    });
  });
  const key = document.getElementById("api-key");
  key.hidden = false;
  key.addEventListener("submit", (event) => event.preventDefault());
})();
