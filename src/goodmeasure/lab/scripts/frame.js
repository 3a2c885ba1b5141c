// What all pages share: which one is shown, its state in the address, what a teacher hid or locked, questions, and keys.

import { copying } from "./copying.js";

const said = new URLSearchParams(location.search);
const listed = (name) => (said.get(name) ?? "").split(",").filter(Boolean);

// The address ends in #page-4&weight=-3&step=20: the page, and what stands otherwise than at first.
const parts = () => location.hash.slice(1).split("&");
const state = new URLSearchParams(parts().slice(1).join("&"));
let current = "";

export const remembered = (name) => state.get(name) ?? undefined;

export function remember(name, value) {
  if (value === null) state.delete(name);
  else state.set(name, String(value));
  history.replaceState(null, "", `#${[current, ...(state.size ? [state] : [])].join("&")}`);
}

// A control of a page: a number that is kept in the address. Gives what reads it.
export function control(page, name, show) {
  const input = page.querySelector(`[data-control="${name}"]`);
  const kept = Number(remembered(name) ?? input.defaultValue);
  input.value = Number.isFinite(kept) ? kept : input.defaultValue;
  input.disabled = listed("lock").includes(name);
  const moved = () => {
    remember(name, Number(input.value) === Number(input.defaultValue) ? null : input.value);
    show();
  };
  input.addEventListener("input", moved);
  input.addEventListener("keydown", (event) => {
    const way = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    if (event.shiftKey && way) {
      way > 0 ? input.stepUp(10) : input.stepDown(10);
    } else if (event.key.toLowerCase() === "r" && !event.ctrlKey && !event.metaKey) {
      input.value = input.defaultValue;
    } else if (event.key.toLowerCase() === "t") {
      for (const twin of page.querySelectorAll("details.twin")) twin.open = !twin.open;
      return;
    } else return;
    event.preventDefault();
    moved();
  });
  return { get: () => Number(input.value), set: (value) => ((input.value = value), moved()), input };
}

// A list of a page, whose choice is kept in the address. Gives what reads it.
export function choice(page, name, changed) {
  const list = page.querySelector(`[data-control="${name}"]`);
  const first = list.value;
  if ([...list.options].some((option) => option.value === remembered(name))) list.value = remembered(name);
  list.disabled = listed("lock").includes(name);
  list.addEventListener("change", () => {
    remember(name, list.value === first ? null : list.value);
    changed();
  });
  const set = (value) => {
    list.value = value;
    remember(name, value === first ? null : value);
  };
  return { get: () => list.value, set, text: () => list.selectedOptions[0].textContent, list };
}

// A line of text that is kept in the address. Gives what reads it.
export function field(page, name, changed) {
  const input = page.querySelector(`[data-control="${name}"]`);
  input.value = remembered(name) ?? input.defaultValue;
  input.disabled = listed("lock").includes(name);
  input.addEventListener("input", () => {
    remember(name, input.value === input.defaultValue ? null : input.value);
    changed();
  });
  return { get: () => input.value, input };
}

// A question that is answered before what follows it is shown; `told` says what became of the guess.
export function question(page, name, told) {
  const form = page.querySelector(`form[data-question="${name}"]`);
  const answer = (guess) => {
    for (const part of page.querySelectorAll(`[data-after="${name}"]`)) part.hidden = false;
    for (const part of page.querySelectorAll(`[data-before="${name}"]`)) part.hidden = true;
    form.classList.add("answered");
    delete page.dataset.asking;
    page.querySelector(`[data-told="${name}"]`).textContent = told(guess);
  };
  for (const part of page.querySelectorAll(`[data-after="${name}"]`)) part.hidden = true;
  page.dataset.asking = name;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const guess = event.submitter?.value === "look" ? ["-"] : [...new FormData(form).values()].map(String);
    remember(name, guess.join("."));
    answer(guess);
    const next = page.querySelector(`[data-told="${name}"]`);
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  });
  form.querySelector('[value="look"]').formNoValidate = true;
  const kept = remembered(name);
  if (kept !== undefined) {
    const guess = kept.split(".");
    [...form.querySelectorAll("input[type=number]")].forEach((input, k) => (input.value = guess[k]));
    for (const input of form.querySelectorAll("input[type=radio]")) input.checked = input.value === kept;
    answer(guess);
  }
}

export const write = (page, name, text) => {
  for (const part of page.querySelectorAll(`[data-shown="${name}"]`)) part.textContent = text;
};

// A button that moves a control from its first to its last step, so many milliseconds each; where motion is not wanted, at once.
// Whoever moves the control stops it.
export function player(button, moved, last, milliseconds) {
  let playing = 0;
  const stop = () => (playing += 1);
  button.disabled = moved.input.disabled;
  button.addEventListener("click", () => {
    const [mine, begun] = [stop(), performance.now()];
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return moved.set(last);
    const frame = (now) => {
      if (mine !== playing) return;
      const at = Math.min(last, Math.max(0, Math.floor((now - begun) / milliseconds)));
      if (at !== moved.get()) moved.set(at);
      if (at < last) requestAnimationFrame(frame);
    };
    moved.set(0);
    requestAnimationFrame(frame);
  });
  for (const event of ["pointerdown", "keydown"]) moved.input.addEventListener(event, stop);
}

function turn(pages) {
  const wanted = parts()[0];
  const shown = pages.find((page) => page.id === wanted) ?? pages[0];
  current = shown.id;
  for (const page of pages) page.hidden = page !== shown;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#${current}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${shown.querySelector("h1").textContent} - goodmeasure lab`;
}

export function begin(mounts) {
  const pages = [...document.querySelectorAll("[data-page]")];
  for (const part of document.querySelectorAll("[data-script]")) part.hidden = false;
  turn(pages);
  addEventListener("hashchange", () => (turn(pages), scrollTo(0, 0)));
  for (const page of pages) mounts[page.dataset.page](page);
  for (const name of listed("hide")) {
    for (const part of document.querySelectorAll(`[data-part="${CSS.escape(name)}"]`)) part.remove();
  }
  copying();
  document.documentElement.classList.add("alive");
}
