/** What plugins that join pods by veth pairs have in common in their tests. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeKernel } from "../kernel/fake-kernel.ts";
import { FakeNftables } from "../kernel/fake-nftables.ts";
import type { Kernel, NetnsBatch, NetnsPath } from "../kernel/kernel.ts";
import { errno } from "../kernel/errno.ts";
import { openKernel } from "../kernel/rtnetlink-kernel.ts";
import { formatAddress, formatPrefix } from "../ip/address.ts";
import { linkNamesOf } from "./link-names.ts";
import {
  type AttachRequest,
  detachRequestOf,
  detachRequestOfId,
  type NetworkPlugin,
  NO_WISHES,
  PluginError,
} from "./network-plugin.ts";

export interface PluginDeps {
  readonly kernel: Kernel;
  readonly nftables: FakeNftables;
}

export interface PluginUnderTest {
  readonly name: string;
  readonly create: (deps: PluginDeps) => NetworkPlugin;
  /** Configuration of a network, which must not share links with another of the same suite. */
  readonly configOf: (network: string) => object;
}

/** An order as the host gives one. */
export function attachRequest(change: Partial<AttachRequest> = {}): AttachRequest {
  return {
    attachmentId: "0123456789abcdef0123456789abcdef",
    pod: { namespace: "default", name: "web-0", uid: "u1", labels: {} },
    sandboxId: "c1",
    netns: "/run/netns/c1",
    ifname: "eth0",
    network: "net",
    configJson: '{"name":"net"}',
    addresses: [
      { address: "10.1.0.5/24", gateway: "10.1.0.1" },
      { address: "fd00:1::5/64", gateway: "fd00:1::1" },
    ],
    routes: [],
    mac: "",
    mtu: 0,
    device: null,
    masquerade: null,
    ...NO_WISHES,
    ...change,
  };
}

/** Operations as lines that a table can hold: "add-address link=eth0 address=10.1.0.5/24". */
export function textOf(batches: readonly NetnsBatch[]): string[] {
  return batches.flatMap(({ netns, operations }) => [
    netns ? `in ${netns}:` : "on the node:",
    ...operations.map(({ kind, ...fields }) => `  ${[kind, ...fieldTexts(fields)].join(" ")}`),
  ]);
}

function fieldTexts(fields: object): string[] {
  return Object.entries(fields).map(([key, value]) => `${key}=${valueText(value)}`);
}

function valueText(value: unknown): string {
  if (Array.isArray(value)) return value.join(".");
  if (typeof value !== "object" || value === null) return String(value);
  if (!("family" in value)) return `(${fieldTexts(value).join(" ")})`;
  return "prefixLength" in value ? formatPrefix(value as never) : formatAddress(value as never);
}

interface World extends AsyncDisposable {
  readonly kernel: Kernel;
  readonly nftables: FakeNftables;
  readonly plugin: NetworkPlugin;
  /** An order for a pod whose namespace was made. */
  pod(name: string, change?: Partial<AttachRequest>): Promise<AttachRequest>;
}

/** Runs the suite on the fake kernel and, in a private node, on the real one. */
export function networkPluginSuite(tested: PluginUnderTest, realSkip: string | false): void {
  pluginSuite(`${tested.name} on FakeKernel`, tested, async () => new FakeKernel(), false);
  pluginSuite(`${tested.name} on the real kernel`, tested, openKernel, realSkip);
  faultSuite(tested);
}

