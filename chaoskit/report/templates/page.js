"use strict";
(() => {
  const report = JSON.parse(document.getElementById("report-data").textContent);
  const SERIES = ["resource", "source", "reason", "instance"];
  const views = new Map();
  const controls = document.querySelector(".controls");
  const moment = document.querySelector(".moment");
  const chosen = { stream: undefined, from_s: undefined, to_s: undefined };

  const rows = (name) => {
    const columns = report.tables[name];
    const names = Object.keys(columns);
    return columns[names[0]].map((_, place) => Object.fromEntries(names.map((column) => [column, columns[column][place]])));
  };

  const apply = (view) => {
    const known = view.getState().signals;
    let changed = false;
    for (const [name, value] of Object.entries(chosen)) {
      if (value !== undefined && name in known && view.signal(name) !== value) {
        view.signal(name, value);
        changed = true;
      }
    }
    return changed ? view.runAsync() : undefined;
  };

  const choose = () => {
    const stream = document.querySelector("input[name=stream]:checked");
    const stretch = document.querySelector("input[name=stretch]:checked");
    if (stream) chosen.stream = stream.value;
    if (stretch) [chosen.from_s, chosen.to_s] = stretch.value.split(" ").map(Number);
    for (const label of document.querySelectorAll(".of-stream")) label.textContent = stream ? stream.value : "";
    for (const view of views.values()) apply(view);
  };

  const bandsAt = (t) => {
    if (!report.tables.bands) return "";
    return rows("bands").filter((band) => band.start <= t && t < band.end).map((band) => band.mark).join(" · ");
  };

  const point = (event) => {
    const plot = event.target.closest(".on-timeline .plot");
    const view = plot && views.get(plot.dataset.chart);
    if (!view) return;
    const left = view.origin()[0];
    const width = view.signal("width");
    const share = (event.clientX - plot.getBoundingClientRect().left - left) / width;
    const inside = share >= 0 && share <= 1;
    const t = view.signal("from_s") + share * (view.signal("to_s") - view.signal("from_s"));
    moment.textContent = inside ? `${t.toFixed(1)}s · ${bandsAt(t)}` : "";
    for (const [id, other] of views) {
      const cursor = document.querySelector(`[data-chart="${id}"] > .cursor`);
      if (!cursor) continue;
      cursor.style.display = inside ? "block" : "none";
      cursor.style.left = `${other.origin()[0] + share * other.signal("width")}px`;
    }
  };

  // As many columns as the longest name of a line leaves room for; charts without lines have few and short entries.
  const legendColumns = (chart, width) => {
    const names = chart.timeline ? chart.reads.flatMap((table) => SERIES.flatMap((name) => report.tables[table][name] ?? [])) : [];
    const longest = Math.max(0, ...names.map((name) => String(name).length));
    return longest ? Math.max(1, Math.floor(width / (longest * 6.5 + 40))) : Math.max(2, Math.floor(width / 180));
  };

  const draw = async (plot) => {
    const chart = report.charts[plot.dataset.chart];
    const shared = Object.fromEntries(chart.reads.map((name) => [name, rows(name)]));
    const datasets = { ...chart.spec.datasets, ...shared };
    const options = { mode: "vega-lite", renderer: "svg", actions: false, ast: true, tooltip: { theme: "report" } };
    const config = { ...chart.spec.config };
    config.legend = { ...config.legend, columns: legendColumns(chart, plot.clientWidth) };
    const { view } = await window.vegaEmbed(plot, { ...chart.spec, config, datasets }, options);
    views.set(plot.dataset.chart, view);
    if (chart.timeline) plot.append(Object.assign(document.createElement("div"), { className: "cursor" }));
    await apply(view);
  };

  const start = async () => {
    if (controls) controls.hidden = false;
    choose();
    for (const plot of document.querySelectorAll("[data-chart]")) {
      try {
        await draw(plot);
      } catch (error) {
        plot.textContent = "This chart could not be drawn; the tables carry its numbers.";
        console.error(plot.dataset.chart, error);
      }
    }
    document.documentElement.dataset.drawn = String(views.size);
  };

  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details")) details.open = true;
  });
  document.addEventListener("change", (event) => event.target.matches(".controls input") && choose());
  document.addEventListener("pointermove", (event) => requestAnimationFrame(() => point(event)));
  start();
})();
