import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import fc from "fast-check";
import { fakeAttachment, fakeNetwork, fakePlugin, runCli } from "./fake-context.ts";
import { fakeBusyNode, fakeDefinition, fakePod, fakeSmallNode, fakeStatus } from "./fake-node.ts";
import { layOutNode } from "./map-layout.ts";
import { modelNode, type NodeAnswers } from "./map-model.ts";
import { drawNode } from "./map.ts";
import {
  areaOf,
  assertApart,
  assertLabelsFit,
  assertWellFormed,
  isWithin,
} from "./picture-suite.ts";

const head = { title: "Node a", facts: "facts", trouble: "" };
const layOut = (answers: NodeAnswers) => layOutNode(modelNode(answers), head);
const textsOf = (answers: NodeAnswers) => layOut(answers).labels.map(({ text }) => text);

/** Everything that a map promises, of any node. */
function assertReadable(answers: NodeAnswers): void {
  const { attachments } = answers;
  const layout = layOut(answers);
  const page = { left: 0, right: layout.width, top: 0, bottom: layout.height };
  const ofRole = (...roles: string[]) => layout.boxes.filter(({ role }) => roles.includes(role));
  const regions = ofRole("node", "row").map(areaOf);
  const boxes = ofRole("pod", "network", "link", "interface", "mark");
  const areas = boxes.map(areaOf);
  assertApart(regions, page);
  assertApart(areas, page);
  assertLabelsFit(layout.labels, areas, page);
  for (const tag of ofRole("tag").map(areaOf)) assert.ok(isWithin(tag, page));
  for (const { x, y, width, height } of ofRole("pod", "interface")) {
    const area = areaOf({ x, y, width, height });
    assert.ok(regions.some((region) => isWithin(area, region)));
  }
  // Each interface once, met by one joint, which starts on the line of its network.
  const interfaces = ofRole("interface");
  const drawn = interfaces.map(({ tip }) => tip?.at(-1) ?? "").sort();
  assert.deepEqual(drawn, attachments.map((it) => `attachment ${it.attachmentId}`).sort());
  assert.equal(layout.joints.length, interfaces.length);
  for (const { x, y, height, hue } of interfaces) {
    const met = layout.joints.filter((joint) => joint.x2 === x && joint.y === y + height / 2);
    assert.deepEqual(
      met.map((joint) => joint.hue),
      [hue],
    );
    const [joint] = met;
    const isOnBus = layout.buses.some(
      (bus) => bus.x === joint?.x1 && bus.top <= joint.y && joint.y <= bus.bottom,
    );
    assert.ok(isOnBus);
  }
  // Lines pass between boxes: below a network's own card and links they touch nothing.
  for (const bus of layout.buses) {
    const crossed = areas.filter(
      (area) =>
        area.left < bus.x + 2 &&
        bus.x - 2 < area.right &&
        area.top < bus.bottom &&
        bus.top < area.top,
    );
    assert.deepEqual(crossed, []);
  }
}

const long = "n".repeat(253);

const extremes: NodeAnswers = {
  status: fakeStatus({
    networks: [
      fakeNetwork({ name: long, plugin: long, ready: false, reason: `${long} `.repeat(9) }),
    ],
    plugins: Array.from({ length: 40 }, (_, index) =>
      fakePlugin({
        name: `${index}${long}`,
        version: long,
        builtIn: index % 2 === 0,
        trouble: long,
      }),
    ),
  }),
  definitions: [
    fakeDefinition({
      ...{ network: `${long}/${long}`, cniTypes: [long, long], problem: long },
      subnets: Array.from(
        { length: 16 },
        (_, index) => `fd00:1111:2222:3333:4444:5555:6666:${index}/112`,
      ),
      settings: Object.fromEntries(
        Array.from({ length: 16 }, (_, index) => [`${long}${index}`, long]),
      ),
    }),
    ...Array.from({ length: 60 }, (_, index) => fakeDefinition({ network: `lab/unused-${index}` })),
  ],
  attachments: Array.from({ length: 60 }, (_, index) =>
    fakeAttachment({
      ...{
        attachmentId: `a${index}`,
        primaryId: index < 30 ? "a0" : "a30",
        isDefault: index % 30 === 0,
      },
      ...{
        podNamespace: long,
        podName: `${index}${long}`,
        containerId: long,
        ifname: "interface-name1",
      },
      network: index < 40 ? `lab/net-${index % 45}` : `${long}/${long}`,
      addresses: Array.from(
        { length: index % 9 },
        () => "fd00:1111:2222:3333:4444:5555:6666:7777/128",
      ),
      sharedLinks: Array.from({ length: index % 6 }, (_it, link) => `bridge-${link}`),
      state: index % 3 === 0 ? "detaching" : "attached",
      defaultRoute: index % 3 === 1 ? [""] : [],
    }),
  ),
};

