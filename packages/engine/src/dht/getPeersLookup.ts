import { decodeCompactEndpoint } from '../address/compactEndpoint.ts'
import type { Endpoint } from '../address/endpoint.ts'
import type { BNode } from '../bencode/bNode.ts'
import { BloomFilter, SCRAPE_FILTER_SIZE } from './bloomFilter.ts'
import type { ScrapeFilters } from './compactPeers.ts'
import type { KrpcWriter } from './krpcWriter.ts'
import { commonPrefixBits, randomIdWithPrefix } from './nodeDistance.ts'
import { BUCKET_SIZE } from './routingBucket.ts'
import { type Candidate, Traversal } from './traversal.ts'
import type { TraversalHost } from './traversalHost.ts'

/** Peers read from one answer. */
const MAX_PEERS_PER_REPLY = 300
/** How many more bits a node is told than it needs to point us to closer ones (libtorrent). */
const PRIVACY_BITS = 3
/** Nodes the second half of a private lookup begins with. */
const PRIVATE_SEEDS = 16

export interface GetPeersOptions {
  /** Ask for peers that are no seeds only: we are one (BEP 33). */
  readonly noSeeds?: boolean
  /** Ask for filters instead of peers (BEP 33). */
  readonly scrape?: boolean
}

export interface GetPeersHandler {
  /** Peers from the answer of one node, which is `from`; at least one. */
  onPeers(peers: readonly Endpoint[], from: Endpoint): void
  /** The lookup is over. `nodes`: the closest that answered and gave a token, up to eight. */
  onEnd(nodes: readonly Candidate[], scrape: ScrapeResult | null): void
  /** A question leaves; `sentTarget` is the info-hash it asks for. */
  onQuestion?(sentTarget: Uint8Array, to: Endpoint): void
}

/** How many seeds and other peers the filters of all answers together tell of (BEP 33). */
export interface ScrapeResult {
  readonly seeds: number
  readonly peers: number
}

/** Looks for peers of an info-hash (BEP 5), and for the nodes to announce to. */
export class GetPeersLookup extends Traversal {
  readonly method = 'get_peers'
  readonly type: string = 'get_peers'
  private readonly filters: ScrapeFilters | null

  constructor(
    host: TraversalHost,
    infoHash: Uint8Array,
    protected readonly options: GetPeersOptions,
    protected readonly handler: GetPeersHandler,
  ) {
    super(host, infoHash)
    this.filters = options.scrape === true ? { seeds: new BloomFilter(), peers: new BloomFilter() } : null
  }

  override writeLateArgs(writer: KrpcWriter): void {
    writer.text('info_hash')
    writer.bytes(this.target)
    if (this.options.noSeeds === true) {
      writer.text('noseed')
      writer.integer(1)
    }
    if (this.options.scrape === true) {
      writer.text('scrape')
      writer.integer(1)
    }
  }

  protected override beforeAsking(candidate: Candidate): void {
    this.handler.onQuestion?.(this.target, candidate.contact.endpoint)
  }

  protected override readAnswer(values: BNode, { contact }: Candidate): void {
    const list = values.getList('values')
    if (this.filters !== null) readFilters(values, list, this.filters)
    const peers = readPeers(list)
    if (peers.length > 0) this.handler.onPeers(peers, contact.endpoint)
  }

  protected override onEnd(): void {
    const nodes = this.answered(this.candidates.length).filter((c) => c.token !== null)
    const scrape = this.filters === null ? null : estimate(this.filters)
    this.handler.onEnd(nodes.slice(0, BUCKET_SIZE), scrape)
  }
}

/**
 * The first half of a lookup that tells nobody farther away what is looked for (setting `dht_privacy_lookups`): each
 * node is asked for an info-hash that is right only in the bits it takes to be sent closer. Then those found are asked
 * for the real one.
 */
export class PrivateGetPeersLookup extends GetPeersLookup {
  override readonly type = 'get_peers [obfuscated]'
  private sentTarget: Uint8Array = this.target

  override writeLateArgs(writer: KrpcWriter): void {
    writer.text('info_hash')
    writer.bytes(this.sentTarget)
  }

  protected override beforeAsking(candidate: Candidate): void {
    const bits = candidate.hasId ? commonPrefixBits(candidate.id, this.target) + 1 + PRIVACY_BITS : PRIVACY_BITS
    this.sentTarget = randomIdWithPrefix(this.target, Math.min(160, bits), this.host.random)
    this.handler.onQuestion?.(this.sentTarget, candidate.contact.endpoint)
  }

  protected override readAnswer(): void {}

  protected override onEnd(): void {
    const lookup = new GetPeersLookup(this.host, this.target, this.options, this.handler)
    for (const { id, contact } of this.answered(PRIVATE_SEEDS)) lookup.addCandidate(id, contact, true)
    lookup.start()
  }
}

/** The endpoints of a `values` list: 6 or 18 bytes each, mixed as they may be (BEP 32). */
function readPeers(list: BNode | null): Endpoint[] {
  const peers: Endpoint[] = []
  for (const compact of compactPeers(list)) {
    const endpoint = decodeCompactEndpoint(compact)
    if (endpoint !== null && endpoint.port !== 0) peers.push(endpoint)
  }
  return peers
}

function* compactPeers(list: BNode | null): Generator<Uint8Array> {
  if (list === null) return
  let count = 0
  for (const item of list) {
    const bytes = item.asString()
    if (bytes === null) continue
    if (bytes.length === 6 || bytes.length === 18) {
      yield bytes
    } else if (bytes.length % 6 === 0) {
      // The oldest nodes send all peers in one string.
      for (let at = 0; at < bytes.length && count + at / 6 < MAX_PEERS_PER_REPLY; at += 6) {
        yield bytes.subarray(at, at + 6)
      }
    }
    if (++count >= MAX_PEERS_PER_REPLY) return
  }
}

/** Adds what an answer tells of a swarm to the filters. */
function readFilters(values: BNode, list: BNode | null, filters: ScrapeFilters): void {
  const seeds = values.getString('BFsd')
  const others = values.getString('BFpe')
  if (seeds?.length === SCRAPE_FILTER_SIZE) filters.seeds.union(seeds)
  if (others?.length === SCRAPE_FILTER_SIZE) filters.peers.union(others)
  if (seeds !== null || others !== null) return
  // A node that knows nothing of filters: its peers are counted as such, unless they are known to be seeds.
  for (const compact of compactPeers(list)) {
    const address = compact.subarray(0, compact.length - 2)
    if (!filters.seeds.has(address)) filters.peers.insert(address)
  }
}

function estimate({ seeds, peers }: ScrapeFilters): ScrapeResult {
  return { seeds: Math.round(seeds.estimate), peers: Math.round(peers.estimate) }
}
