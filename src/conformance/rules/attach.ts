import { formatAddress, parsePrefix } from "../../ip/address.ts";
import type { AttachRequest, AttachResponse } from "../../plugin-sdk/network-plugin.ts";
import type { Bench } from "../bench.ts";
import { lookForDefaultRoutes } from "../kernel-look.ts";
import { expectEqual, expectThat, type RuleGroup, Violation } from "../rule.ts";

/** Longest name of a link: IFNAMSIZ less the closing zero, linux/if.h. */
const LONGEST_IFNAME = "conformance-net";

const MAC = "02:c0:4f:00:00:01";
const MTU = 1400;

/** TEST-NET-2 and the documentation prefix: routes that nothing else wants. RFC 5737, RFC 3849. */
const ROUTES = { 4: "198.51.100.0/24", 6: "2001:db8:51::/64" } as const;

/** What Attach makes of each wish, as the kernel holds it. */
export const attachRules: RuleGroup = {
  name: "attach",
  rules: [
    {
      id: "attach-interface",
      sentence:
        "Attach makes an interface of the name asked for in the pod's namespace, and sets it up",
      async check(bench) {
        const { pod } = await bench.attachedPod();
        const { link } = await bench.lookInside(pod);
        expectEqual(`${pod.ifname} is up`, true, link.up);
      },
    },
    {
      id: "attach-answer",
      sentence:
        "The answer names that interface with the pod's namespace, and MAC and MTU as the kernel has them",
      after: ["attach-interface"],
      async check(bench) {
        const { pod, answer } = await bench.attachedPod();
        const { link } = await bench.lookInside(pod);
        const { mac, mtu } = findInterface(pod, answer);
        if (mac !== "") expectEqual("mac", link.mac, mac);
        if (mtu !== 0) expectEqual("mtu", link.mtu, mtu);
      },
    },
    {
      id: "attach-answer-addresses",
      sentence: "Every address of the answer is on the interface that its index names",
      after: ["attach-answer"],
      async check(bench) {
        const { pod, answer } = await bench.attachedPod();
        const { addresses } = await bench.lookInside(pod);
        for (const { address, interfaceIndex } of answer.addresses) {
          const place = answer.interfaces[interfaceIndex];
          expectThat(place !== undefined, `${address}: no interface has index ${interfaceIndex}`);
          if (place.name !== pod.ifname || place.sandbox !== pod.netns) continue;
          expectThat(
            addresses.includes(address),
            `${address}: answered, but ${pod.ifname} has ${JSON.stringify(addresses)}`,
          );
        }
      },
    },
    {
      id: "attach-addresses",
      sentence: "Attach sets the addresses that the host allocated, and answers them",
      after: ["attach-answer-addresses"],
      needs: { addresses: true },
      async check(bench) {
        await expectExactly(bench, await bench.pod());
      },
    },
    {
      id: "attach-ipv4-only",
      sentence: "A pod with an IPv4 address alone has that one",
      after: ["attach-addresses"],
      needs: { families: [4] },
      async check(bench) {
        await expectExactly(bench, await ofFamily(bench, 4));
      },
    },
    {
      id: "attach-ipv6-only",
      sentence: "A pod with an IPv6 address alone has that one",
      after: ["attach-addresses"],
      needs: { families: [6] },
      async check(bench) {
        await expectExactly(bench, await ofFamily(bench, 6));
      },
    },
    {
      id: "attach-no-addresses",
      sentence: "A pod without addresses of the host's is attached, and keeps none of a pod before",
      after: ["attach-answer-addresses"],
      needs: { addresses: true },
      async check(bench) {
        const pod = await bench.pod({ addresses: [] });
        const answer = await bench.attachUnlessRefused(pod);
        const { addresses } = await bench.lookInside(pod);
        const answered = answer.addresses.map(({ address }) => address).toSorted();
        expectEqual("addresses", answered, addresses);
      },
    },
    {
      id: "attach-mac",
      sentence: "The interface has the MAC address asked for, and the answer says so",
      after: ["attach-answer"],
      async check(bench) {
        const pod = await bench.pod({ mac: MAC });
        const answer = await bench.attachUnlessRefused(pod);
        expectEqual("mac in the kernel", MAC, (await bench.lookInside(pod)).link.mac);
        expectEqual("mac in the answer", MAC, findInterface(pod, answer).mac);
      },
    },
    {
      id: "attach-mtu",
      sentence: "The interface has the MTU asked for, and the answer says so",
      after: ["attach-answer"],
      async check(bench) {
        const pod = await bench.pod({ mtu: MTU });
        const answer = await bench.attachUnlessRefused(pod);
        expectEqual("mtu in the kernel", MTU, (await bench.lookInside(pod)).link.mtu);
        expectEqual("mtu in the answer", MTU, findInterface(pod, answer).mtu);
      },
    },
    {
      id: "attach-default-route",
      sentence: "Each family whose address has a gateway gets a default route by it",
      after: ["attach-addresses"],
      needs: { addresses: true },
      async check(bench) {
        const { pod } = await bench.attachedPod();
        const expected = pod.addresses.map(
          ({ gateway }) => `${gateway.includes(":") ? "::/0" : "0.0.0.0/0"} via ${gateway}`,
        );
        const found = await lookForDefaultRoutes(bench.kernel, pod.netns);
        expectEqual("default routes", expected.toSorted(), found);
      },
    },
    {
      id: "attach-no-default-route",
      sentence: "DEFAULT_ROUTE_NONE: no default route, and the addresses all the same",
      after: ["attach-addresses"],
      needs: { addresses: true },
      async check(bench) {
        const pod = await bench.pod({ defaultRoute: "DEFAULT_ROUTE_NONE" });
        await expectExactly(bench, pod);
        expectEqual("default routes", [], await lookForDefaultRoutes(bench.kernel, pod.netns));
      },
    },
    {
      id: "attach-routes",
      sentence:
        "Routes asked for lead by the interface, by the family's gateway where they name none",
      after: ["attach-addresses"],
      needs: { addresses: true },
      async check(bench) {
        const pod = await podWithRoutes(bench);
        await bench.attach(pod);
        const { routes } = await bench.lookInside(pod);
        for (const text of routesOf(pod)) {
          expectThat(
            routes.includes(text),
            `expected route ${text}, found ${JSON.stringify(routes)}`,
          );
        }
      },
    },
    {
      id: "attach-long-name",
      sentence: "An interface may have a name of 15 characters",
      after: ["attach-interface"],
      async check(bench) {
        const { pod } = await bench.attachedPod({ ifname: LONGEST_IFNAME });
        await bench.lookInside(pod);
      },
    },
    {
      id: "attach-second",
      sentence: "A pod may have two attachments of one network, by interfaces of other names",
      after: ["attach-interface"],
      needs: { attachments: 2 },
      async check(bench) {
        const first = await bench.pod();
        const { netns, sandboxId } = first;
        const second = await bench.pod({
          netns,
          sandboxId,
          ifname: "net1",
          defaultRoute: "DEFAULT_ROUTE_NONE",
        });
        await bench.attach(first);
        const before = await bench.lookInside(first);
        await bench.attachUnlessRefused(second);
        await bench.lookInside(second);
        expectEqual("eth0 after net1 came", before, await bench.look(first));
      },
    },
    {
      id: "attach-unknown-fields",
      sentence: "Fields that a newer host sends are ignored",
      after: ["attach-interface"],
      async check(bench) {
        const pod = await bench.pod();
        await bench.life.probe.attachFromNewerHost(pod);
        await bench.lookInside(pod);
      },
    },
  ],
};

