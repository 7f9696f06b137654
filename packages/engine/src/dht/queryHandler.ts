import type { Endpoint } from '../address/endpoint.ts'
import { verifyNodeId } from '../address/secureNodeId.ts'
import type { BNode } from '../bencode/bNode.ts'
import { EMPTY_BYTES } from '../util/bytes.ts'
import type { Millis } from '../util/flavored.ts'
import type { DhtSettings } from './dhtSettings.ts'
import type { DhtStorage, StoredPeers } from './dhtStorage.ts'
import { KrpcErrorCode, type KrpcFailure, krpcFailure } from './krpcError.ts'
import { idOf, type KrpcQuery } from './krpcMessage.ts'
import type { KrpcWriter } from './krpcWriter.ts'
import type { MutableItem } from './mutableItem.ts'
import { contactKey, NodeContact } from './nodeContact.ts'
import { NODE_ID_SIZE } from './nodeDistance.ts'
import { type NodeEntry, UNKNOWN_RTT } from './nodeEntry.ts'
import { handlePut } from './putHandler.ts'
import type { RateBudget } from './rateBudget.ts'
import { MAX_ITEM_REPLY_BYTES, ReplyWriter, replyLimit, stringSize } from './replyWriter.ts'
import { BUCKET_SIZE } from './routingBucket.ts'
import type { RoutingTable } from './routingTable.ts'
import { TOKEN_SIZE, type WriteTokens } from './writeTokens.ts'

/** Nodes told to somebody unproven who gets peers as well. */
const NODES_BESIDE_PEERS = 4
/** Peers over IPv6 take more room: a quarter as many are sent (libtorrent). */
const V6_PEERS_DIVISOR = 4
const MAX_PORT = 0xffff

export interface QueryHandlerHost {
  /** The asker is a node, it says. */
  heard(id: Uint8Array, contact: NodeContact): void
  readonly settings: Readonly<DhtSettings>
  readonly table: RoutingTable
  readonly storage: DhtStorage
  readonly tokens: WriteTokens
  readonly writer: KrpcWriter
  readonly ownId: Uint8Array
  readonly isV6: boolean
  /** Signatures that may still be checked now: they cost more than all else. */
  readonly signatureBudget: RateBudget
  now(): Millis
  /** The table of our closest node of the other address family, or null (BEP 32). */
  foreignTable(target: Uint8Array): RoutingTable | null
  onGetPeers(infoHash: Uint8Array): void
  onAnnounce(infoHash: Uint8Array, peer: Endpoint): void
}

/** A question, and who asked it. */
export interface IncomingQuery {
  readonly message: KrpcQuery
  readonly args: BNode
  readonly id: Uint8Array
  /** Compact; a view. */
  readonly compact: Uint8Array
  readonly from: Endpoint
  /** Most bytes the answer may have. */
  readonly limit: number
  readonly proven: boolean
}

/** Answers questions (BEP 5, 32, 33, 44, 51) into the host's writer. Refusals are errors, so that a liar learns little. */
export class QueryHandler {
  private readonly reply: ReplyWriter
  private readonly nodes: NodeEntry[] = []
  private readonly token = new Uint8Array(TOKEN_SIZE)

  constructor(private readonly host: QueryHandlerHost) {
    this.reply = new ReplyWriter(host.writer)
  }

  /** Writes the answer to a question of `size` bytes. */
  handle(message: KrpcQuery, compact: Uint8Array, from: Endpoint, size: number): void {
    const failure = this.answer(message, compact, from, size)
    if (failure !== null) this.reply.error(failure, compact, message.transaction)
  }

  private answer(message: KrpcQuery, compact: Uint8Array, from: Endpoint, size: number): KrpcFailure | null {
    const { args, id, method } = message
    if (method === '') return protocolError("missing 'q' key")
    if (args === null) return protocolError("missing 'a' key")
    if (id === null) return protocolError("invalid value for 'id'")
    const { table, settings, isV6 } = this.host
    if (settings.dhtEnforceNodeId && !verifyNodeId(id, compact)) {
      return protocolError('invalid node ID')
    }
    const known = table.nodeWithKey(contactKey(compact))
    if (known === null && !message.readOnly) this.host.heard(id, new NodeContact(new Uint8Array(compact)))
    const proven = known?.pinged === true
    const query = { message, args, id, compact, from, limit: replyLimit(size, isV6, proven), proven }
    switch (method) {
      case 'ping':
        return this.ping(query)
      case 'get_peers':
        return this.getPeers(query)
      case 'find_node':
        return this.findNode(query, idOf(args, 'target'))
      case 'announce_peer':
        return this.announcePeer(query)
      case 'get':
        return this.get(query)
      case 'put':
        return this.put(query)
      case 'sample_infohashes':
        return this.sampleInfohashes(query)
      default: {
        // What we do not know but has a target is at least told the way (libtorrent, "forward compatibility").
        const target = idOf(args, 'target') ?? idOf(args, 'info_hash')
        return target === null
          ? krpcFailure(KrpcErrorCode.methodUnknown, 'unknown message')
          : this.findNode(query, target)
      }
    }
  }

