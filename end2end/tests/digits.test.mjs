// Can a person draw, run, pick up again and take along the digits pipeline, with all seven kinds?

import assert from "node:assert/strict";
import { mkdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { after, before } from "node:test";

import { Editor, ask } from "../support/editor.mjs";
import { close, picture, signIn } from "../support/person.mjs";
import { Lab, Run } from "../support/run.mjs";
import { Server, freePort } from "../support/server.mjs";
import { story } from "../support/story.mjs";

const step = story();
const example = JSON.parse(await readFile(path.resolve(import.meta.dirname, "../../examples/digits/pipeline.json")));
const task = (id) => example.tasks.find((task) => task.id === id);
const files = (id) => task(id).files.map((file) => [file.name, file.text]);
const port = await freePort();
const LEFT = 'pathlib.Path("/shared/seen.txt").write_text("by Explore"); print("left", "here")';
/** The first digit of scikit-learn's set. */
const ZERO = [
  [0, 0, 5, 13, 9, 1, 0, 0], [0, 0, 13, 15, 10, 15, 5, 0], [0, 3, 15, 2, 0, 11, 8, 0], [0, 4, 12, 0, 0, 8, 8, 0],
  [0, 5, 8, 0, 0, 9, 8, 0], [0, 4, 11, 0, 1, 12, 7, 0], [0, 2, 14, 5, 10, 12, 0, 0], [0, 0, 6, 13, 10, 0, 0, 0],
].flat();

let server;
let shared;
let page;
let editor;
let run;
let drawn;
let zip;

before(async () => {
  server = await Server.start();
  shared = `${server.data}-shared`;
  await mkdir(shared);
  page = await signIn(server.link);
  run = new Run(page);
});

after(async () => {
  await close();
  await server?.remove();
  for (const more of ["-shared", "-digits.zip"]) await rm(server.data + more, { recursive: true, force: true });
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

step("Run asks for the parameter, and the notebook opens through its link in JupyterLab and runs its cells", async () => {
  await editor.button("Show everything").click();
  await editor.select("Train");
  await picture(page, "editor");
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.getByRole("dialog").getByLabel("epochs").fill("30");
  await page.getByRole("button", { name: "Start run" }).click();
  await page.getByRole("heading", { name: "Run 1" }).waitFor();
  await run.until("Explore", "Your turn");
  const lab = await Lab.of(await run.open("Explore", "Open notebook"));
  assert.match(new URL(lab.page.url()).host, new RegExp(`^explore-[0-9a-f]+\\.localhost:${server.port}$`));
  await lab.runAll();
  await lab.shows("prepared 1348 for training, 449 for testing");
  await lab.runNew(LEFT);
  await lab.shows("left here");
  await lab.save("left here");
  assert.equal(await readFile(path.join(shared, "seen.txt"), "utf8"), "by Explore");
  await lab.page.close();
});

step("a container that answers at its port lets the run go on and can be opened", async () => {
  await run.until("Browse", "Running");
  const data = await run.open("Browse", "Open Data");
  await data.getByText("digits.csv").waitFor();
  await data.close();
});

step("the run goes on to its end after the server was killed in the middle and started again", async () => {
  await run.press("Explore", "Advance");
  await run.until("Train", "Running");
  await server.kill();
  await page.getByText("Connecting again").waitFor();
  await server.up();
  await page.getByText("Connecting again").waitFor({ state: "detached", timeout: 30_000 });
  page.problems.length = 0; // that the server was away, was said there, too
  await run.untilRun("Done");
  await run.until("Digits API", "Answering");
  const view = await viewOf(page);
  assert.deepEqual(
    view.tasks[idOf("Train")].executions.map((one) => [one.status, one.attempt]),
    [["done", 1], ["done", 1], ["done", 1]],
  );
  await page.reload();
  await run.untilRun("Done");
  await run.select("Train");
  await run.panel.getByRole("log").getByText("epoch 30 of 30").waitFor();
  await picture(page, "run");
});

step("TensorBoard shows the three runs", async () => {
  const board = await run.open("TensorBoard", "Open TensorBoard");
  for (const rate of example.tasks.find((one) => one.id === "train").copies.LR) {
    await board.getByText(`LR=${rate}`, { exact: false }).first().waitFor({ timeout: 60_000 });
  }
  await board.close();
});

step("the model answers a prediction at the Serving's address", async () => {
  const api = await run.open("Digits API", "Open API");
  const body = { x: [ZERO] };
  const answer = await api.evaluate(async (body) => {
    const headers = { "content-type": "application/json" };
    return (await fetch("/predict", { method: "POST", headers, body: JSON.stringify(body) })).json();
  }, body);
  assert.deepEqual(answer, [0]);
  await api.close();
});

step("a program finds the model at the address that the page shows", async () => {
  await run.select("Digits API");
  const address = await run.panel.getByText(/^http:\/\/127\.0\.0\.1:\d+$/).textContent();
  await run.panel.getByText(`curl ${address}/predict -H 'content-type: application/json' -d '{"x": …}'`).waitFor();
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${address}/predict`, { method: "POST", headers, body: JSON.stringify({ x: [ZERO] }) });
  assert.deepEqual(await answer.json(), [0]);
});

step("a second run finds the notebook as it was left", async () => {
  await page.getByRole("button", { name: "Run again" }).click();
  await page.getByRole("heading", { name: "Run 2" }).waitFor();
  await run.until("Explore", "Your turn");
  const lab = await Lab.of(await run.open("Explore", "Open notebook"));
  await lab.shows("left here");
  await lab.page.close();
  await run.select("Load digits");
  await run.panel.getByText("same as run 1").waitFor();
});

step("the pipeline is taken along as a zip and deleted", async () => {
  await page.getByRole("button", { name: "Cancel run" }).click();
  await run.untilRun("Cancelled");
  await page.goto(`${server.origin}/services`);
  await stopService("TensorBoard");
  await stopService("Digits API");
  await page.getByRole("link", { name: "Pipelines", exact: true }).click();
  const downloading = page.waitForEvent("download");
  await choose("Export as zip with work folders");
  zip = `${server.data}-digits.zip`;
  await (await downloading).saveAs(zip);
  await choose("Delete…");
  const dialog = page.getByRole("dialog", { name: "Delete Digits?" });
  await dialog.getByText("2 runs").waitFor();
  await dialog.getByRole("button", { name: "Delete" }).click();
  await page.getByText("No pipeline yet").waitFor();
});

async function stopService(name) {
  await page.getByRole("region", { name }).getByRole("button", { name: "Stop" }).click();
  await page.getByRole("region", { name }).waitFor({ state: "detached" });
}

async function choose(item) {
  await page.getByRole("button", { name: "More for Digits" }).click();
  await page.getByRole("menuitem", { name: item }).click();
}

step("the zip brings the pipeline back, with the notebook as it was left", async () => {
  await page.getByLabel("Pipeline file").setInputFiles(zip);
  await editor.canvas.waitFor();
  assert.equal(await editor.saved(), drawn);
  await editor.select("Explore");
  await page.getByRole("button", { name: "More for this task" }).click();
  await page.getByRole("menuitem", { name: "Run up to here" }).click();
  await page.getByRole("button", { name: "Start run" }).click();
  await run.until("Explore", "Your turn");
  const lab = await Lab.of(await run.open("Explore", "Open notebook"));
  await lab.shows("left here");
  assert.deepEqual(page.problems, []);
});

/** What the server says of the run on the page. */
async function viewOf(page) {
  return (await ask(page, "runs/open", { run: new URL(page.url()).pathname.split("/").pop() })).view;
}

const idOf = (name) => JSON.parse(drawn).tasks.find((task) => task.name === name).id;
