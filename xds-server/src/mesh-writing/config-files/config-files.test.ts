import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { setTimeout } from "node:timers/promises";
import { memoCompile } from "../../compile/memo.ts";
import { openCatalog } from "../../filter-registry/artifacts.ts";
import { catalogLimits, handMade, least, op } from "../../filter-registry/testing.ts";
import type { Problem } from "../../model/problem.ts";
import { Turns } from "../../process/turns.ts";
import { openSqliteStore } from "../../store/sqlite-store.ts";
import { meshWriter } from "../mesh-writer.ts";
import { type ConfigFiles, type ConfigFilesOptions, watchConfigFiles } from "./config-files.ts";

describe("configuration files at the start", () => {
  it('are applied in one revision by the author "files", from nested folders, as YAML and JSON', async (t) => {
    const here = await site(t, {
      "a.yaml": `${cluster("a", 1)}---\n${cluster("b", 2)}`,
      "deep/er/c.yml": `- ${JSON.stringify(clusterDocument("c", 3))}\n`,
      "d.json": JSON.stringify([clusterDocument("d", 4)]),
      "notes.txt": "not a document",
      ".hidden.yaml": "nor: this",
    });
    await here.start();
    assert.equal(here.clusters(), "a=1 b=2 c=3 d=4");
    assert.deepEqual(
      (await here.store.revisions({ limit: 9 })).map(({ author }) => author),
      ["files"],
    );
  });

  it("that are named themselves are read whatever their extension, and only once when named twice", async (t) => {
    const here = await site(t, { "mesh.conf": cluster("a", 1), "other.yaml": cluster("b", 1) });
    await here.start({ paths: [join(here.folder, "mesh.conf"), join(here.folder, "mesh.conf")] });
    assert.equal(here.clusters(), "a=1");
  });

  it("are rejected with the file and line of every fault, and nothing is applied", async (t) => {
    const here = await site(t, {
      "good.yaml": cluster("a", 1),
      "empty.yaml": "# nothing\n",
      "broken.yaml": "kind: [",
      "twice.yaml": `# the other is in good.yaml\n${cluster("a", 2)}`,
      "wrong.yaml": `${cluster("b", 1)}  nonsense: 1\n`,
    });
    symlinkSync("nowhere", join(here.folder, "dangling.yaml"));
    const found = await here.rejected();
    assert.deepEqual(found.map(({ code, source }) => `${code} ${source?.slice(here.folder.length + 1)}`).sort(), [
      "CONFIG_FILE_EMPTY empty.yaml",
      "CONFIG_FILE_UNREADABLE dangling.yaml",
      "DOCUMENT_DUPLICATE twice.yaml:2",
      "FIELD_UNKNOWN wrong.yaml:6",
      "YAML_INVALID broken.yaml:1",
    ]);
    assert.match(found.find(({ code }) => code === "DOCUMENT_DUPLICATE")?.message ?? "", /first in \S+good\.yaml:1$/);
    assert.equal(here.store.get().revision, 0);
  });

  it("are rejected with the compiler's problems, and the file and line of the document", async (t) => {
    const here = await site(t, { "route.yaml": `${cluster("a", 1)}---\n${route("r", "missing")}` });
    const [problem] = await here.rejected();
    assert.equal(problem?.code, "ROUTE_UNKNOWN_CLUSTER");
    assert.match(problem?.source ?? "", /route\.yaml:\d+$/);
  });

  it("are rejected when a filter rejects its configuration, and accepted without the filter", async (t) => {
    const { catalog, rejected, start, put, clusters } = await site(t, {});
    const rejecting = { signature: "i32 i32 -> i32", body: op.constant(0) };
    const wasm = handMade({ functions: { ...least, proxy_on_configure: rejecting } });
    const added = await catalog.add({ filter: "picky", wasm });
    const { sha256 } = added.ok ? added.artifact : assert.fail(JSON.stringify(added.faults));
    const listener = "kind: Listener\nname: edge\nspec: { port: 10000, http: { routes: [shop] } }\n---\n";
    const routes = route("shop", "cart");
    const filter = `kind: Filter\nname: picky\nspec: { listeners: [edge], sha256: "${sha256}", config: {} }\n`;
    const all = [cluster("cart", 1), routes, listener + filter].join("---\n");
    put("a.yaml", all);
    const problems = await rejected();
    assert.deepEqual(
      problems.map(({ code, path, source }) => [code, path, source?.replace(/.*a.yaml/, "a.yaml")]),
      [["FILTER_CONFIG_REJECTED", "spec.config", "a.yaml:19"]],
    );
    assert.equal(clusters(), "");
    put("a.yaml", all.replace(filter, ""));
    await start();
    assert.equal(clusters(), "cart=1");
  });

  it("are rejected when a path does not exist, is neither file nor folder, is not text, or is too large", async (t) => {
    const here = await site(t, { "latin.yaml": "", "large.yaml": "#".repeat(3000) });
    writeFileSync(join(here.folder, "latin.yaml"), Buffer.from([0x6b, 0xff]));
    const paths = ["missing", "latin.yaml", "large.yaml"].map((name) => join(here.folder, name));
    const found = await here.rejected({
      paths: [...paths, "/dev/null"],
      limits: { maxEntries: 9, maxFileBytes: 2000 },
    });
    assert.deepEqual(new Set(found.map(({ code }) => code)), new Set(["CONFIG_FILE_UNREADABLE"]));
    assert.deepEqual(found.length, 4);
  });

  it("are rejected when there are too many, and a circle of links is followed once", async (t) => {
    const here = await site(t, { "a/one.yaml": cluster("a", 1), "a/two.yaml": cluster("b", 1) });
    symlinkSync("..", join(here.folder, "a", "up"));
    const found = await here.rejected({ limits: { maxEntries: 3, maxFileBytes: 2000 } });
    assert.deepEqual(
      found.map(({ code }) => code),
      ["CONFIG_FILES_TOO_MANY"],
    );
    await here.start();
    assert.equal(here.clusters(), "a=1 b=1");
  });

  it("that did not change since the last start do not undo later writes by others", async (t) => {
    const here = await site(t, { "a.yaml": cluster("a", 1) });
    await (await here.start()).close();
    await here.write(clusterDocument("a", 9));
    const running = await here.start();
    assert.equal(here.clusters(), "a=9");
    await running.close();
    here.put("a.yaml", cluster("a", 2));
    await here.start();
    assert.equal(here.clusters(), "a=2");
  });

  it("delete the documents that were removed from them while the server was down, and no others", async (t) => {
    const here = await site(t, { "a.yaml": cluster("a", 1), "b.yaml": cluster("b", 1) });
    await (await here.start()).close();
    await here.write(clusterDocument("mine", 1));
    rmSync(join(here.folder, "b.yaml"));
    await here.start();
    assert.equal(here.clusters(), "a=1 mine=1");
  });

  it("are rejected when a folder that had files is empty, but not when it never had any", async (t) => {
    const here = await site(t, {});
    await (await here.start()).close();
    here.put("a.yaml", cluster("a", 1));
    await (await here.start()).close();
    rmSync(join(here.folder, "a.yaml"));
    assert.deepEqual(
      (await here.rejected()).map(({ code }) => code),
      ["CONFIG_FILES_GONE"],
    );
    await here.start({ paths: [] });
    assert.equal(here.clusters(), "a=1");
  });
});

