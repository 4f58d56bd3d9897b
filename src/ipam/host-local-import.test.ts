import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAddress } from "../ip/address.ts";
import { type HostLocalFile, parseHostLocalFolder } from "./host-local-import.ts";

interface Case {
  readonly name: string;
  readonly files: readonly HostLocalFile[];
  readonly adopt?: readonly [address: string, containerId: string, ifname: string][];
  readonly skipped?: readonly [name: string, reason: string][];
  readonly cursors?: readonly [rangeSet: number, address: string][];
}

const CASES: readonly Case[] = [
  { name: "an empty folder", files: [] },
  {
    name: "a record of today, CRLF",
    files: [{ name: "10.1.0.2", content: "abc123\r\neth0" }],
    adopt: [["10.1.0.2", "abc123", "eth0"]],
  },
  {
    name: "LF and a line end at the end",
    files: [{ name: "10.1.0.3", content: "abc123\nnet1\n" }],
    adopt: [["10.1.0.3", "abc123", "net1"]],
  },
  {
    name: "a record of before 0.8 names no interface",
    files: [{ name: "10.1.0.4", content: "abc123" }],
    adopt: [["10.1.0.4", "abc123", "eth0"]],
  },
  {
    name: "IPv6 with colons and with underscores",
    files: [
      { name: "fd00:1::5", content: "abc\r\neth0" },
      { name: "fd00_1__6", content: "def\r\neth0" },
    ],
    adopt: [
      ["fd00:1::5", "abc", "eth0"],
      ["fd00:1::6", "def", "eth0"],
    ],
  },
  {
    name: "two addresses of one interface",
    files: [
      { name: "10.1.0.2", content: "abc\r\neth0" },
      { name: "fd00::2", content: "abc\r\neth0" },
    ],
    adopt: [
      ["10.1.0.2", "abc", "eth0"],
      ["fd00::2", "abc", "eth0"],
    ],
  },
  {
    name: "lock and cursors",
    files: [
      { name: "lock", content: "" },
      { name: "last_reserved_ip.0", content: "10.1.0.9" },
      { name: "last_reserved_ip.1", content: "fd00::9\n" },
    ],
    cursors: [
      [0, "10.1.0.9"],
      [1, "fd00::9"],
    ],
  },
  {
    name: "what names no lease",
    files: [
      { name: "10.1.0.2", content: "" },
      { name: "10.1.0.3", content: "\r\neth0" },
      { name: "10.1.0", content: "abc\r\neth0" },
      { name: "README", content: "abc" },
      { name: "last_reserved_ip.0", content: "" },
      { name: "last_reserved_ip.x", content: "10.1.0.9" },
      { name: "fd00::5", content: "abc" },
      { name: "fd00:0::5", content: "def" },
    ],
    adopt: [["fd00::5", "abc", "eth0"]],
    skipped: [
      ["10.1.0.2", "it names no container"],
      ["10.1.0.3", "it names no container"],
      ["10.1.0", "its name is not an address"],
      ["README", "its name is not an address"],
      ["last_reserved_ip.0", "its content is not an address"],
      ["last_reserved_ip.x", "its name is not an address"],
      ["fd00:0::5", "another file has the same address"],
    ],
  },
];

test("parseHostLocalFolder() reads the records of host-local", () => {
  for (const { name, files, adopt = [], skipped = [], cursors = [] } of CASES) {
    const result = parseHostLocalFolder(files);
    assert.deepEqual(
      result.adopt.map((lease) => [formatAddress(lease.address), lease.containerId, lease.ifname]),
      adopt,
      name,
    );
    assert.deepEqual(
      result.skipped.map((file) => [file.name, file.reason]),
      skipped,
      name,
    );
    assert.deepEqual(
      result.cursors.map(({ rangeSet, address }) => [rangeSet, formatAddress(address)]),
      cursors,
      name,
    );
  }
});
