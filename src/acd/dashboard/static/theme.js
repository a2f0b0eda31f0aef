// Before the first paint: the chosen theme (else the system's), and that scripts run at all.
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  let chosen = null;
  try {
    chosen = localStorage.getItem("acd-theme");
  } catch {
    // Storage can be forbidden: then the system's theme it is.
  }
  if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
})();
