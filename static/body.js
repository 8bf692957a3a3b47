/* The body map with a script: touch the drawing, and a row has the area and the point. Without one, the area is chosen from the list. */
"use strict";
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const made = (name, attributes) => {
    const one = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) one.setAttribute(key, value);
    return one;
  };
  const begin = async (map) => {
    const name = map.dataset.map, box = map.closest("fieldset"), rows = box.querySelector(".rows"), count = box.querySelector(`[name="${name}-rows"]`);
    const said = box.querySelector(".placed"), middles = {};
    const drawing = new DOMParser().parseFromString(await (await fetch(map.dataset.drawing)).text(), "image/svg+xml");
    const field = (row, key) => row.querySelector(`[name$="-${key}"]`);
    const all = () => [...rows.children];
    const empty = (row) => [...row.querySelectorAll("input, select, textarea")].every((one) => !one.value);
    const view = (area) => middles[area]?.view;

    for (const figure of map.querySelectorAll("[data-view]")) {
      const group = made("g", { class: "areas" });
      for (const shape of drawing.querySelectorAll(`#${figure.dataset.view} polygon[data-area]`)) {
        const area = made("polygon", { points: shape.getAttribute("points"), "data-area": shape.dataset.area });
        area.append(made("title", {}));
        area.firstChild.textContent = shape.dataset.area;
        group.append(area);
        const points = shape.getAttribute("points").split(" ").map((point) => point.split(",").map(Number));
        const middle = (axis) => Math.round(points.reduce((sum, point) => sum + point[axis], 0) / points.length);
        middles[shape.dataset.area] = { view: figure.dataset.view, x: middle(0), y: middle(1) };
      }
      figure.append(group, made("g", { class: "discs" }));
    }

    const draw = () => {
      let number = 0;
      for (const group of map.querySelectorAll(".discs")) group.replaceChildren();
      for (const row of all()) {
        if (empty(row)) continue;
        number += 1;
        const area = field(row, "side").value;
        if (!view(area)) continue;
        const at = field(row, "at").value.split(" ").map(Number);
        const [x, y] = at.length === 2 ? at : [middles[area].x, middles[area].y];
        const disc = made("g", { class: "disc" }), text = made("text", { x, y: y + 9 });
        text.textContent = number;
        disc.append(made("circle", { cx: x, cy: y, r: 18 }), text);
        map.querySelector(`[data-view="${view(area)}"] .discs`).append(disc);
      }
      return number;
    };

    /* A further row is the last one again, empty, with a number of its own. */
    const further = () => {
      const number = Number(count.value), row = rows.lastElementChild.cloneNode(true);
      row.setAttribute("aria-label", row.getAttribute("aria-label").replace(/\d+$/, number + 1));
      for (const one of row.querySelectorAll("[name]")) {
        one.name = one.name.replace(/-\d+-(\w+)$/, `-${number}-$1`);
        one.value = "";
        one.removeAttribute("aria-invalid");
      }
      for (const one of row.querySelectorAll("[id], [for]")) {
        for (const key of ["id", "for"]) if (one.hasAttribute(key)) one.setAttribute(key, one.getAttribute(key).replace(/-\d+-(\d+)$/, `-${number + 1}-$1`));
      }
      for (const one of row.querySelectorAll(".wrong")) one.remove();
      rows.append(row);
      count.value = number + 1;
      return row;
    };

    map.addEventListener("click", (event) => {
      const area = event.target.closest("[data-area]"), figure = event.target.closest("[data-view]");
      if (!area || Number(count.value) >= 200) return;
      const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(figure.getScreenCTM().inverse());
      const row = all().find(empty) || further();
      field(row, "side").value = area.dataset.area;
      field(row, "at").value = `${Math.round(point.x)} ${Math.round(point.y)}`;
      field(row, "side").dispatchEvent(new Event("input", { bubbles: true }));
      const number = all().filter((one) => !empty(one)).indexOf(row) + 1, on = document.createElement("button");
      on.type = "button";
      on.textContent = "Describe it";
      on.addEventListener("click", () => field(row, "place").focus());
      said.replaceChildren(`Mark ${number}: ${area.dataset.area}. `, on);
    });
    rows.addEventListener("change", (event) => {
      if (event.target.name?.endsWith("-side")) field(event.target.closest(".row"), "at").value = "";
    });
    rows.addEventListener("input", draw);
    rows.addEventListener("change", draw);
    for (const one of box.querySelectorAll(".with-script")) one.hidden = false;
    draw();
  };
  for (const map of document.querySelectorAll("[data-map]")) begin(map).catch(() => {}); /* the list is there */
})();
