// What this project expects of @std/cli: the real one where JSR answers, the
// stand-in elsewhere.

import { assertEquals } from "@std/assert";
import { parseArgs } from "@std/cli/parse-args";

Deno.test("parseArgs() guesses what is not declared", () => {
  assertEquals(
    parseArgs([
      "a",
      "--b",
      "c",
      "--d=e=f",
      "--g",
      "-h",
      "5",
      "-ij",
      "7",
      "0x10",
    ]),
    { _: ["a", 16], b: "c", d: "e=f", g: true, h: 5, i: true, j: 7 },
  );
});

Deno.test("parseArgs() reads values that are part of a short option", () => {
  assertEquals(parseArgs(["-n5", "-m=6", "-abc", "-x-"]), {
    _: [],
    n: 5,
    m: 6,
    a: true,
    b: true,
    c: true,
    x: "-",
  });
});

Deno.test("parseArgs() leaves strings as they are", () => {
  const args = parseArgs(["--name", "007", "--empty", "--other="], {
    string: ["name", "empty", "other", "absent"],
  });

  const name: string | undefined = args.name;
  assertEquals(name, "007");
  assertEquals(args, { _: [], name: "007", empty: "", other: "" });
});

Deno.test("parseArgs() does not take a value for a flag", () => {
  const args = parseArgs(["--json", "file", "--quiet", "false", "-v", "x"], {
    boolean: ["json", "quiet", "v", "absent"],
  });

  const absent: boolean = args.absent;
  assertEquals(absent, false);
  assertEquals(args, {
    _: ["file", "x"],
    json: true,
    quiet: false,
    v: true,
    absent: false,
  });
});

Deno.test("parseArgs() takes the last of several values or collects them", () => {
  const args = parseArgs(["--a", "1", "--a", "2", "--b", "1", "--b", "2"], {
    string: ["a", "b"],
    collect: ["b"],
  });

  const all: string[] = args.b;
  assertEquals(all, ["1", "2"]);
  assertEquals(args, { _: [], a: "2", b: ["1", "2"] });
});

Deno.test("parseArgs() knows options by their other names", () => {
  const args = parseArgs(["-h", "--workers", "3"], {
    boolean: ["help"],
    string: ["w"],
    alias: { help: "h", w: ["workers", "threads"] },
  });

  const help: boolean = args.h;
  assertEquals(help, true);
  assertEquals(args, {
    _: [],
    help: true,
    h: true,
    w: "3",
    workers: "3",
    threads: "3",
  });
});

Deno.test("parseArgs() fills in defaults", () => {
  const args = parseArgs(["--kind", "wait"], {
    string: ["kind", "year"],
    boolean: ["json"],
    default: { kind: "both", year: "2017", json: true },
  });

  const year: string = args.year;
  assertEquals(year, "2017");
  assertEquals(args, { _: [], kind: "wait", year: "2017", json: true });
});

Deno.test("parseArgs() negates what can be negated", () => {
  assertEquals(
    parseArgs(["--no-color", "--no-cache"], {
      boolean: ["color"],
      negatable: ["color"],
      default: { color: true },
    }),
    { _: [], color: false, "no-cache": true },
  );
});

Deno.test("parseArgs() asks about what is not declared", () => {
  const asked: unknown[][] = [];

  const args = parseArgs(["run", "--known", "1", "--what=5", "-x", "2"], {
    string: ["known"],
    unknown: (...question) => {
      asked.push(question);
      return question[1] !== "what";
    },
  });

  assertEquals(asked, [
    ["run"],
    ["--what=5", "what", "5"],
    ["-x", "x", "2"],
  ]);
  assertEquals(args, { _: ["run"], known: "1", x: 2 });
});

Deno.test("parseArgs() stops at the first argument that is no option", () => {
  assertEquals(
    parseArgs(["--a", "--b=1", "run", "--c", "5"], {
      boolean: ["a"],
      stopEarly: true,
    }),
    { _: ["run", "--c", "5"], a: true, b: 1 },
  );
});

Deno.test("parseArgs() reads nothing after --", () => {
  const rest = ["a", "--", "--b", "5", "--"];

  const apart = parseArgs(rest, { "--": true });

  const after: string[] = apart["--"];
  assertEquals(after, ["--b", "5", "--"]);
  assertEquals(apart, { _: ["a"], "--": ["--b", "5", "--"] });
  assertEquals(parseArgs(rest), { _: ["a", "--b", "5", "--"] });
});
