// How soon does a person see what happens?

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { ask } from "../support/editor.mjs";
import { close, signIn } from "../support/person.mjs";
import { Run } from "../support/run.mjs";
import { Server } from "../support/server.mjs";

/** What the product promises on a quiet machine; tests share theirs. */
const PROMISED = 500;
const GENEROUS = 4 * PROMISED;

let server;
let page;

before(async () => {
  server = await Server.start();
  page = await signIn(server.link);
});

after(async () => {
  await close();
  await server?.remove();
});

test("status and log lines reach the browser at once", async (context) => {
  const job = { id: "clock", name: "Clock", kind: "job", script: "for i in $(seq 20); do date +%s%3N; sleep 0.1; done" };
  const document = { format: "fletchline/v1", id: "clock", name: "Clock", tasks: [job], arrows: [] };
  const { id } = await ask(page, "pipelines/create", { new: { from: "document", text: JSON.stringify(document) } });
  await page.goto(`${server.origin}/pipelines/${id}`);
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.getByRole("heading", { name: "Run 1" }).waitFor();
  const run = new Run(page);
  await run.select("Clock");
  await page.evaluate(watch);
  await run.until("Clock", "Done", 60_000);
  await page.waitForFunction(() => Object.keys(window.seen.lines).length === 20);
  const { lines, statuses } = await page.evaluate(() => window.seen);
  const { view } = await ask(page, "runs/open", { run: new URL(page.url()).pathname.split("/").pop() });
  const logs = Object.entries(lines).map(([written, seen]) => seen - Number(written));
  const ended = statuses.Done - view.tasks.clock.ended;
  context.diagnostic(`log lines: ${spread(logs)}; the end of the task: ${ended} ms`);
  assert.ok(median(logs) < GENEROUS, spread(logs));
  assert.ok(ended < GENEROUS, `${ended} ms`);
  assert.deepEqual(page.problems, []);
});

/** In the page: notes when each line of the log and each status of a card came. */
function watch() {
  window.seen = { lines: {}, statuses: {} };
  const look = () => {
    const now = Date.now();
    for (const row of document.querySelectorAll(".log-row")) {
      const written = row.textContent.match(/\d{13}$/)?.[0];
      if (written) window.seen.lines[written] ??= now;
    }
    for (const card of document.querySelectorAll("[data-task]")) {
      const status = card.getAttribute("aria-label").match(/, (Running|Done)/)?.[1];
      if (status) window.seen.statuses[status] ??= now;
    }
  };
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
  look();
}

function median(numbers) {
  return numbers.toSorted((one, two) => one - two)[Math.floor(numbers.length / 2)];
}

function spread(numbers) {
  return `median ${median(numbers)} ms, slowest ${Math.max(...numbers)} ms of ${numbers.length}`;
}
