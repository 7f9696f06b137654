import { type Endpoint, isV6 } from '../address/endpoint.ts'
import type { DhtLiveNode } from '../alerts/dhtReports.ts'
import type { BNode } from '../bencode/bNode.ts'
import type { Entry } from '../bencode/entry.ts'
import type { Timer } from '../platform/clock.ts'
import { Sha1Hash } from '../util/digest.ts'
import type { Millis } from '../util/flavored.ts'
import { isDarkInternet } from './contactFilter.ts'
import { DhtCounters } from './dhtCounters.ts'
import type { DhtHost, DhtSocket } from './dhtHost.ts'
import { DhtNode } from './dhtNode.ts'
import type { DhtNodeHost } from './dhtNodeHost.ts'
import { type DhtState, emptyDhtState } from './dhtState.ts'
import { type DhtStatus, dhtStatus } from './dhtStatus.ts'
import { DefaultDhtStorage, type DhtStorage } from './dhtStorage.ts'
import { DosBlocker } from './dosBlocker.ts'
import type { GetPeersHandler, GetPeersOptions, ScrapeResult } from './getPeersLookup.ts'
import { immutableTarget, MAX_ITEM_BYTES, type MutableItem } from './mutableItem.ts'
import { addressText, contactOf, type NodeContact } from './nodeContact.ts'
import { commonPrefixBits } from './nodeDistance.ts'
import type { AnnounceOptions, SampledInfohashes } from './nodeLookups.ts'
import * as lookups from './nodeLookups.ts'
import { RateBudget } from './rateBudget.ts'

/** Our storage forgets what is too old every so often (libtorrent). */
const STORAGE_INTERVAL: Millis = 2 * 60_000
/** Work that is due at nearly the same time is done together. */
const MIN_DELAY: Millis = 20
/** Router nodes at most. */
const MAX_ROUTERS = 100

/** What a lookup for peers tells, over all nodes. */
export interface PeersListener {
  /** Peers from the answer of one node, which is `from`. */
  onPeers?(peers: readonly Endpoint[], from: Endpoint): void
  /** All lookups are over. `numNodes`: nodes an announce was taken by; `scrape`: only if one was asked for. */
  onDone?(numNodes: number, scrape: ScrapeResult | null): void
}

/**
 * The DHT of a session: a node for each listen socket (BEP 45), which share what they store, how much they send, and
 * one timer. Nothing is sent before `start`.
 *
 * Results come through the callbacks of each call, once each unless said otherwise; what other nodes do is told to the
 * `DhtHost`.
 */
export class Dht {
  readonly counters: DhtCounters
  readonly storage: DhtStorage
  private readonly nodes: DhtNode[] = []
  private readonly routers = new Map<string, NodeContact>()
  private readonly blocker = new DosBlocker()
  private readonly quota: RateBudget
  private readonly nodeHost: DhtNodeHost
  private state: DhtState
  private timer: Timer | null = null
  private timerAt: Millis = Number.POSITIVE_INFINITY
  private nextStorageTick: Millis
  /** Called once, and null afterwards. */
  private bootstrapped: (() => void) | null = null
  private phase: 'new' | 'running' | 'stopped' = 'new'

  /**
   * @param state of the last run: ids, and nodes to begin with
   * @param storage instead of the default one (libtorrent `dht_storage_interface`)
   */
  constructor(
    private readonly host: DhtHost,
    state: DhtState = emptyDhtState,
    storage?: DhtStorage,
  ) {
    const now = host.clock.now()
    this.counters = new DhtCounters(now)
    this.state = state
    this.quota = new RateBudget(host.settings.dhtUploadRateLimit, now)
    this.nextStorageTick = now + STORAGE_INTERVAL
    this.nodeHost = this.makeNodeHost()
    this.storage = storage ?? new DefaultDhtStorage(this.nodeHost)
  }

  /** The nodes, one for each socket. */
  get dhtNodes(): readonly DhtNode[] {
    return this.nodes
  }

  get isRunning(): boolean {
    return this.phase === 'running'
  }

  /**
   * A node on a socket. The owner of the socket hands its packets to `DhtNode.incoming`.
   * @param externalAddress what others see as our address there, if that is known
   */
  addSocket(socket: DhtSocket, externalAddress: string | null = null): DhtNode {
    const saved = this.state.nodeIds.find(({ address }) => address === socket.local.address)
    // The id of a state without addresses goes to the first node.
    const fallback = this.nodes.length === 0 ? this.state.nodeIds.find(({ address }) => address === null) : undefined
    const node = new DhtNode(this.nodeHost, socket, (saved ?? fallback)?.id ?? null, externalAddress)
    this.nodes.push(node)
    for (const router of this.routers.values()) node.addRouter(router)
    this.updateStorageIds()
    if (this.phase === 'running') this.bootstrapNode(node)
    return node
  }

