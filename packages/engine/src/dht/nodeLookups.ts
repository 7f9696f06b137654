import { decodeCompactEndpoint } from '../address/compactEndpoint.ts'
import type { Endpoint } from '../address/endpoint.ts'
import { bencode } from '../bencode/bencode.ts'
import type { BNode } from '../bencode/bNode.ts'
import { type Entry, entryDict } from '../bencode/entry.ts'
import type { Seconds } from '../util/flavored.ts'
import type { DhtNode } from './dhtNode.ts'
import { GetImmutableLookup, GetMutableLookup } from './getItemLookup.ts'
import { type GetPeersHandler, GetPeersLookup, type GetPeersOptions, PrivateGetPeersLookup } from './getPeersLookup.ts'
import type { KrpcWriter } from './krpcWriter.ts'
import type { MutableItem } from './mutableItem.ts'
import type { NodeContact } from './nodeContact.ts'
import { NODE_ID_SIZE } from './nodeDistance.ts'
import type { QueryBody } from './requestManager.ts'
import { WriteBatch } from './writeBatch.ts'

/**
 * What one node can be asked to do: each starts a lookup or sends a request, and calls back once it is over. `Dht` asks
 * all its nodes and joins their results.
 */

/** BEP 51: intervals are at most six hours. */
const MAX_SAMPLE_INTERVAL: Seconds = 21_600
const MAX_SAMPLES = 500

export interface AnnounceOptions {
  /** Port peers connect to, 1 to 65535. */
  readonly port: number
  /** We have everything (BEP 33). */
  readonly seed?: boolean
  /** Others are to take the port our packets come from instead: we accept uTP there, and may be behind a NAT. */
  readonly impliedPort?: boolean
}

/** The answer of a node to `sample_infohashes` (BEP 51). */
export interface SampledInfohashes {
  readonly nodeId: Uint8Array
  /** Seconds to wait before it is asked again. */
  readonly interval: Seconds
  /** Info-hashes it has peers for. */
  readonly num: number
  readonly samples: readonly Uint8Array[]
  /** Nodes close to the target. */
  readonly nodes: readonly { readonly id: Uint8Array; readonly endpoint: Endpoint }[]
}

export function getPeers(
  node: DhtNode,
  infoHash: Uint8Array,
  options: GetPeersOptions,
  handler: GetPeersHandler,
): void {
  // A scrape asks nodes for exactly what a private lookup hides from them.
  const isPrivate = node.settings.dhtPrivacyLookups && options.scrape !== true
  const Lookup = isPrivate ? PrivateGetPeersLookup : GetPeersLookup
  new Lookup(node, infoHash, options, handler).start()
}

/** Looks for peers, then announces to the eight closest nodes. `done`: how many took it. */
export function announce(
  node: DhtNode,
  infoHash: Uint8Array,
  options: AnnounceOptions,
  handler: Omit<GetPeersHandler, 'onEnd'>,
  done: (numNodes: number) => void,
): void {
  getPeers(
    node,
    infoHash,
    { noSeeds: options.seed },
    {
      ...handler,
      onEnd: (nodes) => new WriteBatch(node, done).send(nodes, (token) => announceBody(infoHash, options, token)),
    },
  )
}

/** `done`: the bencoded value, or null when nobody has it. */
export function getImmutableItem(node: DhtNode, target: Uint8Array, done: (value: Uint8Array | null) => void): void {
  new GetImmutableLookup(node, target, { isForPut: false, onEnd: (value) => done(value) }).start()
}

/** `onItem` is called with `authoritative` true once, last: all close nodes were asked. */
export function getMutableItem(
  node: DhtNode,
  publicKey: Uint8Array,
  salt: Uint8Array,
  onItem: (item: MutableItem | null, authoritative: boolean) => void,
): void {
  new GetMutableLookup(node, publicKey, salt, {
    onItem: (item) => onItem(item, false),
    onEnd: (item) => onItem(item, true),
  }).start()
}

/** `value`: bencoded; `target` is its hash. `done`: how many nodes took it. */
export function putImmutableItem(
  node: DhtNode,
  target: Uint8Array,
  value: Uint8Array,
  done: (numSuccess: number) => void,
): void {
  new GetImmutableLookup(node, target, {
    isForPut: true,
    onEnd: (_value, nodes) => {
      new WriteBatch(node, done).send(nodes, (token) => ({
        method: 'put',
        writeLateArgs: (writer) => writeTokenAndValue(writer, token, value),
      }))
    },
  }).start()
}

/** `update` gets what is stored now and gives what is to be stored, signed; null: leave it. */
export function putMutableItem(
  node: DhtNode,
  publicKey: Uint8Array,
  salt: Uint8Array,
  update: (current: MutableItem | null) => MutableItem | null,
  done: (item: MutableItem | null, numSuccess: number) => void,
): void {
  new GetMutableLookup(node, publicKey, salt, {
    onItem: () => {},
    onEnd: (current, nodes) => {
      const item = update(current)
      if (item === null) return done(null, 0)
      new WriteBatch(node, (numSuccess) => done(item, numSuccess)).send(nodes, (token) => putBody(item, token))
    },
  }).start()
}

