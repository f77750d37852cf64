import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listDataset, type Listing, partitionFields } from "../../src/index.ts";

let folder = "";
const put = async (path: string, text = "x"): Promise<void> => {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), text);
};
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ingest list "));
  for (const name of ["a/m=2/x.p", "a/m=10/y.p", "a/m=2/_t.p", "a/_tmp/z.p", "a/.hid/q", "[b]/1.p", "b/1.p"])
    await put(name);
  for (const name of ["t/x.rec", "t/x.rec.schema.json", "t/x.rec.ingest-index", "u/\u{1f600}", "u/\uffee"])
    await put(name);
  await put("a/m=2/empty.p", "");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const names = ({ files }: Listing): string[] => files.map(({ name }) => name);
const list = (...paths: string[]): Promise<Listing> => listDataset(paths.map((path) => join(folder, path)));

describe("listDataset", () => {
  it("takes files in byte order, without hidden and empty ones", async () => {
    const listing = await listDataset(join(folder, "a"));
    expect(names(listing)).toEqual(["m=10/y.p", "m=2/x.p"]);
    expect(listing).toMatchObject({ root: join(folder, "a"), skipped: { hidden: 3, empty: 1 } });
    expect(listing.files[0]).toMatchObject({ sizeBytes: 1, partitions: [{ name: "m", value: "10" }] });
    expect(names(await list("u"))).toEqual(["\uffee", "\u{1f600}"]);
  });

  it("takes patterns and lists; what exists by its name is no pattern", async () => {
    expect(names(await list("a/m={2,3}/*.p"))).toEqual(["m=2/x.p"]);
    expect(names(await list("**/1.p"))).toEqual(["[b]/1.p", "b/1.p"]);
    expect(names(await list("[b]"))).toEqual(["1.p"]);
    expect((await list("[b]")).root).toBe(join(folder, "[b]"));
    expect(names(await list("\\[b\\]/*"))).toEqual(["1.p"]);
    expect(names(await list("a/m=2/_t.p", "a/m=10"))).toEqual(["m=10/y.p", "m=2/_t.p"]);
    expect(names(await list("a/m=2", "a/m=10"))).toEqual(["m=10/y.p", "m=2/x.p"]);
    const url = pathToFileURL(join(folder, "a")).href;
    const listing = await listDataset(url);
    expect(listing.files.map((file) => file.url)).toEqual([`${url}/m=10/y.p`, `${url}/m=2/x.p`]);
  });

  it("leaves out what was written beside a file about it", async () => {
    expect(names(await list("t"))).toEqual(["x.rec"]);
  });

  it("refuses what is missing, named twice or a circle", async () => {
    await expect(list("zz")).rejects.toMatchObject({ code: "INGEST_SOURCE" });
    await expect(list("zz/*")).rejects.toMatchObject({ code: "INGEST_OPTIONS" });
    await expect(list("b/*.q")).rejects.toThrow(/no file to read/);
    await expect(listDataset([])).rejects.toThrow(/no file is named/);
    await expect(list("b", "b/1.p")).rejects.toThrow(/named twice/);
    await mkdir(join(folder, "c"));
    await symlink("..", join(folder, "c", "up"));
    await expect(list("c")).rejects.toThrow(/leads back/);
    await symlink("nowhere", join(folder, "c", "broken"));
    await expect(list("c/b*")).rejects.toThrow(/broken/);
    await rm(join(folder, "c"), { recursive: true });
  });
});

const listed = (...paths: string[]): Promise<Listing> => {
  return Promise.all(paths.map((path) => put(`p/${path}`))).then(async () => {
    try {
      return await list("p");
    } finally {
      await rm(join(folder, "p"), { recursive: true });
    }
  });
};
const kinds = async (...paths: string[]): Promise<string[]> =>
  partitionFields(await listed(...paths)).map(({ name, type }) => `${name} ${type.kind}`);

describe("partition folders", () => {
  it("have the narrowest type of all their values", async () => {
    expect(await kinds("a=1/b=2024-02-29/x", "a=-05/b=__HIVE_DEFAULT_PARTITION__/x")).toEqual(["a int", "b date"]);
    expect(await kinds("a=1/b=2023-02-29/x", "a=9223372036854775808/b=2024-01-01/x")).toEqual(["a utf8", "b utf8"]);
    expect(await kinds("a=__HIVE_DEFAULT_PARTITION__/x", "a=/y")).toEqual(["a utf8"]);
  });

  it("are percent-decoded", async () => {
    const { files } = await listed("a%20b=c%2Fd%C3%A9/x", "a%20b=100%/x");
    expect(files.map(({ partitions }) => partitions[0])).toEqual([
      { name: "a b", value: "100%" },
      { name: "a b", value: "c/dé" },
    ]);
    await expect(listed("a=%ff/x")).rejects.toThrow(/not percent-encoded UTF-8/);
  });

  it("must be the same for every file, unless they are folders like others", async () => {
    await expect(listed("a=1/x", "y")).rejects.toMatchObject({ code: "INGEST_OPTIONS" });
    await expect(listed("a=1/b=1/x", "b=1/a=1/x")).rejects.toThrow(/its folders are b=…\/a=…/);
    await expect(listed("a=1/a=1/x")).rejects.toThrow(/twice/);
    await put("n/a=1/x");
    await put("n/y");
    const { files } = await listDataset(join(folder, "n"), { partitions: "none" });
    expect(files.map(({ partitions }) => partitions)).toEqual([[], []]);
  });
});
