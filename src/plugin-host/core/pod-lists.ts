import { LIMITS } from "../limits.ts";
import type { AttachmentRecord } from "./attachment.ts";
import type { HostContext } from "./context.ts";
import { withDeadline } from "./deadline.ts";
import type { Witness } from "./leak-watch.ts";
import type { PodTestimony } from "./ports.ts";

/** What this process has seen of an attachment as it stands now. */
interface Sighting {
  /** Monotonic: neither a jump of the wall clock nor a restart makes it old. */
  readonly sinceMs: number;
  /** Lists that had it, with the life of who gave the last of them. */
  readonly hadBy: Map<Witness, string>;
}

/** By record: one that is asked for again is another record, and begins anew. */
export type Sightings = WeakMap<AttachmentRecord, Sighting>;

/** What lists of pods say against attachments; nothing for those that are no matter of theirs. */
export type PodWords = ReadonlyMap<AttachmentRecord, readonly Witness[]>;

/**
 * Asks the runtime and the API server which pods there are, and takes back what they said before of those
 * that they have. The records must have stood before the call: a list that was begun earlier than
 * an ADD was answered cannot have its pod. Words hold for records: one that was asked for again meanwhile is another.
 */
export async function askPodLists(
  context: HostContext,
  records: readonly AttachmentRecord[],
): Promise<PodWords> {
  const { clock } = context.ports;
  const nowMs = clock.monotonicMs();
  const sightings = records.map((record) => [record, seeRecord(context, record, nowMs)] as const);
  const testimonies = await ask(context);
  const words = new Map<AttachmentRecord, Witness[]>();
  for (const testimony of testimonies) {
    const { witness } = testimony;
    const had = new Set(records.filter((record) => testimony.has(record)));
    for (const [record, sighting] of sightings) {
      if (had.has(record)) {
        sighting.hadBy.set(witness, testimony.life);
        context.leaks.clear(record.id, witness);
      } else if (testimony.isSettled && isItsMatter(record, sighting, { testimony, had, nowMs })) {
        words.set(record, [...(words.get(record) ?? []), witness]);
      }
    }
  }
  return words;
}

function seeRecord(context: HostContext, record: AttachmentRecord, nowMs: number): Sighting {
  const known = context.sightings.get(record);
  if (known) return known;
  const sighting = { sinceMs: nowMs, hadBy: new Map<Witness, string>() };
  context.sightings.set(record, sighting);
  return sighting;
}

/** Who cannot be asked says nothing: namespaces are judged without. */
async function ask({ ports }: HostContext): Promise<readonly PodTestimony[]> {
  const limitMs = LIMITS.podWitnessesMs;
  const what = "Asking which pods there are";
  try {
    return await withDeadline(ports.podWitnesses.ask(), { clock: ports.clock, limitMs, what });
  } catch {
    return [];
  }
}

/**
 * A list that had an attachment means something when it no longer does. Of a runtime that came back since,
 * only if it has others of this host's: it may have lost everything, or be another one. One that never had it may be
 * another runtime's, the attachment no pod's (nerdctl, podman), or its sandbox in the making: runtimes list a
 * sandbox after its ADD, and kubelet lets that take four minutes. So it counts of pods only, late, and
 * by a list that has others of this host's.
 */
function isItsMatter(
  { request }: AttachmentRecord,
  { sinceMs, hadBy }: Sighting,
  now: {
    readonly testimony: PodTestimony;
    readonly had: ReadonlySet<AttachmentRecord>;
    readonly nowMs: number;
  },
): boolean {
  const { witness, life } = now.testimony;
  if (hadBy.get(witness) === life) return true;
  if (now.had.size === 0) return false;
  if (hadBy.has(witness)) return true;
  const isPod = (request.pod?.uid ?? "") !== "";
  return isPod && now.nowMs - sinceMs >= LIMITS.podListedMs;
}
