import type { AddLink, KernelOperation, NetnsBatch } from "./kernel.ts";
import { MessageWriter } from "./netlink-message.ts";
import { checkOperation } from "./operation-check.ts";
import {
  type ApplyProgram,
  REFERENCE_LINK,
  REFERENCE_NETNS,
  STEP_MESSAGE,
  STEP_SYSCTL,
} from "./program-format.ts";
import { toleratedErrors, writeOperation } from "./operation-messages.ts";

/** Throws KernelError EINVAL for an operation that no kernel would take. */
export function encodeProgram(batches: readonly NetnsBatch[]): ApplyProgram {
  const code: number[] = [];
  const strings = new StringTable();
  writer.reset();
  let operationIndex = 0;
  for (const { netns, operations } of batches) {
    code.push(netns === undefined ? -1 : strings.index(netns));
    const countAt = code.length;
    code.push(0);
    let steps = 0;
    for (const operation of operations) {
      checkOperation(operation, netns);
      if (operation.kind === "set-sysctl") {
        const path = strings.index(operation.path.join("/"));
        code.push(STEP_SYSCTL, operationIndex, path, strings.index(operation.value));
        steps++;
      } else {
        steps += encodeMessages({ operation, operationIndex, code, strings, netns });
      }
      operationIndex++;
    }
    code[countAt] = steps;
  }
  return {
    bytes: writer.bytes.slice(0, writer.length),
    code: Int32Array.from(code),
    strings: strings.all,
  };
}

// One writer for all calls: encoding never waits.
const writer = new MessageWriter(16_384);

function encodeMessages(step: {
  readonly operation: Exclude<KernelOperation, { kind: "set-sysctl" }>;
  readonly operationIndex: number;
  readonly code: number[];
  readonly strings: StringTable;
  readonly netns: string | undefined;
}): number {
  const { operation, operationIndex, code, strings } = step;
  let start = writer.length;
  let reference = writer.references.length;
  writeOperation(writer, operation);
  const tolerated = toleratedErrors(operation);
  let messages = 0;
  while (start < writer.length) {
    const end = start + writer.view.getUint32(start, true);
    code.push(STEP_MESSAGE, operationIndex, start, end, tolerated);
    if (operation.kind === "add-link") pushLearnt(code, strings, operation, step.netns);
    else code.push(-1, -1, -1);
    const countAt = code.length;
    code.push(0);
    for (; reference < writer.references.length; reference++) {
      const { kind, offset, name } = writer.references[reference] ?? {};
      if (offset === undefined || name === undefined || offset >= end) break;
      const referenceKind = kind === "link" ? REFERENCE_LINK : REFERENCE_NETNS;
      code.push(offset, strings.index(name), referenceKind);
      code[countAt] = (code[countAt] ?? 0) + 1;
    }
    start = end;
    messages++;
  }
  return messages;
}

function pushLearnt(
  code: number[],
  strings: StringTable,
  operation: AddLink,
  netns: string | undefined,
): void {
  const { link } = operation;
  if (link.type === "macvlan" && link.netns !== undefined) {
    code.push(-1, -1, -1);
    return;
  }
  code.push(strings.index(operation.name));
  if (link.type !== "veth") {
    code.push(-1, -1);
    return;
  }
  const peerNetns = link.peer.netns ?? netns;
  code.push(strings.index(link.peer.name), peerNetns === undefined ? -1 : strings.index(peerNetns));
}

class StringTable {
  readonly all: string[] = [];
  readonly #indexes = new Map<string, number>();

  index(value: string): number {
    let index = this.#indexes.get(value);
    if (index === undefined) {
      index = this.all.length;
      this.all.push(value);
      this.#indexes.set(value, index);
    }
    return index;
  }
}
