// How are steps tested of which each goes on where the one before has ended?

import { test } from "node:test";

import { showAll } from "./person.mjs";

/** After a step that failed the others fail at once, and only the first one's reason is worth reading. */
export function story() {
  let failed;
  return (name, step) =>
    test(name, async (context) => {
      if (failed) throw new Error(`not tried, because this failed: ${failed}`);
      try {
        await step(context);
      } catch (error) {
        failed = name;
        await showAll(name);
        throw error;
      }
    });
}