  private ping(query: IncomingQuery): null {
    this.open(query)
    this.reply.port(query.from.port)
    return this.close(query)
  }

  private findNode(query: IncomingQuery, target: Uint8Array | null): KrpcFailure | null {
    if (target === null) return protocolError("invalid value for 'target'")
    this.open(query)
    this.writeNodes(query, target, BUCKET_SIZE, 0)
    this.reply.port(query.from.port)
    return this.close(query)
  }

  private getPeers(query: IncomingQuery): KrpcFailure | null {
    const { args, compact } = query
    const infoHash = idOf(args, 'info_hash')
    if (infoHash === null) return protocolError("invalid value for 'info_hash'")
    const { settings, storage, isV6 } = this.host
    this.host.onGetPeers(infoHash)
    const stored = storage.getPeers(infoHash, {
      noSeeds: (args.getInt('noseed') ?? 0) !== 0,
      scrape: (args.getInt('scrape') ?? 0) !== 0,
      requester: compact,
      limit: Math.floor(settings.dhtMaxPeersReply / (isV6 ? V6_PEERS_DIVISOR : 1)),
    })
    const out = this.host.writer
    this.reply.open(compact)
    const extra = this.writeFilters(stored)
    this.reply.id(this.host.ownId)
    if (stored !== null && stored.name.length > 0 && query.proven) {
      out.text('n')
      out.bytes(stored.name)
    }
    const values = stored?.values ?? []
    // If there is no room for the asker it gets no token, and announces to our neighbours.
    const tokenSize = stored?.full === true ? 0 : 7 + stringSize(TOKEN_SIZE)
    const wanted = values.length > 0 && !query.proven ? NODES_BESIDE_PEERS : BUCKET_SIZE
    this.writeNodes(query, infoHash, wanted, tokenSize - extra)
    this.reply.port(query.from.port)
    if (tokenSize > 0) this.writeToken(query, infoHash)
    this.writeValues(query, values, extra)
    return this.close(query)
  }

  private announcePeer(query: IncomingQuery): KrpcFailure | null {
    const { args, compact, from, id } = query
    const infoHash = idOf(args, 'info_hash')
    const token = args.getString('token')
    if (infoHash === null) return protocolError("invalid value for 'info_hash'")
    if (token === null) return protocolError("missing 'token' key")
    const implied = (args.getInt('implied_port') ?? 0) !== 0
    const port = implied ? from.port : args.getInt('port')
    if (port === null || port < 1 || port > MAX_PORT) return protocolError('invalid port')
    if (!this.host.tokens.verify(token, compact, infoHash)) return protocolError('invalid token')
    const peer = compact.slice()
    peer[peer.length - 2] = port >>> 8
    peer[peer.length - 1] = port
    const name = args.getString('n') ?? EMPTY_BYTES
    this.host.storage.announcePeer(infoHash, peer, name, (args.getInt('seed') ?? 0) === 1)
    this.host.onAnnounce(infoHash, { address: from.address, port })
    this.proved(query, id)
    return this.ping(query)
  }

  private get(query: IncomingQuery): KrpcFailure | null {
    const { args, compact } = query
    const target = idOf(args, 'target')
    if (target === null) return protocolError("invalid value for 'target'")
    const { storage } = this.host
    const seq = args.getBigInt('seq')
    // A sequence number is asked for mutable items only.
    const value = seq === null ? storage.getImmutableItem(target) : null
    const item = value === null ? storage.getMutableItem(target) : null
    const full = item !== null && (seq === null || item.seq > seq) ? item : null
    const out = this.host.writer
    this.reply.open(compact)
    this.reply.id(this.host.ownId)
    let extra = 0
    if (full !== null) {
      out.text('k')
      out.bytes(full.publicKey)
      extra += 3 + stringSize(32)
    }
    const later = laterSize(value, item, full)
    const limit = Math.min(MAX_ITEM_REPLY_BYTES, query.limit + extra + later)
    this.writeNodes({ ...query, limit }, target, BUCKET_SIZE, later + 7 + stringSize(TOKEN_SIZE))
    this.reply.port(query.from.port)
    if (item !== null) {
      out.text('seq')
      out.integer(item.seq)
    }
    if (full !== null) {
      out.text('sig')
      out.bytes(full.signature)
    }
    this.writeToken(query, target)
    const stored = value ?? full?.value
    if (stored !== undefined) {
      out.text('v')
      out.raw(stored)
    }
    return this.close(query)
  }

  private put(query: IncomingQuery): KrpcFailure | null {
    const failure = handlePut(this.host, query.args, query.compact)
    if (failure !== null) return failure
    this.proved(query, query.id)
    return this.ping(query)
  }