describe("changes of configuration files", () => {
  it("are applied when the system reports them: added, edited in place, renamed over, in new folders, deleted", async (t) => {
    const here = await site(t, { "a.yaml": cluster("a", 1) });
    await here.start({ pollMs: never });
    here.put("b.yaml", cluster("b", 1));
    await here.until("a=1 b=1");
    here.put("a.yaml", cluster("a", 2));
    await here.until("a=2 b=1");
    here.put(".a.yaml.swp", cluster("a", 3));
    renameSync(join(here.folder, ".a.yaml.swp"), join(here.folder, "a.yaml"));
    await here.until("a=3 b=1");
    here.put("new/folder/c.yaml", cluster("c", 1));
    await here.until("a=3 b=1 c=1");
    here.put("new/folder/c.yaml", cluster("c", 2));
    await here.until("a=3 b=1 c=2");
    rmSync(join(here.folder, "b.yaml"));
    await here.until("a=3 c=2");
    rmSync(join(here.folder, "new"), { recursive: true });
    rmSync(join(here.folder, "a.yaml"));
    await here.until("");
  });

  it("are applied when the system does not report them, and for a named file", async (t) => {
    const here = await site(t, {
      "seen/link.yaml": "",
      "elsewhere/real.yaml": cluster("a", 1),
      "named.yaml": cluster("b", 1),
    });
    rmSync(join(here.folder, "seen/link.yaml"));
    symlinkSync("../elsewhere/real.yaml", join(here.folder, "seen/link.yaml"));
    await here.start({ pollMs: 20, paths: [join(here.folder, "seen"), join(here.folder, "named.yaml")] });
    here.put("elsewhere/real.yaml", cluster("a", 2));
    await here.until("a=2 b=1");
    here.put("named.yaml", cluster("b", 2));
    await here.until("a=2 b=2");
  });

  it("are applied when a link is moved to another folder, as Kubernetes does with a mounted ConfigMap", async (t) => {
    const here = await site(t, { "..1/a.yaml": cluster("a", 1), "..2/a.yaml": cluster("a", 2) });
    symlinkSync("..1", join(here.folder, "..data"));
    symlinkSync("..data/a.yaml", join(here.folder, "a.yaml"));
    await here.start({ pollMs: never });
    assert.equal(here.clusters(), "a=1");
    symlinkSync("..2", join(here.folder, "..next"));
    renameSync(join(here.folder, "..next"), join(here.folder, "..data"));
    await here.until("a=2");
  });

  it("do not touch the documents of other writers", async (t) => {
    const here = await site(t, { "a.yaml": cluster("a", 1), "b.yaml": cluster("b", 1) });
    await here.start({ pollMs: never });
    await here.write(clusterDocument("mine", 1));
    rmSync(join(here.folder, "b.yaml"));
    await here.until("a=1 mine=1");
  });

  for (const [what, damage, code] of [
    ["emptied", (path: string) => truncateSync(path), "CONFIG_FILE_EMPTY"],
    ["half written", (path: string) => writeFileSync(path, cluster("a", 2).slice(0, -9)), "YAML_INVALID"],
    ["not YAML", (path: string) => writeFileSync(path, "kind: ["), "YAML_INVALID"],
    [
      "one that the compiler rejects",
      (path: string) => writeFileSync(path, route("r", "gone")),
      "ROUTE_UNKNOWN_CLUSTER",
    ],
  ] as const)
    it(`do not change the mesh while a file is ${what}, and are applied when it is good again`, async (t) => {
      const here = await site(t, { "a.yaml": cluster("a", 1), "b.yaml": cluster("b", 1) });
      await here.start({ pollMs: never });
      damage(join(here.folder, "a.yaml"));
      await here.reported(code);
      assert.equal(here.clusters(), "a=1 b=1");
      here.put("a.yaml", cluster("a", 3));
      await here.until("a=3 b=1");
    });

  it("do not change the mesh while a named file is missing", async (t) => {
    const here = await site(t, { "a.yaml": cluster("a", 1) });
    const path = join(here.folder, "a.yaml");
    await here.start({ pollMs: never, paths: [path] });
    renameSync(path, `${path}~`);
    await here.reported("CONFIG_FILE_UNREADABLE");
    assert.equal(here.clusters(), "a=1");
    here.put("a.yaml", cluster("a", 2));
    await here.until("a=2");
  });

  it("that were rejected are tried again when the mesh has changed", async (t) => {
    const here = await site(t, { "a.yaml": cluster("a", 1) });
    await here.start({ pollMs: 20 });
    here.put("r.yaml", route("r", "later"));
    await here.reported("ROUTE_UNKNOWN_CLUSTER");
    await here.write(clusterDocument("later", 1));
    await here.condition(() => here.store.get().mesh.get("Route", "r") !== undefined);
  });

  it("are not applied after close", async (t) => {
    const [closed, other] = [
      await site(t, { "a.yaml": cluster("a", 1) }),
      await site(t, { "a.yaml": cluster("a", 1) }),
    ];
    await (await closed.start({ pollMs: 5, settleMs: 1 })).close();
    await other.start({ pollMs: 50 });
    for (const here of [closed, other]) here.put("a.yaml", cluster("a", 2));
    await other.until("a=2");
    assert.equal(closed.clusters(), "a=1");
  });
});

