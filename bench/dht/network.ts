/**
 * The network of the DHT bench: nodes of ours on 127.0.0.1, which know one another as after hours, and items that are
 * stored where they belong. Usage: tsx network.ts NODES ITEMS. Tells where some of its nodes are; ends with its standard input.
 */

import { OurDht } from '../../interop/clients/ourDht.ts'
import { bencode } from '../../packages/engine/src/bencode/bencode.ts'
import { immutableTarget } from '../../packages/engine/src/dht/mutableItem.ts'
import { contactOf } from '../../packages/engine/src/dht/nodeContact.ts'
import { compareDistance } from '../../packages/engine/src/dht/nodeDistance.ts'
import { compareBytes } from '../../packages/engine/src/util/bytes.ts'
import { itemText } from './items.ts'

const [numNodes, numItems] = process.argv.slice(2).map(Number)
const KNOWN = 60
const NEIGHBOURS = 8
/** Nodes the client is told of. */
const NAMED = 50

const nodes: OurDht[] = []
for (let i = 0; i < numNodes; i++) nodes.push(await OurDht.start())
nodes.sort((a, b) => compareBytes(a.node.ownId, b.node.ownId))
const contacts = nodes.map(({ endpoint }) => contactOf(endpoint)!)
for (const [self, { node }] of nodes.entries()) {
  const know = (other: number) => {
    const at = (other + numNodes) % numNodes
    if (at !== self) node.table.nodeSeen(nodes[at].node.ownId, contacts[at], 1)
  }
  for (let d = 1; d <= NEIGHBOURS; d++) for (const other of [self + d, self - d]) know(other)
  for (let k = 0; k < KNOWN; k++) know(Math.floor(Math.random() * numNodes))
}
for (let i = 0; i < numItems; i++) {
  const value = bencode(itemText(i))
  const target = immutableTarget(value)
  const closest = [...nodes].sort((a, b) => compareDistance(a.node.ownId, b.node.ownId, target)).slice(0, NEIGHBOURS)
  for (const { dht } of closest) dht.storage.putImmutableItem(target, value, new Uint8Array(4))
}
process.stdin.on('end', () => process.exit(0)).resume()
console.log(JSON.stringify({ event: 'ready' }))
const ports = nodes.map(({ endpoint }) => endpoint.port)
console.log(JSON.stringify({ event: 'network', ports: ports.filter((_, i) => i % Math.ceil(numNodes / NAMED) === 0) }))
