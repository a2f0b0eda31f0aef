// Keys: / searches, g and a letter goes to a page, ? shows them all. Never while something is typed.

const WAIT_MS = 1500;
let going = 0;

const typing = (event) =>
  event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea, [contenteditable]");

function go(letter) {
  const link = document.querySelector(`.nav a[data-key="${CSS.escape(letter)}"]`);
  if (link) location.assign(link.href);
  return Boolean(link);
}

function search() {
  const field = document.querySelector("input[type=search]");
  if (field) {
    field.focus();
    field.select();
    return;
  }
  const home = document.body.dataset.search;
  if (home) location.assign(`${home}#search`);
}

export function listen() {
  const help = document.getElementById("keys");
  document.addEventListener("keydown", (event) => {
    if (typing(event) || document.querySelector("dialog[open]")) return;
    if (Date.now() - going < WAIT_MS && go(event.key)) event.preventDefault();
    else if (event.key === "/") {
      event.preventDefault();
      search();
    } else if (event.key === "?") help?.showModal();
    going = event.key === "g" ? Date.now() : 0;
  });
  for (const button of document.querySelectorAll("[data-opens]")) {
    button.addEventListener("click", () => document.getElementById(button.dataset.opens)?.showModal());
  }
  if (location.hash === "#search") search();
}
