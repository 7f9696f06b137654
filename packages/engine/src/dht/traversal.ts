import type { DhtLookup } from '../alerts/dhtReports.ts'
import type { BNode } from '../bencode/bNode.ts'
import type { Millis } from '../util/flavored.ts'
import { forEachCompactNode } from './compactNodes.ts'
import type { KrpcError, KrpcReply } from './krpcMessage.ts'
import type { KrpcWriter } from './krpcWriter.ts'
import { contactKey, type NodeContact, networkKey } from './nodeContact.ts'
import { compareDistance, NODE_ID_SIZE } from './nodeDistance.ts'
import type { NodeEntry } from './nodeEntry.ts'
import type { QueryBody, RequestObserver } from './requestManager.ts'
import { BUCKET_SIZE } from './routingBucket.ts'
import type { TraversalHost } from './traversalHost.ts'

/** Nodes a lookup keeps; farther ones fall off the end. */
const MAX_CANDIDATES = 100
/** Questions a lookup asks; one that is led on and on by liars ends here. */
const MAX_QUESTIONS = 400
/** Nodes read from one answer: honest nodes send 8, some 20. */
const MAX_NODES_PER_REPLY = 32
/** Longest token worth keeping. */
const MAX_TOKEN_BYTES = 128

/**
 * What we know of a candidate's answer. `slow`: none within a second, so that another node is asked as well;
 * `dropped`: it fell off the end while the question was under way.
 */
type CandidateState = 'new' | 'asked' | 'slow' | 'answered' | 'failed' | 'dropped'

/** A node a lookup may ask. */
export class Candidate implements RequestObserver {
  state: CandidateState = 'new'
  /** What it wants to see from who writes to it (BEP 5); null: it gave none. */
  token: Uint8Array | null = null

  constructor(
    private readonly traversal: Traversal,
    public id: Uint8Array,
    readonly contact: NodeContact,
    /** False for one we know only the contact of; `id` is then made up. */
    public hasId: boolean,
    /** We began with it, instead of having been told of it. */
    readonly isInitial: boolean,
  ) {}

  onReply(reply: KrpcReply, id: Uint8Array): void {
    this.traversal.candidateAnswered(this, reply, id)
  }

  onSlow(): void {
    this.traversal.candidateSlow(this)
  }

  onFailed(_error: KrpcError | null): void {
    this.traversal.candidateFailed(this)
  }
}

/**
 * An iterative lookup (BEP 5, Kademlia): asks the nodes closest to a target, learns of closer ones from their answers,
 * and ends when the eight closest have answered and nobody closer is being waited for (libtorrent's
 * `traversal_algorithm`). Subclasses say what is asked and what is made of the answers.
 */
export abstract class Traversal implements QueryBody {
  abstract readonly type: string
  abstract readonly method: string
  /** Closest first; those without a known id are at the end, from `sorted` on. */
  protected readonly candidates: Candidate[] = []
  /** The one being asked, while the question is written. */
  protected asking!: Candidate
  private sorted = 0
  private inFlight = 0
  private slow = 0
  private questions = 0
  protected responses = 0
  private timeouts = 0
  private lastSent: Millis = -1
  private isEnded = false
  private readonly contacts = new Set<string>()
  private readonly networks = new Set<string>()

  constructor(
    protected readonly host: TraversalHost,
    readonly target: Uint8Array,
  ) {}

  get ended(): boolean {
    return this.isEnded
  }

  /** Begins with the nodes added so far, or the closest of the table; with the routers too if those are few. */
  start(): void {
    this.host.traversalStarted(this)
    if (this.candidates.length === 0) {
      const closest: NodeEntry[] = []
      this.host.closest(this.target, closest, BUCKET_SIZE, true)
      for (const node of closest) this.addCandidate(node.id, node.contact, true)
    }
    if (this.candidates.length < 3) {
      for (const router of this.host.routers) this.addCandidate(null, router, true)
    }
    this.askMore()
  }

  /** Ends at once: no more questions, and the results so far. */
  abort(): void {
    if (!this.isEnded) this.end()
  }

  /** `id` null: we know where it is, but not who. */
  addCandidate(id: Uint8Array | null, contact: NodeContact, isInitial: boolean): void {
    if (this.isEnded || this.contacts.has(contact.key)) return
    if (id === null) {
      this.contacts.add(contact.key)
      const made = this.host.random.bytes(NODE_ID_SIZE)
      this.candidates.push(new Candidate(this, made, contact, false, isInitial))
    } else {
      const at = this.placeOf(id)
      if (at < this.sorted && compareDistance(this.candidates[at].id, id, this.target) === 0) return
      if (at >= MAX_CANDIDATES || !this.isFromNewNetwork(contact, isInitial)) return
      this.contacts.add(contact.key)
      this.candidates.splice(at, 0, new Candidate(this, id, contact, true, isInitial))
      this.sorted++
    }
    while (this.candidates.length > MAX_CANDIDATES) this.dropLast()
  }

  /** Called by the candidate. */
  candidateAnswered(candidate: Candidate, reply: KrpcReply, id: Uint8Array): void {
    const { state } = candidate
    this.leaveFlight(candidate, 'answered')
    if (this.isEnded || state === 'dropped') return
    this.responses++
    const values = reply.values!
    const token = values.getString('token')
    if (token !== null && token.length <= MAX_TOKEN_BYTES) candidate.token = token.slice()
    this.readAnswer(values, candidate)
    if (this.isEnded) return
    this.learnId(candidate, id)
    this.readNodes(values, candidate)
    this.askMore()
  }

  /** Called by the candidate. */
  candidateSlow(candidate: Candidate): void {
    if (candidate.state !== 'asked') return
    candidate.state = 'slow'
    this.slow++
    if (!this.isEnded) this.askMore()
  }

