import type { Millis } from '../util/flavored.ts'
import { isGlobal } from './classify.ts'
import { isV6 } from './endpoint.ts'

/** Addresses that are candidates at once; more votes than this for different ones are mostly lies. */
const MAX_CANDIDATES = 40
/** Voters remembered for each round. */
const MAX_VOTERS = 500
/** So many votes end a round at once; otherwise it ends with the first vote after `ROUND`. */
const ROUND_VOTES = 50
const ROUND: Millis = 5 * 60_000
/** So many votes settle the first address for good. */
const FIRST_VOTES = 25
const MIN_VOTES = 2

interface Candidate {
  readonly address: string
  votes: number
}

/**
 * Decides by vote what our external address is (libtorrent's `ip_voter`). Everyone who talks to us may say once in a
 * round which address they see. The first vote is believed until there are enough; then the winner of a round needs two
 * votes, and more than half again as many as the second. One instance is for one address family.
 */
export class IpVoter {
  private candidates: Candidate[] = []
  private readonly voters = new Set<string>()
  private totalVotes = 0
  private lastRound: Millis
  private settled = false
  private elected: string | null = null

  constructor(
    private readonly random: { below(limit: number): number },
    now: Millis,
  ) {
    this.lastRound = now
  }

  /** What we believe our address to be, or null before the first vote. */
  get externalAddress(): string | null {
    return this.elected
  }

  /**
   * `source`, an address that answered us, says that we are `address`. Returns true when that changed
   * `externalAddress`. Only the same family, only addresses of the public internet, and one vote for a source.
   */
  vote(address: string, source: string, now: Millis): boolean {
    if (isV6(address) !== isV6(source) || !isGlobal(address)) return false
    if (this.voters.has(source) || this.voters.size >= MAX_VOTERS) return this.endRound(now)
    let candidate = this.candidates.find((c) => c.address === address)
    if (candidate === undefined) {
      if (this.candidates.length >= MAX_CANDIDATES) {
        if (this.random.below(2) === 1) return this.endRound(now)
        this.dropWeakest()
      }
      candidate = { address, votes: 0 }
      this.candidates.push(candidate)
    }
    this.voters.add(source)
    candidate.votes++
    this.totalVotes++
    if (this.settled) return this.endRound(now)
    if (this.elected === null) {
      this.elected = address
      return true
    }
    return this.totalVotes >= FIRST_VOTES ? this.endRound(now) : false
  }

  private endRound(now: Millis): boolean {
    if (this.totalVotes === 0) return false
    if (this.settled && this.totalVotes < ROUND_VOTES && now - this.lastRound < ROUND) return false
    if (!this.settled && this.totalVotes < FIRST_VOTES) return false
    const [first, second] = [...this.candidates].sort((a, b) => b.votes - a.votes)
    if (second === undefined ? first.votes < MIN_VOTES : first.votes * 2 <= second.votes * 3) {
      // No majority: a new round, so that the voters may speak again.
      if (this.totalVotes >= MAX_VOTERS) this.clear(now)
      return false
    }
    const changed = first.address !== this.elected
    this.elected = first.address
    this.settled = true
    this.clear(now)
    return changed
  }

  private dropWeakest(): void {
    let weakest = 0
    for (let i = 1; i < this.candidates.length; i++) {
      if (this.candidates[i].votes < this.candidates[weakest].votes) weakest = i
    }
    this.candidates.splice(weakest, 1)
  }

  private clear(now: Millis): void {
    this.candidates = []
    this.voters.clear()
    this.totalVotes = 0
    this.lastRound = now
  }
}