  private sampleInfohashes(query: IncomingQuery): KrpcFailure | null {
    const target = idOf(query.args, 'target')
    if (target === null) return protocolError("invalid value for 'target'")
    const { interval, num, samples } = this.host.storage.getInfohashesSample()
    const out = this.host.writer
    this.reply.open(query.compact)
    this.reply.id(this.host.ownId)
    out.text('interval')
    out.integer(interval)
    // num and samples come behind the nodes.
    const fixed = 5 + 2 + String(num).length + 9 + 4
    this.writeNodes(query, target, query.proven ? BUCKET_SIZE : NODES_BESIDE_PEERS, fixed)
    out.text('num')
    out.integer(num)
    this.reply.port(query.from.port)
    const room = query.limit - out.length - 9 - 4 - this.reply.closingSize(query.message.transaction)
    const count = Math.min(samples.length / NODE_ID_SIZE, Math.max(0, Math.floor(room / NODE_ID_SIZE)))
    out.text('samples')
    out.bytes(samples.subarray(0, count * NODE_ID_SIZE))
    return this.close(query)
  }

  /** Begins an answer without anything but our id. */
  private open({ compact }: IncomingQuery): void {
    this.reply.open(compact)
    this.reply.id(this.host.ownId)
  }

  private close({ message }: IncomingQuery): null {
    this.reply.close(message.transaction)
    return null
  }

  /** The sender has shown that its address is its own. */
  private proved({ message, compact }: IncomingQuery, id: Uint8Array): void {
    if (!message.readOnly) this.host.table.nodeSeen(id, new NodeContact(new Uint8Array(compact)), UNKNOWN_RTT)
  }

  private writeToken({ compact }: IncomingQuery, target: Uint8Array): void {
    this.host.tokens.write(compact, target, this.token)
    this.host.writer.text('token')
    this.host.writer.bytes(this.token)
  }

  /** The filters of a scrape; returns how many bytes they took. */
  private writeFilters(stored: StoredPeers | null): number {
    if (stored === null || stored.scrape === null) return 0
    const { writer } = this.host
    const before = writer.length
    writer.text('BFpe')
    writer.bytes(stored.scrape.peers.bits)
    writer.text('BFsd')
    writer.bytes(stored.scrape.seeds.bits)
    return writer.length - before
  }

  private writeValues({ limit, message }: IncomingQuery, values: readonly Uint8Array[], extra: number): void {
    if (values.length === 0) return
    const { writer } = this.host
    const room = limit + extra - writer.length - this.reply.closingSize(message.transaction) - 10
    const count = Math.min(values.length, Math.floor(room / stringSize(values[0].length)))
    if (count <= 0) return
    writer.text('values')
    writer.openList()
    for (let i = 0; i < count; i++) writer.bytes(values[i])
    writer.close()
  }

  /**
   * Nodes close to `target`: of the family the question came by, or of those it wants (BEP 32), as many as fit beside
   * `reserved` bytes that follow. Nodes of the own family go before the others.
   */
  private writeNodes(query: IncomingQuery, target: Uint8Array, count: number, reserved: number): void {
    const { isV6 } = this.host
    const want = query.args.getList('want')
    const wantsOwn = want === null || listHas(want, isV6 ? 'n6' : 'n4')
    const wantsOther = want !== null && listHas(want, isV6 ? 'n4' : 'n6')
    let room = query.limit - this.host.writer.length - reserved - this.reply.closingSize(query.message.transaction) - 9
    const ownRoom = room
    const sizeOf = (v6: boolean, n: number) => 6 + (v6 ? 2 : 1) + stringSize(n * (v6 ? 38 : 26))
    const fitting = (v6: boolean) => Math.max(0, Math.floor((room - sizeOf(v6, 0) - 2) / (v6 ? 38 : 26)))
    const own = wantsOwn ? Math.min(count, fitting(isV6)) : 0
    if (wantsOwn) room = ownRoom - sizeOf(isV6, own)
    const other = wantsOther ? Math.min(count, fitting(!isV6)) : 0
    for (const v6 of [false, true]) {
      if (!(v6 === isV6 ? wantsOwn : wantsOther)) continue
      const table = v6 === isV6 ? this.host.table : this.host.foreignTable(target)
      if (table === null) continue
      table.closest(target, this.nodes, v6 === isV6 ? own : other)
      this.reply.nodes(v6 ? 'nodes6' : 'nodes', this.nodes, this.nodes.length)
    }
  }
}

/** Bytes of what follows the nodes in an answer to `get`, apart from the token. */
function laterSize(value: Uint8Array | null, item: MutableItem | null, full: MutableItem | null): number {
  let size = 0
  if (item !== null) size += 5 + 2 + String(item.seq).length
  if (full !== null) size += 5 + stringSize(64) + 3 + full.value.length
  return value === null ? size : size + 3 + value.length
}

function listHas(list: BNode, text: string): boolean {
  let left = 4
  for (const item of list) {
    if (item.asLatin1() === text) return true
    if (--left === 0) return false
  }
  return false
}

function protocolError(message: string): KrpcFailure {
  return krpcFailure(KrpcErrorCode.protocol, message)
}
