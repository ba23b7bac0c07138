// Shows the picture that the extension sends; zooms with the wheel and keys, moves by dragging.

(() => {
  const host = acquireVsCodeApi();
  const view = document.getElementById("view");
  const graph = document.getElementById("graph");
  const problem = document.getElementById("problem");
  let scale = 1;
  let fits = true;

  function draw() {
    if (graph.naturalWidth === 0) {
      return;
    }
    if (fits) {
      const wide = (view.clientWidth - 40) / graph.naturalWidth;
      scale = Math.min(1.5, Math.max(0.4, wide));
    }
    graph.width = graph.naturalWidth * scale;
  }

  function zoom(factor) {
    fits = false;
    const across = (view.scrollLeft + view.clientWidth / 2) / Math.max(view.scrollWidth, 1);
    const down = (view.scrollTop + view.clientHeight / 2) / Math.max(view.scrollHeight, 1);
    scale = Math.min(6, Math.max(0.05, scale * factor));
    draw();
    view.scrollLeft = across * view.scrollWidth - view.clientWidth / 2;
    view.scrollTop = down * view.scrollHeight - view.clientHeight / 2;
  }

  function fit() {
    fits = true;
    draw();
  }

  window.addEventListener("message", ({ data }) => {
    problem.hidden = data.problem === null;
    problem.textContent = data.problem ?? "";
    graph.classList.toggle("old", data.image === null);
    if (data.image !== null) {
      graph.hidden = false;
      graph.src = data.image;
    }
  });
  graph.addEventListener("load", draw);
  window.addEventListener("resize", draw);
  view.addEventListener(
    "wheel",
    (event) => {
      if (event.ctrlKey || event.metaKey) {
        event.preventDefault();
        zoom(event.deltaY < 0 ? 1.15 : 1 / 1.15);
      }
    },
    { passive: false },
  );
  window.addEventListener("keydown", (event) => {
    if (event.key === "+" || event.key === "=") zoom(1.25);
    else if (event.key === "-") zoom(1 / 1.25);
    else if (event.key === "0") fit();
  });
  view.addEventListener("mousedown", (start) => {
    start.preventDefault();
    let { clientX: x, clientY: y } = start;
    view.classList.add("dragged");
    const move = (event) => {
      view.scrollBy(x - event.clientX, y - event.clientY);
      x = event.clientX;
      y = event.clientY;
    };
    const end = () => {
      view.classList.remove("dragged");
      window.removeEventListener("mousemove", move);
    };
    window.addEventListener("mousemove", move);
    window.addEventListener("mouseup", end, { once: true });
  });
  document.getElementById("in").addEventListener("click", () => zoom(1.25));
  document.getElementById("out").addEventListener("click", () => zoom(1 / 1.25));
  document.getElementById("fit").addEventListener("click", fit);
  host.postMessage("ready");
})();