function pluginSuite(
  title: string,
  tested: PluginUnderTest,
  openKernel: () => Promise<Kernel>,
  skip: string | false,
): void {
  const open = async () => openWorld(tested, await openKernel());

  describe(title, { skip }, () => {
    test("attach() makes what it answers, and check() agrees", async () => {
      await using world = await open();
      const request = await world.pod("a", { mtu: 1400 });
      const answer = await world.plugin.attach(request);
      const pod = answer.interfaces.at(-1);
      const names = linkNamesOf(request.attachmentId);
      assert.deepEqual(
        { name: pod?.name, mac: pod?.mac, mtu: pod?.mtu, sandbox: pod?.sandbox },
        { name: "eth0", mac: names.podMac, mtu: 1400, sandbox: request.netns },
      );
      const link = await world.kernel.findLink("eth0", request.netns as NetnsPath);
      assert.deepEqual(
        { mac: link?.mac, mtu: link?.mtu, up: link?.up },
        { mac: names.podMac, mtu: 1400, up: true },
      );
      const host = await world.kernel.findLink(names.hostIfname);
      assert.deepEqual(
        { mac: host?.mac, mtu: host?.mtu, up: host?.up, alias: host?.alias },
        {
          mac: names.hostMac,
          mtu: 1400,
          up: true,
          alias: `patchbay:${tested.name}:${request.network}:${request.attachmentId}`,
        },
      );
      assert.deepEqual(await check(world, request), []);
      await world.plugin.detach(detachRequestOf(request));
    });

    test("attach() of what is attached gives the same answer and changes nothing", async () => {
      await using world = await open();
      const request = await world.pod("a");
      const first = await world.plugin.attach(request);
      const state = await read(world, request);
      assert.deepEqual(await world.plugin.attach(request), first);
      assert.deepEqual(await read(world, request), state);
      await world.plugin.detach(detachRequestOf(request));
    });

    test("attach() by a new process completes what a dead one began", async () => {
      await using world = await open();
      const request = await world.pod("a");
      const expected = await world.plugin.attach(request);
      const state = await read(world, request);
      await world.plugin.detach(detachRequestOf(request));
      // Killed right after the pair was made: no alias, not up, no address.
      const { hostIfname, hostMac, podMac } = linkNamesOf(request.attachmentId);
      const peer = { name: "eth0", netns: request.netns as NetnsPath, mac: podMac, mtu: 1500 };
      const link = { type: "veth", peer } as const;
      await world.kernel.apply([
        { operations: [{ kind: "add-link", name: hostIfname, mac: hostMac, mtu: 1500, link }] },
      ]);
      const next = tested.create(world);
      assert.deepEqual(await next.attach(request), expected);
      assert.deepEqual(await read(world, request), state);
      await next.detach(detachRequestOf(request));
    });

    test("detach() takes everything away, again, and of what never was", async () => {
      await using world = await open();
      const request = await world.pod("a");
      const before = await read(world, request);
      await world.plugin.detach(detachRequestOf(request));
      await world.plugin.attach(request);
      await world.plugin.detach(detachRequestOf(request));
      await world.plugin.detach(detachRequestOf(request));
      assert.deepEqual(await read(world, request), before);
    });

    test("detach() needs neither namespace nor configuration", async () => {
      await using world = await open();
      const request = await world.pod("a");
      await world.plugin.attach(request);
      await world.plugin.detach(detachRequestOfId(request.attachmentId));
      assert.equal(
        await world.kernel.findLink(linkNamesOf(request.attachmentId).hostIfname),
        undefined,
      );
    });

    test("attach() where ifname is taken says so; its detach() leaves the other's link", async () => {
      await using world = await open();
      const request = await world.pod("a");
      const netns = request.netns as NetnsPath;
      await world.kernel.apply([
        { netns, operations: [{ kind: "add-link", name: "eth0", link: { type: "bridge" } }] },
      ]);
      await assert.rejects(world.plugin.attach(request), isPluginError("interface-exists", /eth0/));
      await world.plugin.detach(detachRequestOf(request));
      assert.equal((await world.kernel.findLink("eth0", netns))?.type, "bridge");
      const { hostIfname } = linkNamesOf(request.attachmentId);
      assert.equal(await world.kernel.findLink(hostIfname), undefined);
    });

    test("attach() into a namespace that is gone may pass another time", async () => {
      await using world = await open();
      const request = await world.pod("a", { netns: "/run/netns/never-was" });
      await assert.rejects(world.plugin.attach(request), isPluginError("transient", /never-was/));
      await world.plugin.detach(detachRequestOf(request));
    });

    test("list() has the plugin's own links, of one network or of all", async () => {
      await using world = await open();
      const one = await world.pod("a");
      const two = await world.pod("b", other(one, "-two", tested));
      await world.plugin.attach(one);
      await world.plugin.attach(two);
      const { hostIfname } = linkNamesOf(one.attachmentId);
      const ofOne = await world.plugin.list({ network: one.network });
      assert.deepEqual(ofOne, [{ attachmentId: one.attachmentId, object: hostIfname }]);
      const all = new Set(
        (await world.plugin.list({ network: "" })).map((entry) => entry.attachmentId),
      );
      for (const { attachmentId } of [one, two]) assert.ok(all.has(attachmentId));
      await world.plugin.detach(detachRequestOf(one));
      await world.plugin.detach(detachRequestOf(two));
      assert.deepEqual(await world.plugin.list({ network: one.network }), []);
    });

    test("attach() and detach() of twenty pods at once", async () => {
      await using world = await open();
      const requests = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          world.pod(`p${index}`, {
            addresses: [{ address: `10.1.0.${index + 10}/24`, gateway: "10.1.0.1" }],
          }),
        ),
      );
      await Promise.all(requests.map((request) => world.plugin.attach(request)));
      for (const request of requests) assert.deepEqual(await check(world, request), []);
      await Promise.all(requests.map((request) => world.plugin.detach(detachRequestOf(request))));
      const [first] = requests;
      assert.deepEqual(await world.plugin.list({ network: first?.network ?? "" }), []);
    });

    test("masquerade is set for a network that wants it, and taken away when it no longer does", async () => {
      await using world = await open();
      const subnets = ["10.1.0.0/24", "fd00:1::/64"];
      const request = await world.pod("a", { masquerade: { subnets } });
      await world.plugin.attach(request);
      assert.match(world.nftables.toString(), /ip saddr \{ 10\.1\.0\.0\/24 \}.* masquerade/);
      const configJson = JSON.stringify({ ...JSON.parse(request.configJson), ipMasq: false });
      await world.plugin.attach({ ...request, masquerade: null, configJson });
      assert.equal(world.nftables.toString(), "");
      await world.plugin.detach(detachRequestOf(request));
    });

    test("status() is ready before and after", async () => {
      await using world = await open();
      const request = await world.pod("a");
      const ready = { ready: true, reason: "" };
      const { network, configJson } = request;
      assert.deepEqual(await world.plugin.status({ network, configJson }), ready);
      await world.plugin.attach(request);
      assert.deepEqual(await world.plugin.status({ network, configJson }), ready);
      await world.plugin.detach(detachRequestOf(request));
    });
  });
}

