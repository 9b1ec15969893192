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
  // Any such name leads here, as it would for whoever owns the name's DNS.
  "--host-resolver-rules=MAP *.example 127.0.0.1",
];
const PICTURES = path.resolve(import.meta.dirname, "../../docs/pictures");
const FAILURES = path.resolve(import.meta.dirname, "../test-results");

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

/** A person who came by a one-time link. Errors on the page's console are collected. */
export async function signIn(link, options = {}) {
  const context = await (await launch()).newContext({
    viewport: { width: 1280, height: 800 },
    colorScheme: "light",
    acceptDownloads: true,
    ...options,
  });
  const page = await context.newPage();
  page.problems = [];
  page.on("pageerror", (error) => page.problems.push(String(error)));
  const said = (message) => `${message.text()} (${message.location().url})`;
  page.on("console", (message) => message.type() === "error" && page.problems.push(said(message)));
  await page.goto(link);
  // The link goes on to the first page by itself.
  await page.getByRole("banner").waitFor().catch(async (error) => {
    throw new Error(`${error.message}\nThe page says: ${await page.locator("body").innerText()}`);
  });
  return page;
}

/** Pictures for the README, in light and in dark, only when pictures are wanted. */
export async function picture(page, name) {
  if (!process.env.FLETCHLINE_PICTURES) return;
  await mkdir(PICTURES, { recursive: true });
  for (const colorScheme of ["dark", "light"]) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: path.join(PICTURES, `${name}-${colorScheme}.png`), animations: "disabled" });
  }
}

/** Pictures of all pages in `test-results/`, for whoever looks for the reason of a failure. */
export async function showAll(name) {
  const pages = browser?.contexts().flatMap((context) => context.pages()) ?? [];
  await mkdir(FAILURES, { recursive: true });
  for (const [at, page] of pages.entries()) {
    const file = `${name.replaceAll(/\W+/g, "-").slice(0, 60)}-${at}.png`;
    // A page that hangs has no picture; the test's own error is what counts.
    await page.screenshot({ path: path.join(FAILURES, file), timeout: 5000 }).catch(() => {});
  }
}