  /** Called by the candidate. */
  candidateFailed(candidate: Candidate): void {
    const { state } = candidate
    this.leaveFlight(candidate, 'failed')
    if (this.isEnded || state === 'dropped') return
    this.timeouts++
    this.askMore()
  }

  status(): DhtLookup {
    let nodesLeft = 0
    for (const candidate of this.candidates) if (candidate.state === 'new') nodesLeft++
    return {
      type: this.type,
      target: this.target,
      outstandingRequests: this.inFlight,
      timeouts: this.timeouts,
      responses: this.responses,
      branchFactor: this.branchFactor,
      nodesLeft,
      lastSent: this.lastSent < 0 ? -1 : Math.floor((this.host.now() - this.lastSent) / 1000),
      firstTimeout: this.slow,
    }
  }

  writeEarlyArgs(_writer: KrpcWriter): void {}

  abstract writeLateArgs(writer: KrpcWriter): void

  /** Takes what it wants out of an answer. */
  protected readAnswer(_values: BNode, _candidate: Candidate): void {}

  /** A question is about to be asked. */
  protected beforeAsking(_candidate: Candidate): void {}

  /** The lookup is over; `candidates` are as they were. */
  protected abstract onEnd(): void

  /** The closest nodes that have answered. */
  protected answered(count: number): Candidate[] {
    const result: Candidate[] = []
    for (const candidate of this.candidates) {
      if (candidate.state !== 'answered') continue
      result.push(candidate)
      if (result.length === count) break
    }
    return result
  }

  protected end(): void {
    if (this.isEnded) return
    this.isEnded = true
    this.host.traversalEnded(this)
    this.onEnd()
    this.candidates.length = 0
    this.contacts.clear()
    this.networks.clear()
  }

  private get branchFactor(): number {
    return Math.max(1, this.host.settings.dhtSearchBranching) + this.slow
  }

  /**
   * Keeps enough questions under way among the closest nodes. Aggressive lookups count only those among the candidates
   * looked at, so that a slow node far behind takes nobody's place.
   */
  private askMore(): void {
    const aggressive = this.host.settings.dhtAggressiveLookups
    let wanted = BUCKET_SIZE
    let outstanding = 0
    for (let i = 0; i < this.candidates.length && wanted > 0; i++) {
      if ((aggressive ? outstanding : this.inFlight) >= this.branchFactor) break
      const candidate = this.candidates[i]
      if (candidate.state === 'answered') wanted--
      else if (candidate.state === 'asked' || candidate.state === 'slow') outstanding++
      else if (candidate.state === 'new' && this.questions < MAX_QUESTIONS && this.ask(candidate)) outstanding++
    }
    if ((wanted === 0 && outstanding === 0) || this.inFlight === 0) this.end()
  }

  private ask(candidate: Candidate): boolean {
    this.asking = candidate
    this.beforeAsking(candidate)
    this.questions++
    if (!this.host.ask(this, candidate.contact, candidate.hasId ? candidate.id : null, candidate)) {
      candidate.state = 'failed'
      return false
    }
    candidate.state = 'asked'
    this.lastSent = this.host.now()
    this.inFlight++
    return true
  }

  private leaveFlight(candidate: Candidate, state: 'answered' | 'failed' | 'dropped'): void {
    if (candidate.state === 'asked' || candidate.state === 'slow') this.inFlight--
    if (candidate.state === 'slow') this.slow--
    candidate.state = state
  }

  private readNodes(values: BNode, candidate: Candidate): void {
    const { nodesKey, nodeSize } = this.host
    const nodes = values.getString(nodesKey)
    if (nodes !== null) {
      forEachCompactNode(nodes, nodeSize, MAX_NODES_PER_REPLY, (id, compact) => this.hear(id, compact, candidate))
    }
    const foreign = values.getString(nodesKey === 'nodes' ? 'nodes6' : 'nodes')
    if (foreign !== null) this.host.hearAboutForeign(foreign, candidate.contact)
  }

  private hear(id: Uint8Array, compact: Uint8Array, source: Candidate): void {
    if (this.contacts.has(contactKey(compact))) return
    const contact = this.host.hearAbout(id, compact, source.contact)
    if (contact !== null) this.addCandidate(new Uint8Array(id), contact, false)
  }

  /** A candidate whose id we did not know, or not rightly, moves to its place. */
  private learnId(candidate: Candidate, id: Uint8Array): void {
    if (candidate.hasId && compareDistance(candidate.id, id, this.target) === 0) return
    const from = this.candidates.indexOf(candidate)
    if (from === -1) return
    this.candidates.splice(from, 1)
    if (from < this.sorted) this.sorted--
    candidate.id = id.slice()
    candidate.hasId = true
    this.candidates.splice(this.placeOf(id), 0, candidate)
    this.sorted++
  }

  /** Index among the sorted candidates at which `id` is or would be. */
  private placeOf(id: Uint8Array): number {
    let low = 0
    let high = this.sorted
    while (low < high) {
      const middle = (low + high) >> 1
      if (compareDistance(this.candidates[middle].id, id, this.target) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  /** One lookup asks one node of each network, so that nobody can fill it with nodes of his own. */
  private isFromNewNetwork(contact: NodeContact, isInitial: boolean): boolean {
    if (isInitial || !this.host.settings.dhtRestrictSearchIps) return true
    const network = networkKey(contact.compact)
    if (this.networks.has(network)) return false
    this.networks.add(network)
    return true
  }

  private dropLast(): void {
    const dropped = this.candidates.pop()!
    this.sorted = Math.min(this.sorted, this.candidates.length)
    this.leaveFlight(dropped, 'dropped')
  }
}
