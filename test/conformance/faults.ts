import type { NetnsPath } from "../../src/kernel/kernel.ts";
import { linkNamesOf } from "../../src/plugin-sdk/link-names.ts";
import {
  type AttachRequest,
  type AttachResponse,
  type CheckRequest,
  detachRequestOf,
  type Finding,
  PluginError,
  type PluginInfo,
} from "../../src/plugin-sdk/network-plugin.ts";
import { GOOD_CONFIG, type Life, type TestPlugin } from "./test-plugin.ts";

/** What a plugin with one fault does otherwise than the good one. */
export type Fault = (good: TestPlugin, life: Life) => Partial<TestPlugin>;

/** For each rule a plugin that breaks this one and no other. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  "info-name": withInfo(() => ({ name: "bad name" })),
  "info-version": withInfo(() => ({ version: "one" })),
  "info-contract": withInfo(() => ({ contractVersions: ["patchbay.plugin.v0"] })),
  "info-role": withInfo(() => ({ roles: ["ROLE_IPAM"] })),
  "info-capabilities": withInfo(({ capabilities }) => ({
    capabilities: [...capabilities, "CAPABILITY_UNSPECIFIED"],
  })),
  "info-schema": withInfo(() => ({ configSchemaJson: '{"type": 5}' })),
  "info-stable": (good) => {
    let calls = 0;
    return {
      getInfo: async (request) => ({ ...(await good.getInfo(request)), version: `1.0.${++calls}` }),
    };
  },
  "info-newer-host": (good) => ({
    async getInfo(request) {
      if (request.contractVersions.length > 1) throw transient("which of them?");
      return good.getInfo(request);
    },
  }),
  health: () => ({ health: () => "NOT_SERVING" }),
  "status-ready": () => ({ status: async () => ({ ready: false, reason: "tired" }) }),

  "attach-interface": (good, { kernel }) => ({
    async attach(request, wire) {
      const answer = await good.attach(request, wire);
      const netns = request.netns as NetnsPath;
      const down = { kind: "set-link", name: request.ifname, up: false } as const;
      await kernel.apply([{ netns, operations: [down] }]);
      return answer;
    },
  }),
  "attach-answer": withAnswer(({ interfaces, ...rest }) => ({
    ...rest,
    interfaces: interfaces.map((entry) => ({ ...entry, mac: "02:00:00:00:00:99" })),
  })),
  "attach-answer-addresses": withAnswer(({ addresses, ...rest }) => ({
    ...rest,
    addresses: [...addresses, { address: "192.0.2.9/32", gateway: "", interfaceIndex: 1 }],
  })),
  "attach-addresses": withOrder((request) =>
    request.addresses.length > 1 ? { addresses: request.addresses.slice(0, 1) } : {},
  ),
  "attach-ipv4-only": withOrder((request) => (isOnly(4, request) ? { addresses: [] } : {})),
  "attach-ipv6-only": withOrder((request) => (isOnly(6, request) ? { addresses: [] } : {})),
  "attach-no-addresses": refusing(({ addresses }) => addresses.length === 0),
  "attach-mac": withOrder(() => ({ mac: "" })),
  "attach-mtu": withOrder(() => ({ mtu: 0 })),
  "attach-default-route": withOrder(({ defaultRoute }) =>
    defaultRoute === "DEFAULT_ROUTE_UNSPECIFIED" ? { defaultRoute: "DEFAULT_ROUTE_NONE" } : {},
  ),
  "attach-no-default-route": withOrder(({ ifname }) =>
    ifname === "eth0" ? { defaultRoute: "DEFAULT_ROUTE_UNSPECIFIED" } : {},
  ),
  "attach-routes": withOrder(() => ({ routes: [] })),
  "attach-long-name": refusing(({ ifname }) => ifname.length > 14),
  "attach-second": refusing(({ netns, attachmentId }, { disk }) =>
    disk.attached
      .values()
      .some((other) => other.netns === netns && other.attachmentId !== attachmentId),
  ),
  "attach-unknown-fields": (good) => ({
    async attach(request, wire) {
      if (wire.hasUnknownFields) throw transient("what is field 2047?");
      return good.attach(request, wire);
    },
  }),

  "repeat-answer": (good, { memory }) => ({
    async attach(request, wire) {
      const isRepeat = memory.has(request.attachmentId);
      const answer = await good.attach(request, wire);
      return isRepeat ? { ...answer, routes: [] } : answer;
    },
  }),
  "repeat-changes-nothing": (good, { memory }) => ({
    async attach(request, wire) {
      if (memory.has(request.attachmentId)) await good.detach(detachRequestOf(request));
      return good.attach(request, wire);
    },
  }),
  "repeat-after-detach": refusing(({ attachmentId }, { disk }) => disk.detached.has(attachmentId)),

  "detach-interface": () => ({ detach: async () => {} }),
  "detach-node": (good, life) => ({
    async attach(request, wire) {
      await leaveStray(life, request);
      return good.attach(request, wire);
    },
  }),
  "detach-list": (good, { disk }) => ({
    async list(request) {
      const gone = [...disk.detached].map((attachmentId) => ({ attachmentId, object: "" }));
      return [...(await good.list(request)), ...gone];
    },
  }),
  "detach-repeat": failingDetach(({ attachmentId }, { disk }) => disk.detached.has(attachmentId)),
  "detach-unknown": failingDetach(({ attachmentId }, { disk }) => !disk.seen.has(attachmentId)),
  "detach-empty-netns": failingDetach(({ netns, ifname }) => netns === "" && ifname !== ""),
  "detach-netns-gone": (good, { kernel, disk }) => ({
    async detach(request) {
      const isThere = request.netns === "" || (await exists(kernel, request.netns));
      if (!isThere && disk.attached.has(request.attachmentId)) throw transient("no namespace");
      await good.detach(request);
    },
  }),
  "detach-id-only": forgetfulDetach(({ ifname }) => ifname === ""),
  "detach-other-kept": (good, { disk }) => ({
    async detach(request) {
      for (const other of disk.attached.values()) {
        if (other.netns === request.netns) await good.detach(detachRequestOf(other));
      }
      await good.detach(request);
    },
  }),

  "list-attached": (good) => ({
    async list(request) {
      const listed = await good.list(request);
      return [...listed, ...listed];
    },
  }),
  "list-all": (good) => ({
    list: async (request) => (request.network === "" ? [] : good.list(request)),
  }),
  "list-other-network": (good) => ({ list: () => good.list({ network: "" }) }),
  "list-follows": (good) => ({ list: async (request) => (await good.list(request)).slice(-1) }),
  "list-netns-gone": (good, { kernel, disk }) => ({
    async list(request) {
      for (const { netns } of disk.attached.values()) {
        if (!(await exists(kernel, netns))) throw transient(`${netns} is gone`);
      }
      return good.list(request);
    },
  }),

  "taken-status": (good) => ({
    async attach(request, wire) {
      try {
        return await good.attach(request, wire);
      } catch (error) {
        throw isTaken(error) ? transient("taken") : error;
      }
    },
  }),
  "taken-left-alone": (good, { kernel, disk }) => ({
    async detach(request) {
      await good.detach(request);
      if (disk.detached.has(request.attachmentId) || !(await exists(kernel, request.netns))) return;
      await kernel.removeLinks([request.ifname], request.netns as NetnsPath);
    },
  }),
  "taken-traces": (good, life) => ({
    async attach(request, wire) {
      try {
        return await good.attach(request, wire);
      } catch (error) {
        if (isTaken(error)) await leaveStray(life, request);
        throw error;
      }
    },
  }),
  "netns-missing": (good, { kernel }) => ({
    async attach(request, wire) {
      if (await exists(kernel, request.netns)) return good.attach(request, wire);
      return { interfaces: [], addresses: [], routes: [], dns: null, deviceInfoJson: "" };
    },
  }),
  "netns-missing-traces": (good, life) => ({
    async attach(request, wire) {
      if (!(await exists(life.kernel, request.netns))) await leaveStray(life, request);
      return good.attach(request, wire);
    },
  }),
  "config-status": withOrder(() => ({ configJson: JSON.stringify(GOOD_CONFIG) })),
  "config-field": (good) => ({
    async attach(request, wire) {
      try {
        return await good.attach(request, wire);
      } catch (error) {
        const isConfig = error instanceof PluginError && error.kind === "invalid-config";
        throw isConfig ? new PluginError("invalid-config", "something is wrong") : error;
      }
    },
  }),

  "check-fresh": withFindings(async (findings) =>
    findings.length > 0 ? findings : [finding("mtu", false)],
  ),
  "check-interface-missing": withFindings(async (findings, { attachment }, life) =>
    attachment && (await isWithoutLink(life, attachment)) ? [] : findings,
  ),
  "check-link-down": withFindings(async (findings) => (has(findings, "link-down") ? [] : findings)),
  "check-address-missing": withFindings(async (findings) =>
    has(findings, "address-missing") && !has(findings, "link-down") ? [] : findings,
  ),
  "check-route-missing": withFindings(async (findings) =>
    findings.every(({ kind }) => kind === "route-missing") ? [] : findings,
  ),
  "check-namespace-gone": (good, { kernel }) => ({
    async check(request) {
      const isThere = await exists(kernel, request.attachment?.netns ?? "");
      return isThere ? good.check(request) : [];
    },
  }),
  "check-changes-nothing": (good) => ({
    check: (request) => good.check({ ...request, repair: true }),
  }),

  "repair-link-down": notMending((findings) => has(findings, "link-down")),
  "repair-address": notMending(
    (findings) => has(findings, "address-missing") && !has(findings, "link-down"),
  ),
  "repair-route": notMending(
    (findings) => findings.length > 0 && findings.every(({ kind }) => kind === "route-missing"),
  ),
  "repair-fresh": (good) => ({
    async check(request) {
      const findings = await good.check(request);
      const { attachment, repair } = request;
      if (findings.length > 0 || !attachment || !repair) return findings;
      await good.detach(detachRequestOf(attachment));
      await good.attach(attachment, { hasUnknownFields: false });
      return [];
    },
  }),
  "repair-network-whole": () => ({ repairNetwork: async () => [finding("link-missing", true)] }),
  "repair-network-mends": () => ({ repairNetwork: async () => [] }),

  "parallel-attach": (good, { delay }) => {
    let running = 0;
    return {
      async attach(request, wire) {
        running++;
        try {
          await delay(5);
          if (running > 10) throw transient("too many at once");
          return await good.attach(request, wire);
        } finally {
          running--;
        }
      },
    };
  },
  "parallel-detach": (good, { delay }) => {
    let running = 0;
    return {
      async detach(request) {
        running++;
        try {
          await delay(5);
          if (running > 10) throw transient("too many at once");
          await good.detach(request);
        } finally {
          running--;
        }
      },
    };
  },
  "parallel-same": (good, { delay }) => {
    const running = new Set<string>();
    return {
      async attach(request, wire) {
        const { attachmentId } = request;
        if (running.has(attachmentId)) throw transient("it is being attached");
        running.add(attachmentId);
        await delay(5);
        return good.attach(request, wire).finally(() => running.delete(attachmentId));
      },
    };
  },
  "parallel-detach-overtakes": (good, { delay }) => {
    const running = new Set<string>();
    const overtaken = new Set<string>();
    return {
      async attach(request, wire) {
        running.add(request.attachmentId);
        await delay(5);
        return good.attach(request, wire).finally(() => running.delete(request.attachmentId));
      },
      async detach(request) {
        if (running.has(request.attachmentId)) overtaken.add(request.attachmentId);
        if (!overtaken.has(request.attachmentId)) await good.detach(request);
      },
    };
  },

  "restart-info": (good, { number }) => ({
    getInfo: async (request) => ({ ...(await good.getInfo(request)), version: `1.0.${number}` }),
  }),
  "restart-interface": (_good, life) => ({ onStart: () => removeEverything(life) }),
  "restart-list": (good, { memory }) => ({
    list: async (request) =>
      (await good.list(request)).filter(({ attachmentId }) => memory.has(attachmentId)),
  }),
  "restart-attach": (good, { memory, disk }) => ({
    async attach(request, wire) {
      const { attachmentId } = request;
      const isForgotten = disk.attached.has(attachmentId) && !memory.has(attachmentId);
      const answer = await good.attach(request, wire);
      return isForgotten ? { ...answer, routes: [] } : answer;
    },
  }),
  "restart-check": (good, { memory }) => ({
    async check(request) {
      const isKnown = memory.has(request.attachment?.attachmentId ?? "");
      return isKnown ? good.check(request) : [finding("unknown", false)];
    },
  }),
  "restart-detach": forgetfulDetach(
    ({ attachmentId }, { memory, disk }) =>
      disk.attached.has(attachmentId) && !memory.has(attachmentId),
  ),
  "kill-attach-detach": (good, life) => ({
    async attach(request, wire) {
      if (life.number === 1) return good.attach(request, wire);
      await leaveStray(life, request);
      await life.delay(KILL_WINDOW_MS);
      const answer = await good.attach(request, wire);
      await life.kernel.removeLinks([strayOf(request)]);
      return answer;
    },
  }),
  "kill-attach-again": (good, life) => ({
    async attach(request, wire) {
      const { marks } = life.disk;
      if (life.number === 1) return good.attach(request, wire);
      if (marks.has(request.attachmentId)) throw transient("somebody is at it");
      marks.add(request.attachmentId);
      await life.delay(KILL_WINDOW_MS);
      const answer = await good.attach(request, wire);
      marks.delete(request.attachmentId);
      return answer;
    },
  }),
  "kill-detach": (good, life) => ({
    async detach(request) {
      const { marks } = life.disk;
      if (life.number === 1) return good.detach(request);
      if (marks.has(request.attachmentId)) return undefined;
      marks.add(request.attachmentId);
      await life.delay(KILL_WINDOW_MS);
      await good.detach(request);
      marks.delete(request.attachmentId);
      return undefined;
    },
  }),
  "stop-exit": () => ({ onStop: async () => ({ code: 1, signal: null }) }),
  "stop-interface": (good, life) => ({
    async onStop() {
      await removeEverything(life);
      return good.onStop();
    },
  }),
};

/** The whole call is the window, and long enough that one of three shots hits it on a busy machine. */
const KILL_WINDOW_MS = 50;

