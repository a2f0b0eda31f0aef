// Draws every chart of the page with plotly, in the theme that is on; again when the theme changes. Those that are seen
// come first, the others one by one while the browser has nothing else to do.
// A chart is a figure with its data beside it, as JSON that does not run.
const root = document.documentElement;
root.classList.add("js"); // in a file of its own nothing else says so
const system = matchMedia("(prefers-color-scheme: dark)");
const told = (element) => JSON.parse(element.textContent);
const templates = told(document.getElementById("chart-templates"));
const idle = window.requestIdleCallback ?? ((call) => setTimeout(call, 1));
const charts = [...document.querySelectorAll("[data-chart]")].map((chart) => ({
  plot: chart.querySelector(".plot"),
  figure: told(chart.querySelector("script")),
  drawn: false,
}));

function template() {
  return templates[root.dataset.theme ?? (system.matches ? "dark" : "light")];
}

function draw(chart) {
  const { plot, figure } = chart;
  chart.drawn = true;
  const layout = { ...figure.layout, template: template(), autosize: true };
  return Plotly.newPlot(plot, figure.data, layout, { displayModeBar: false, responsive: true });
}

function redraw() {
  for (const { plot, drawn } of charts) if (drawn) Plotly.relayout(plot, { template: template() });
}

function seen({ plot }) {
  const { top, bottom } = plot.getBoundingClientRect();
  return top < innerHeight && bottom > 0;
}

async function drawAll() {
  for (const { plot, figure } of charts) plot.style.height = `${figure.layout.height}px`; // so that nothing moves later
  const first = charts.filter(seen);
  await Promise.all(first.map(draw));
  for (const chart of charts) {
    if (chart.drawn) continue;
    await new Promise((resolve) => idle(resolve, { timeout: 500 }));
    await draw(chart);
  }
  root.dataset.drawn = "yes";
}

if (typeof Plotly === "undefined") {
  for (const { plot } of charts) plot.textContent = "This chart needs a script that could not be loaded; the table says the same.";
} else {
  drawAll();
  system.addEventListener("change", redraw);
  new MutationObserver(redraw).observe(root, { attributeFilter: ["data-theme"] });
}
