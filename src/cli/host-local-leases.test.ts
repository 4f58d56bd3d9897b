import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { AttachmentRecords } from "../../plugins/cni-exec/records.ts";
import { findForeignLeases } from "./host-local-leases.ts";

test("findForeignLeases() names networks with a lease that no attachment of cni-exec has", (t) => {
  const root = mkdtempSync(join(tmpdir(), "patchbay-leases-"));
  t.after(() => rmSync(root, { recursive: true }));
  const folders = { hostLocal: join(root, "networks"), cniExec: join(root, "cni-exec") };
  assert.deepEqual(findForeignLeases(folders), []);
  const lease = (network: string, address: string, content: string) => {
    mkdirSync(join(folders.hostLocal, network), { recursive: true });
    writeFileSync(join(folders.hostLocal, network, address), content);
  };
  const records = new AttachmentRecords(folders.cniExec);
  const record = (cniName: string, sandboxId: string) =>
    records.write({
      attachmentId: `${cniName}-${sandboxId}`,
      network: `default/${cniName}`,
      cniName,
      chain: "bridge",
      configJson: "{}",
      args: { sandboxId, netns: "", ifname: "net1", cniArgs: "", runtimeConfig: {}, argsCni: {} },
      netnsIdentity: "",
      begun: 1,
      removed: [],
    });
  record("own", "c1");
  record("leaky", "c1");
  lease("own", "10.8.0.2", "c1\r\nnet1");
  lease("own", "last_reserved_ip.0", "10.8.0.2");
  lease("own", "lock", "");
  lease("leaky", "10.9.0.2", "c1\r\nnet1");
  lease("leaky", "10.9.0.3", "c2\r\nnet1");
  lease("others", "fd00::2", "c1\n");
  lease("empty", "last_reserved_ip.0", "10.8.0.2");
  lease("large", "10.7.0.2", "c9".repeat(4096));
  writeFileSync(join(folders.hostLocal, "no-folder"), "");
  writeFileSync(join(folders.cniExec, "torn.json"), "{");
  symlinkSync(join(folders.hostLocal, "others/fd00::2"), join(folders.hostLocal, "empty/10.8.0.3"));
  assert.deepEqual(findForeignLeases(folders).toSorted(), ["leaky", "others"]);
  rmSync(folders.cniExec, { recursive: true });
  assert.deepEqual(findForeignLeases(folders).toSorted(), ["leaky", "others", "own"]);
});
