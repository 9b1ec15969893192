// Does one `ssh -L` reach everything?

import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { after, before, test } from "node:test";

import { close, signIn } from "../support/person.mjs";
import { Lab, Run } from "../support/run.mjs";
import { Server } from "../support/server.mjs";
import { Tunnel } from "../support/tunnel.mjs";

let server;
let tunnel;

before(async () => {
  server = await Server.start();
  tunnel = await Tunnel.to(server.port, `${server.data}-ssh`);
});

after(async () => {
  tunnel?.close();
  await close();
  await server?.remove();
  await rm(`${server.data}-ssh`, { recursive: true, force: true });
});

test("one ssh tunnel reaches the product, a notebook whose cells run, and TensorBoard", async () => {
  const link = new URL(server.link);
  link.port = tunnel.port;
  const page = await signIn(link.href);
  await page.getByRole("button", { name: "New from example Digits" }).click();
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.getByRole("button", { name: "Start run" }).click();
  const run = new Run(page);
  await run.until("Explore", "Your turn");
  const lab = await Lab.of(await run.open("Explore", "Open notebook"));
  assert.equal(new URL(lab.page.url()).port, String(tunnel.port));
  await lab.runNew('print("through", "the tunnel")');
  await lab.shows("through the tunnel");
  await run.until("TensorBoard", "Answering");
  const board = await run.open("TensorBoard", "Open TensorBoard");
  assert.equal(new URL(board.url()).port, String(tunnel.port));
  await board.getByText("No dashboards are active for the current data set.").waitFor({ timeout: 60_000 });
  assert.deepEqual(page.problems, []);
});
