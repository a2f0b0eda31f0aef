// Draws every chart of the page with plotly, in the theme that is on; again when the theme changes.
// A chart is a figure with its data beside it, as JSON that does not run.
const root = document.documentElement;
root.classList.add("js"); // in a file of its own nothing else says so
const system = matchMedia("(prefers-color-scheme: dark)");
const told = (element) => JSON.parse(element.textContent);
const templates = told(document.getElementById("chart-templates"));
const charts = [...document.querySelectorAll("[data-chart]")];

function template() {
  return templates[root.dataset.theme ?? (system.matches ? "dark" : "light")];
}

function draw(chart) {
  const figure = told(chart.querySelector("script"));
  const plot = chart.querySelector(".plot");
  plot.style.height = `${figure.layout.height}px`;
  const layout = { ...figure.layout, template: template(), autosize: true };
  return Plotly.newPlot(plot, figure.data, layout, { displayModeBar: false, responsive: true });
}

function redraw() {
  for (const chart of charts) Plotly.relayout(chart.querySelector(".plot"), { template: template() });
}

if (typeof Plotly === "undefined") {
  for (const chart of charts) chart.querySelector(".plot").textContent = "This chart needs a script that could not be loaded; the table says the same.";
} else {
  Promise.all(charts.map(draw)).then(() => { root.dataset.drawn = "yes"; });
  system.addEventListener("change", redraw);
  new MutationObserver(redraw).observe(root, { attributeFilter: ["data-theme"] });
}
