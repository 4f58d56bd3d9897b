import { attachmentIdOf } from "../../src/plugin-host/core/attachment.ts";
import { CLAIMS } from "./extras.ts";
import { actLists } from "./list-actions.ts";
import { changeConfig, PLUGIN_NAMES, type SimNetwork } from "./networks.ts";
import type { SimNode } from "./node.ts";
import { actNodeRanges } from "./node-ranges.ts";
import type { PortCall } from "./port-calls.ts";
import type { Attachment, Pod } from "./runtime.ts";

/** One scheduler action, drawn by the node's rng. */
export async function act(node: SimNode): Promise<void> {
  await node.pass(1);
  if (await actFault(node)) return;
  const { rng } = node;
  if (!node.life && rng.chance(0.1)) return node.startHost();
  const nowMs = node.clock.monotonicMs();
  const ready = node.calls.list.filter((call) => call.notBeforeMs <= nowMs);
  const overdue = ready.find((call) => nowMs - Math.max(call.startedMs, call.notBeforeMs) > 60_000);
  if (overdue) return runCall(node, overdue);
  const next = rng.chance(0.75) ? rng.pick(ready) : undefined;
  if (next) return runCall(node, next);
  if (rng.chance(0.6)) return actRuntime(node);
  return passTime(node, ready.length > 0);
}

/** A port call goes on, in one of the many ways in which it can. */
async function runCall(node: SimNode, call: PortCall): Promise<void> {
  const { rng, profile } = node;
  const { label, owner } = call;
  if (call.isDone) {
    node.note(() => `${label} answers`);
    return call.answer();
  }
  if (rng.chance(profile.late)) {
    const ms = rng.oneOf(500, 5_000, 20_000, 45_000, 100_000);
    call.notBeforeMs = node.clock.monotonicMs() + rng.between(1, ms);
    return node.note(() => `${label} is late`);
  }
  if (rng.chance(profile.crashAtCall)) {
    if (rng.chance(0.5)) await call.work(rng.chance(0.3));
    node.note(() => `${label} is where the host is killed`);
    if (owner === node.life) node.endHost("killed at a call");
    return;
  }
  if (rng.chance(profile.failBefore)) {
    node.note(() => `${label} fails`);
    return call.fail(rng);
  }
  if (rng.chance(profile.failAfter)) {
    node.note(() => `${label} is done and fails`);
    await call.work(rng.chance(0.3));
    return call.fail(rng);
  }
  await call.work();
  if (rng.chance(0.2)) {
    if (rng.chance(profile.late)) {
      call.notBeforeMs = node.clock.monotonicMs() + rng.between(1, 100_000);
    }
    return node.note(() => `${label} is done`);
  }
  node.note(() => `${label} is done and answers`);
  call.answer();
}

async function passTime(node: SimNode, isBusy: boolean): Promise<void> {
  const { rng } = node;
  const ms = isBusy
    ? rng.oneOf(5, 50, 300, 2_000)
    : rng.oneOf(50, 500, 3_000, 10_000, 10_000, 30_000, 90_000);
  const drawn = rng.between(1, ms);
  node.note(() => `${drawn} ms pass`);
  await node.pass(drawn);
}

