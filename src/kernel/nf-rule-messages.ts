import { addressBytes } from "../ip/address.ts";
import {
  NFNL_MSG_BATCH_BEGIN,
  NFNL_MSG_BATCH_END,
  NFNL_SUBSYS_NFTABLES,
  NFT_MSG_DELTABLE,
  NFT_MSG_NEWCHAIN,
  NFT_MSG_NEWRULE,
  NFT_MSG_NEWTABLE,
  NFTA_CHAIN_HOOK,
  NFTA_CHAIN_NAME,
  NFTA_CHAIN_POLICY,
  NFTA_CHAIN_TABLE,
  NFTA_CHAIN_TYPE,
  NFTA_DATA_VALUE,
  NFTA_DATA_VERDICT,
  NFTA_EXPR_DATA,
  NFTA_EXPR_NAME,
  NFTA_HOOK_HOOKNUM,
  NFTA_HOOK_PRIORITY,
  NFTA_LIST_ELEM,
  NFTA_RULE_CHAIN,
  NFTA_RULE_EXPRESSIONS,
  NFTA_RULE_TABLE,
  NFTA_RULE_USERDATA,
  NFTA_TABLE_FLAGS,
  NFTA_TABLE_NAME,
  NFTA_TABLE_USERDATA,
  NFTA_VERDICT_CHAIN,
  NFTA_VERDICT_CODE,
} from "./nf-constants.ts";
import {
  beginMessage,
  beginNested,
  endMessage,
  endNested,
  nftType,
  putBytes,
  putText,
  putU32,
  tableFamily,
} from "./nf-messages.ts";
import type { ChainRules, Match, Rule, RuleVerdict, TableRules } from "./nf-rules.ts";
import { MessageWriter } from "./netlink-message.ts";
import type { TablePlace } from "./nfnetlink.ts";
import { AF_UNSPEC, NLM_F_ACK, NLM_F_APPEND, NLM_F_CREATE } from "./rtnetlink-constants.ts";

/** A batch (one transaction) after which tables hold exactly what they were given, whatever they held before. */
export interface TablesBatch {
  readonly tables: readonly TablePlace[];
  readonly bytes: Uint8Array;
  /** Of the message that asks for an acknowledgement. */
  readonly sequence: number;
}

/** Pure but for the sequence numbers. Throws RangeError for a comment that is too long. */
export function encodeTables(tables: readonly TableRules[]): TablesBatch {
  const writer = new MessageWriter(16_384);
  writeMark(writer, NFNL_MSG_BATCH_BEGIN);
  let last = 0;
  for (const table of tables) {
    // Made first, so that there is one to delete.
    writeTable(writer, table, NFT_MSG_NEWTABLE);
    last = writeTable(writer, table, NFT_MSG_DELTABLE);
    if (table.chains.length === 0) continue;
    last = writeTable(writer, table, NFT_MSG_NEWTABLE);
    for (const chain of table.chains) writeChain(writer, table, chain);
    for (const chain of table.chains) {
      for (const rule of chain.rules) last = writeRule(writer, table, { chain, rule });
    }
  }
  const { view } = writer;
  view.setUint16(last + 6, view.getUint16(last + 6, true) | NLM_F_ACK, true);
  writeMark(writer, NFNL_MSG_BATCH_END);
  return {
    tables: tables.map(({ family, table }) => ({ family, table })),
    bytes: writer.bytes.slice(0, writer.length),
    sequence: writer.view.getUint32(last + 8, true),
  };
}

function writeMark(writer: MessageWriter, type: number): void {
  const resource = NFNL_SUBSYS_NFTABLES;
  endMessage(writer, beginMessage(writer, { type, flags: 0, family: AF_UNSPEC, resource }));
}

function begin(writer: MessageWriter, table: TablePlace, message: number): number {
  const flags =
    message === NFT_MSG_DELTABLE
      ? 0
      : NLM_F_CREATE | (message === NFT_MSG_NEWRULE ? NLM_F_APPEND : 0);
  return beginMessage(writer, { type: nftType(message), flags, family: tableFamily(table.family) });
}

function writeTable(writer: MessageWriter, table: TableRules, message: number): number {
  const start = begin(writer, table, message);
  putText(writer, NFTA_TABLE_NAME, table.table);
  if (message === NFT_MSG_NEWTABLE) {
    putU32(writer, NFTA_TABLE_FLAGS, 0);
    putBytes(writer, NFTA_TABLE_USERDATA, commentOf(table.comment));
  }
  endMessage(writer, start);
  return start;
}

/** linux/netfilter.h: NF_INET_LOCAL_OUT, NF_INET_POST_ROUTING */
const hooks = { output: 3, postrouting: 4 } as const;
const NF_DROP = 0;
const NF_ACCEPT = 1;