function withInfo(change: (info: PluginInfo) => Partial<PluginInfo>): Fault {
  return (good) => ({
    async getInfo(request) {
      const info = await good.getInfo(request);
      return { ...info, ...change(info) };
    },
  });
}

function withAnswer(change: (answer: AttachResponse) => AttachResponse): Fault {
  return (good) => ({
    attach: async (request, wire) => change(await good.attach(request, wire)),
  });
}

/** Takes another order than it was given, and checks by that one. */
function withOrder(change: (request: AttachRequest) => Partial<AttachRequest>): Fault {
  const changed = (request: AttachRequest) => ({ ...request, ...change(request) });
  return (good) => ({
    attach: (request, wire) => good.attach(changed(request), wire),
    check: ({ attachment, ...rest }) =>
      good.check({ ...rest, attachment: attachment && changed(attachment) }),
    repairNetwork: ({ attachments, ...rest }) =>
      good.repairNetwork({ ...rest, attachments: attachments.map(changed) }),
  });
}

function refusing(isRefused: (request: AttachRequest, life: Life) => boolean): Fault {
  return (good, life) => ({
    async attach(request, wire) {
      if (isRefused(request, life)) throw transient("not this one");
      return good.attach(request, wire);
    },
  });
}

type DetachOrder = Parameters<TestPlugin["detach"]>[0];

