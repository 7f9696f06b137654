import { addressToBytes, bytesToAddress } from '../address/addressBytes.ts'
import { type Endpoint, isV6 } from '../address/endpoint.ts'
import { IpVoter } from '../address/ipVoter.ts'
import { generateNodeId, verifyNodeId } from '../address/secureNodeId.ts'
import type { DhtLookup } from '../alerts/dhtReports.ts'
import type { Millis } from '../util/flavored.ts'
import { BootstrapLookup } from './bootstrapLookup.ts'
import { forEachCompactNode } from './compactNodes.ts'
import { isContactable, isDarkInternet, isLocalContact } from './contactFilter.ts'
import type { DhtSocket } from './dhtHost.ts'
import type { DhtNodeHost } from './dhtNodeHost.ts'
import type { DhtSettings } from './dhtSettings.ts'
import { decodeKrpc, type KrpcError, type KrpcQuery, type KrpcReply } from './krpcMessage.ts'
import { KrpcWriter } from './krpcWriter.ts'
import { NodeContact, writeContact } from './nodeContact.ts'
import { compareDistance, NODE_ID_SIZE } from './nodeDistance.ts'
import type { NodeEntry } from './nodeEntry.ts'
import { refreshRequest } from './nodeRefresh.ts'
import { SIGNATURES_PER_SECOND } from './putHandler.ts'
import { QueryHandler } from './queryHandler.ts'
import { RateBudget } from './rateBudget.ts'
import { type QueryBody, RequestManager, type RequestObserver } from './requestManager.ts'
import { RoutingTable } from './routingTable.ts'
import type { Traversal } from './traversal.ts'
import type { TraversalHost } from './traversalHost.ts'
import { WriteTokens } from './writeTokens.ts'

/** One node is looked after every so often (libtorrent). */
const REFRESH_INTERVAL: Millis = 5000
/** The same while the table has gaps, and candidates for them. */
const HUNGRY_INTERVAL: Millis = 1000
/** The same while there is hardly anybody in it: all nodes of a small network are to know each other soon. */
const STARVING_INTERVAL: Millis = 200
/** Contacts, proven or not, of a table that has hardly anybody in it. */
const SMALL_TABLE = 32
/** Keys of tokens change so often (BEP 5). */
const TOKEN_INTERVAL: Millis = 5 * 60_000
/** We look for ourselves again after so long, while the table is shallow. */
const SELF_REFRESH: Millis = 10 * 60_000
const SHALLOW_DEPTH = 4
/** When nobody answers a bootstrap the first retry comes so soon; each further one after twice as long. */
const FIRST_RETRY: Millis = 5000
/** A node with fewer others than this takes what a node of the other family hears of. */
const FEW_NODES = 16
const MAX_OFFERED_NODES = 8

/**
 * One node of the DHT: an id, a table and a socket, for one address of one family (BEP 5, BEP 32, BEP 45). It reads
 * packets by `incoming`, is woken by `tick` at the times it asks for, and owns its lookups. What it stores for others
 * and how much it may send belong to the service, `Dht`.
 */
export class DhtNode implements TraversalHost {
  readonly isV6: boolean
  readonly nodesKey: 'nodes' | 'nodes6'
  readonly nodeSize: number
  readonly table: RoutingTable
  readonly requests: RequestManager
  readonly writer = new KrpcWriter(() => this.settings.anonymousMode === true)
  readonly signatureBudget: RateBudget
  readonly tokens: WriteTokens
  private id: Uint8Array
  private readonly voter: IpVoter
  private readonly queries: QueryHandler
  private readonly lookups = new Set<Traversal>()
  private readonly routerContacts = new Map<string, NodeContact>()
  private bootstrapping: BootstrapLookup | null = null
  private joined = false
  private nextRefresh: Millis
  private nextRotation: Millis
  private nextSelfRefresh: Millis = 0
  private retryDelay: Millis = FIRST_RETRY
  private isClosed = false
  /** The sender of the packet at hand: one buffer, seen as 6 and as 18 bytes. */
  private readonly sender18 = new Uint8Array(18)
  private readonly sender6 = this.sender18.subarray(0, 6)

