// `futures map` and the files it names: none is lost to another, to another
// run, or to what happens to it meanwhile.

import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  FUNCTIONS,
  futures,
  startFutures,
} from "../helpers/futures_command.ts";
import { makeTempFolder, type TempFolder } from "../helpers/temp_folder.ts";

const IS_WINDOWS = Deno.build.os === "windows";

const REPORT = "--on-error=report";

/** Results from the input `in`. */
const SAME = ["map", `${FUNCTIONS}#same`];

/** Writes the file `started`, and ends when there is a file `go`. */
const MEETS = ["map", `${FUNCTIONS}#meets`, "in", "--output=out"];

/** What must not be lost. */
const TEXT = "1\n2\n3\n";

/** The folder has the input, with other names for it, and a folder that is itself. */
async function makeFolder(): Promise<TempFolder> {
  const folder = await makeTempFolder({
    "in": TEXT,
    "out.partial": TEXT,
    "module.js": "export default (n) => n;",
    "sub/file": "",
  });
  const path = (name: string) => `${folder.path}/${name}`;
  await Deno.symlink("in", path("link"));
  await Deno.symlink("nothing", path("dangling"));
  await Deno.symlink(".", path("here"), { type: "dir" });
  await Deno.link(path("in"), path("hard"));
  return folder;
}

async function read(folder: TempFolder, name: string): Promise<string> {
  return await Deno.readTextFile(`${folder.path}/${name}`);
}

for (
  const [what, args] of [
    ["--errors that is the input", ["in", REPORT, "--errors=in"]],
    ["--errors that is a link to the input", ["in", REPORT, "--errors=link"]],
    ["--errors that is the target of an input", [
      "link",
      REPORT,
      "--errors=in",
    ]],
    ["--errors that is a hard link to the input", [
      "in",
      REPORT,
      "--errors=hard",
    ]],
    ["--errors that is the input in other words", [
      "in",
      REPORT,
      "--errors=sub/../here/in",
    ]],
    ["--errors that is the output", [
      "in",
      REPORT,
      "--output=new",
      "--errors=new",
    ]],
    ["--errors that is the output by another folder", [
      "in",
      REPORT,
      "--output=new",
      "--errors=here/new",
    ]],
    ["--errors that is the output by a link to what is not there", [
      "in",
      REPORT,
      "--output=nothing",
      "--errors=dangling",
    ]],
    ["--errors that is the partial output", [
      "in",
      REPORT,
      "--output=out",
      "--errors=out.partial",
    ]],
    ["an input that is the partial output", ["out.partial", "--output=out"]],
    ["an output that is an input", ["in", "--output=in"]],
    ["an output that is a link to an input", ["hard", "--output=link"]],
    ["an output that is the first of two inputs", [
      "in",
      "out.partial",
      "--output=here/in",
    ]],
  ] as const
) {
  Deno.test({
    name: `futures map refuses ${what}, and touches nothing`,
    ignore: IS_WINDOWS,
    fn: async () => {
      await using folder = await makeFolder();
      const cwd = folder.path;
      const before = (await Array.fromAsync(Deno.readDir(cwd))).length;
      const { stdout, stderr } = await futures([...SAME, ...args], {
        cwd,
        code: 2,
      });
      assertEquals(stdout, "");
      assertStringIncludes(stderr, "are the same file, which would be lost");
      assertEquals(stderr.split("\n").length, 2);
      assertEquals(await read(folder, "in"), TEXT);
      assertEquals(await read(folder, "out.partial"), TEXT);
      assertEquals((await Array.fromAsync(Deno.readDir(cwd))).length, before);
    },
  });
}

Deno.test("futures map refuses --errors that is the module", async () => {
  await using folder = await makeTempFolder({
    "in": TEXT,
    "module.js": "export default (n) => n;",
  });
  await futures(["map", "module.js", "in", REPORT, "--errors=module.js"], {
    cwd: folder.path,
    code: 2,
  });
  assertEquals(await read(folder, "module.js"), "export default (n) => n;");
});