function failingDetach(isFailing: (request: DetachOrder, life: Life) => boolean): Fault {
  return (good, life) => ({
    async detach(request) {
      if (isFailing(request, life)) throw transient("not this one");
      await good.detach(request);
    },
  });
}

function forgetfulDetach(isForgotten: (request: DetachOrder, life: Life) => boolean): Fault {
  return (good, life) => ({
    async detach(request) {
      if (!isForgotten(request, life)) await good.detach(request);
    },
  });
}

function withFindings(
  change: (
    findings: readonly Finding[],
    request: CheckRequest,
    life: Life,
  ) => Promise<readonly Finding[]>,
): Fault {
  return (good, life) => ({
    check: async (request) => change(await good.check(request), request, life),
  });
}

function notMending(isLeft: (findings: readonly Finding[]) => boolean): Fault {
  return (good) => ({
    async check(request) {
      const findings = await good.check({ ...request, repair: false });
      return request.repair && isLeft(findings) ? findings : good.check(request);
    },
  });
}

function has(findings: readonly Finding[], kind: string): boolean {
  return findings.some((each) => each.kind === kind);
}

function finding(kind: string, repaired: boolean): Finding {
  return { kind, object: "eth0", expected: "", found: "", repaired };
}

function isOnly(family: 4 | 6, { addresses }: AttachRequest): boolean {
  const [first, ...others] = addresses;
  return others.length === 0 && first?.address.includes(":") === (family === 6);
}

