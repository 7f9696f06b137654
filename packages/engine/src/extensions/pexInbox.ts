import { isLocal } from '../address/classify.ts'
import { type Endpoint, endpointText } from '../address/endpoint.ts'
import type { Millis } from '../util/flavored.ts'
import { MAX_PEX_MESSAGE_SIZE, type PexCodec, type PexPeer, utPexCodec } from '../wire/utPexMessage.ts'

/** More messages than this within a minute are a flood (libtorrent). */
const MESSAGES_PER_MINUTE = 6
const MINUTE_MS = 60_000
/** libtorrent's own use of this bit says nothing when it comes from the network. */
const PRIVATE_FLAGS = 0x80

export type PexVerdict = 'pexMessageTooLarge' | 'tooFrequentPex' | 'invalidPexMessage'

/** What one peer told us of others (BEP 11), and how often. */
export class PexInbox {
  private readonly known = new Set<string>()
  private readonly times: Millis[] = []

  constructor(private readonly codec: Pick<PexCodec, 'decode'> = utPexCodec) {}

  /**
   * @param isPeerLocal the peer is on our network: only then may it name local addresses.
   * @param maxPeers setting `max_pex_peers`: how many peers it may have named that it did not take back.
   * @returns those not heard of from it before, or what to close the connection with.
   */
  receive(payload: Uint8Array, now: Millis, isPeerLocal: boolean, maxPeers: number): PexPeer[] | PexVerdict {
    if (payload.length > MAX_PEX_MESSAGE_SIZE) return 'pexMessageTooLarge'
    if (this.isFlooding(now)) return 'tooFrequentPex'
    const message = this.codec.decode(payload)
    if (message === null) return 'invalidPexMessage'
    for (const peer of message.dropped) this.known.delete(endpointText(peer))
    const news: PexPeer[] = []
    for (const peer of message.added) {
      if (this.known.size >= maxPeers) break
      if (!isPeerLocal && isLocal(peer.address)) continue
      const key = endpointText(peer)
      if (this.known.has(key)) continue
      this.known.add(key)
      news.push({ ...peer, flags: peer.flags & ~PRIVATE_FLAGS })
    }
    return news
  }

  /** Whether it named `endpoint`, and has not taken it back. */
  hasNamed(endpoint: Endpoint): boolean {
    return this.known.has(endpointText(endpoint))
  }

  private isFlooding(now: Millis): boolean {
    const { times } = this
    if (times.length === MESSAGES_PER_MINUTE) {
      if (now - times[0] < MINUTE_MS) return true
      times.shift()
    }
    times.push(now)
    return false
  }
}
