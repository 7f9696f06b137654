import { NODE_ID_SIZE } from './nodeDistance.ts'

const id = new Uint8Array(NODE_ID_SIZE)
const compact4 = new Uint8Array(6)
const compact6 = new Uint8Array(18)

/**
 * Calls `visit` with each node of a `nodes` (`size` 26) or `nodes6` (38) string, up to `limit`; none when the string is
 * not made of whole ones (BEP 5, BEP 32). Both arrays are used again for the next node: copy what stays.
 */
export function forEachCompactNode(
  nodes: Uint8Array,
  size: number,
  limit: number,
  visit: (id: Uint8Array, compact: Uint8Array) => void,
): void {
  if (nodes.length % size !== 0) return
  const compact = size === NODE_ID_SIZE + 6 ? compact4 : compact6
  const end = Math.min(nodes.length, limit * size)
  for (let at = 0; at < end; at += size) {
    for (let i = 0; i < NODE_ID_SIZE; i++) id[i] = nodes[at + i]
    for (let i = 0; i < compact.length; i++) compact[i] = nodes[at + NODE_ID_SIZE + i]
    visit(id, compact)
  }
}