function isTaken(error: unknown): boolean {
  return error instanceof PluginError && error.kind === "interface-exists";
}

async function isWithoutLink({ kernel }: Life, pod: AttachRequest): Promise<boolean> {
  if (!(await exists(kernel, pod.netns))) return false;
  return (await kernel.findLink(pod.ifname, pod.netns as NetnsPath)) === undefined;
}

async function exists(kernel: Life["kernel"], netns: string): Promise<boolean> {
  return (await kernel.netnsIdentity(netns as NetnsPath)) !== undefined;
}

/** A link on the node that nobody remembers. */
async function leaveStray({ kernel }: Life, request: AttachRequest): Promise<void> {
  const name = strayOf(request);
  const link = { type: "veth", peer: { name: `x${name.slice(1)}` } } as const;
  await kernel.apply([{ operations: [{ kind: "add-link", name, link, ifExists: "keep" }] }]);
}

function strayOf({ attachmentId }: AttachRequest): string {
  return `s${attachmentId.slice(0, 13)}`;
}

async function removeEverything({ kernel, disk }: Life): Promise<void> {
  await kernel.removeLinks([...disk.attached.keys()].map((id) => linkNamesOf(id).hostIfname));
}

function transient(message: string): PluginError {
  return new PluginError("transient", message);
}