/** An errno at each operation of an attach in turn: what was made is removed by detach. */
function faultSuite(tested: PluginUnderTest): void {
  for (const afterFailure of ["stop", "continue"] as const) {
    test(`${tested.name}: a kernel error at any operation leaves nothing (${afterFailure} after it)`, async () => {
      for (let failing = 1; ; failing++) {
        let count = -Infinity;
        const kernel = new FakeKernel({
          afterFailure,
          failOperation: () => (++count === failing ? errno.ENOMEM : undefined),
        });
        await using world = await openWorld(tested, kernel);
        const warm = await world.pod("warm");
        await world.plugin.attach(warm);
        await world.plugin.detach(detachRequestOf(warm));
        const request = await world.pod("a");
        const before = kernel.toString();
        count = 0;
        const failure = await world.plugin.attach(request).then(
          () => undefined,
          (error: unknown) => error,
        );
        const reached = count >= failing;
        count = -Infinity;
        if (reached) {
          assert.ok(isPluginError("transient", /eth0/)(failure), `${failing}: ${String(failure)}`);
          await world.plugin.detach(detachRequestOf(request));
          // Whether lo is up is the pod's affair.
          assert.equal(withoutLo(kernel.toString()), withoutLo(before), `operation ${failing}`);
          await world.plugin.attach(request);
          assert.deepEqual(await check(world, request), []);
        }
        if (!reached) {
          assert.ok(failing > 5, "an attach has more operations than that");
          return;
        }
      }
    });
  }
}