for (
  const [what, command] of [
    ["--errors=/dev/stdout", `"$@" ${REPORT} --errors=/dev/stdout >> in`],
    [
      "--errors that is the standard error stream",
      `"$@" in ${REPORT} --errors=log 2>> log`,
    ],
    ["an input that it would write to", `"$@" in >> in`],
    ["a standard input that is --errors", `"$@" ${REPORT} --errors=in < in`],
    ["a standard input that is --output", `"$@" --output=in < in`],
  ] as const
) {
  Deno.test({
    name: `futures map refuses ${what}`,
    ignore: IS_WINDOWS,
    fn: async () => {
      await using folder = await makeTempFolder({ "in": TEXT, "log": TEXT });
      const { code } = await inShell(command, SAME, folder);
      assertEquals(code, 2);
      assertEquals(await read(folder, "in"), TEXT);
      assertStringIncludes(await read(folder, "log"), TEXT);
    },
  });
}

Deno.test({
  name: "futures map takes a pipe and a device for --errors",
  ignore: IS_WINDOWS,
  fn: async () => {
    await using folder = await makeTempFolder({ "in": "1\nx\n" });
    for (const [errors, lines] of [["/dev/stdout", 2], ["/dev/null", 1]]) {
      const { stdout } = await futures(
        [...SAME, "in", REPORT, `--errors=${errors}`],
        { cwd: folder.path },
      );
      assertEquals(stdout.split("\n").length - 1, lines);
    }
  },
});

Deno.test("futures bench refuses a picture and a page that are one file", async () => {
  await using folder = await makeTempFolder();
  const { stderr } = await futures(
    ["bench", "--svg=x", "--html=./x"],
    { cwd: folder.path, code: 2 },
  );
  assertStringIncludes(stderr, "--html ./x and --svg x are the same file");
});

for (const [what, partial] of [["link", "link"], ["hard link", "hard"]]) {
  Deno.test({
    name: `futures map does not write to a ${what} for its partial file`,
    ignore: IS_WINDOWS,
    fn: async () => {
      await using folder = await makeTempFolder({ in: TEXT, other: TEXT });
      const path = (name: string) => `${folder.path}/${name}`;
      if (partial === "link") await Deno.symlink("other", path("out.partial"));
      else await Deno.link(path("other"), path("out.partial"));
      const { stderr } = await futures([...SAME, "in", "--output=out"], {
        cwd: folder.path,
        code: 2,
      });
      assertStringIncludes(stderr, "out.partial is a link");
      assertEquals(await read(folder, "other"), TEXT);
    },
  });
}

Deno.test({
  name: "futures map --output writes to what a link points to, there or not",
  ignore: IS_WINDOWS,
  fn: async () => {
    await using folder = await makeFolder();
    await futures([...SAME, "in", "--output=dangling"], { cwd: folder.path });
    assertEquals(await read(folder, "nothing"), TEXT);
    assertEquals(await Deno.readLink(`${folder.path}/dangling`), "nothing");
  },
});

for (
  const [what, args] of [
    ["", [REPORT, "--errors=log"]],
    [" to resume", ["--resume"]],
  ] as const
) {
  Deno.test(`futures map refuses${what} an output that another run writes`, async () => {
    await using run = await startRun();
    await Deno.writeTextFile(`${run.folder.path}/log`, TEXT);
    const { stderr } = await futures([...MEETS, ...args], {
      cwd: run.folder.path,
      code: 2,
    });
    assertStringIncludes(stderr, "another run writes out.partial");
    assertEquals(await read(run.folder, "log"), TEXT);
    assertEquals(await run.end(), { code: 0, stderr: "" });
    assertEquals(await read(run.folder, "out"), `"started"\n`);
  });
}

Deno.test("futures map refuses --errors that another run writes", async () => {
  await using run = await startRun([REPORT, "--errors=log"]);
  await Deno.writeTextFile(`${run.folder.path}/other.partial`, TEXT);
  const { stderr } = await futures(
    [...SAME, "in", "--output=other", REPORT, "--errors=log"],
    { cwd: run.folder.path, code: 2 },
  );
  assertStringIncludes(stderr, "log: wait for its end");
  assertEquals(await read(run.folder, "other.partial"), TEXT);
  assertEquals((await run.end()).code, 0);
});

Deno.test("futures map takes over what a killed run has left", async () => {
  await using run = await startRun();
  run.child.kill("SIGKILL");
  await run.end();
  await futures(MEETS, { cwd: run.folder.path });
  assertEquals(await read(run.folder, "out"), `"started"\n`);
});