/** A pod whose order names a route for each family. */
export async function podWithRoutes(bench: Bench): Promise<AttachRequest> {
  const routes = bench.options.pools.map(({ family }) => ({
    destination: ROUTES[family],
    gateway: "",
    mtu: 0,
    advmss: 0,
    priority: 0,
    table: 0,
    scope: 0,
  }));
  return bench.pod({ routes });
}

/** The routes of podWithRoutes() as the kernel has them. */
export function routesOf(pod: AttachRequest): string[] {
  return pod.addresses.map(({ address, gateway }) => {
    const { family } = parsePrefix(address);
    return `${ROUTES[family]} via ${gateway}`;
  });
}

async function ofFamily(bench: Bench, family: 4 | 6): Promise<AttachRequest> {
  const pod = await bench.pod();
  const addresses = pod.addresses.filter(({ address }) => parsePrefix(address).family === family);
  return Object.assign(pod, { addresses });
}

/** Attaches, and holds kernel and answer to the addresses of the order; prefix lengths are the plugin's. */
async function expectExactly(bench: Bench, pod: AttachRequest): Promise<void> {
  const answer = await bench.attachUnlessRefused(pod);
  const expected = bareAddresses(pod.addresses.map(({ address }) => address));
  const { addresses } = await bench.lookInside(pod);
  expectEqual("addresses in the kernel", expected, bareAddresses(addresses));
  const answered = answer.addresses.map(({ address }) => address);
  expectEqual("addresses in the answer", expected, bareAddresses(answered));
}

/** Without prefix lengths, in the canonical form, sorted. */
function bareAddresses(addresses: readonly string[]): string[] {
  return addresses.map((text) => formatAddress(readPrefix(text))).toSorted();
}

function readPrefix(text: string): ReturnType<typeof parsePrefix> {
  try {
    return parsePrefix(text);
  } catch (error) {
    throw new Violation((error as Error).message);
  }
}

function findInterface(
  pod: AttachRequest,
  answer: AttachResponse,
): AttachResponse["interfaces"][number] {
  const found = answer.interfaces.find(
    ({ name, sandbox }) => name === pod.ifname && sandbox === pod.netns,
  );
  const names = answer.interfaces.map(({ name, sandbox }) => `${name} in ${sandbox || "the node"}`);
  expectThat(
    found !== undefined,
    `interfaces: expected ${pod.ifname} in ${pod.netns}, found ${JSON.stringify(names)}`,
  );
  return found;
}
