// What a function can do to `futures map` that runs it.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  FUNCTIONS,
  futures,
  startFutures,
} from "../helpers/futures_command.ts";
import { makeTempFolder } from "../helpers/temp_folder.ts";

const FIVE = "1\n2\n3\n4\n5\n";

const IS_WINDOWS = Deno.build.os === "windows";

/** More than is read from a pipe before the first function is called. */
const MANY = Array.from({ length: 100_000 }, (_, i) => `${i + 1}\n`).join("");

for (const executor of ["worker", "promise"]) {
  Deno.test(`futures map --executor ${executor} has nothing between its results that the function says`, async () => {
    const { stdout, stderr } = await futures(
      ["map", `${FUNCTIONS}#saysAll`, "--executor", executor],
      { stdin: "1\n2\n" },
    );
    assertEquals(stdout, "1\n2\n");
    for (
      const way of [
        ..."log info debug dirxml count time group trace assert bytes".split(
          " ",
        ),
        ..."process,a group in it,a child".split(","),
      ]
    ) assertStringIncludes(stderr, `said by ${way}`);
    assertStringIncludes(stderr, '{ said: "by dir" }'.replaceAll('"', "'"));
    assertStringIncludes(stderr, "│");
    assertEquals(stderr.match(/^said by bytes$/gm)?.length, 6);
    assertEquals(stderr.match(/^said by time: /gm)?.length, 4);
    // For two lines each.
    const children = "spawn" in Deno ? 6 : 2;
    assertEquals(stderr.match(/^said by a child$/gm)?.length, 2 * children);
  });
}

Deno.test("futures map leaves to the function what a child tells it", async () => {
  const { stdout } = await futures(["map", `${FUNCTIONS}#asksChild`], {
    stdin: "1\n",
  });
  assertEquals(stdout, '"1: answer"\n');
});

for (
  const [name, what] of [
    ["exitsAtThree", "the function ended the program"],
    ["exitsAsNodeAtThree", "the function ended the program"],
    ["neverAtThree", "the function promised what nothing is left to bring"],
    ["straysAtThree", "Error: stray error"],
  ] as const
) {
  Deno.test(`futures map --executor promise ${name} is no success, and says so in one line`, async () => {
    const { stderr } = await futures(
      ["map", `${FUNCTIONS}#${name}`, "--executor=promise"],
      { stdin: FIVE, code: 1 },
    );
    assertStringIncludes(stderr, `futures: ${what}`);
    assertEquals(stderr.split("\n").length, 2);
  });
}

Deno.test("futures map --output has no file after a function that ended the program", async () => {
  await using folder = await makeTempFolder({ in: FIVE });
  await futures(
    [
      ...["map", `${FUNCTIONS}#exitsAtThree`, "in"],
      ...["--executor=promise", "--output=out"],
    ],
    { cwd: folder.path, code: 1 },
  );
  const names = await Array.fromAsync(Deno.readDir(folder.path));
  assertEquals(names.map(({ name }) => name).sort(), ["in", "out.partial"]);
});

for (
  const [executor, ms] of [
    ["promise", 2 ** 31],
    ["promise", (1e30).toLocaleString("en", { useGrouping: false })],
    ["worker", 2 ** 31],
    ["process", 2 ** 31],
  ]
) {
  Deno.test(`futures map --executor ${executor} --timeout ${ms} is a long time`, async () => {
    const { stdout } = await futures([
      ...["map", `${FUNCTIONS}#late`],
      ...[`--executor=${executor}`, `--timeout=${ms}`],
    ], { stdin: FIVE });
    assertEquals(stdout, FIVE);
  });
}

for (
  const [name, instead] of [
    ["Map", "Object.fromEntries(it)"],
    ["Set", "[...it]"],
    ["iterator", "[...it]"],
    ["generator", "[...it]"],
    ["async generator", "await Array.fromAsync(it)"],
    ["promise of a Map", "Object.fromEntries(it)"],
    ["error", "what it has"],
    ["headers", "what it has"],
  ] as const
) {
  Deno.test(`futures map refuses a result of which JSON would leave nothing: ${name}`, async () => {
    for (const raw of [[], ["--raw"]]) {
      const { stderr } = await futures(
        ["map", `${FUNCTIONS}#empties`, ...raw],
        { stdin: raw.length > 0 ? name : `"${name}"\n`, code: 1 },
      );
      assertStringIncludes(
        stderr,
        "futures: line 1: TypeError: The result is {}",
      );
      assertStringIncludes(stderr, `return ${instead}\n`);
    }
  });
}

