"use strict";
(() => {
  const groups = JSON.parse(document.getElementById("data").textContent);
  const networks = new Map();
  for (const group of groups) {
    for (const [id, network] of Object.entries(group.networks)) {
      networks.set(id, [group.labels, group.commands, ...network]);
    }
  }
  const tip = document.getElementById("tip");
  const svgNamespace = "http://www.w3.org/2000/svg";
  const marks = new Map();
  for (const mark of document.querySelectorAll("[data-net]")) {
    const id = mark.dataset.net;
    if (!marks.has(id)) marks.set(id, []);
    marks.get(id).push(mark);
  }

  function element(name, text) {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function drawing(boxes) {
    const svg = document.createElementNS(svgNamespace, "svg");
    const height = Math.max(...boxes.map(([, y, , high]) => y + high));
    const width = Math.max(...boxes.map(([x, , wide]) => x + wide));
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("width", width);
    svg.setAttribute("height", height);
    svg.setAttribute("aria-hidden", "true");
    for (const [x, y, wide, high, kind] of boxes) {
      const box = document.createElementNS(svgNamespace, "rect");
      for (const [name, value] of Object.entries({ x, y, width: wide, height: high, class: `k${kind}` })) {
        box.setAttribute(name, value);
      }
      svg.append(box);
    }
    return svg;
  }

  function about(id) {
    const [labels, , title, architecture, values, boxes] = networks.get(id);
    const made = element("div");
    made.className = "about";
    made.append(element("b", title));
    const text = element("span", architecture);
    text.className = "arch";
    made.append(text);
    if (boxes.length) made.append(drawing(boxes));
    const list = element("dl");
    labels.forEach((label, place) => {
      const pair = element("div");
      pair.append(element("dt", label), element("dd", values[place]));
      list.append(pair);
    });
    made.append(list);
    return made;
  }

  function picking(id) {
    const [, commands, , , , , word] = networks.get(id);
    if (!word) return [];
    return commands.flatMap(([purpose, command]) => {
      const text = element("p", purpose);
      text.className = "remark";
      const block = element("pre");
      block.append(element("code", `${command} ${word}`));
      return [text, block];
    });
  }

  function mark(id, kind) {
    for (const one of document.querySelectorAll(`.${kind}`)) one.classList.remove(kind);
    for (const one of marks.get(id) || []) one.classList.add(kind);
  }

  function show(id, event) {
    mark(id, "shown");
    if (!networks.has(id)) return;
    tip.replaceChildren(about(id));
    tip.hidden = false;
    const { width, height } = tip.getBoundingClientRect();
    const left = event.clientX + 14 + width > innerWidth ? event.clientX - 14 - width : event.clientX + 14;
    const top = event.clientY + 14 + height > innerHeight ? event.clientY - 14 - height : event.clientY + 14;
    tip.style.left = `${Math.max(left, 8)}px`;
    tip.style.top = `${Math.max(top, 8)}px`;
  }

  function hide() {
    tip.hidden = true;
    mark("", "shown");
  }

  function choose(id, origin) {
    mark(id, "chosen");
    const section = origin.closest("section");
    const picked = section && section.querySelector(".picked");
    if (picked && networks.has(id)) picked.replaceChildren(about(id), ...picking(id));
    const row = section && section.querySelector(`tr[data-net="${CSS.escape(id)}"]`);
    if (row && row !== origin) {
      const pane = row.closest(".tall");
      if (pane) pane.scrollTop = row.offsetTop - pane.clientHeight / 2;
    }
    for (const one of marks.get(id) || []) {
      if (one.tagName === "circle") one.parentNode.append(one);
    }
  }

  document.addEventListener("pointerover", (event) => {
    const target = event.target.closest("[data-net]");
    if (!target) return hide();
    if (target.tagName === "TR") {
      tip.hidden = true;
      mark(target.dataset.net, "shown");
    } else {
      show(target.dataset.net, event);
    }
  });
  document.addEventListener("click", (event) => {
    const target = event.target.closest("[data-net]");
    if (target) choose(target.dataset.net, target);
  });
  addEventListener("scroll", hide, { passive: true });

  function key(row, column) {
    const cell = row.cells[column];
    const value = cell.dataset.value;
    return value === undefined ? cell.textContent : Number(value);
  }

  function compare(one, other) {
    if (typeof one === "number" && typeof other === "number") {
      return Number.isNaN(one) ? (Number.isNaN(other) ? 0 : 1) : Number.isNaN(other) ? -1 : one - other;
    }
    return String(one).localeCompare(String(other), "en", { numeric: true });
  }

  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      head.querySelector("button").addEventListener("click", () => {
        const falls = head.getAttribute("aria-sort") === "ascending";
        for (const one of heads) one.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", falls ? "descending" : "ascending");
        const body = table.tBodies[0];
        const rows = [...body.rows].map((row) => [key(row, column), row]);
        rows.sort(([one], [other]) => {
          if (Number.isNaN(one) || Number.isNaN(other)) return compare(one, other);  // missing values come last
          return falls ? compare(other, one) : compare(one, other);
        });
        body.append(...rows.map(([, row]) => row));
      });
    });
  }

  for (const pane of document.querySelectorAll(".tall")) {
    pane.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
      const rows = [...pane.querySelectorAll("tr[data-net]")];
      if (!rows.length) return;
      event.preventDefault();
      const now = rows.findIndex((row) => row.classList.contains("chosen"));
      const next = event.key === "ArrowDown" ? Math.min(now + 1, rows.length - 1) : Math.max(now - 1, 0);
      choose(rows[next].dataset.net, pane);
    });
  }

  addEventListener("beforeprint", () => {
    for (const one of document.querySelectorAll("details")) one.open = true;
  });
})();
