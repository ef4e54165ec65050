// Topics that fit what is typed into a search box, and buttons that copy. Every page works without it.
(() => {
  "use strict";
  const WAIT = 200;

  const suggest = (box) => {
    let timer = 0;
    let asked = "";
    const show = async (word) => {
      let topics;
      try {
        const answer = await fetch(`/topics/index.json?q=${encodeURIComponent(word)}`);
        if (!answer.ok) return;
        ({ topics } = await answer.json());
      } catch {
        return;
      }
      // An answer that was overtaken by what was typed since.
      if (word !== asked) return;
      box.list.replaceChildren(...topics.slice(0, 10).map(({ name }) => {
        const option = document.createElement("option");
        option.value = name;
        return option;
      }));
    };
    box.addEventListener("input", () => {
      clearTimeout(timer);
      const word = box.value.trim().slice(0, 100);
      if (word.length < 2 || word === asked) return;
      timer = setTimeout(() => { asked = word; show(word); }, WAIT);
    });
  };

  // `data-copy` is the text itself, or is empty and stands on the element whose text is to be copied.
  const offerCopy = (element) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    const said = document.createElement("span");
    said.setAttribute("role", "status");
    button.addEventListener("click", async () => {
      const text = element.dataset.copy || element.value || element.textContent.trim();
      try {
        await navigator.clipboard.writeText(text);
        said.textContent = " Copied.";
      } catch {
        said.textContent = " Please copy it by hand.";
      }
    });
    element.after(" ", button, said);
  };

  document.querySelectorAll("input[type=search][list]").forEach(suggest);
  if (navigator.clipboard) document.querySelectorAll("[data-copy]").forEach(offerCopy);
})();
