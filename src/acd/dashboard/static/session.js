// The moment to go to is a time of the viewer's day: it is sent with its zone, so that the server means the same.
for (const form of document.querySelectorAll("form[data-moment]")) {
  form.addEventListener("submit", () => {
    const field = form.elements.at;
    const clock = /^\s*(\d{1,2}):(\d\d)(?::(\d\d))?\s*$/.exec(field.value);
    if (!clock) return;
    const start = new Date(form.dataset.moment);
    const when = new Date(start);
    when.setHours(Number(clock[1]), Number(clock[2]), Number(clock[3] ?? 0), 0);
    const begun = new Date(start).setSeconds(0, 0);
    if (when < begun) when.setDate(when.getDate() + 1);
    field.value = when.toISOString();
  });
}
