/** Around plugins whose links lie in the pod alone: everything is done there. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { FakeKernel } from "../../src/kernel/fake-kernel.ts";
import { FakePciDevices } from "../../src/kernel/fake-pci-devices.ts";
import type { Kernel } from "../../src/kernel/kernel.ts";
import { privateNodeSkip } from "../../src/kernel/private-node-skip.ts";
import { HeldAttachments } from "../../src/plugin-sdk/held-attachments.ts";
import type { NetworkPlugin } from "../../src/plugin-sdk/network-plugin.ts";
import { podLinkSuite } from "../../src/plugin-sdk/pod-link-suite.ts";
import type { HostDeviceDetail } from "../host-device/find-device.ts";
import { createHostDevicePlugin } from "../host-device/plugin.ts";
import { createMacvlanPlugin, type MacvlanDetail } from "../macvlan/plugin.ts";
import { withTuning } from "./plugin.ts";

const folder = mkdtempSync(join(tmpdir(), "pbtuning-"));
after(() => rmSync(folder, { recursive: true, force: true }));
/** A new one each time: what a process knows is in the files. */
const tuned = (inner: NetworkPlugin, kernel: Kernel) =>
  withTuning(inner, { kernel, held: new HeldAttachments(folder) });

const WISHES = {
  bandwidth: { ingressRate: 10_000_000, egressRate: 20_000_000 },
  tuning: { txQueueLength: 200, sysctls: { "net.ipv4.conf.IFNAME.arp_filter": "1" } },
};

podLinkSuite<MacvlanDetail>(
  {
    name: "macvlan",
    create: (deps) => tuned(createMacvlanPlugin(deps), deps.kernel),
    equip: async (kernel, name) => {
      await equip(kernel, name);
      return { master: name, ...WISHES };
    },
  },
  privateNodeSkip,
);

podLinkSuite<HostDeviceDetail>(
  {
    name: "host-device",
    create: (deps) =>
      tuned(createHostDevicePlugin({ ...deps, pci: new FakePciDevices({}) }), deps.kernel),
    equip: async (kernel, name) => {
      await equip(kernel, name);
      return { device: name, ...WISHES };
    },
  },
  privateNodeSkip,
);

/** A card on the fake kernel, a veth on the real one. */
async function equip(kernel: Kernel, name: string): Promise<void> {
  if (kernel instanceof FakeKernel) {
    kernel.plugIn({ name, mac: "52:54:00:00:00:01", mtu: 1500 });
    await kernel.apply([{ operations: [{ kind: "set-link", name, up: true }] }]);
    return;
  }
  const peer = `${name}p`;
  await kernel.apply([
    {
      operations: [
        { kind: "add-link", name, link: { type: "veth", peer: { name: peer } } },
        { kind: "set-link", name: peer, up: true },
        { kind: "set-link", name, up: true },
      ],
    },
  ]);
}
