// How does a test act as a person in front of a browser?

import { mkdir } from "node:fs/promises";
import path from "node:path";
import { chromium } from "playwright-core";

export const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const PICTURES = path.resolve(import.meta.dirname, "../../docs/pictures");

let browser;

/** One Chromium for all tests of a file. */
export async function launch() {
  browser ??= await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
  return browser;
}

export async function close() {
  await browser?.close();
  browser = undefined;
}

/** A person who came by the server's one-time link. Errors on the page's console are collected. */
export async function signIn(server, options = {}) {
  const context = await (await launch()).newContext({
    viewport: { width: 1280, height: 800 },
    colorScheme: "light",
    acceptDownloads: true,
    ...options,
  });
  const page = await context.newPage();
  page.problems = [];
  page.on("pageerror", (error) => page.problems.push(String(error)));
  page.on("console", (message) => message.type() === "error" && page.problems.push(message.text()));
  await page.goto(server.link);
  return page;
}

/** A picture for the README, only when pictures are wanted. */
export async function picture(page, name) {
  if (!process.env.FLETCHLINE_PICTURES) return;
  await mkdir(PICTURES, { recursive: true });
  await page.screenshot({ path: path.join(PICTURES, `${name}.png`) });
}
