// Times in the viewer's zone, with the exact UTC on hover: <time datetime="…" data-as="moment|date|day|clock|second|ago|elapsed|until">,
// and in drawings <tspan data-at="…" data-as="…">.

const sameDay = (a, b) => a.toDateString() === b.toDateString();
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const second = new Intl.DateTimeFormat(undefined, { timeStyle: "medium", hourCycle: "h23" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const fullDay = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });

function moment(when, now) {
  if (sameDay(when, now)) return clock.format(when);
  const date = when.getFullYear() === now.getFullYear() ? day : fullDay;
  return `${date.format(when)}, ${clock.format(when)}`;
}

export function span(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${String(whole % 60).padStart(2, "0")} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${String(minutes % 60).padStart(2, "0")} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

function rough(seconds) {
  if (seconds < 60) return "less than a minute";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} days`;
}

function shown(kind, when, now) {
  const seconds = (now - when) / 1000;
  if (kind === "elapsed") return span(seconds);
  if (kind === "ago") return seconds < 45 ? "just now" : `${rough(seconds)} ago`;
  if (kind === "until") return seconds >= 0 ? "now" : `in ${rough(-seconds)}`;
  if (kind === "clock") return clock.format(when);
  if (kind === "date") return day.format(when);
  if (kind === "second") return second.format(when);
  if (kind === "day" && Math.abs(seconds) > 172800) return (when.getFullYear() === now.getFullYear() ? day : fullDay).format(when);
  return moment(when, now);
}

/** Write every time within `root`; with `ticking` only those that change by themselves. */
export function tell(root, ticking = false) {
  const now = new Date();
  for (const element of root.querySelectorAll("time[datetime], tspan[data-at]")) {
    const kind = element.dataset.as ?? "moment";
    if (ticking && kind !== "elapsed" && kind !== "ago" && kind !== "until") continue;
    const when = new Date(element.dateTime ?? element.dataset.at);
    if (Number.isNaN(when.getTime())) continue;
    const text = shown(kind, when, now);
    if (element.textContent !== text) element.textContent = text;
  }
}
