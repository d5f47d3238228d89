// `futures map --on` over a real server: what gets to nodes, and what is said where it cannot.

import { assertEquals, assertMatch } from "@std/assert";
import { NatsServer, natsTest } from "../executors/nats/nats_server.ts";
import { futures } from "../helpers/futures_command.ts";
import { makeTempFolder } from "../helpers/temp_folder.ts";
import { mapOne, serve } from "./nats_programs.ts";

natsTest(
  "futures map --on says what is wrong with a module or a line",
  async () => {
    await using server = await NatsServer.start();
    await using _node = await serve(server.url, "--workers=1");
    await using folder = await makeTempFolder({
      "square.js":
        "export const square = (n) => { if (n === 3) throw new RangeError('three'); return n * n; };",
      "broken.js": "throw new Error('not today');",
      "lost.js": "import 'nowhere'; export default () => 1;",
    });
    const map = async (address: string, code: number) => {
      const args = ["map", address, "--on", server.url];
      const { stdout, stderr } = await futures(args, {
        cwd: folder.path,
        stdin: "1\n2\n3\n4\n",
        code,
      });
      return { stdout, stderr };
    };
    assertEquals(await map("square.js#square", 1), {
      stdout: "1\n4\n",
      stderr: "futures: line 3: RangeError: three\n",
    });
    assertEquals(await map("square.js#cube", 2), {
      stdout: "",
      stderr:
        'futures: square.js exports no function "cube": there is square.js#square\n',
    });
    assertEquals(await map("broken.js", 2), {
      stdout: "",
      stderr: "futures: cannot load broken.js: not today\n",
    });
    const { stderr } = await map("lost.js", 2);
    assertMatch(
      stderr,
      /^futures: Cannot bundle .*lost\.js for nodes: .*nowhere/,
    );
    assertEquals(stderr.split("\n").length, 2);
  },
);

natsTest(
  "futures map --on takes what only the project of a module explains",
  async () => {
    await using server = await NatsServer.start();
    await using _node = await serve(server.url, "--workers=1");
    await using folder = await makeTempFolder({
      "deno.json": '{ "imports": { "two": "./lib/two.ts" } }',
      "lib/two.ts": "export const two: number = 2;",
      "double.ts":
        'import { two } from "two"; export default (n: number) => n * two;',
    });
    const { stdout } = await mapOne(server, "double.ts", folder.path);
    assertEquals(stdout, "2\n");
  },
);
