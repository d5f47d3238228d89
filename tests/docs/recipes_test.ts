// docs/recipes.md: `deno test --doc` runs its programs, so that each recipe has one.

import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../../", import.meta.url);
const TEXT = await Deno.readTextFile(new URL("docs/recipes.md", ROOT));

/** The recipes: their headings, and what is below. */
const RECIPES = TEXT.split(/^## /m).slice(1).map((recipe) => {
  const [heading = "", ...lines] = recipe.split("\n");
  return { heading, text: lines.join("\n") };
});

Deno.test("docs/recipes.md lists its recipes", () => {
  const links = Array.from(
    TEXT.matchAll(/^- \[(.*)\]\(#(.*)\)$/gm),
    ([, text, anchor]) => ({ text, anchor }),
  );
  assertEquals(
    links,
    RECIPES.map(({ heading }) => ({
      text: heading,
      anchor: heading.toLowerCase().replaceAll(" ", "-"),
    })),
  );
});

Deno.test("docs/recipes.md has a program for each recipe, which a task runs", async () => {
  for (const { heading, text } of RECIPES) {
    assert(/^```ts\n[^]*?assertEquals\(/m.test(text), heading);
  }
  const config = await Deno.readTextFile(new URL("deno.json", ROOT));
  const tasks: Record<string, unknown> = JSON.parse(config).tasks;
  assert(
    `${tasks["test:others"]}`.includes(" --doc README.md docs/recipes.md "),
  );
});
