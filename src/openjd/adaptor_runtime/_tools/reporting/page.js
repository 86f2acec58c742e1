(() => {
  "use strict";
  const root = document.documentElement;
  // Light and dark: as the system has it, until somebody chooses.
  const toggle = document.querySelector(".theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme || (dark.matches ? "dark" : "light")) === "dark";
  const name = () => { toggle.textContent = isDark() ? "Light" : "Dark"; };
  toggle.hidden = false;
  name();
  dark.addEventListener("change", name);
  toggle.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    name();
  });
  addEventListener("beforeprint", () => {
    root.dataset.before = root.dataset.theme || "";
    root.dataset.theme = "light";
    document.querySelectorAll("details").forEach((one) => { one.open = true; });
  });
  addEventListener("afterprint", () => {
    if (root.dataset.before) root.dataset.theme = root.dataset.before;
    else delete root.dataset.theme;
  });

  // Tooltips, out of the marks' titles: by pointer, and by arrow keys within a chart.
  const tip = document.querySelector(".tip");
  const texts = new Map();
  let active = null;
  let byKey = false;
  const topOf = (mark) => {
    const box = mark.getBoundingClientRect();
    return [box.left + box.width / 2, box.top];
  };
  const at = (x, y) => {
    const box = tip.getBoundingClientRect();
    const left = Math.min(Math.max(x - box.width / 2, 8), innerWidth - box.width - 8);
    const above = y - box.height - 14;
    tip.style.left = `${left}px`;
    tip.style.top = `${above > 8 ? above : y + 18}px`;
  };
  const light = (mark, on) => {
    mark.classList.toggle("active", on);
    const row = mark.dataset.task && document.querySelector(`tr[data-task="${mark.dataset.task}"]`);
    if (row) row.classList.toggle("active", on);
  };
  const leave = () => {
    if (active) light(active, false);
    active = null;
    byKey = false;
    tip.hidden = true;
  };
  const enter = (mark, x, y) => {
    if (active !== mark) leave();
    active = mark;
    light(mark, true);
    tip.textContent = texts.get(mark);
    tip.hidden = false;
    at(x, y);
  };
  document.querySelectorAll("svg.chart").forEach((chart) => {
    const marks = [...chart.querySelectorAll(".mark")];
    marks.forEach((mark) => {
      const title = mark.querySelector("title");
      texts.set(mark, title.textContent);
      title.remove();
      mark.addEventListener("pointermove", (event) => enter(mark, event.clientX, event.clientY));
      mark.addEventListener("pointerleave", leave);
    });
    chart.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (event.key === "Escape") leave();
      if (!step || !marks.length) return;
      event.preventDefault();
      const now = marks.indexOf(active);
      const mark = marks[(now < 0 ? (step > 0 ? 0 : marks.length - 1) : now + step + marks.length) % marks.length];
      leave();
      byKey = true;
      enter(mark, ...topOf(mark));
    });
    chart.addEventListener("blur", leave);
  });
  addEventListener("scroll", () => {
    // A chart that gets the focus is scrolled to, and keeps what it shows.
    if (active && byKey) at(...topOf(active));
    else leave();
  }, { passive: true });

  // A task's curve, from its row.
  document.querySelectorAll("tr[data-task]").forEach((row) => {
    const curve = document.querySelector(`.curve[data-task="${row.dataset.task}"]`);
    if (!curve) return;
    row.addEventListener("pointerenter", () => curve.classList.add("active"));
    row.addEventListener("pointerleave", () => curve.classList.remove("active"));
  });

  // Tables are sorted by their heads.
  document.querySelectorAll("table").forEach((table) => {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = head.querySelector("button");
      if (!button) return;
      button.disabled = false;
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        heads.forEach((one) => one.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const value = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
        const body = table.tBodies[0];
        const rows = [...body.rows].sort((a, b) => {
          const [x, y] = [value(a), value(b)];
          const order = x !== "" && y !== "" && !isNaN(x) && !isNaN(y) ? x - y : x.localeCompare(y);
          return down ? -order : order;
        });
        body.append(...rows);
      });
    });
  });
})();