  /** Ends the node of a socket that is closed. */
  removeSocket(node: DhtNode): void {
    const at = this.nodes.indexOf(node)
    if (at === -1) return
    this.nodes.splice(at, 1)
    node.close()
    this.onBootstrapEnded()
    this.updateStorageIds()
  }

  /**
   * Joins the network. `bootstrapped` is called (`dht_bootstrap_alert`) once we have our place in it: no node looks for
   * its own any more, and at least one has met somebody, which may be long after the start.
   */
  start(bootstrapped: () => void = () => {}): void {
    if (this.phase !== 'new') throw new Error('a DHT is started once; make a new one')
    this.phase = 'running'
    this.bootstrapped = bootstrapped
    for (const node of this.nodes) this.bootstrapNode(node)
    this.wakeAt(this.host.clock.now() + MIN_DELAY)
  }

  /** Ends everything. Lookups call back with what they have; nothing is sent or called afterwards. */
  stop(): void {
    this.phase = 'stopped'
    this.timer?.cancel()
    this.timer = null
    for (const node of this.nodes.splice(0)) node.close()
  }

  /** A node somebody knows of (`session::add_dht_node`, a torrent's `nodes`, a peer's PORT message). It is pinged. */
  addNode(endpoint: Endpoint): void {
    const contact = contactOf(endpoint)
    if (contact !== null && this.phase === 'running') for (const node of this.nodes) node.addNode(contact)
  }

  /** A node to ask when we know nobody, which is never in a table (`session::add_dht_router`, `dht_bootstrap_nodes`). */
  addRouter(endpoint: Endpoint): void {
    const contact = contactOf(endpoint)
    if (contact === null || this.routers.size >= MAX_ROUTERS) return
    this.routers.set(contact.key, contact)
    for (const node of this.nodes) node.addRouter(contact)
    if (this.phase === 'running') this.wakeAt(this.host.clock.now() + MIN_DELAY)
  }

  /** The session knows the external address of its nodes of that family (BEP 42). */
  setExternalAddress(address: string): void {
    for (const node of this.nodes) node.setExternalAddress(address)
  }

  /** Looks for peers (`dht_get_peers`); with `scrape`, for how many there are (BEP 33). */
  getPeers(infoHash: Sha1Hash, options: GetPeersOptions, listener: PeersListener): void {
    const scrapes: ScrapeResult[] = []
    const over = countdown(this.nodes.length, () => listener.onDone?.(0, sumOf(scrapes)))
    for (const node of [...this.nodes]) {
      lookups.getPeers(node, infoHash.bytes, options, {
        ...this.peersHandler(infoHash, listener),
        onEnd: (_nodes, scrape) => {
          if (scrape !== null) scrapes.push(scrape)
          over()
        },
      })
    }
  }

  /** Looks for peers and tells the closest nodes that we are one (`dht_announce`). */
  announce(infoHash: Sha1Hash, options: AnnounceOptions, listener: PeersListener): void {
    let total = 0
    const over = countdown(this.nodes.length, () => listener.onDone?.(total, null))
    for (const node of [...this.nodes]) {
      lookups.announce(node, infoHash.bytes, options, this.peersHandler(infoHash, listener), (numNodes) => {
        total += numNodes
        over()
      })
    }
  }

  /** `done`: the bencoded value whose hash is `target`, or null (`dht_get_item`, `dht_immutable_item_alert`). */
  getImmutableItem(target: Sha1Hash, done: (value: Uint8Array | null) => void): void {
    let found = false
    const over = countdown(this.nodes.length, () => {
      if (!found) done(null)
    })
    for (const node of [...this.nodes]) {
      lookups.getImmutableItem(node, target.bytes, (value) => {
        if (value !== null && !found) {
          found = true
          done(value)
        }
        over()
      })
    }
  }

  /**
   * `onItem` is called with each newer item that is found, and last, with `authoritative` true, with the newest of all
   * or null (`dht_get_item`, `dht_mutable_item_alert`).
   */
  getMutableItem(
    publicKey: Uint8Array,
    salt: Uint8Array,
    onItem: (item: MutableItem | null, authoritative: boolean) => void,
  ): void {
    let newest: MutableItem | null = null
    const over = countdown(this.nodes.length, () => onItem(newest, true))
    for (const node of [...this.nodes]) {
      lookups.getMutableItem(node, publicKey, salt, (item, authoritative) => {
        if (item !== null && (newest === null || item.seq > newest.seq)) {
          newest = item
          onItem(item, false)
        }
        if (authoritative) over()
      })
    }
  }

