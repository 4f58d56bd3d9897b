import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import type { NetnsPath } from "./kernel.ts";
import { type NetnsNetfilter, type NetnsPlace, openNetnsNetfilter } from "./netns-netfilter.ts";
import { enterOwnNetns } from "./nf-test-node.ts";
import { privateNodeSkip } from "./private-node-skip.ts";

if (privateNodeSkip === false) enterOwnNetns();

const table = { family: "ip", table: "inside-test" } as const;
const ruleset =
  "table ip inside-test { chain c { type filter hook output priority 0; accept; }; }\n";

describe("openNetnsNetfilter()", { skip: privateNodeSkip }, () => {
  const name = `inside-${process.pid}`;
  let netfilter: NetnsNetfilter;
  let place: NetnsPlace;

  before(async () => {
    execFileSync("ip", ["netns", "add", name]);
    const path = `/run/netns/${name}` as NetnsPath;
    const { dev, ino } = statSync(path, { bigint: true });
    place = { path, identity: `${dev}:${ino}` };
    netfilter = await openNetnsNetfilter();
  });
  after(async () => {
    await netfilter.close();
    execFileSync("ip", ["netns", "delete", name]);
  });

  it("load() loads there and nowhere else", async () => {
    await netfilter.load(place, ruleset);
    assert.match(nft(["netns", "exec", name, "nft", "list", "tables"]), /table ip inside-test/);
    assert.equal(execFileSync("nft", ["list", "tables"], { encoding: "utf8" }), "");
  });

  it("ruleDigest() is another one when a rule is, and when the table is gone", async () => {
    await netfilter.load(
      place,
      `add table ip inside-test\ndelete table ip inside-test\n${ruleset}`,
    );
    const whole = await netfilter.ruleDigest(place, [table]);
    assert.equal(await netfilter.ruleDigest(place, [table]), whole);
    nft(["netns", "exec", name, "nft", "add", "rule", "ip", "inside-test", "c", "drop"]);
    const more = await netfilter.ruleDigest(place, [table]);
    assert.notEqual(more, whole);
    nft(["netns", "exec", name, "nft", "flush", "ruleset"]);
    assert.equal(await netfilter.ruleDigest(place, [table]), "");
  });

  it("load() says what nft says", async () => {
    const failure = { code: "ENOENT", operation: "load-ruleset", extendedAck: /No such file/ };
    await assert.rejects(netfilter.load(place, "delete table ip nothing\n"), failure);
    await assert.rejects(netfilter.load(place, "nonsense\n"), { code: "EINVAL" });
  });

  it("a namespace that is gone, or another one by now, is ENOENT", async () => {
    const gone = { ...place, path: `${place.path}-gone` as NetnsPath };
    await assert.rejects(netfilter.load(gone, ruleset), { code: "ENOENT" });
    const other = { ...place, identity: "1:2" };
    await assert.rejects(netfilter.load(other, ruleset), { code: "ENOENT" });
    await assert.rejects(netfilter.ruleDigest(other, [table]), { code: "ENOENT" });
  });

  it("conntrack() lists and removes flows there", async () => {
    await netfilter.load(
      place,
      "table ip inside-flows { chain c { type filter hook output priority 0; ct state new accept; }; }\n",
    );
    const udp =
      'import socket; s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); s.sendto(b"x",("127.0.0.1",5300))';
    nft(["-n", name, "link", "set", "lo", "up"]);
    nft(["netns", "exec", name, "python3", "-c", udp]);
    const conntrack = netfilter.conntrack(place);
    const flows = await conntrack.flows(
      { family: 4, protocol: "UDP" },
      ({ original }) => original.destinationPort === 5300,
    );
    assert.equal(flows.length, 1);
    assert.equal(await conntrack.remove(flows), 1);
    assert.deepEqual(await conntrack.flows({ family: 4, protocol: "UDP" }), []);
  });
});

function nft(args: readonly string[]): string {
  return execFileSync("ip", args, { encoding: "utf8" });
}
