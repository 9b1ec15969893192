// How does the canvas benchmark's driver speak with our editor page?
//
// Injected before the page's own scripts. At any page but an editor it makes an empty pipeline through the API and goes
// to its editor with `?bench`, where the page offers `window.fletchlineCanvas`. The canvas is laid over the whole window,
// as the other editors' are: the driver looks for empty places at the window's edges. The page runs on behind it.

(() => {
  const KINDS = { "load-data": "load_data", transform: "container", train: "job", evaluate: "job", serve: "serving", notebook: "notebook" };

  const document_of = (graph) => ({
    format: "fletchline/v1",
    id: "bench",
    name: "bench",
    tasks: graph.nodes.map((node) => ({ id: node.id, name: node.label, kind: KINDS[node.kind] ?? "job" })),
    arrows: graph.edges.map((edge) => ({ id: edge.id, from_task: edge.source, to_task: edge.target })),
    layout: { tasks: Object.fromEntries(graph.nodes.map((node) => [node.id, { x: node.x, y: node.y }])) },
  });

  const over_everything = () => {
    const style = document.createElement("style");
    style.textContent = ".canvas { position: fixed !important; inset: 0; width: 100vw; height: 100vh; z-index: 1000; }";
    document.head.append(style);
  };

  const offer = () => {
    const canvas = window.fletchlineCanvas;
    if (!canvas) return setTimeout(offer, 20);
    over_everything();
    window.bench = {
      name: "fletchline",
      async load(graph) {
        const refused = canvas.open(JSON.stringify(document_of(graph)));
        if (refused) throw new Error(refused);
      },
      nodeRect: (id) => canvas.rect(id),
      nodePos: (id) => canvas.place(id),
      viewport: () => canvas.camera(),
      fit: () => canvas.fit(),
    };
  };

  const make = async () => {
    const answer = await fetch("/api/pipelines/create", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ new: { from: "empty", name: "bench" } }),
    });
    if (!answer.ok) throw new Error(`no pipeline was made: ${answer.status} ${await answer.text()}`);
    location.replace(`/pipelines/${(await answer.json()).id}?bench`);
  };

  if (new URLSearchParams(location.search).has("bench")) offer();
  else if (location.pathname !== "/link") make();
})();
