import { existsSync } from "node:fs";
import { join } from "node:path";
import { parsePrefix } from "../../src/ip/address.ts";
import type { Kernel } from "../../src/kernel/kernel.ts";
import { type Example, findExample, findReasonToSkip } from "../examples.ts";

/** A network plugin, and how the kit is used with it. */
export interface TestedPlugin {
  readonly name: string;
  /** Program and arguments that serve it on a socket. */
  readonly command: (socket: string) => readonly string[];
  readonly config: Readonly<Record<string, unknown>>;
  readonly invalidConfig?: Readonly<Record<string, unknown>>;
  /** Absent: both families. "none": it has an IPAM of its own. */
  readonly addresses?: string;
  /** How many attachments its network can have at once. Absent: 20. */
  readonly attachments?: number;
  /** Makes what must be on the node, for example a parent link; called before each rule. */
  readonly prepare?: (kernel: Kernel) => Promise<void>;
  /** Why it cannot be tested here; undefined: it can. */
  readonly skip?: () => string | undefined;
  /** Rules that may be skipped, and why. Any other skip is a failure of the test. */
  readonly skips: Readonly<Record<string, RegExp>>;
}

const NO_CONFIG = { "config-status": /--invalid-config/, "config-field": /--invalid-config/ };
const NO_REPAIR = {
  "repair-link-down": /no CAPABILITY_REPAIR$/,
  "repair-address": /no CAPABILITY_REPAIR$/,
  "repair-route": /no CAPABILITY_REPAIR$/,
  "repair-fresh": /no CAPABILITY_REPAIR$/,
};
const NO_REPAIR_NETWORK = {
  "repair-network-whole": /no CAPABILITY_REPAIR_NETWORK$/,
  "repair-network-mends": /no CAPABILITY_REPAIR_NETWORK$/,
};
const ONE_AT_A_TIME = {
  "attach-second": /needs 2 attachments/,
  "detach-other-kept": /needs 2 attachments/,
  "list-follows": /needs 2 attachments/,
  "parallel-attach": /needs 2 attachments/,
  "parallel-detach": /needs 2 attachments/,
};
const NO_ADDRESSES = {
  "attach-addresses": /no addresses/,
  "attach-ipv4-only": /no IPv4 addresses/,
  "attach-ipv6-only": /no IPv6 addresses/,
  "attach-no-addresses": /no addresses/,
  "attach-default-route": /no addresses/,
  "attach-no-default-route": /no addresses/,
  "attach-routes": /no addresses/,
  "check-address-missing": /no addresses/,
  "check-route-missing": /no addresses/,
};
const NO_SCHEMA = { "info-schema": /no schema/ };