describe("layOutNode()", () => {
  const nodes: readonly [name: string, answers: NodeAnswers][] = [
    ["the picture of the README", fakeSmallNode()],
    ["50 pods with four networks each", fakeBusyNode(50)],
    ["the longest names, networks beyond those with a line, many interfaces", extremes],
    [
      "nothing",
      { status: fakeStatus({ networks: [], plugins: [] }), definitions: [], attachments: [] },
    ],
    [
      "one pod",
      { status: fakeStatus(), definitions: [], attachments: fakePod(0, { name: "a/b" }) },
    ],
  ];
  for (const [name, answers] of nodes) {
    it(`keeps everything apart and inside, each interface on its line: ${name}`, () => {
      assertReadable(answers);
    });
  }

  it("does so for any node", () => {
    const text = fc.oneof(
      fc.string({ maxLength: 40 }),
      fc.string({ unit: "grapheme", maxLength: 60 }),
    );
    const attachment = fc.record({
      network: fc.oneof(fc.constantFrom("patchbay", "infra/storage", "a/b", "c/d"), text),
      ifname: fc.string({ minLength: 1, maxLength: 15 }),
      podName: text,
      state: fc.constantFrom("attaching", "attached", "detaching", "adopted"),
      addresses: fc.array(fc.oneof(fc.ipV4(), fc.ipV6()), { maxLength: 8 }),
      defaultRoute: fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.constant("")), { maxLength: 2 }),
      sharedLinks: fc.array(text, { maxLength: 5 }),
      mac: text,
    });
    const pods = fc.array(fc.array(attachment, { minLength: 1, maxLength: 8 }), { maxLength: 12 });
    const property = fc.property(pods, fc.array(text, { maxLength: 6 }), (given, troubles) => {
      const attachments = given.flatMap((all, pod) =>
        all.map((fields, index) =>
          fakeAttachment({
            ...fields,
            ...{ attachmentId: `${pod}-${index}`, primaryId: `${pod}-0`, isDefault: index === 0 },
          }),
        ),
      );
      const plugins = troubles.map((trouble, index) =>
        fakePlugin({ name: `p${index}`, trouble, builtIn: trouble === "" }),
      );
      const answers = {
        status: fakeStatus({ plugins }),
        definitions: [fakeDefinition()],
        attachments,
      };
      assertReadable(answers);
      assertWellFormed(drawNode(answers));
    });
    fc.assert(property, { numRuns: 60 });
  });

  it("says what each network is, by whom, with which addresses and links", () => {
    const texts = textsOf(fakeSmallNode());
    for (const text of [
      "tenant/blue",
      "vxlan",
      "10.42.0.0/24",
      "vni 42",
      "bridge blue0",
      "parent eth0",
    ]) {
      assert.ok(texts.includes(text), text);
    }
    assert.ok(texts.includes("cni-exec (bridge)"));
    assert.equal(texts.filter((text) => text === "third party").length, 2, "network and plugin");
  });

  it("names a shared link that the configuration does not, once", () => {
    const [attachment] = fakePod(0, { name: "a/b" });
    assert.ok(attachment);
    const attachments = ["cni0", "cni0", "eth9"].map((link, index) => ({
      ...attachment,
      ...{ attachmentId: `a${index}`, primaryId: `a${index}`, sharedLinks: [link] },
    }));
    const network = fakeNetwork({ settings: { bridge: "eth9", device: "dev1" } });
    const answers = { status: fakeStatus({ networks: [network] }), definitions: [], attachments };
    assert.deepEqual(modelNode(answers).networks[0]?.links, ["bridge eth9", "device dev1", "cni0"]);
  });

  it("shows a plugin that is down at the plugin, its networks and their lines", () => {
    const { labels, boxes, buses } = layOut(fakeBusyNode(4));
    const bad = labels.filter(({ tone }) => tone === "bad");
    const said = new Set(bad.map(({ whole, text }) => whole ?? text));
    const reason = "it hung up: connect ECONNREFUSED, next try in 8 s";
    assert.ok(said.has(`acme-sdwan: ${reason}`));
    assert.ok(said.has(reason));
    const cards = boxes.filter(({ role, tone }) => role === "network" && tone === "bad");
    assert.equal(cards.length, 2, "and the definition that cannot be read");
    assert.equal(buses.filter(({ isDashed }) => isDashed).length, 1);
  });

  it("marks default routes, by family where another interface has the other one, and what is moving", () => {
    const texts = textsOf(fakeSmallNode());
    assert.equal(texts.filter((text) => text === "default").length, 7);
    assert.equal(texts.filter((text) => text === "default v4").length, 1);
    assert.equal(texts.filter((text) => text === "attaching").length, 1);
  });

  it("counts what it does not draw: pods, networks, plugins, addresses", () => {
    const attachments = Array.from({ length: 503 }, (_, index) =>
      fakeAttachment({
        ...{ attachmentId: `a${index}`, primaryId: `a${index}`, podName: `pod-${index}` },
        addresses: Array.from({ length: 8 }, (_it, host) => `10.0.0.${host}/24`),
      }),
    );
    const { boxes, labels } = layOut({ ...extremes, attachments });
    const texts = new Set(labels.map(({ text }) => text));
    assert.equal(boxes.filter(({ role }) => role === "pod").length, 500);
    for (const text of [
      "and 3 pods more: --pod or --network draws a part",
      "and 22 networks more",
      "and 16 plugins more",
      "and 2 more",
    ]) {
      assert.ok(texts.has(text), text);
    }
    assert.ok(textsOf(extremes).includes("1 network more"), "one line for those beyond 40");
  });

  it("names the networks again where their cards are off the screen", () => {
    const times = (count: number) =>
      textsOf(fakeBusyNode(count)).filter((text) => text === "infra/storage").length;
    assert.deepEqual([15, 16, 50].map(times), [1, 2, 4]);
  });

  it("orders pods and networks by name, numbers by value, the default network first", () => {
    const pods = ["b/x-10", "b/x-9", "a/z"].flatMap((name, index) =>
      fakePod(index, { name, networks: ["tenant/blue", "edge/wan"] }),
    );
    const model = modelNode({ status: fakeStatus(), definitions: [], attachments: pods });
    assert.deepEqual(
      model.pods.map(({ name }) => name),
      ["a/z", "b/x-9", "b/x-10"],
    );
    assert.deepEqual(
      model.networks.map(({ name }) => name),
      ["patchbay", "edge/wan", "tenant/blue"],
    );
  });
});

