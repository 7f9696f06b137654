import { addressToBytes, bytesToAddress } from '../address/addressBytes.ts'
import type { BNode } from '../bencode/bNode.ts'
import type { Entry } from '../bencode/entry.ts'
import { concatBytes, fromHex, latin1 } from '../util/bytes.ts'
import { isContactable } from './contactFilter.ts'
import { NodeContact } from './nodeContact.ts'
import { NODE_ID_SIZE } from './nodeDistance.ts'

/** Nodes read from a saved state; a table has fewer. */
const MAX_NODES = 2000
const MAX_IDS = 100

/** What is kept from one run to the next (libtorrent `dht_state`): ids by local address, and nodes to begin with. */
export interface DhtState {
  /** `address` null: of any of our addresses (the format of libtorrent before 1.2). */
  readonly nodeIds: readonly { readonly address: string | null; readonly id: Uint8Array }[]
  readonly nodes: readonly NodeContact[]
  readonly nodes6: readonly NodeContact[]
}

export const emptyDhtState: DhtState = { nodeIds: [], nodes: [], nodes6: [] }

/** The value of `dht state` in a session's saved state. */
export function writeDhtState(state: DhtState): Entry {
  const compact = (nodes: readonly NodeContact[]) => (nodes.length === 0 ? undefined : nodes.map((n) => n.compact))
  const nodeIds: Uint8Array[] = []
  for (const { address, id } of state.nodeIds) {
    const bytes = address === null ? null : addressToBytes(address)
    if (bytes !== null) nodeIds.push(concatBytes(id, bytes))
  }
  return { 'node-id': nodeIds, nodes: compact(state.nodes), nodes6: compact(state.nodes6) }
}

/** Reads it; what is malformed is left out. Also the older forms of `node-id`: one id, as 20 bytes or as hexadecimal. */
export function readDhtState(node: BNode | null): DhtState {
  if (node === null || node.type !== 'dict') return emptyDhtState
  return {
    nodeIds: readIds(node.get('node-id')),
    nodes: readNodes(node.getList('nodes')),
    nodes6: readNodes(node.getList('nodes6')),
  }
}

function readIds(node: BNode | null): DhtState['nodeIds'] {
  const single = node?.asString()
  if (single !== null && single !== undefined) {
    const id = single.length === NODE_ID_SIZE * 2 ? fromHex(latin1(single)) : single
    return id !== null && id.length === NODE_ID_SIZE ? [{ address: null, id: id.slice() }] : []
  }
  const ids: { address: string | null; id: Uint8Array }[] = []
  if (node?.type !== 'list') return ids
  for (const item of node) {
    const bytes = item.asString()
    if (bytes === null || (bytes.length !== NODE_ID_SIZE + 4 && bytes.length !== NODE_ID_SIZE + 16)) continue
    ids.push({ address: bytesToAddress(bytes.subarray(NODE_ID_SIZE)), id: bytes.slice(0, NODE_ID_SIZE) })
    if (ids.length >= MAX_IDS) break
  }
  return ids
}

function readNodes(list: BNode | null): NodeContact[] {
  const nodes: NodeContact[] = []
  if (list === null) return nodes
  for (const item of list) {
    const bytes = item.asString()
    if (bytes === null || (bytes.length !== 6 && bytes.length !== 18) || !isContactable(bytes)) continue
    nodes.push(new NodeContact(bytes.slice()))
    if (nodes.length >= MAX_NODES) break
  }
  return nodes
}