let worlds = 0;

async function openWorld(tested: PluginUnderTest, kernel: Kernel): Promise<World> {
  const prefix = `pbw${process.pid}-${++worlds}`;
  const nftables = new FakeNftables();
  const plugin = tested.create({ kernel, nftables });
  const namespaces: NetnsPath[] = [];
  const links = new Set<string>();
  return {
    kernel,
    nftables,
    plugin,
    async pod(name, change = {}) {
      const netns = `/run/netns/${prefix}-${name}` as NetnsPath;
      await kernel.createNetns(netns);
      namespaces.push(netns);
      const network = change.network ?? prefix;
      const config = tested.configOf(network);
      if ("bridge" in config) links.add(String(config.bridge));
      const request = attachRequest({
        attachmentId: `${prefix}-${name}`,
        netns,
        network,
        configJson: JSON.stringify({ name: network, ...config }),
        ...change,
      });
      links.add(linkNamesOf(request.attachmentId).hostIfname);
      return request;
    },
    async [Symbol.asyncDispose]() {
      await kernel.removeLinks([...links]);
      for (const netns of namespaces) await kernel.deleteNetns(netns);
      await kernel.close();
    },
  };
}

/** The same order on another network. */
function other(
  request: AttachRequest,
  suffix: string,
  tested: PluginUnderTest,
): Partial<AttachRequest> {
  const network = `${request.network}${suffix}`;
  return {
    network,
    configJson: JSON.stringify({ name: network, ...tested.configOf(network) }),
    addresses: [{ address: "10.2.0.5/24", gateway: "10.2.0.1" }],
  };
}

async function check(world: World, request: AttachRequest) {
  const attached = await world.plugin.attach(request);
  return world.plugin.check({ attachment: request, attached, repair: false });
}

/** Both ends of an attachment as the kernel has them. */
async function read(world: World, request: AttachRequest): Promise<readonly string[]> {
  const { hostIfname } = linkNamesOf(request.attachmentId);
  const netns = request.netns as NetnsPath;
  return [
    ...(await readEnd(world.kernel, hostIfname)),
    ...(await readEnd(world.kernel, "eth0", netns)),
  ];
}

async function readEnd(kernel: Kernel, name: string, netns?: NetnsPath): Promise<string[]> {
  const link = await kernel.findLink(name, netns);
  if (!link) return [`${name} is not there`];
  const addresses = await kernel.addresses(netns);
  const routes = await kernel.routes(netns);
  const isOwn = ({ ifindex }: { ifindex?: number }) => ifindex === link.ifindex;
  return [
    `${name} ${link.mac} mtu ${link.mtu} ${link.up ? "up" : "down"} ${link.alias}`,
    ...addresses
      .filter(isOwn)
      .map((entry) => formatPrefix(entry.address))
      .sort(),
    ...routes
      .filter(isOwn)
      .map((route) => {
        const via = route.gateway ? formatAddress(route.gateway) : "-";
        return `${formatPrefix(route.destination)} via ${via} table ${route.table}`;
      })
      .sort(),
  ];
}

function isPluginError(kind: PluginError["kind"], message: RegExp): (error: unknown) => boolean {
  return (error) =>
    error instanceof PluginError && error.kind === kind && message.test(error.message);
}

function withoutLo(text: string): string {
  return text
    .split("\n")
    .filter((line) => !/\blo\b/.test(line))
    .join("\n");
}