function writeChain(writer: MessageWriter, table: TablePlace, { name, hook }: ChainRules): number {
  const start = begin(writer, table, NFT_MSG_NEWCHAIN);
  putText(writer, NFTA_CHAIN_TABLE, table.table);
  putText(writer, NFTA_CHAIN_NAME, name);
  if (hook) {
    const nested = beginNested(writer, NFTA_CHAIN_HOOK);
    putU32(writer, NFTA_HOOK_HOOKNUM, hooks[hook.hook]);
    putU32(writer, NFTA_HOOK_PRIORITY, hook.priority >>> 0);
    endNested(writer, nested);
    putU32(writer, NFTA_CHAIN_POLICY, NF_ACCEPT);
    putText(writer, NFTA_CHAIN_TYPE, hook.type);
  }
  endMessage(writer, start);
  return start;
}

function writeRule(
  writer: MessageWriter,
  table: TablePlace,
  { chain, rule }: { readonly chain: ChainRules; readonly rule: Rule },
): number {
  const start = begin(writer, table, NFT_MSG_NEWRULE);
  putText(writer, NFTA_RULE_TABLE, table.table);
  putText(writer, NFTA_RULE_CHAIN, chain.name);
  const expressions = beginNested(writer, NFTA_RULE_EXPRESSIONS);
  for (const match of rule.matches) writeMatch(writer, match);
  writeVerdict(writer, rule.verdict, table);
  endNested(writer, expressions);
  if (rule.comment) putBytes(writer, NFTA_RULE_USERDATA, commentOf(rule.comment));
  endMessage(writer, start);
  return start;
}

/** User data are nft's own (libnftnl, udata.c): type 0 is the comment of tables and rules alike. */
function commentOf(text: string): Uint8Array {
  const bytes = Buffer.from(`${text}\0`);
  if (bytes.length > 128) throw new RangeError(`A comment of ${bytes.length} bytes`);
  return Buffer.concat([Buffer.from([0, bytes.length]), bytes]);
}

const REGISTER_1 = 1;
const REGISTER_2 = 2;

/** Numbers of each expression's attributes and values, from linux/netfilter/nf_tables.h. */
const meta = { dreg: 1, key: 2, OIFNAME: 7, L4PROTO: 16 } as const;
const payload = { dreg: 1, base: 2, offset: 3, length: 4, NETWORK: 1, TRANSPORT: 2 } as const;
const compare = { sreg: 1, op: 2, data: 3, EQ: 0, NEQ: 1, LT: 2 } as const;
const ct = { dreg: 1, key: 2, direction: 3, STATUS: 2, DST_IP: 20, DST_IP6: 22 } as const;
const bitwise = { sreg: 1, dreg: 2, length: 3, mask: 4, xor: 5 } as const;
const draw = { dreg: 1, modulus: 2, type: 3, offset: 4, RANDOM: 1 } as const;
const byteorder = { sreg: 1, dreg: 2, op: 3, length: 4, size: 5, HTON: 1 } as const;
const immediate = { dreg: 1, data: 2, VERDICT: 0 } as const;
const nat = { type: 1, family: 2, addressMin: 3, addressMax: 4, portMin: 5, portMax: 6, DNAT: 1 };
const reject = { type: 1, code: 2, ICMP_UNREACH: 0, TCP_RST: 1 } as const;
const NFT_GOTO = -4;
/** linux/if.h */
const IFNAMSIZ = 16;
/** linux/netfilter/nf_conntrack_common.h */
const IPS_DST_NAT = 1 << 5;
/** linux/icmp.h, linux/icmpv6.h */
const ICMP_PORT_UNREACH = 3;
const ICMPV6_PORT_UNREACH = 4;

function writeMatch(writer: MessageWriter, match: Match): void {
  switch (match.kind) {
    case "protocol":
      loadMeta(writer, meta.L4PROTO);
      compareTo(writer, compare.EQ, Uint8Array.of(match.protocol));
      return;
    case "destination": {
      const { address } = match;
      // struct iphdr, struct ipv6hdr: daddr.
      const place = address.family === 4 ? { offset: 16, length: 4 } : { offset: 24, length: 16 };
      loadPayload(writer, { base: payload.NETWORK, ...place });
      compareTo(writer, compare.EQ, addressBytes(address));
      return;
    }
    case "destination-port":
      loadPayload(writer, { base: payload.TRANSPORT, offset: 2, length: 2 });
      compareTo(writer, compare.EQ, u16(match.port));
      return;
    case "output-interface": {
      const name = new Uint8Array(IFNAMSIZ);
      name.set(Buffer.from(match.name));
      loadMeta(writer, meta.OIFNAME);
      compareTo(writer, compare.EQ, name);
      return;
    }
    case "translated":
      loadCt(writer, { key: ct.STATUS });
      expression(writer, "bitwise", () => {
        putU32(writer, bitwise.sreg, REGISTER_1);
        putU32(writer, bitwise.dreg, REGISTER_1);
        putU32(writer, bitwise.length, 4);
        // A number of the kernel's own: in host order, unlike those of packets.
        putValue(writer, bitwise.mask, Uint8Array.of(IPS_DST_NAT, 0, 0, 0));
        putValue(writer, bitwise.xor, new Uint8Array(4));
      });
      compareTo(writer, compare.NEQ, new Uint8Array(4));
      return;
    case "original-destination": {
      const { address } = match;
      loadCt(writer, { key: address.family === 4 ? ct.DST_IP : ct.DST_IP6, direction: 0 });
      compareTo(writer, compare.EQ, addressBytes(address));
      return;
    }
    case "draw":
      expression(writer, "numgen", () => {
        putU32(writer, draw.dreg, REGISTER_1);
        putU32(writer, draw.modulus, match.modulus);
        putU32(writer, draw.type, draw.RANDOM);
        putU32(writer, draw.offset, 0);
      });
      // Comparison is by bytes: the first one has to be the highest.
      expression(writer, "byteorder", () => {
        putU32(writer, byteorder.sreg, REGISTER_1);
        putU32(writer, byteorder.dreg, REGISTER_1);
        putU32(writer, byteorder.op, byteorder.HTON);
        putU32(writer, byteorder.length, 4);
        putU32(writer, byteorder.size, 4);
      });
      compareTo(writer, compare.LT, u32(match.below));
  }
}

