import { isGlobal } from '../address/classify.ts'
import { isV6 } from '../address/endpoint.ts'
import type { Clock } from '../platform/clock.ts'
import type { Millis } from '../util/flavored.ts'

/** Votes kept at most; beyond them the oldest do not count any more. */
const MAX_VOTERS = 50
const MIN_VOTES = 2
/** Who said so longer ago may have seen an address we do not have any more. */
const VOTE_LIFE_MS: Millis = 20 * 60_000

interface Vote {
  readonly address: string
  readonly at: Millis
}

/**
 * Our address as others see it, found by vote: peers (`yourip`), trackers (`external ip`). One vote for each source,
 * so that a single liar cannot decide. One family is one election.
 *
 * The DHT has another one for each of its nodes (`IpVoter`, libtorrent's `ip_voter`): an id has to be chosen at once, so
 * that the first vote counts there, and only addresses of the same family that answered a question of ours may vote. Here
 * an alert, and whom torrents prefer, hang on it, routers and trackers vote as well, and nothing is in a hurry.
 */
export class ExternalAddress {
  /** Oldest first. */
  private readonly votes = { v4: new Map<string, Vote>(), v6: new Map<string, Vote>() }
  private readonly elected = { v4: null as string | null, v6: null as string | null }

  constructor(private readonly clock: Clock) {}

  address(v6: boolean): string | null {
    return v6 ? this.elected.v6 : this.elected.v4
  }

  /** `source` says we are `address`. Returns true when that changed the outcome. */
  vote(address: string, source: string): boolean {
    // A peer on our own network sees an address the rest of the world cannot reach.
    if (!isGlobal(address)) return false
    const family = isV6(address) ? 'v6' : 'v4'
    const votes = this.votes[family]
    votes.delete(source)
    votes.set(source, { address, at: this.clock.now() })
    if (votes.size > MAX_VOTERS) votes.delete(votes.keys().next().value as string)
    const winner = this.winner(votes)
    if (winner === null || winner === this.elected[family]) return false
    this.elected[family] = winner
    return true
  }

  /** At least two votes, and the runner-up below two thirds of them (libtorrent's rule). */
  private winner(votes: Map<string, Vote>): string | null {
    const counts = new Map<string, number>()
    const oldest = this.clock.now() - VOTE_LIFE_MS
    for (const [source, { address, at }] of votes) {
      if (at < oldest) votes.delete(source)
      else counts.set(address, (counts.get(address) ?? 0) + 1)
    }
    const [first, second] = [...counts].sort((a, b) => b[1] - a[1])
    if (first === undefined || first[1] < MIN_VOTES) return null
    return second !== undefined && second[1] * 3 >= first[1] * 2 ? null : first[0]
  }
}
