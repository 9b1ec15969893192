// Can a person draw, run, pick up again and take along the digits pipeline, with all seven kinds?

import assert from "node:assert/strict";
import { mkdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { after, before } from "node:test";

import { Editor, ask } from "../support/editor.mjs";
import { close, signIn } from "../support/person.mjs";
import { Server, freePort } from "../support/server.mjs";
import { story } from "../support/story.mjs";

const step = story();
const example = JSON.parse(await readFile(path.resolve(import.meta.dirname, "../../examples/digits/pipeline.json")));
const task = (id) => example.tasks.find((task) => task.id === id);
const files = (id) => task(id).files.map((file) => [file.name, file.text]);
const port = await freePort();

let server;
let shared;
let page;
let editor;
let drawn;

before(async () => {
  server = await Server.start();
  shared = `${server.data}-shared`;
  await mkdir(shared);
  page = await signIn(server);
});

after(async () => {
  await close();
  await server?.remove();
  if (shared) await rm(shared, { recursive: true, force: true });
});

step("a shared volume is made in the settings", async () => {
  await page.getByRole("link", { name: "Settings" }).click();
  const volumes = page.getByRole("region", { name: "Volumes" });
  await volumes.getByLabel("Name").fill("shared");
  await volumes.getByLabel("Folder").fill(shared);
  await volumes.getByLabel("Tasks may write").check();
  await volumes.getByRole("button", { name: "Make volume" }).click();
  await volumes.getByText("shared", { exact: true }).waitFor();
});

step("all seven kinds are drawn and set up from an empty canvas", async () => {
  await page.getByRole("link", { name: "Pipelines", exact: true }).click();
  editor = await Editor.create(page, "Digits");
  await addParameter();
  await editor.zoomOut(3);
  await addLoadAndContainer();
  await addExplore();
  await addTrain();
  await addViewerAndServing();
  await addArrows();
  drawn = await editor.saved();
  assert.deepEqual(without(JSON.parse(drawn)), without(example));
});

async function addParameter() {
  const [parameter] = example.parameters;
  await editor.fill("Description", example.description);
  await editor.inspector.getByRole("button", { name: "Add parameter: Parameters" }).click();
  await editor.fill("Parameter's name", parameter.name);
  await editor.field("Type").selectOption("Integer");
  await editor.fill("Default", parameter.default);
  await editor.fill("What it is for", parameter.description);
}

async function addLoadAndContainer() {
  await editor.add("Load Data", { x: 90, y: 200 });
  await editor.rename("Load digits");
  const source = editor.field("Source");
  if (!(await source.isVisible())) await editor.inspector.getByRole("button", { name: "Add source: Sources" }).click();
  await editor.fill("Source", "example:digits.zip");
  await editor.fill("Target path", "/data");
  await editor.add("Container", { x: 270, y: 320 });
  await editor.rename("Browse");
  await editor.fill("Command", `python -m http.server ${port} --bind 127.0.0.1 --directory /data`);
  await editor.inspector.getByRole("button", { name: "Add port: Ports" }).click();
  await editor.fill("Port", String(port));
  await editor.fill("What answers there", "Data");
  await editor.field("Advance").selectOption("When a port answers");
}

async function addExplore() {
  await editor.add("Volume", { x: 90, y: 80 });
  await editor.rename("Team");
  await editor.fill("Shared volume", "shared");
  await editor.field("Access").selectOption("Read and write");
  await editor.fill("Mount path", "/shared");
  await editor.add("Notebook", { x: 270, y: 200 });
  await editor.rename("Explore");
  await editor.fill("Opens first", task("explore").open);
  for (const [name, text] of files("explore")) await editor.addFile(name, text);
}

async function addTrain() {
  await editor.add("Job", { x: 450, y: 200 });
  await editor.rename("Train");
  await editor.fill("Command", task("train").command.join(" "));
  await editor.fill("New name in the grid", "LR");
  await page.keyboard.press("Enter");
  await editor.fill("Values of LR", task("train").copies.LR.join(", "));
  await editor.addVariable("EPOCHS", "{{epochs}}");
}

async function addViewerAndServing() {
  await editor.add("Viewer", { x: 630, y: 140 });
  await editor.rename("TensorBoard");
  await editor.add("Serving", { x: 630, y: 260 });
  await editor.rename("Digits API");
  await editor.field("Framework").selectOption("scikit-learn");
  for (const [name, text] of files("api")) await editor.addFile(name, text);
}

async function addArrows() {
  const form = await editor.dragArrow("Load digits", "Explore");
  assert.deepEqual(await editor.offers(form.getByLabel("From Path")), ["/data"]);
  await page.keyboard.press("Enter");
  await editor.connect("Load digits", "Browse", "/data", "/data");
  await editor.connect("Team", "Explore", "", "/shared", { writable: true });
  await editor.connect("Explore", "Train", "/prepared", "/prepared");
  await editor.connect("Explore", "Train", "/work/code", "/code");
  await editor.connect("Train", "Digits API", "/model", "/models");
  await editor.connect("Train", "TensorBoard", "/events", "");
}

/** A document by names in place of ids, without places and without what the example does not have. */
function without(document) {
  const more = ["Browse", "Team"];
  const name = (id) => document.tasks.find((task) => task.id === id).name;
  const tasks = document.tasks.map(({ id, ...task }) => task).filter((task) => !more.includes(task.name));
  const arrows = document.arrows
    .map((arrow) => ({ ...arrow, id: "", from_task: name(arrow.from_task), to_task: name(arrow.to_task) }))
    .filter((arrow) => !more.includes(arrow.from_task) && !more.includes(arrow.to_task));
  const order = (one, two) => (JSON.stringify(one) < JSON.stringify(two) ? -1 : 1);
  const { description, parameters } = document;
  return { name: document.name, description, parameters, tasks: tasks.sort(order), arrows: arrows.sort(order) };
}

step("every edit is undone back to the empty canvas and done again to the same document", async () => {
  await editor.undoAll();
  const empty = JSON.parse(await editor.saved());
  assert.deepEqual([empty.tasks, empty.arrows, empty.parameters], [[], [], []]);
  await page.getByText("Drag a task onto the canvas").waitFor();
  await editor.redoAll();
  assert.equal(await editor.saved(), drawn);
});