  /**
   * Stores a bencoded value of up to 1000 bytes (`dht_put_item`, `dht_put_alert`). Returns where; `done`: how many nodes
   * took it.
   * @throws RangeError for a longer value.
   */
  putImmutableItem(value: Uint8Array, done: (numSuccess: number) => void): Sha1Hash {
    if (value.length === 0 || value.length > MAX_ITEM_BYTES) {
      throw new RangeError(`the bencoded value of an item has 1 to ${MAX_ITEM_BYTES} bytes, not ${value.length}`)
    }
    const target = immutableTarget(value)
    let total = 0
    const over = countdown(this.nodes.length, () => done(total))
    for (const node of [...this.nodes]) {
      lookups.putImmutableItem(node, target, value, (numSuccess) => {
        total += numSuccess
        over()
      })
    }
    return new Sha1Hash(target)
  }

  /**
   * Changes a mutable item: `update` gets the stored one and gives the new one, made by `signMutableItem`, or null to
   * leave it. It is called once for each node. `done`: what was stored last, and by how many nodes.
   */
  putMutableItem(
    publicKey: Uint8Array,
    salt: Uint8Array,
    update: (current: MutableItem | null) => MutableItem | null,
    done: (item: MutableItem | null, numSuccess: number) => void,
  ): void {
    let total = 0
    let stored: MutableItem | null = null
    const over = countdown(this.nodes.length, () => done(stored, total))
    for (const node of [...this.nodes]) {
      lookups.putMutableItem(node, publicKey, salt, update, (item, numSuccess) => {
        total += numSuccess
        stored = item ?? stored
        over()
      })
    }
  }

  /** Asks one node for a sample of the info-hashes it has (BEP 51, `dht_sample_infohashes`). */
  sampleInfohashes(endpoint: Endpoint, target: Sha1Hash, done: (result: SampledInfohashes | null) => void): void {
    const contact = contactOf(endpoint)
    const node = this.nodeFor(endpoint)
    if (contact === null || node === null) done(null)
    else lookups.sampleInfohashes(node, contact, target.bytes, done)
  }

  /**
   * Sends a message of the caller's own (`dht_direct_request`, `dht_direct_response_alert`). `done` gets the answer,
   * valid during the call, or null.
   * @throws RangeError when it has no `q`, or is larger than a packet.
   */
  directRequest(endpoint: Endpoint, query: Entry, done: (response: BNode | null) => void): void {
    const contact = contactOf(endpoint)
    const node = this.nodeFor(endpoint)
    if (contact === null || node === null) done(null)
    else lookups.directRequest(node, contact, query, done)
  }

  /** The nodes in the table of one of our nodes (`dht_live_nodes`). */
  liveNodes(nodeId: Sha1Hash): DhtLiveNode[] {
    const result: DhtLiveNode[] = []
    const node = this.nodes.find((n) => nodeId.equals(new Sha1Hash(n.ownId)))
    node?.table.forEachNode(({ id, contact }) => result.push({ id: new Sha1Hash(id), endpoint: contact.endpoint }))
    return result
  }

  status(): DhtStatus {
    return dhtStatus(this.nodes, this.storage, this.counters, this.host.clock.now())
  }

  /** What to give the next run: `writeDhtState` makes it `dht state` of the session's state. */
  saveState(): DhtState {
    const nodes: NodeContact[] = []
    const nodes6: NodeContact[] = []
    for (const node of this.nodes) {
      node.table.forEachNode(({ contact }) => (contact.isV6 ? nodes6 : nodes).push(contact))
    }
    return {
      nodeIds: this.nodes.map((node) => ({ address: node.local.address, id: node.ownId })),
      // Before the first answer the nodes of the last run are still the best we know.
      nodes: nodes.length > 0 ? nodes : this.state.nodes,
      nodes6: nodes6.length > 0 ? nodes6 : this.state.nodes6,
    }
  }