/** True when something broke (or was mended). */
async function actFault(node: SimNode): Promise<boolean> {
  const { rng, profile, faults, life } = node;
  const say = (what: string): true => {
    node.note(() => what);
    return true;
  };
  if (rng.chance(profile.crash) && life) {
    node.endHost("killed");
    return true;
  }
  if (rng.chance(profile.crashInside) && life) {
    const places = rng.between(1, 15);
    node.armCrash(places);
    return say(`the host will be killed ${places} places on`);
  }
  if (rng.chance(profile.stop) && life && life.stoppingMs === undefined) {
    say("the host is told to stop");
    life.stop();
    return true;
  }
  if (rng.chance(profile.reboot)) {
    await node.reboot();
    return true;
  }
  if (rng.chance(faults.isDiskFull ? 0.02 : profile.diskFull)) {
    faults.isDiskFull = !faults.isDiskFull;
    return say(faults.isDiskFull ? "the disk is full" : "the disk has room");
  }
  if (rng.chance(profile.commitFails) && life) {
    const commits = rng.between(1, 6);
    node.armCommitFailure(commits);
    return say(`a commit fails, ${commits} on`);
  }
  if (rng.chance(faults.isDiskUnsyncable ? 0.02 : profile.flushFails)) {
    faults.isDiskUnsyncable = !faults.isDiskUnsyncable;
    return say(faults.isDiskUnsyncable ? "flushes fail" : "flushes work");
  }
  if (rng.chance(faults.isJournalFull ? 0.02 : profile.journalFull)) {
    faults.isJournalFull = !faults.isJournalFull;
    return say(faults.isJournalFull ? "the journal is not writable" : "the journal is writable");
  }
  if (rng.chance(profile.jumpForward)) return jump(node, rng.between(1, 400_000));
  if (rng.chance(profile.jumpBack)) return jump(node, -rng.between(1, 400_000));
  if (rng.chance(profile.configChange)) {
    const network = rng.pick(node.networks) as SimNetwork;
    changeConfig(rng, profile, network);
    return say(`config of ${network.name}: ${JSON.stringify(network.config)}`);
  }
  if (rng.chance(faults.pluginsGone.size > 0 ? 0.02 : profile.stop)) {
    const name = rng.oneOf(...PLUGIN_NAMES);
    if (faults.pluginsGone.size > 0) faults.pluginsGone.clear();
    else faults.pluginsGone.add(name);
    return say(faults.pluginsGone.size > 0 ? `plugin ${name} is gone` : "all plugins are back");
  }
  if (rng.chance(profile.orphan)) {
    const key = { network: "lost", containerId: `o${rng.next()}`, ifname: "eth0" };
    const id = attachmentIdOf(key);
    node.orphans.set(id, node.clock.monotonicMs());
    await node.world.injectOrphan(id, rng.oneOf(...PLUGIN_NAMES));
    return say(`orphan ${id}`);
  }
  if (rng.chance(profile.claimChange)) {
    const claim = rng.oneOf(...CLAIMS);
    const isThere = node.definitions.claims.delete(claim);
    if (!isThere) node.definitions.claims.add(claim);
    return say(`claim ${claim} ${isThere ? "goes" : "comes"}`);
  }
  const mayErr = ({ attachments }: Pod) =>
    attachments.every((attachment) => mayBeDoubted(node, attachment));
  if (actLists(node, mayErr) || actNodeRanges(node)) return true;
  return actNetns(node);
}

function jump(node: SimNode, ms: number): true {
  node.clock.jump(ms);
  node.ledger.clockJumped(ms);
  node.note(() => `the wall clock jumps ${ms} ms`);
  return true;
}

async function actNetns(node: SimNode): Promise<boolean> {
  const { rng, profile, runtime, faults } = node;
  if (rng.chance(profile.netnsVanishes)) {
    const pod = rng.pick(runtime.pods.filter((other) => other.hasNetns));
    if (!pod) return false;
    pod.fate = rng.chance(0.5) ? "abandoned" : "teardown";
    node.note(() => `the namespace of ${pod.containerId} is gone, its fate is ${pod.fate}`);
    await runtime.removeNetns(pod);
    return true;
  }
  if (!rng.chance(profile.netnsFlaps)) return false;
  const pod = rng.pick(
    runtime.pods.filter(({ attachments }) =>
      attachments.every((attachment) => mayBeDoubted(node, attachment)),
    ),
  );
  if (!pod) return false;
  pod.hasFlapped = true;
  for (const attachment of pod.attachments) attachment.doubtedMs = node.clock.monotonicMs();
  faults.flaps.set(pod.netns, node.clock.monotonicMs() + rng.between(1_000, 40_000));
  node.note(() => `the namespace of ${pod.containerId} cannot be seen for a while`);
  return true;
}