function writeVerdict(writer: MessageWriter, verdict: RuleVerdict, table: TablePlace): void {
  switch (verdict.kind) {
    case "goto":
      putVerdict(writer, NFT_GOTO, verdict.chain);
      return;
    case "drop":
      putVerdict(writer, NF_DROP);
      return;
    case "tcp-reset":
    case "port-unreachable":
      expression(writer, "reject", () => {
        const isReset = verdict.kind === "tcp-reset";
        putU32(writer, reject.type, isReset ? reject.TCP_RST : reject.ICMP_UNREACH);
        const code = table.family === "ip" ? ICMP_PORT_UNREACH : ICMPV6_PORT_UNREACH;
        putBytes(writer, reject.code, Uint8Array.of(isReset ? 0 : code));
      });
      return;
    case "dnat":
      putImmediate(writer, REGISTER_1, addressBytes(verdict.address));
      putImmediate(writer, REGISTER_2, u16(verdict.port));
      expression(writer, "nat", () => {
        putU32(writer, nat.type, nat.DNAT);
        putU32(writer, nat.family, tableFamily(table.family));
        putU32(writer, nat.addressMin, REGISTER_1);
        putU32(writer, nat.portMin, REGISTER_2);
      });
      return;
    case "masquerade":
      expression(writer, "masq", () => {});
  }
}

function loadMeta(writer: MessageWriter, key: number): void {
  expression(writer, "meta", () => {
    putU32(writer, meta.key, key);
    putU32(writer, meta.dreg, REGISTER_1);
  });
}

function loadPayload(
  writer: MessageWriter,
  place: { readonly base: number; readonly offset: number; readonly length: number },
): void {
  expression(writer, "payload", () => {
    putU32(writer, payload.dreg, REGISTER_1);
    putU32(writer, payload.base, place.base);
    putU32(writer, payload.offset, place.offset);
    putU32(writer, payload.length, place.length);
  });
}

function loadCt(
  writer: MessageWriter,
  { key, direction }: { readonly key: number; readonly direction?: number },
): void {
  expression(writer, "ct", () => {
    putU32(writer, ct.key, key);
    putU32(writer, ct.dreg, REGISTER_1);
    if (direction !== undefined) putBytes(writer, ct.direction, Uint8Array.of(direction));
  });
}

function compareTo(writer: MessageWriter, op: number, value: Uint8Array): void {
  expression(writer, "cmp", () => {
    putU32(writer, compare.sreg, REGISTER_1);
    putU32(writer, compare.op, op);
    putValue(writer, compare.data, value);
  });
}

function putImmediate(writer: MessageWriter, register: number, value: Uint8Array): void {
  expression(writer, "immediate", () => {
    putU32(writer, immediate.dreg, register);
    putValue(writer, immediate.data, value);
  });
}

function putVerdict(writer: MessageWriter, code: number, chain?: string): void {
  expression(writer, "immediate", () => {
    putU32(writer, immediate.dreg, immediate.VERDICT);
    const data = beginNested(writer, immediate.data);
    const verdict = beginNested(writer, NFTA_DATA_VERDICT);
    putU32(writer, NFTA_VERDICT_CODE, code >>> 0);
    if (chain !== undefined) putText(writer, NFTA_VERDICT_CHAIN, chain);
    endNested(writer, verdict);
    endNested(writer, data);
  });
}

function expression(writer: MessageWriter, name: string, write: () => void): void {
  const element = beginNested(writer, NFTA_LIST_ELEM);
  putText(writer, NFTA_EXPR_NAME, name);
  const data = beginNested(writer, NFTA_EXPR_DATA);
  write();
  endNested(writer, data);
  endNested(writer, element);
}

function putValue(writer: MessageWriter, number: number, value: Uint8Array): void {
  const data = beginNested(writer, number);
  putBytes(writer, NFTA_DATA_VALUE, value);
  endNested(writer, data);
}

function u16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff);
}

function u32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, (value >> 16) & 0xff, (value >> 8) & 0xff, value & 0xff);
}
