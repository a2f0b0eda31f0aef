// Parts of a page that stay up to date: elements with an id and data-live. When the server says that something happened,
// the page is asked for again, at most once a second, and those parts that are different are put in place of the old ones;
// where it has other parts than before (the first target has come), all of its content is.
import { tell } from "./times.js";

const LEAST_MS = 1000;
const SETTLED_MS = 1500; // the server may show what was so a second ago: once more, so long after the last that happened
const SLOW_MS = 15000; // what no event tells (orders of others, a limit's end) is seen at the latest after this
const EVENTS = ["started", "ended", "request", "feature", "commit", "limit", "error", "progress"];

const known = new Map();
let source = null;
let due = null;
let last = 0;
let heard = 0;
let asking = false;

const parts = (root) => [...root.querySelectorAll("[data-live][id]")];
for (const part of parts(document)) known.set(part.id, part.outerHTML); // before any time in it is rewritten
const inUse = (part) =>
  part.contains(document.activeElement) && document.activeElement.matches("input, select, textarea, button");

function state(word) {
  for (const element of document.querySelectorAll(".live")) {
    element.dataset.state = word;
    element.textContent = { on: "live", lost: "connecting", off: "not live" }[word];
  }
}

const names = (root) => parts(root).map((part) => part.id).join();
const openIn = (root) => new Set([...root.querySelectorAll("details[open][id]")].map((each) => each.id));

function placed(root, open) {
  for (const each of root.querySelectorAll("details[id]")) each.open ||= open.has(each.id);
  tell(root);
  document.dispatchEvent(new CustomEvent("acd:placed", { detail: root }));
}

function putAll(page) {
  const content = document.getElementById("content");
  const fresh = page.getElementById("content");
  if (!fresh || inUse(content)) return;
  for (const part of parts(fresh)) known.set(part.id, part.outerHTML);
  const open = openIn(content);
  content.replaceChildren(...document.adoptNode(fresh).childNodes);
  placed(content, open);
}

function put(page) {
  if (names(page) !== names(document)) return putAll(page);
  for (const fresh of parts(page)) {
    const old = document.getElementById(fresh.id);
    const written = fresh.outerHTML;
    if (!old || known.get(fresh.id) === written || inUse(old)) continue;
    known.set(fresh.id, written);
    const open = openIn(old);
    const scrolled = [...old.querySelectorAll(".scroll")].map((each) => each.scrollLeft);
    const now = document.adoptNode(fresh);
    old.replaceWith(now);
    now.querySelectorAll(".scroll").forEach((each, n) => (each.scrollLeft = scrolled[n] ?? 0));
    placed(now, open);
  }
}

/** Ask for the page again now, whatever was asked last. */
export async function refresh() {
  clearTimeout(due);
  due = null;
  if (asking) return schedule();
  asking = true;
  last = Date.now();
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
    if (answer.ok) put(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch {
    state("lost"); // the stream tries again by itself, and asks then
  } finally {
    asking = false;
    if (last < heard + SETTLED_MS) schedule(heard + SETTLED_MS);
  }
}

function schedule(earliest = 0) {
  if (due !== null || document.hidden) return;
  due = setTimeout(refresh, Math.max(0, Math.max(last + LEAST_MS, earliest) - Date.now()));
}

function hear() {
  heard = Date.now();
  schedule();
}

function open() {
  const address = document.body.dataset.events;
  source = new EventSource(address);
  source.onopen = () => {
    state("on");
    hear();
  };
  source.onerror = () => state("lost");
  for (const name of EVENTS) source.addEventListener(name, hear);
  source.addEventListener("bye", () => state("lost"));
}

function close() {
  source?.close();
  source = null;
}

/** Follow what happens while the page is looked at: a hidden one holds no connection. */
export function connect() {
  if (!document.body.dataset.events || !parts(document).length) return;
  open();
  setInterval(schedule, SLOW_MS);
  document.addEventListener("visibilitychange", () => {
    close();
    if (!document.hidden) open();
  });
  addEventListener("pagehide", close);
}
