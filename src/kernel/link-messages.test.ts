import assert from "node:assert/strict";
import { test } from "node:test";
import { linkLayout } from "./link-layout.ts";
import { readLink } from "./link-messages.ts";
import { messageBytes, MessageWriter, messagesIn, writeMessage } from "./netlink-message.ts";
import { IFF_UP, RTM_NEWLINK } from "./rtnetlink-constants.ts";

/** IFLA_PERM_ADDRESS, linux/if_link.h. */
const PERM_ADDRESS = 54;

test("readLink() keeps what it has no name for, and reads it when somebody asks", () => {
  const unknown = new Map([[PERM_ADDRESS, Uint8Array.of(2, 0, 0, 0, 0, 1)]]);
  const attributes = { ifname: "eth0", afSpec: { inet6: { addrGenMode: 1 } }, unknown };
  const header = { index: 7, flags: IFF_UP };
  const writer = new MessageWriter(64);
  writeMessage(writer, linkLayout, { type: RTM_NEWLINK, flags: 0, header, attributes });
  const from = messageBytes(writer.bytes.slice(0, writer.length));
  const [message] = messagesIn(from);
  assert.ok(message);
  const link = readLink(from, message);
  assert.deepEqual([link.name, link.ifindex, link.up], ["eth0", 7, true]);
  assert.deepEqual(link.unknown, unknown);
});