  /** @param savedId the id of the last run, or null; a new one is made if it does not fit `externalAddress`. */
  constructor(
    private readonly host: DhtNodeHost,
    readonly socket: DhtSocket,
    savedId: Uint8Array | null,
    externalAddress: string | null,
  ) {
    const now = host.now()
    this.isV6 = isV6(socket.local.address)
    this.nodesKey = this.isV6 ? 'nodes6' : 'nodes'
    this.nodeSize = NODE_ID_SIZE + (this.isV6 ? 18 : 6)
    this.id = this.firstId(savedId, externalAddress)
    this.table = new RoutingTable(this, this.id)
    this.requests = new RequestManager(this)
    this.tokens = new WriteTokens(host.random)
    this.signatureBudget = new RateBudget(SIGNATURES_PER_SECOND, now)
    this.voter = new IpVoter(host.random, now)
    this.queries = new QueryHandler(this)
    this.nextRefresh = now + REFRESH_INTERVAL
    this.nextRotation = now + TOKEN_INTERVAL
  }

  /** Our id; 20 bytes that are never changed: a new id is a new array. */
  get ownId(): Uint8Array {
    return this.id
  }

  get local(): Endpoint {
    return this.socket.local
  }

  get settings(): Readonly<DhtSettings> {
    return this.host.settings
  }

  get random(): DhtNodeHost['random'] {
    return this.host.random
  }

  get storage(): DhtNodeHost['storage'] {
    return this.host.storage
  }

  /** The last bootstrap met somebody who is no router: we have our place in the network. */
  get hasJoined(): boolean {
    return this.joined
  }

  get isBootstrapping(): boolean {
    return this.bootstrapping !== null
  }

  get readOnly(): boolean {
    return this.settings.dhtReadOnly
  }

  get routers(): Iterable<NodeContact> {
    return this.routerContacts.values()
  }

  /** What our address is by the votes of those who answered us; null: nobody has said. */
  get externalAddress(): string | null {
    return this.voter.externalAddress
  }

  now(): Millis {
    return this.host.now()
  }

  wakeAt(time: Millis): void {
    this.host.wakeAt(time)
  }

  /**
   * Reads a packet; a view that may be reused afterwards. False when it is not a message of the DHT, so that it may be
   * for somebody else who reads the socket. Never throws.
   */
  incoming(packet: Uint8Array, from: Endpoint): boolean {
    if (this.isClosed || packet.length === 0 || packet[0] !== 0x64) return false
    const { counters } = this.host
    counters.received(packet.length, this.host.now())
    const size = writeContact(from, this.sender18)
    const compact = size === 6 ? this.sender6 : this.sender18
    if (size !== this.nodeSize - NODE_ID_SIZE || !this.host.accepts(compact)) {
      counters.messagesInDropped++
      return true
    }
    const message = decodeKrpc(packet)
    if (message === null) {
      counters.messagesInDropped++
      return false
    }
    if (message.type === 'query') this.onQuery(message, compact, from, packet.length)
    else this.onAnswer(message, compact)
    return true
  }

  /** A packet to `to` came back: nobody is there. */
  unreachable(to: Endpoint): void {
    const size = writeContact(to, this.sender18)
    if (size !== 0) this.requests.unreachable(new NodeContact(this.sender18.slice(0, size)))
  }

  /** Does what is due, and says when it wants to be called again. */
  tick(now: Millis): Millis {
    if (this.isClosed) return Number.POSITIVE_INFINITY
    this.requests.tick(now)
    if (now >= this.nextRotation) {
      this.tokens.rotate()
      this.nextRotation = now + TOKEN_INTERVAL
    }
    if (now >= this.nextRefresh) {
      this.maintain(now)
      this.nextRefresh = now + this.refreshInterval
    }
    return Math.min(this.requests.nextDeadline, this.nextRefresh, this.nextRotation)
  }

  /** Joins the network: `nodes` were known in the last run. `DhtNodeHost.bootstrapEnded` follows. */
  bootstrap(nodes: readonly NodeContact[]): void {
    this.nextSelfRefresh = this.now() + SELF_REFRESH
    const lookup = new BootstrapLookup(this, {
      ownId: this.id,
      wantsBoth: this.host.foreignNode(this, this.id)?.needsNodes === true,
      onEnd: (left, answers) => {
        if (this.bootstrapping === lookup) this.bootstrapping = null
        for (const contact of left) this.addNode(contact)
        this.joined = answers > 0 && this.table.counts().nodes > 0
        if (!this.joined) this.planRetry()
        this.host.bootstrapEnded()
      },
    })
    for (const contact of nodes) {
      if (contact.isV6 === this.isV6 && this.isAllowed(contact)) lookup.addCandidate(null, contact, true)
    }
    this.bootstrapping = lookup
    lookup.start()
  }

