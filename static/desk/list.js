// The list of entries: tick all of a page at once, and offer topics' names while one types. Both are only conveniences.
"use strict";

const tickAll = document.querySelector("[data-tick-all]");
if (tickAll) {
  const boxes = [...document.querySelectorAll("input[name=entry]")];
  const follow = () => {
    const ticked = boxes.filter((box) => box.checked).length;
    tickAll.checked = ticked === boxes.length;
    tickAll.indeterminate = ticked > 0 && ticked < boxes.length;
  };
  tickAll.hidden = false;
  tickAll.addEventListener("change", () => boxes.forEach((box) => { box.checked = tickAll.checked; }));
  boxes.forEach((box) => box.addEventListener("change", follow));
  follow();
}

const topics = document.querySelector("form[data-topics]")?.dataset.topics;
for (const input of document.querySelectorAll("input[list]")) {
  let waiting;
  input.addEventListener("input", () => {
    clearTimeout(waiting);
    if (input.value.trim()) waiting = setTimeout(() => offer(input, input.value.trim()), 200);
  });
}

async function offer(input, typed) {
  const answer = await fetch(`${topics}&term=${encodeURIComponent(typed)}`);
  if (!answer.ok || input.value.trim() !== typed) return;
  const { results } = await answer.json();
  input.list.replaceChildren(...results.map(({ text }) => new Option(text, text)));
}