describe("drawNode()", () => {
  it("is the same in whatever order the host lists things", () => {
    const { status, definitions, attachments } = fakeBusyNode(20);
    const turned = {
      status: { ...status, plugins: status.plugins.toReversed() },
      definitions: definitions.toReversed(),
      attachments: attachments.toReversed(),
    };
    assert.equal(drawNode(turned), drawNode(fakeBusyNode(20)));
  });

  it("is small, loads nothing, and follows light and dark", () => {
    const svg = drawNode(fakeBusyNode(50));
    assert.ok(svg.length < 200_000, String(svg.length));
    assert.doesNotMatch(svg.slice(60), /https?:|<script|url\(|@import|href/);
    assert.match(svg, /@media \(prefers-color-scheme:dark\)/);
    assertWellFormed(drawNode(extremes));
  });

  it("says of an interface what stands on no line: MAC, MTU, gateways, links of the node", () => {
    const svg = drawNode(fakeSmallNode());
    assert.match(
      svg,
      /<title>net2 on tenant\/blue, attached\n10\.42\.0\.4\/24\nfd00:42::4\/64\nMAC 02:00:00:00:02:04\nMTU 1500\non the node: pb[0-9a-f]+, blue0\nattachment [0-9a-f]{32}<\/title>/,
    );
    assert.match(svg, /default route by 100\.64\.8\.1\n/);
  });

  it("escapes names from anywhere", () => {
    const evil = '<script>"&\u0000\u202e\ud800';
    const attachment = fakeAttachment({
      ...{ podName: evil, ifname: evil, network: evil, containerId: evil, mac: evil },
      ...{ addresses: [evil], sharedLinks: [evil], defaultRoute: [evil], state: evil },
    });
    const status = fakeStatus({
      ...{ nodeName: evil, version: evil, ready: false, reason: evil },
      plugins: [fakePlugin({ name: evil, trouble: evil })],
      networks: [
        fakeNetwork({ name: evil, reason: evil, subnets: [evil], settings: { [evil]: evil } }),
      ],
    });
    const definitions = [fakeDefinition({ network: "x", problem: evil, cniTypes: [evil] })];
    const svg = drawNode({ status, definitions, attachments: [attachment] });
    assert.doesNotMatch(svg, /<script|\u202e|\ud800/);
    assert.ok(!svg.includes("\u0000"));
    assertWellFormed(svg);
  });

  it("gives the picture of the README: node scripts/draw-map.ts draws it anew", () => {
    const file = join(import.meta.dirname, "../../docs/map.svg");
    assert.ok(
      readFileSync(file, "utf8") === drawNode(fakeSmallNode()),
      "docs/map.svg is an old one",
    );
  });
});

describe("patchbay map", () => {
  const { status, definitions, attachments } = fakeSmallNode();
  const host = {
    getStatus: async () => status,
    listNetworkDefinitions: async () => ({ definitions: [...definitions], problems: [] }),
    listAttachments: async () => [...attachments],
  };

  it("prints the SVG, or writes it with -o", async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "patchbay-cli-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "map.svg");
    const svg = drawNode({ status, definitions, attachments });
    assert.equal((await runCli(["map"], { host })).stdout, svg);
    const written = await runCli(["map", "-o", file], { host });
    assert.deepEqual([written.exitCode, written.stdout], [0, `Drew 8 pods: ${file}\n`]);
    assert.equal(readFileSync(file, "utf8"), svg);
  });

  it("asks for a part by pod, container or network, and draws no other networks", async () => {
    const asked: object[] = [];
    const listAttachments = async (request: object) => {
      asked.push(request);
      return attachments.filter(({ podName }) => podName === "db-0");
    };
    const part = { ...host, listAttachments };
    const result = await runCli(["map", "--pod", "shop/db-0"], { host: part });
    await runCli(["map", "--pod", "c0ffee", "--network", "infra/backup"], { host: part });
    assert.deepEqual(asked, [
      { network: "", pod: "shop/db-0", containerId: "" },
      { network: "infra/backup", pod: "", containerId: "c0ffee" },
    ]);
    assert.match(result.stdout, />Node worker-1: pod shop\/db-0</);
    assert.match(result.stdout, />1 pod, 3 networks, 3 interfaces, /);
    assert.doesNotMatch(result.stdout, /tenant\/blue|acme|WITHOUT PODS/);
  });

  it("fails where nothing is attached, where the file cannot be, and for --json", async () => {
    const none = { ...host, listAttachments: async () => [] };
    const nothing = await runCli(["map", "--pod", "a/b", "--network", "c"], { host: none });
    assert.deepEqual(
      [nothing.exitCode, nothing.stderr],
      [1, "patchbay: Nothing to draw: nothing is attached of pod a/b and network c\n"],
    );
    const nowhere = await runCli(["map", "-o", "/nowhere/map.svg"], { host });
    assert.match(nowhere.stderr, /^patchbay: Cannot write \/nowhere\/map\.svg: no such file/);
    assert.equal((await runCli(["map", "--json"], { host })).exitCode, 2);
    assert.equal((await runCli(["map"], { host: none })).exitCode, 0, "an empty node can be drawn");
  });
});