  private makeNodeHost(): DhtNodeHost {
    const { host } = this
    const dht = this
    return {
      random: host.random,
      counters: this.counters,
      get settings() {
        return host.settings
      },
      get storage() {
        return dht.storage
      },
      now: () => host.clock.now(),
      wakeAt: (time) => this.wakeAt(time),
      accepts: (compact) => this.accepts(compact),
      isAllowed: (address) => host.isAllowed?.(address) ?? true,
      hasQuota: () => {
        const limit = host.settings.dhtUploadRateLimit
        return limit > 0 && this.quota.has(limit, host.clock.now())
      },
      spendQuota: (bytes) => this.quota.spend(bytes),
      foreignNode: (node, target) => this.foreignNode(node, target),
      bootstrapEnded: () => this.onBootstrapEnded(),
      idChanged: () => this.updateStorageIds(),
      onAnnounce: (infoHash, peer) => host.onAnnounce?.(new Sha1Hash(infoHash), peer),
      onGetPeers: (infoHash) => {
        if (host.onGetPeers !== undefined) host.onGetPeers(new Sha1Hash(infoHash))
      },
      onExternalAddressVote: (node, address, source) => host.onExternalAddressVote?.(node.local, address, source),
      onExternalAddress: (node, address) => host.onExternalAddress?.(node.local, address),
    }
  }

  private bootstrapNode(node: DhtNode): void {
    node.bootstrap(node.isV6 ? this.state.nodes6 : this.state.nodes)
  }

  private onBootstrapEnded(): void {
    const { bootstrapped, nodes } = this
    if (bootstrapped === null || this.phase !== 'running') return
    if (nodes.some((node) => node.isBootstrapping) || !nodes.some((node) => node.hasJoined)) return
    this.bootstrapped = null
    bootstrapped()
  }

  /** Who is read at all: not who cannot exist, is filtered, or sends too much. */
  private accepts(compact: Uint8Array): boolean {
    const { settings, clock } = this.host
    if (settings.dhtIgnoreDarkInternet && isDarkInternet(compact)) return false
    if (settings.applyFilterToDht !== false && this.host.isAllowed !== undefined) {
      if (!this.host.isAllowed(addressText(compact))) return false
    }
    return this.blocker.incoming(compact, clock.now(), settings.dhtBlockRatelimit, settings.dhtBlockTimeout)
  }

  private peersHandler(infoHash: Sha1Hash, listener: PeersListener): Omit<GetPeersHandler, 'onEnd'> {
    const { host } = this
    return {
      onPeers: (peers, from) => listener.onPeers?.(peers, from),
      onQuestion:
        host.onOutgoingGetPeers === undefined
          ? undefined
          : (sent, to) => host.onOutgoingGetPeers?.(infoHash, new Sha1Hash(sent), to),
    }
  }

  private foreignNode(node: DhtNode, target: Uint8Array): DhtNode | null {
    let best: DhtNode | null = null
    for (const other of this.nodes) {
      if (other.isV6 === node.isV6) continue
      if (best === null || commonPrefixBits(other.ownId, target) > commonPrefixBits(best.ownId, target)) best = other
    }
    return best
  }

  private nodeFor(endpoint: Endpoint): DhtNode | null {
    const v6 = isV6(endpoint.address)
    return this.nodes.find((node) => node.isV6 === v6) ?? null
  }

  private updateStorageIds(): void {
    this.storage.updateNodeIds(this.nodes.map((node) => node.ownId))
  }

  /** One timer for everything: it is set anew only when something is due earlier. */
  private wakeAt(time: Millis): void {
    if (this.phase !== 'running' || time >= this.timerAt) return
    this.timer?.cancel()
    const now = this.host.clock.now()
    this.timerAt = Math.max(time, now + MIN_DELAY)
    this.timer = this.host.timers.after(this.timerAt - now, () => this.onTimer())
  }

  private onTimer(): void {
    const now = this.host.clock.now()
    // Nothing asks for another timer while we are at it.
    this.timerAt = Number.NEGATIVE_INFINITY
    let next = Math.max(this.nextStorageTick, now)
    if (now >= this.nextStorageTick) {
      this.storage.tick()
      this.nextStorageTick = now + STORAGE_INTERVAL
      next = this.nextStorageTick
    }
    for (const node of [...this.nodes]) next = Math.min(next, node.tick(now))
    this.timerAt = Number.POSITIVE_INFINITY
    this.wakeAt(next)
  }
}

/** Calls `done` after as many calls as `count` says; later at once when it is 0. */
function countdown(count: number, done: () => void): () => void {
  let left = count
  if (left === 0) done()
  return () => {
    if (--left === 0) done()
  }
}

function sumOf(scrapes: readonly ScrapeResult[]): ScrapeResult | null {
  if (scrapes.length === 0) return null
  let seeds = 0
  let peers = 0
  for (const scrape of scrapes) {
    seeds += scrape.seeds
    peers += scrape.peers
  }
  return { seeds, peers }
}
