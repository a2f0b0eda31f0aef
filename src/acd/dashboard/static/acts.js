// What a page may order: forms and switches that call the API's routes of control.
//   <form data-call="POST /api/queue/stop" data-confirm="What happens then">     a button in it sends it
//   <form data-call="PUT /api/targets/update-priority" data-body='{"repoId": …}'> its number field is sent as data-field
//   <button role="switch" data-call="PUT …" data-body='{…}' data-field="enabled">  sends the other value
import { refresh } from "./live.js";

let fading = null;

/** Say something at the edge of the page, for some seconds, and to screen readers. */
export function say(text) {
  const place = document.getElementById("told");
  place.textContent = text;
  place.hidden = false;
  clearTimeout(fading);
  fading = setTimeout(() => (place.hidden = true), 6000);
}

function confirmed(text) {
  const dialog = document.getElementById("confirm");
  dialog.querySelector("[data-text]").textContent = text;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

async function call(element, changed) {
  const [method, path] = element.dataset.call.split(" ", 2);
  const body = element.dataset.body ? { ...JSON.parse(element.dataset.body), ...changed } : null;
  const headers = body ? { "Content-Type": "application/json" } : {};
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  } catch {
    say("The server does not answer; nothing was changed.");
    return false;
  }
  if (answer.ok) {
    say(element.dataset.done ?? "Done.");
  } else {
    const told = await answer.json().catch(() => null);
    say(told?.error?.message ?? `The server refused this (${answer.status}).`);
  }
  document.activeElement?.blur();
  await refresh();
  return answer.ok;
}

async function submitted(event) {
  const form = event.target.closest("form[data-call]");
  if (!form) return;
  event.preventDefault();
  if (form.dataset.confirm && !(await confirmed(form.dataset.confirm))) return;
  const field = form.querySelector("input[data-field]");
  if (field && !field.checkValidity()) return;
  await call(form, field ? { [field.dataset.field]: field.valueAsNumber } : {});
}

async function switched(event) {
  const control = event.target.closest("button[data-call][role=switch]");
  if (!control) return;
  const value = control.getAttribute("aria-checked") !== "true";
  control.setAttribute("aria-checked", String(value));
  const done = await call(control, { [control.dataset.field]: value });
  if (!done) control.setAttribute("aria-checked", String(!value));
}

function changed(event) {
  const field = event.target;
  if (field.matches("form[data-call] input[data-field]")) field.form.requestSubmit();
  else if (field.matches("form.filters select")) field.form.requestSubmit();
}

export function offerActs() {
  document.addEventListener("submit", submitted);
  document.addEventListener("click", switched);
  document.addEventListener("change", changed);
}