for (
  const [what, disturb] of [
    ["removed", (path) => Deno.remove(`${path}/out.partial`)],
    ["replaced", async (path) => {
      await Deno.remove(`${path}/out.partial`);
      await Deno.writeTextFile(`${path}/out.partial`, TEXT);
    }],
    ["moved away", (path) => Deno.rename(`${path}/out.partial`, `${path}/x`)],
    ["kept from its place by a folder", (path) => Deno.mkdir(`${path}/out`)],
  ] as [string, (path: string) => Promise<void>][]
) {
  Deno.test({
    name: `futures map says in one line that its output was ${what}`,
    ignore: IS_WINDOWS,
    fn: async () => {
      await using run = await startRun();
      await disturb(run.folder.path);
      const { code, stderr } = await run.end();
      assertEquals(code, 1);
      assertStringIncludes(stderr, "futures: cannot move out.partial to out: ");
      assertEquals(stderr.split("\n").length, 2);
      if (what !== "replaced") return;
      assertEquals(await read(run.folder, "out.partial"), TEXT);
    },
  });
}

Deno.test({
  name:
    "futures map says in one line that the folder of its output was removed",
  ignore: IS_WINDOWS,
  fn: async () => {
    await using run = await startRun(["--output=sub/out"]);
    await Deno.remove(`${run.folder.path}/sub`, { recursive: true });
    const { code, stderr } = await run.end();
    assertEquals(code, 1);
    assertStringIncludes(stderr, "futures: cannot move sub/out.partial to ");
    assertEquals(stderr.split("\n").length, 2);
  },
});

Deno.test({
  name: "futures map --output keeps the mode of a file that is there",
  ignore: IS_WINDOWS,
  fn: async () => {
    for (const mode of [0o600, 0o664, 0o751]) {
      await using run = await startRun([], mode);
      const { mode: meanwhile } = await Deno.stat(
        `${run.folder.path}/out.partial`,
      );
      // Nobody may read it who may not read what was there before.
      assertEquals(meanwhile! & 0o777 & ~mode, 0);
      assertEquals((await run.end()).code, 0);
      const after = await Deno.stat(`${run.folder.path}/out`);
      assertEquals(after.mode! & 0o777, mode);
      assertEquals(await read(run.folder, "out"), `"started"\n`);
    }
  },
});

Deno.test("futures map --on-error report counts lines anew when a file comes again", async () => {
  await using folder = await makeTempFolder({ "in": "1\nx\n", "none": "" });
  const { stdout } = await futures(
    [...SAME, "in", "in", "none", "./in", REPORT],
    { cwd: folder.path },
  );
  const reports = stdout.split("\n").filter((line) => line.includes("error"))
    .map((line) => JSON.parse(line)).map(({ file, line }) => [file, line]);
  assertEquals(reports, [["in", 2], ["in", 2], ["./in", 2]]);
});

/** A run of {@linkcode MEETS} that has begun and does not end. */
interface Run extends AsyncDisposable {
  readonly folder: TempFolder;
  readonly child: Deno.ChildProcess;
  /** Lets it end, if it has not. */
  end(): Promise<{ code: number; stderr: string }>;
}

async function startRun(args: string[] = [], mode?: number): Promise<Run> {
  const folder = await makeTempFolder({
    "in": `["started","go"]\n`,
    "sub/file": "",
  });
  const path = (name: string) => `${folder.path}/${name}`;
  if (mode !== undefined) {
    await Deno.writeTextFile(path("out"), "before\n");
    await Deno.chmod(path("out"), mode);
  }
  const child = startFutures([...MEETS, ...args], folder.path);
  await child.stdin.close();
  while (!await Deno.stat(path("started")).then(() => true, () => false)) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return {
    folder,
    child,
    async end() {
      await Deno.writeTextFile(path("go"), "");
      const { code, stderr } = await child.output();
      return { code, stderr: new TextDecoder().decode(stderr) };
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

/** Runs `futures` by a shell that has its streams elsewhere. */
async function inShell(
  command: string,
  args: string[],
  { path }: TempFolder,
): Promise<Deno.CommandStatus> {
  const child = startFutures(args, path, ["sh", "-c", command, "sh"]);
  await child.stdin.close();
  const { code, success, signal } = await child.output();
  return { code, success, signal };
}
