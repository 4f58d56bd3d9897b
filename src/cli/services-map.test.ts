import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { runCli } from "./fake-context.ts";
import {
  drop,
  fakeEndpoint,
  fakeFrontend,
  fakeService,
  fakeServices,
  forward,
} from "./fake-services.ts";
import {
  areaOf,
  assertApart,
  assertLabelsFit,
  assertWellFormed,
  isWithin,
} from "./picture-suite.ts";
import { layOutServices } from "./services-map-layout.ts";
import { drawServices } from "./services-map.ts";

const long = "n".repeat(253);
const extremes = [
  ...fakeServices(50),
  fakeService({
    service: `${long}/${long}`,
    frontends: [
      fakeFrontend({
        ...{ kind: "loadBalancer", address: "2001:db8:1111:2222:3333:4444:5555:6666" },
        ...{ port: 65_535, protocol: "SCTP", portName: long, affinitySeconds: 86_399 },
        ...{ outside: drop, refused: long },
      }),
      fakeFrontend({
        inside: {
          verdict: "forward",
          endpoints: Array.from({ length: 1000 }, (_, index) =>
            fakeEndpoint({
              ...{ address: `fd00:1111:2222:3333:4444:5555:6666:${index.toString(16)}` },
              ...{ node: `${index % 20} ${long}`, pod: `${long}/${long}`, zone: long, weight: 256 },
            }),
          ),
        },
      }),
      fakeFrontend({ inside: null, outside: null }),
      fakeFrontend({ address: "日本".repeat(60) }),
    ],
  }),
];

describe("layOutServices()", () => {
  for (const [name, services] of [
    ["50 Services and the longest names", extremes],
    ["no Services", []],
  ] as const) {
    it(`keeps everything apart and inside: ${name}`, () => {
      const layout = layOutServices(services);
      const page = { left: 0, right: layout.width, top: 0, bottom: layout.height };
      const bands = layout.boxes.filter(({ role }) => role === "band").map(areaOf);
      const inner = layout.boxes.filter(({ role }) => role !== "band" && role !== "mark");
      const areas = inner.map(areaOf);
      assert.equal(bands.length, services.length);
      for (const [index, area] of areas.entries()) {
        assert.ok(
          bands.some((band) => isWithin(area, band)),
          JSON.stringify(inner[index]),
        );
      }
      for (const group of [bands, areas]) assertApart(group, page);
      assertLabelsFit(layout.labels, areas, page);
      for (const { x1, y1, x2, y2 } of layout.edges) {
        assert.ok(areas.some((box) => box.right === x1 && box.top < y1 && y1 < box.bottom));
        assert.ok(areas.some((box) => box.left === x2 && box.top < y2 && y2 < box.bottom));
      }
    });
  }

  it("counts what it does not name: endpoints, nodes, Services", () => {
    const { labels } = layOutServices([...extremes, ...fakeServices(600)]);
    const texts = new Set(labels.map(({ text }) => text));
    assert.ok(texts.has("and 44 more"), "endpoints of a node");
    assert.ok(texts.has("12 more nodes with 600 endpoints"));
    assert.ok(texts.has("and 151 Services more: give the beginning of a name to see others"));
  });

  it("puts this node first and unknown ones last", () => {
    const endpoints = [
      fakeEndpoint({ address: "10.1.0.1", node: "" }),
      fakeEndpoint({ address: "10.1.0.2", node: "node-z" }),
      fakeEndpoint({ address: "10.1.0.3", node: "node-x", local: true }),
      fakeEndpoint({ address: "10.1.0.4", node: "node-b" }),
    ];
    const route = { verdict: "forward", endpoints };
    const { labels } = layOutServices([
      fakeService({ frontends: [fakeFrontend({ inside: route, outside: route })] }),
    ]);
    const names = labels.map(({ text }) => text).filter((text) => text.startsWith("node"));
    assert.deepEqual(names, ["node-x (this node)", "node-b", "node-z", "node unknown"]);
  });

  it("draws a list once for all frontends of a Service that use it", () => {
    const frontends = [
      fakeFrontend(),
      fakeFrontend({ port: 443 }),
      fakeFrontend({ outside: drop }),
    ];
    const { boxes, edges } = layOutServices([fakeService({ frontends })]);
    assert.equal(boxes.filter(({ role }) => role === "group").length, 2);
    // Four from frontends, two from the list to its nodes.
    assert.deepEqual(edges.map(({ tone }) => tone).sort(), [
      "drop",
      ...Array.from({ length: 5 }, () => "forward"),
    ]);
  });

  it("draws one card for a NodePort on several addresses of the node", () => {
    const onNode = (address: string) => fakeFrontend({ kind: "nodePort", address, port: 30_080 });
    const frontends = [onNode("192.0.2.1"), onNode("192.0.2.2"), onNode("2001:db8::1")];
    const { boxes, labels } = layOutServices([fakeService({ frontends })]);
    assert.equal(boxes.filter(({ role }) => role === "frontend").length, 1);
    assert.equal(
      labels.find(({ text }) => text === "192.0.2.1:30080/TCP and 2 more")?.whole,
      "192.0.2.1:30080/TCP, 192.0.2.2:30080/TCP, [2001:db8::1]:30080/TCP",
    );
  });
});