  /** Asks a node whether it is there; if so, the table takes it. */
  addNode(contact: NodeContact): void {
    if (contact.isV6 !== this.isV6 || !isContactable(contact.compact) || !this.isAllowed(contact)) return
    this.refresh(contact, null)
  }

  /** A node to ask when we know nobody. */
  addRouter(contact: NodeContact): void {
    if (contact.isV6 !== this.isV6) return
    this.routerContacts.set(contact.key, contact)
    this.table.addRouter(contact)
    // What waits for a first contact need not wait longer.
    if (this.table.counts().nodes > 0) return
    this.nextSelfRefresh = Math.min(this.nextSelfRefresh, this.now())
    this.nextRefresh = Math.min(this.nextRefresh, this.nextSelfRefresh)
  }

  /** The session knows our external address, by whatever means: the id is made to fit it (BEP 42). */
  setExternalAddress(address: string): void {
    const bytes = addressToBytes(address)
    if (bytes === null || isV6(address) !== this.isV6 || verifyNodeId(this.id, bytes)) return
    this.id = generateNodeId(bytes, this.random)
    this.table.updateOwnId(this.id)
    this.host.idChanged()
    // Those closest to us are others now.
    this.nextSelfRefresh = Math.min(this.nextSelfRefresh, this.now())
  }

  /** Running lookups. */
  lookupStatus(): DhtLookup[] {
    return [...this.lookups].map((lookup) => lookup.status())
  }

  /** Ends everything; lookups end with what they have. */
  close(): void {
    this.isClosed = true
    this.requests.failAll()
    for (const lookup of [...this.lookups]) lookup.abort()
  }

  // What lookups, requests and the answering of questions need.

  ask(body: QueryBody, contact: NodeContact, id: Uint8Array | null, observer: RequestObserver): boolean {
    return !this.isClosed && this.requests.send(body, contact, id, observer)
  }

  sendPacket(contact: NodeContact): boolean {
    return this.send(contact.endpoint)
  }

  closest(target: Uint8Array, out: NodeEntry[], count: number, includeFailed: boolean): void {
    this.table.closest(target, out, count, includeFailed)
  }

  isAllowed(contact: NodeContact): boolean {
    return this.settings.applyFilterToDht === false || this.host.isAllowed(contact.endpoint.address)
  }

  nodeFailed(id: Uint8Array, contact: NodeContact): void {
    this.table.nodeFailed(id, contact)
  }

  hearAbout(id: Uint8Array, compact: Uint8Array, source: NodeContact): NodeContact | null {
    if (!isContactable(compact)) return null
    // A stranger must not make us send into our own network.
    if (isLocalContact(compact) && !isLocalContact(source.compact)) return null
    if (compareDistance(id, this.id, this.id) === 0) return null
    const { settings } = this
    if (settings.dhtIgnoreDarkInternet && isDarkInternet(compact)) return null
    if (settings.dhtEnforceNodeId && !verifyNodeId(id, compact)) return null
    const contact = new NodeContact(new Uint8Array(compact))
    if (!this.isAllowed(contact)) return null
    this.heard(id, contact)
    return contact
  }

  /** There may be a node `id` at `contact`: it says so itself, or somebody else does. */
  heard(id: Uint8Array, contact: NodeContact): void {
    this.table.heardAbout(id, contact)
    if (this.table.size < SMALL_TABLE && this.table.isHungry) this.maintainSoon()
  }

  hearAboutForeign(nodes: Uint8Array, source: NodeContact): void {
    this.host.foreignNode(this, this.id)?.offerNodes(nodes, source)
  }

  foreignTable(target: Uint8Array): RoutingTable | null {
    return this.host.foreignNode(this, target)?.table ?? null
  }

  traversalStarted(traversal: Traversal): void {
    this.lookups.add(traversal)
  }

  traversalEnded(traversal: Traversal): void {
    this.lookups.delete(traversal)
  }

  onGetPeers(infoHash: Uint8Array): void {
    this.host.onGetPeers(infoHash)
  }

  onAnnounce(infoHash: Uint8Array, peer: Endpoint): void {
    this.host.onAnnounce(infoHash, peer)
  }

  /** Few others are known: nodes that a node of the other family hears of are welcome. */
  private get needsNodes(): boolean {
    return this.table.counts().nodes < FEW_NODES
  }

