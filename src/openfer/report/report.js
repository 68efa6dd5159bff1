"use strict";

// Tables: a click, or Enter and Space, on a column's name sorts by it; a second one turns the order round.
// Missing values, and rows with too few faces to be ranked, stay last.
for (const table of document.querySelectorAll("table.sortable")) {
  const said = document.getElementById("said");
  table.tHead.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const head = button.closest("th");
    const isNumber = head.classList.contains("number");
    const first = isNumber ? "descending" : "ascending";
    const second = isNumber ? "ascending" : "descending";
    const order = head.getAttribute("aria-sort") === first ? second : first;
    for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", order);
    sort(table.tBodies[0], head.cellIndex, isNumber, order === "ascending" ? 1 : -1);
    said.textContent = `sorted by ${button.textContent}, ${order}`;
  });
}

function sort(body, column, isNumber, sign) {
  const valueOf = (row) => {
    const cell = row.cells[column];
    if (isNumber) return cell.dataset.value === "" ? null : Number(cell.dataset.value);
    return cell.textContent === "" ? null : cell.textContent;
  };
  const compare = (a, b) => (isNumber ? a - b : a.localeCompare(b, "en", { numeric: true }));
  const rows = [...body.rows].map((row) => ({ row, value: valueOf(row), few: row.classList.contains("few") }));
  rows.sort((a, b) => {
    if (a.few !== b.few) return a.few ? 1 : -1;
    if (a.value === null || b.value === null) return (a.value === null) - (b.value === null);
    return sign * compare(a.value, b.value);
  });
  body.append(...rows.map(({ row }) => row));
}

// A point of a plane is a link to its face; the face is shown beside the pointer.
const faces = JSON.parse(document.getElementById("faces").textContent);
const box = document.getElementById("face");
const address = (link) => link.getAttribute("xlink:href") ?? "";

for (const link of document.querySelectorAll(".chart a")) link.setAttribute("tabindex", "-1");

document.addEventListener("pointerover", (event) => {
  const link = event.target.closest(".chart a");
  const sample = link ? address(link).replace("#face-", "") : "";
  box.hidden = !faces[sample];
  if (box.hidden) return;
  const picture = document.createElement("img");
  picture.src = faces[sample];
  picture.alt = "";
  box.replaceChildren(picture, sample);
  const left = Math.min(event.clientX + 16, innerWidth - box.offsetWidth - 8);
  const top = Math.min(event.clientY + 16, innerHeight - box.offsetHeight - 8);
  box.style.left = `${Math.max(8, left)}px`;
  box.style.top = `${Math.max(8, top)}px`;
});
document.addEventListener("click", (event) => {
  if (event.target.closest(".chart a")) event.preventDefault();
});

// Paper shows all that a click would unfold.
addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("details")) part.open = true;
});