describe("drawServices()", () => {
  it("escapes names, and leaves out what XML cannot hold", () => {
    const svg = drawServices([
      fakeService({ service: 'a/<script>"&\u0000\u001b\u202e\ud800\uffff', frontends: [] }),
    ]);
    assert.ok(svg.includes("a/&lt;script&gt;&quot;&amp;\\u{0}\\u{1b}\\u{202e}\ufffd\ufffd</text>"));
    assert.doesNotMatch(svg, /<script|\u202e|\uffff/);
  });

  it("is the same for the same Services, without scripts or anything from elsewhere", () => {
    const svg = drawServices(fakeServices(50));
    assert.equal(svg, drawServices(fakeServices(50)));
    assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" role="img" width="1200" /);
    assert.doesNotMatch(svg.slice(60), /https?:|<script|url\(|@import|href/);
    assert.match(svg, /@media \(prefers-color-scheme:dark\)/);
    assert.ok(svg.length < 200_000, String(svg.length));
  });

  it("writes well-formed tags", () => {
    assertWellFormed(drawServices(extremes));
  });
});

describe("patchbay services map", () => {
  const services = [fakeService({ frontends: [fakeFrontend({ inside: forward("10.88.0.2") })] })];
  const answer = { services, problems: [], unserved: [], revision: 7, programmedRevision: 7 };
  const host = { listServices: async () => answer };

  it("prints the SVG", async () => {
    const result = await runCli(["services", "map"], { host });
    assert.equal(result.stdout, drawServices(services));
    assert.equal(result.exitCode, 0);
  });

  it("writes a file with -o", async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "patchbay-cli-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "map.svg");
    const result = await runCli(["services", "map", "default/web", "-o", file], { host });
    assert.equal(result.stdout, `Drew 1 Service: ${file}\n`);
    assert.equal(readFileSync(file, "utf8"), drawServices(services));
  });

  it("takes --out as well, not with -o, and shows how endpoints are picked", async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "patchbay-cli-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "map.svg");
    const hashed = [fakeService({ frontends: [fakeFrontend({ pick: "consistent-hash" })] })];
    const other = { listServices: async () => ({ ...answer, services: hashed }) };
    await runCli(["services", "map", "--out", file], { host: other });
    assert.match(readFileSync(file, "utf8"), /masquerade others · consistent-hash</);
    const both = await runCli(["services", "map", "--out", file, "-o", file], { host });
    assert.equal(both.exitCode, 2);
  });

  it("fails for a folder that is not there, and for a Service that is not there", async () => {
    const nowhere = await runCli(["services", "map", "-o", "/nowhere/map.svg"], { host });
    assert.match(
      nowhere.stderr,
      /^patchbay: Cannot write \/nowhere\/map.svg: no such file or folder\n$/,
    );
    assert.equal(nowhere.exitCode, 1);
    const empty = { listServices: async () => ({ ...answer, services: [] }) };
    const result = await runCli(["services", "map", "x"], { host: empty });
    assert.match(result.stderr, /^patchbay: No Service is or begins with x: /);
    assert.equal(result.exitCode, 1);
  });
});
