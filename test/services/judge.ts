/** Holds one cell of semantics.ts against real packets. */
import { ANSWER_MS, describeResult, dialOf, DROP_MS, type Lab } from "./lab.ts";
import { placeOf } from "./objects.ts";
import type { DialResult, Transport } from "./protocol.ts";
import {
  type Cell,
  describeCell,
  type EndpointName,
  type Expectation,
  expectationOf,
  type Source,
} from "./semantics.ts";
import { type ActorName, ADDRESSES, LOCAL_PORT, nodeAddresses, REMOTE_PORT } from "./topology.ts";

/** Dials in which each of three endpoints fails to show up once in 10^8 times. */
const SURVEY_DIALS = 48;
const MUTE_DIALS = 6;
const REFUSAL_MS = 2000;

/** A sentence when the cell is not as expected. */
export async function findWrong(lab: Lab, cell: Cell): Promise<string[]> {
  const expected = expectationOf(cell);
  const wrong = await findDifference(lab, { cell, expected });
  return wrong === undefined
    ? []
    : [`${describeCell(cell)}: expected ${describeExpectation(expected)}, got ${wrong}`];
}

async function findDifference(
  lab: Lab,
  { cell, expected }: { readonly cell: Cell; readonly expected: Expectation },
): Promise<string | undefined> {
  const actor = lab.actor(actorOf(cell.source));
  const transport = cell.protocol as Transport;
  const place = placeOf(cell);
  switch (expected.kind) {
    case "forward": {
      if (expected.mute.length > 0) return await findMuteDifference(lab, { cell, expected });
      const { results } = await actor.call("survey", {
        dial: dialOf(transport, place, ANSWER_MS),
        distinct: expected.endpoints.length,
        most: SURVEY_DIALS,
      });
      const seen = results.map((result) => nameAnswer(result, cell)).sort();
      const wanted = expected.endpoints.map(({ name, peer }) => `${name} saw ${peer}`).sort();
      return String(seen) === String(wanted) ? undefined : seen.join(", ");
    }
    case "reject": {
      const result = await actor.dial(dialOf(transport, place, REFUSAL_MS));
      return result.kind === "refused" ? undefined : describeResult(result);
    }
    case "drop": {
      const result = await actor.dial(dialOf(transport, place, DROP_MS));
      return result.kind === "timeout" ? undefined : describeResult(result);
    }
  }
}

/** Some endpoints cannot be heard: the others answer, and nobody else does. */
async function findMuteDifference(
  lab: Lab,
  { cell, expected }: { readonly cell: Cell; readonly expected: Expectation & { kind: "forward" } },
): Promise<string | undefined> {
  const dial = dialOf(cell.protocol as Transport, placeOf(cell), DROP_MS);
  const actor = lab.actor(actorOf(cell.source));
  const results = await Promise.all(Array.from({ length: MUTE_DIALS }, () => actor.dial(dial)));
  const audible = expected.endpoints
    .filter(({ name }) => !expected.mute.includes(name))
    .map(({ name, peer }) => `${name} saw ${peer}`);
  const seen = results
    .filter(({ kind }) => kind !== "timeout")
    .map((result) => nameAnswer(result, cell));
  if (audible.length > 0 && seen.length === 0) return "nobody";
  return seen.find((name) => !audible.includes(name));
}

/** Refusals that took longer than the limit in each of three dials. */
export async function findSlow(
  lab: Lab,
  cells: readonly Cell[],
  limitMs: number,
): Promise<string[]> {
  const slow: string[] = [];
  for (const cell of cells) {
    if (expectationOf(cell).kind !== "reject") continue;
    // A few are enough to know that something is wrong, and each takes its time.
    if (slow.length >= 5) break;
    const dial = dialOf(cell.protocol as Transport, placeOf(cell), REFUSAL_MS);
    let bestMs = Number.POSITIVE_INFINITY;
    for (let attempt = 0; attempt < 3 && bestMs > limitMs; attempt++) {
      const result = await lab.actor(actorOf(cell.source)).dial(dial);
      if (result.kind === "refused") bestMs = Math.min(bestMs, result.ms);
    }
    if (bestMs > limitMs) slow.push(`${describeCell(cell)}: ${bestMs.toFixed(0)} ms`);
  }
  return slow;
}

let nextSourcePort = 2000;

/** As findWrong, with INIT chunks that raw sockets in the pods see arrive. */
export async function findWrongSctp(lab: Lab, cell: Cell): Promise<string[]> {
  const expected = expectationOf(cell);
  const pods = ["local-1", "local-2", "remote-1"] as const;
  const actor = lab.actor(actorOf(cell.source));
  const send = (waitMs: number) =>
    actor.call("sendInit", { ...placeOf(cell), sourcePort: nextSourcePort++, waitMs });
  const take = async (): Promise<string[]> => {
    const all = await Promise.all(
      pods.map(async (name) => {
        const { inits } = await lab.actor(name).call("takeInits", {});
        const own = name === "remote-1" ? REMOTE_PORT : LOCAL_PORT;
        return inits.map(({ source, port }) =>
          port === own ? `${name} saw ${namePeer(source, cell)}` : `${name} at port ${port}`,
        );
      }),
    );
    return [...new Set(all.flat())].sort();
  };
  const say = (what: string) => [
    `${describeCell(cell)}: expected ${describeExpectation(expected)}, got ${what}`,
  ];

  if (expected.kind === "forward") {
    const wanted = expected.endpoints.map(({ name, peer }) => `${name} saw ${peer}`).sort();
    const seen = new Set<string>();
    for (let round = 0; round < 8 && seen.size < wanted.length; round++) {
      await Promise.all(Array.from({ length: 6 }, () => send(10)));
      for (const name of await take()) seen.add(name);
    }
    const names = [...seen].sort();
    return String(names) === String(wanted) ? [] : say(names.join(", ") || "nobody");
  }
  const result = await send(expected.kind === "reject" ? REFUSAL_MS : DROP_MS / 2);
  const seen = await take();
  const wanted = expected.kind === "reject" ? "refused" : "timeout";
  return result.kind === wanted && seen.length === 0
    ? []
    : say([describeResult(result), ...seen].join(", "));
}

function actorOf(source: Source): ActorName {
  if (source === "endpoint-pod") return "local-1";
  return source === "node-process" ? "node-a" : source;
}

/** "local-1 saw node"; what is not as it should be is spelt out. */
function nameAnswer(result: DialResult, cell: Cell): string {
  if (result.kind !== "answer") return describeResult(result);
  const name = (["local-1", "local-2", "remote-1"] as const).find(
    (name) => result.own === ADDRESSES[name][cell.family] && result.ownPort === portOf(name),
  );
  return `${name ?? `${result.own}:${result.ownPort}`} saw ${namePeer(result.peer, cell)}`;
}

function portOf(name: EndpointName): number {
  return name === "remote-1" ? REMOTE_PORT : LOCAL_PORT;
}

function namePeer(peer: string, cell: Cell): string {
  if (nodeAddresses(cell.family).includes(peer)) return "node";
  return peer === ADDRESSES[actorOf(cell.source)][cell.family] ? "source" : peer;
}

function describeExpectation(expected: Expectation): string {
  if (expected.kind !== "forward") return expected.kind;
  return expected.endpoints.map(({ name, peer }) => `${name} saw ${peer}`).join(", ");
}