for (
  const [name, message] of [
    ["circle", "TypeError: Converting circular structure to JSON --> "],
    ["bigint", "TypeError: Do not know how to serialize a BigInt"],
    ["toJSON", "Error: not this"],
    ["function", "TypeError: The result is a function, of which JSON"],
    ["symbol", "TypeError: The result is a symbol, of which JSON"],
  ] as const
) {
  Deno.test(`futures map says in one line what JSON refuses: ${name}`, async () => {
    const { stderr } = await futures(["map", `${FUNCTIONS}#refuses`], {
      stdin: `"${name}"\n`,
      code: 1,
    });
    assertStringIncludes(stderr, `futures: line 1: ${message}`);
    assertEquals(stderr.split("\n").length, 2);
  });
}

Deno.test("futures map writes what has no fields as that", async () => {
  const { stdout } = await futures(["map", `${FUNCTIONS}#mayBeEmpty`], {
    stdin: `"class"\n"null"\n"toJSON"\n"plain"\n`,
  });
  assertEquals(stdout, "{}\n".repeat(4));
});

Deno.test("futures map --raw refuses half a character rather than to write another one", async () => {
  const { stderr } = await futures(
    ["map", `${FUNCTIONS}#halfCharacter`, "--raw"],
    { stdin: "1\n", code: 1 },
  );
  assertStringIncludes(stderr, "TypeError: A result with half a character");
  const { stdout } = await futures(["map", `${FUNCTIONS}#halfCharacter`], {
    stdin: "1\n",
  });
  assertEquals(stdout, '"\\ud83d"\n');
});

Deno.test("futures map names the way out for a module that needs its own project", async () => {
  await using folder = await makeTempFolder({
    "package.json": `{ "dependencies": { "ms": "*" } }`,
    "bare.js": `import ms from "ms"; export default ms;`,
    "mapped.js": `import "mine/ms.js"; export default String;`,
    "common.cjs": `module.exports = require("nowhere");`,
    "in": "1\n",
  });
  for (const module of ["bare.js", "mapped.js", "common.cjs"]) {
    const { stderr } = await futures(["map", module, "in"], {
      cwd: folder.path,
      code: 2,
    });
    assertStringIncludes(stderr, `futures: cannot load ${module}: `);
    assertStringIncludes(stderr, `deno bundle ${module} -o FILE.js, and map`);
    assertEquals(stderr.split("\n").length, 2);
  }
});

Deno.test({
  name: "futures map goes on when nobody reads what it says",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using folder = await makeTempFolder({
      in: "1\n2\nx\n",
      // Longer than it takes to say the first time how far it is.
      "slow.js": `export default async (n) => {
        await new Promise((resolve) => setTimeout(resolve, 1200));
        return 2 * n;
      };`,
    });
    const child = startFutures(
      [
        ...["map", "slow.js", "in", "--output=out"],
        ...["--on-error=skip", "--progress"],
      ],
      folder.path,
      // A pipe that has no reader any more.
      [
        "sh",
        "-c",
        `{ (while echo >&2; do sleep 0.01; done); "$@"; echo $? > code; } 2>&1 >code | :`,
        "sh",
      ],
    );
    await child.stdin.close();
    await child.output();
    const read = (name: string) => Deno.readTextFile(`${folder.path}/${name}`);
    while (await read("code") === "") {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assertEquals(await read("code"), "0\n");
    assertEquals(await read("out"), "2\n4\n");
  },
});

for (
  const module of ["http://[", "file:///%zz", "data:text/javascript,throw null"]
) {
  Deno.test(`futures map ${module} is refused in one line`, async () => {
    const { stderr } = await futures(["map", module], { code: 2 });
    assertStringIncludes(stderr, `futures: cannot load ${module}: `);
    assert(!stderr.includes("bundle"));
    assertEquals(stderr.split("\n").length, 2);
  });
}

for (const executor of ["worker", "process", "promise"]) {
  Deno.test({
    name:
      `futures map --executor ${executor} keeps its lines from a function that reads the standard input`,
    ignore: IS_WINDOWS,
    fn: async () => {
      for (const way of ["readFileSync", "readSync", "cat"]) {
        const { stdout } = await futures([
          ...["map", `${FUNCTIONS}#${way}First`, "--executor", executor],
          ...["--workers=2"],
        ], { stdin: MANY });
        assertEquals(stdout, MANY);
      }
    },
  });
}

for (const executor of ["worker", "process", "promise"]) {
  Deno.test(`futures map --executor ${executor} says of a module that ends the program that it does`, async () => {
    await using folder = await makeTempFolder({
      "deno.js": "Deno.exit(7); export default (n) => n;",
      "node.js":
        `import process from "node:process"; process.exit(3); export default (n) => n;`,
    });
    const endings = [["deno.js", 7], ["node.js", 3]] as const;
    for (const [module, exitCode] of endings) {
      const { stderr } = await futures(
        ["map", module, "--executor", executor],
        { cwd: folder.path, stdin: "1\n", code: 2 },
      );
      assertEquals(
        stderr,
        `futures: cannot load ${module}: it ends the program with exit code ${exitCode} as it is loaded; put that into if (import.meta.main) { … }\n`,
      );
    }
  });
}