const never = 3_600_000;

/** A folder of files, and a store that they are applied to. */
async function site(t: TestContext, files: Readonly<Record<string, string>>) {
  const root = mkdtempSync(join(tmpdir(), "chancery-files-"));
  t.after(() => rmSync(root, { recursive: true }));
  const folder = join(root, "files");
  const store = openSqliteStore({ directory: join(root, "data"), now: Date.now, keepRevisions: 100 });
  t.after(() => store.close());
  const catalog = await openCatalog({ directory: join(root, "modules"), ...catalogLimits });
  const writer = meshWriter({ store, catalog, compile: memoCompile(), turns: new Turns() });
  t.after(() => writer.close());
  const reported: Problem[] = [];
  const log = {
    info: () => undefined,
    error: (fields: { problem?: Problem; err?: unknown }) =>
      reported.push(fields.problem ?? assert.fail(String(fields.err))),
  } as unknown as ConfigFilesOptions["log"];

  const watchFiles = (options: Partial<ConfigFilesOptions>) =>
    watchConfigFiles({ paths: [folder], store, writer, log, settleMs: 10, ...options });
  const put = (name: string, text: string) => {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), text);
  };
  const clusters = () =>
    [...store.get().mesh.all("Cluster").values()]
      .map(({ name, spec }) => `${name}=${spec.endpoints?.[0]?.port}`)
      .sort()
      .join(" ");
  const condition = async (holds: () => boolean, what: () => unknown = () => "the condition does not hold") => {
    for (const deadline = Date.now() + 10_000; !holds(); await setTimeout(5))
      if (Date.now() > deadline) assert.fail(String(what()));
  };
  mkdirSync(folder);
  for (const [name, text] of Object.entries(files)) put(name, text);
  return {
    folder,
    store,
    catalog,
    put,
    clusters,
    condition,
    write: async (document: ReturnType<typeof clusterDocument>) => {
      const written = await writer.write(() => ({ set: [document], delete: [] }), { author: "admin" });
      assert.ok(written.ok);
    },
    start: async (options: Partial<ConfigFilesOptions> = {}): Promise<ConfigFiles & { ok: true }> => {
      const started = await watchFiles(options);
      assert.ok(started.ok, JSON.stringify(started));
      t.after(() => started.close());
      return started;
    },
    rejected: async (options: Partial<ConfigFilesOptions> = {}): Promise<readonly Problem[]> => {
      const started = await watchFiles(options);
      return started.ok ? assert.fail("the files were applied") : started.problems;
    },
    until: (wanted: string) =>
      condition(
        () => clusters() === wanted,
        () => `"${clusters()}" is not "${wanted}": ${JSON.stringify(reported)}`,
      ),
    reported: (code: string) =>
      condition(
        () => reported.some((problem) => problem.code === code),
        () => `not ${code}: ${JSON.stringify(reported)}`,
      ),
  };
}

function clusterDocument(name: string, port: number) {
  return { kind: "Cluster", name, spec: { endpoints: [{ address: "127.0.0.1", port }] } } as const;
}

function cluster(name: string, port: number): string {
  return `kind: Cluster\nname: ${name}\nspec:\n  endpoints:\n    - { address: "127.0.0.1", port: ${port} }\n`;
}

function route(name: string, to: string): string {
  return `kind: Route\nname: ${name}\nspec:\n  hosts: ["${name}"]\n  routes:\n    - match: { prefix: "/" }\n      cluster: ${to}\n`;
}
