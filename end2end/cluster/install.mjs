// Does a person with the link of an installed Fletchline get along, also while its server is replaced?
//
// Started by the tests on a cluster with a link, on one port that leads to the server. Says "loaded" when the first task
// of the run has ended. Ends when the page says that the run is done, and TensorBoard has opened.

import assert from "node:assert/strict";

import { ask } from "../support/editor.mjs";
import { close, showAll, signIn } from "../support/person.mjs";
import { Run } from "../support/run.mjs";

const BOARD = {
  format: "fletchline/v1",
  id: "board",
  name: "Board",
  tasks: [{ id: "watch", name: "Watch", kind: "viewer" }],
  arrows: [],
};

try {
  const page = await signIn(process.argv[2]);
  await page.getByRole("button", { name: "New from example Files" }).click();
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.getByRole("heading", { name: "Run 1" }).waitFor();
  const run = new Run(page);
  await run.until("Load files", "Done");
  console.log("loaded");
  await run.untilRun("Done");
  await run.select("Report");
  await run.panel.getByText(/\d files, \d+ lines/).first().waitFor();
  const made = await ask(page, "pipelines/create", { new: { from: "document", text: JSON.stringify(BOARD) } });
  await page.goto(new URL(`/pipelines/${made.id}`, page.url()).href);
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.getByRole("heading", { name: "Run 1" }).waitFor();
  await run.until("Watch", "Answering");
  const board = await run.open("Watch", "Open TensorBoard");
  await board.getByText("No dashboards are active").first().waitFor({ timeout: 60_000 });
  // Expected here: while one server is replaced by another, nobody answers.
  assert.deepEqual(page.problems.filter((problem) => !/WebSocket|net::ERR/.test(problem)), []);
} catch (error) {
  await showAll("installed");
  throw error;
} finally {
  await close();
}