  private offerNodes(nodes: Uint8Array, source: NodeContact): void {
    if (this.isClosed || !this.needsNodes) return
    forEachCompactNode(nodes, this.nodeSize, MAX_OFFERED_NODES, (id, compact) => {
      const contact = this.hearAbout(id, compact, source)
      if (contact === null) return
      if (this.bootstrapping === null) this.addNode(contact)
      else this.bootstrapping.addCandidate(new Uint8Array(id), contact, false)
    })
  }

  private onQuery(message: KrpcQuery, compact: Uint8Array, from: Endpoint, size: number): void {
    if (this.readOnly) return
    if (!this.host.hasQuota()) {
      this.host.counters.messagesInDropped++
      return
    }
    this.queries.handle(message, compact, from, size)
    this.send(from)
  }

  private onAnswer(message: KrpcReply | KrpcError, compact: Uint8Array): void {
    const request = this.requests.take(message.transaction, compact)
    if (request === null) return
    const { observer, contact, sentAt } = request
    this.vote(message.externalContact, contact)
    if (message.type === 'error') return observer.onFailed(message)
    const { id, values } = message
    if (id === null || values === null) return observer.onFailed(null)
    if (this.settings.dhtEnforceNodeId && !verifyNodeId(id, contact.compact)) return observer.onFailed(null)
    const rtt = this.now() - sentAt
    observer.onReply(message, id, rtt)
    this.table.nodeSeen(id, contact, rtt)
    this.retryDelay = FIRST_RETRY
    // The first who answers, such as a node somebody has named, leads to the others.
    if (this.joined || this.bootstrapping !== null || this.table.size === 0) return
    this.nextSelfRefresh = Math.min(this.nextSelfRefresh, this.now())
    this.maintainSoon()
  }

  /** Who answered us, and so has not forged its address, says where it sees us (BEP 42). */
  private vote(externalContact: Uint8Array | null, source: NodeContact): void {
    if (externalContact === null) return
    const isV4 = externalContact.length === 4 || externalContact.length === 6
    if (isV4 === this.isV6) return
    const address = bytesToAddress(externalContact.subarray(0, isV4 ? 4 : 16))
    const voter = source.endpoint.address
    this.host.onExternalAddressVote(this, address, voter)
    if (!this.voter.vote(address, voter, this.now())) return
    this.setExternalAddress(address)
    this.host.onExternalAddress(this, address)
  }

  private maintainSoon(): void {
    const soon = this.now() + STARVING_INTERVAL
    if (soon >= this.nextRefresh) return
    this.nextRefresh = soon
    this.wakeAt(soon)
  }

  /** One step of keeping the table fresh. */
  private maintain(now: Millis): void {
    if (now >= this.nextSelfRefresh && this.bootstrapping === null && this.table.depth < SHALLOW_DEPTH) {
      return this.bootstrap([])
    }
    const node = this.table.nextRefresh()
    if (node !== null) this.refresh(node.contact, node.id)
  }

  /** Pings a node; as long as its bucket is not full, by a question that brings others that belong there. */
  private refresh(contact: NodeContact, id: Uint8Array | null): void {
    const target = this.table.missingTarget(id ?? this.id, this.random)
    const { body, observer } = refreshRequest(this, contact, target)
    this.ask(body, contact, id, observer)
  }

  /** Nobody answered, or knew anybody: what was true a moment ago, with no line or no router, may not be any more. */
  private planRetry(): void {
    this.nextSelfRefresh = this.now() + this.retryDelay
    this.retryDelay = Math.min(this.retryDelay * 2, SELF_REFRESH)
  }

  private get refreshInterval(): Millis {
    if (!this.table.isHungry) return REFRESH_INTERVAL
    return this.table.size < SMALL_TABLE ? STARVING_INTERVAL : HUNGRY_INTERVAL
  }

  private firstId(savedId: Uint8Array | null, externalAddress: string | null): Uint8Array {
    const address = externalAddress === null ? null : addressToBytes(externalAddress)
    if (savedId !== null && (address === null || verifyNodeId(savedId, address))) return savedId
    return address === null ? this.host.random.bytes(NODE_ID_SIZE) : generateNodeId(address, this.host.random)
  }

  private send(to: Endpoint): boolean {
    const { counters } = this.host
    const { packet } = this.writer
    this.host.spendQuota(packet.length)
    this.socket.send(packet, to)
    counters.sent(packet.length, this.host.now())
    return true
  }
}