/** Asks one node for a sample of its info-hashes and for nodes close to `target`. Null: no or no valid answer. */
export function sampleInfohashes(
  node: DhtNode,
  contact: NodeContact,
  target: Uint8Array,
  done: (result: SampledInfohashes | null) => void,
): void {
  const body: QueryBody = {
    method: 'sample_infohashes',
    writeLateArgs: (writer) => {
      writer.text('target')
      writer.bytes(target)
    },
  }
  const sent = node.ask(body, contact, null, {
    onReply: (reply, id) => done(readSample(reply.values!, id, node)),
    onSlow: () => {},
    onFailed: () => done(null),
  })
  if (!sent) done(null)
}

/**
 * Sends a query of the caller's own (libtorrent `dht_direct_request`): `t`, `v`, `y` and `id` are filled in. `done` gets
 * the whole answer, which may be an error, valid during the call; null when there was none.
 * @throws RangeError when it has no `q`, or is larger than a packet.
 */
export function directRequest(
  node: DhtNode,
  contact: NodeContact,
  query: Entry,
  done: (response: BNode | null) => void,
): void {
  const message = new Map(entryDict(query))
  if (!message.has('q')) throw new RangeError("a DHT query needs 'q', the name of its method")
  const args = new Map(entryDict(message.get('a') ?? {}))
  args.set('id', node.ownId)
  message.set('a', args)
  message.set('y', 'q')
  const version = node.writer.clientVersion
  if (version !== null) message.set('v', version)
  if (node.readOnly) message.set('ro', 1)
  if (bencode(message).length > MAX_DIRECT_BYTES) {
    throw new RangeError(`a DHT query has up to ${MAX_DIRECT_BYTES} bytes`)
  }
  const sent = node.requests.sendRaw(
    (transaction) => node.writer.reset().raw(bencode(message.set('t', transaction))),
    contact,
    {
      onReply: (reply) => done(reply.root),
      onSlow: () => {},
      onFailed: (error) => done(error === null ? null : error.root),
    },
  )
  if (!sent) done(null)
}

/** Fits in one packet anywhere. */
const MAX_DIRECT_BYTES = 1400

function announceBody(infoHash: Uint8Array, options: AnnounceOptions, token: Uint8Array): QueryBody {
  return {
    method: 'announce_peer',
    writeLateArgs: (writer) => {
      if (options.impliedPort === true) {
        writer.text('implied_port')
        writer.integer(1)
      }
      writer.text('info_hash')
      writer.bytes(infoHash)
      writer.text('port')
      writer.integer(options.port)
      writer.text('seed')
      writer.integer(options.seed === true ? 1 : 0)
      writer.text('token')
      writer.bytes(token)
    },
  }
}

function putBody(item: MutableItem, token: Uint8Array): QueryBody {
  return {
    method: 'put',
    writeLateArgs: (writer) => {
      writer.text('k')
      writer.bytes(item.publicKey)
      if (item.salt.length > 0) {
        writer.text('salt')
        writer.bytes(item.salt)
      }
      writer.text('seq')
      writer.integer(item.seq)
      writer.text('sig')
      writer.bytes(item.signature)
      writeTokenAndValue(writer, token, item.value)
    },
  }
}

function writeTokenAndValue(writer: KrpcWriter, token: Uint8Array, value: Uint8Array): void {
  writer.text('token')
  writer.bytes(token)
  writer.text('v')
  writer.raw(value)
}

function readSample(values: BNode, nodeId: Uint8Array, node: DhtNode): SampledInfohashes | null {
  const interval = values.getInt('interval')
  const num = values.getInt('num')
  const bytes = values.getString('samples')
  if (interval === null || interval < 0 || interval > MAX_SAMPLE_INTERVAL || num === null || num < 0) return null
  if (bytes === null || bytes.length % NODE_ID_SIZE !== 0) return null
  const samples: Uint8Array[] = []
  for (let at = 0; at < bytes.length && samples.length < MAX_SAMPLES; at += NODE_ID_SIZE) {
    samples.push(bytes.slice(at, at + NODE_ID_SIZE))
  }
  const nodes: { id: Uint8Array; endpoint: Endpoint }[] = []
  const compact = values.getString(node.nodesKey)
  if (compact !== null && compact.length % node.nodeSize === 0) {
    for (let at = 0; at < compact.length; at += node.nodeSize) {
      const endpoint = decodeCompactEndpoint(compact.subarray(at + NODE_ID_SIZE, at + node.nodeSize))
      if (endpoint !== null) nodes.push({ id: compact.slice(at, at + NODE_ID_SIZE), endpoint })
    }
  }
  return { nodeId: nodeId.slice(), interval, num, samples, nodes }
}
