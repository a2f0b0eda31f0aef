// The theme switch: the system's, light, dark, and round again.

const NEXT = { system: "light", light: "dark", dark: "system" };

export function offerThemes() {
  const root = document.documentElement;
  for (const button of document.querySelectorAll("[data-theme-switch]")) {
    const show = () => {
      const now = root.dataset.theme ?? "system";
      button.textContent = `Theme: ${now}`;
    };
    button.addEventListener("click", () => {
      const next = NEXT[root.dataset.theme ?? "system"];
      if (next === "system") delete root.dataset.theme;
      else root.dataset.theme = next;
      try {
        if (next === "system") localStorage.removeItem("acd-theme");
        else localStorage.setItem("acd-theme", next);
      } catch {
        // Storage can be forbidden: the choice lasts for this page then.
      }
      show();
    });
    show();
  }
}