/** Every plugin that the project has. */
export const TESTED_PLUGINS: readonly TestedPlugin[] = [
  {
    name: "routed",
    command: builtIn("routed"),
    config: {},
    // It has no keys of its own: nothing can be wrong.
    skips: { ...NO_CONFIG, ...NO_SCHEMA },
  },
  {
    name: "bridge",
    command: builtIn("bridge"),
    config: { bridge: "cni7", hairpinMode: true },
    invalidConfig: { bridge: "a/b", hairpinMode: true },
    skips: {},
  },
  {
    name: "macvlan",
    command: builtIn("macvlan"),
    config: { master: "uplink" },
    invalidConfig: { master: "uplink", mode: "sideways" },
    prepare: (kernel) => ensureUplink(kernel),
    skips: { ...NO_REPAIR_NETWORK },
  },
  {
    name: "vxlan",
    command: builtIn("vxlan"),
    config: { vni: 77, parent: "uplink", peers: ["192.0.2.2"], isGateway: true },
    invalidConfig: { vni: 0, parent: "uplink", peers: ["192.0.2.2"], isGateway: true },
    prepare: (kernel) => ensureUplink(kernel),
    skips: {},
  },
  {
    name: "host-device",
    command: builtIn("host-device"),
    config: { device: "dev0" },
    invalidConfig: { device: "dev/0" },
    // The one device is in one pod.
    attachments: 1,
    prepare: ensureDevice,
    skips: { ...ONE_AT_A_TIME, ...NO_REPAIR_NETWORK },
  },
  {
    name: "cni-exec",
    command: builtIn("cni-exec"),
    config: {
      cniVersion: "1.0.0",
      delegate: {
        cniVersion: "1.0.0",
        name: "conformance",
        type: "macvlan",
        master: "uplink",
        ipam: {
          type: "host-local",
          dataDir: "/run/conformance-host-local",
          // CNI's macvlan waits two seconds for duplicate address detection of IPv6.
          ranges: [[{ subnet: "10.252.0.0/24" }]],
        },
      },
    },
    invalidConfig: { delegate: { type: "a/b" } },
    prepare: (kernel) => ensureUplink(kernel),
    // The delegate has an IPAM of its own.
    addresses: "none",
    // Each is two executions.
    attachments: 6,
    skip: () => (existsSync("/usr/lib/cni/macvlan") ? undefined : "no Debian CNI plugins here"),
    skips: {
      ...NO_ADDRESSES,
      "repair-route": /names no routes/,
      // Only mac that its delegate can set.
      "attach-mac": /the plugin refuses it/,
      // A bridge would be the delegate's, which nobody can ask to make it again.
      "repair-network-mends": /no link of its own/,
    },
  },
  {
    name: "example-typescript",
    // The condition leads "patchbay/plugin-sdk" to the sources: dist/ is there after `npm pack` only.
    command: (socket) => [
      process.execPath,
      "--conditions=patchbay-source",
      "examples/typescript/plugin.ts",
      "--socket",
      socket,
    ],
    config: { bridge: "ex0" },
    invalidConfig: { bridge: "a/b" },
    skips: { ...NO_REPAIR, ...NO_REPAIR_NETWORK },
  },
  builtExample("go", { bridge: "go7" }),
  builtExample("python", { bridge: "py7" }),
];

export function findTestedPlugin(name: string): TestedPlugin {
  const found = TESTED_PLUGINS.find((tested) => tested.name === name);
  if (!found) throw new Error(`plugins.ts has no plugin ${name}`);
  return found;
}

function builtIn(name: string): TestedPlugin["command"] {
  const script = join(import.meta.dirname, "serve-built-in.ts");
  return (socket) => [process.execPath, script, name, "--socket", socket];
}

/** A parent for links of other kinds, with an address. */
async function ensureUplink(kernel: Kernel): Promise<void> {
  const name = "uplink";
  if (await kernel.findLink(name)) return;
  const address = parsePrefix("192.0.2.1/24");
  await kernel.apply([
    {
      operations: [
        { kind: "add-link", name, link: { type: "veth", peer: { name: "uplink-far" } } },
        { kind: "set-link", name: "uplink-far", up: true },
        { kind: "set-link", name, up: true },
        { kind: "add-address", link: name, address },
      ],
    },
  ]);
}

/** A device of the node. Not of hardware: it dies with the namespace of a pod that had it. */
async function ensureDevice(kernel: Kernel): Promise<void> {
  if (await kernel.findLink("dev0")) return;
  await kernel.removeLinks(["dev0-far"]);
  await kernel.apply([
    {
      operations: [
        { kind: "add-link", name: "dev0", link: { type: "veth", peer: { name: "dev0-far" } } },
        { kind: "set-link", name: "dev0-far", up: true },
      ],
    },
  ]);
}

/** An example that the set-up builds. */
function builtExample(
  name: Example["name"],
  config: Readonly<Record<string, unknown>>,
): TestedPlugin {
  return {
    name: `example-${name}`,
    command: findExample(name).command,
    config,
    // A name that its schema takes, of a link that is no bridge.
    invalidConfig: { ...config, bridge: "lo" },
    skip: () => findReasonToSkip(name),
    skips: { ...NO_REPAIR_NETWORK },
  };
}
