/**
 * The lookup table of Maglev hashing (Eisenbud et al., "Maglev: A Fast and Reliable Software Network
 * Load Balancer", NSDI 2016, 3.4): each endpoint fills slots in an order of its own, in turns, until
 * all are taken; a change of one endpoint moves few slots of the others. Depends on nothing but its input, so that
 * every node fills the same table. Weights give an endpoint as many turns.
 *
 * @param endpoints sorted by name; weights at least 1
 * @param size a prime, larger than the number of endpoints
 * @returns index of the endpoint for each slot
 */
export function maglevTable(
  endpoints: readonly { readonly name: string; readonly weight: number }[],
  size: number,
): Uint32Array {
  const table = new Uint32Array(size).fill(EMPTY);
  const orders = endpoints.map(({ name }) => ({
    next: hash(name, 0x9e37_79b9) % size,
    skip: (hash(name, 0x85eb_ca6b) % (size - 1)) + 1,
  }));
  for (let filled = 0; filled < size; ) {
    for (const [index, order] of orders.entries()) {
      const turns = endpoints[index]?.weight ?? 1;
      for (let turn = 0; turn < turns && filled < size; turn++) {
        while (table[order.next] !== EMPTY) order.next = (order.next + order.skip) % size;
        table[order.next] = index;
        filled++;
      }
      if (filled === size) break;
    }
  }
  return table;
}

const EMPTY = 0xffff_ffff;

/** FNV-1a with a finish of MurmurHash3: the same in every version, which is all that matters. */
function hash(text: string, seed: number): number {
  let value = 0x811c_9dc5 ^ seed;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x0100_0193);
  }
  value = Math.imul(value ^ (value >>> 16), 0x85eb_ca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2_ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
