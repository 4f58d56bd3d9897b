import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { FakePciDevices } from "./fake-pci-devices.ts";
import { openPciDevices, type PciDevices } from "./pci-devices.ts";

const DEVICES = {
  "0000:3b:00.1": ["eth3"],
  "0000:3b:00.2": ["eth4", "eth5"],
  "0000:00:03.0": ["eth0"],
  "0000:00:04.0": [],
};

test("openPciDevices() reads a sysfs, links behind virtio as well", async () => {
  const root = mkdtempSync(join(tmpdir(), "patchbay-sys-"));
  try {
    for (const folder of ["bus/pci/devices", "class/net/lo", "class/net/veth0"]) {
      mkdirSync(join(root, folder), { recursive: true });
    }
    for (const [address, links] of Object.entries(DEVICES)) {
      const device = join(root, "devices/pci0000:00/0000:00:01.0", address);
      const holder = address === "0000:00:03.0" ? join(device, "virtio2") : device;
      mkdirSync(holder, { recursive: true });
      symlinkSync(device, join(root, "bus/pci/devices", address));
      for (const link of links) {
        mkdirSync(join(holder, "net", link), { recursive: true });
        symlinkSync(holder, join(holder, "net", link, "device"));
        symlinkSync(join(holder, "net", link), join(root, "class/net", link));
      }
    }
    await agree(openPciDevices(root));
  } finally {
    rmSync(root, { recursive: true });
  }
});

test("FakePciDevices answers alike", async () => {
  await agree(new FakePciDevices(DEVICES));
});

async function agree(devices: PciDevices): Promise<void> {
  for (const [address, links] of Object.entries(DEVICES)) {
    assert.deepEqual(await devices.linksOf(address), links);
    for (const link of links) assert.equal(await devices.addressOf(link), address);
  }
  assert.equal(await devices.linksOf("0000:ff:00.0"), undefined);
  assert.equal(await devices.linksOf("../../class"), undefined);
  for (const link of ["lo", "veth0", "absent", "..", "../bus"]) {
    assert.equal(await devices.addressOf(link), undefined);
  }
}