/** Long after the last false witness another one may err. */
function mayBeDoubted({ clock }: SimNode, { doubtedMs }: Attachment): boolean {
  return clock.monotonicMs() - doubtedMs > 200_000;
}

/** Something that a container runtime does of its own accord. */
async function actRuntime(node: SimNode): Promise<void> {
  const { rng, profile, runtime } = node;
  const isLost = rng.chance(profile.lostAnswer * 10);
  const waiting = isLost ? rng.pick([...runtime.calls].filter((call) => !call.isLost)) : undefined;
  if (waiting) {
    const isJournaled = waiting.verb === "DEL" && rng.chance(0.6) && !node.faults.isJournalFull;
    node.note(() => `nobody waits for call ${waiting.number} any more`);
    return runtime.lose(waiting, isJournaled);
  }
  const network = rng.pick(node.networks) as SimNetwork;
  if (rng.chance(profile.gc * 8)) return actGc(node, network);
  if (rng.chance(0.02)) return runtime.status(network);
  const draw = rng.below(100);
  if (draw < 35) return startPod(node, network);
  const pod = rng.pick(runtime.pods);
  if (draw < 40 || !pod) return actOnGone(node);
  if (pod.fate === "teardown") return tearDown(node, pod);
  if (pod.fate === "lost") {
    // Somebody cleans up after the runtime, sooner or later.
    if (rng.chance(0.02)) pod.fate = "abandoned";
    return;
  }
  if (pod.fate === "abandoned") {
    if (runtime.isBusy(pod)) return;
    await runtime.removeNetns(pod);
    if (rng.chance(0.5)) pod.fate = "teardown";
    else runtime.bury(pod);
    return;
  }
  const attachment = rng.pick(pod.attachments) as Attachment;
  if (attachment.phase === "deleted" && node.life?.isReady) return runtime.add(attachment);
  if (attachment.phase !== "up") return;
  if (rng.chance(profile.reload * 20) && !runtime.isBusy(pod)) {
    return runtime.del(attachment, pod.netns);
  }
  if (rng.chance(profile.recreate * 20) && !runtime.isBusy(pod)) return recreate(node, pod);
  if (node.extras.length > 0 && rng.chance(profile.plugs)) return actPlug(node, attachment);
  if (draw < 55) return runtime.check(attachment);
  if (draw < 65 || rng.chance(profile.repeats)) return runtime.addAgain(attachment);
  if (runtime.pods.length < profile.podsMax && rng.chance(0.5)) return;
  pod.fate = "teardown";
  return tearDown(node, pod);
}

async function startPod(node: SimNode, network: SimNetwork): Promise<void> {
  const { rng, profile, runtime } = node;
  if (runtime.pods.length >= profile.podsMax) return;
  const networks = [network];
  const second = rng.pick(node.networks.filter((other) => other !== network));
  if (second && rng.chance(profile.secondNetwork)) networks.push(second);
  const requested = rng.chance(profile.requested)
    ? `10.${100 + network.index * 2}.0.${rng.between(1, 12)}`
    : undefined;
  const pod = runtime.newPod(networks, requested, drawAsked(node));
  const first = pod.attachments[0] as Attachment;
  if (rng.chance(0.02)) runtime.del(first, "");
  await runtime.makeNetns(pod);
  if (first.phase !== "deleting") runtime.add(first);
}

/** A running pod gets a network more, or loses one. */
function actPlug(node: SimNode, primary: Attachment): void {
  const { rng, runtime } = node;
  if (primary !== primary.pod.attachments[0]) return;
  const standing = [...primary.asked, ...primary.plugged].filter(
    ({ phase, isLiving }) => phase === "up" && isLiving,
  );
  const unplugged = rng.chance(0.4) ? rng.pick(standing) : undefined;
  if (unplugged) return runtime.unplug(unplugged);
  if (primary.plugged.length >= 6) return;
  runtime.plug(primary, rng.pick(node.extras) as SimNetwork, drawClaim(node));
}

function drawClaim({ rng, profile }: SimNode): string | undefined {
  return rng.chance(profile.claims) ? rng.oneOf(...CLAIMS) : undefined;
}

/** Each network at most once, in any order. */
function drawAsked(node: SimNode) {
  const { rng, profile, extras } = node;
  if (extras.length === 0 || !rng.chance(profile.asks)) return [];
  return extras
    .filter(() => rng.chance(0.6))
    .map((network) => ({ network, claim: drawClaim(node) }))
    .sort(() => (rng.chance(0.5) ? 1 : -1));
}

/** One step on the way of a pod to its end. */
async function tearDown(node: SimNode, pod: Pod): Promise<void> {
  const { rng, profile, runtime } = node;
  if (runtime.isBusy(pod)) return;
  if (pod.hasNetns && rng.chance(profile.netnsFirst)) await runtime.removeNetns(pod);
  const left = pod.attachments.findLast(
    ({ phase }) => phase !== "deleted" && (phase !== "idle" || rng.chance(0.1)),
  );
  if (left) return runtime.del(left, pod.hasNetns || rng.chance(0.5) ? pod.netns : "");
  if (pod.hasNetns) await runtime.removeNetns(pod);
  runtime.bury(pod);
}

/** The sandbox is made anew in place: another namespace under the same path. */
async function recreate(node: SimNode, pod: Pod): Promise<void> {
  node.note(() => `the namespace of ${pod.containerId} is made anew`);
  await node.runtime.removeNetns(pod);
  await node.runtime.makeNetns(pod);
  for (const attachment of pod.attachments) attachment.phase = "idle";
  node.runtime.add(pod.attachments[0] as Attachment);
}

/** Calls for pods that are gone, or that never were. */
async function actOnGone(node: SimNode): Promise<void> {
  const { rng, profile, runtime } = node;
  const pod = rng.pick(runtime.gone);
  const attachment = rng.pick(pod?.attachments ?? []);
  if (!pod || !attachment) return;
  if (!rng.chance(profile.stray * 30)) {
    return runtime.del(attachment, rng.oneOf("", pod.netns));
  }
  node.note(() => `a late ADD for ${pod.containerId}`);
  runtime.gone.splice(runtime.gone.indexOf(pod), 1);
  runtime.pods.push(pod);
  pod.fate = "abandoned";
  if (rng.chance(0.7)) await runtime.makeNetns(pod);
  runtime.add(attachment);
}

function actGc(node: SimNode, network: SimNetwork): void {
  const { rng, profile, runtime, clock } = node;
  const valid = runtime.validOf(network);
  if (!rng.chance(profile.gcWrong)) return runtime.gc(network, valid);
  if (rng.chance(0.4)) {
    // A runtime that is slow between making its list and handing it over.
    node.staleList ??= { network, valid, atMs: clock.monotonicMs() };
    return;
  }
  const stale = node.staleList;
  node.staleList = undefined;
  const isUsable = stale?.network === network && clock.monotonicMs() - stale.atMs < 30_000;
  const listed = new Set(isUsable ? stale.valid : valid.filter(() => rng.chance(0.6)));
  const omitted = valid.filter((attachment) => !listed.has(attachment));
  for (const attachment of omitted) {
    if (attachment.isOmitted || !mayBeDoubted(node, attachment)) listed.add(attachment);
    else {
      attachment.isOmitted = true;
      attachment.doubtedMs = clock.monotonicMs();
    }
  }
  node.note(() => `a ${isUsable ? "stale" : "wrong"} GC list leaves out ${omitted.length}`);
  runtime.gc(network, [...listed]);
}
