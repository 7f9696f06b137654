import type { Millis } from '../util/flavored.ts'
import type { OutPacket } from './packetPool.ts'
import type { RttEstimator } from './rttEstimator.ts'
import { hasSackBit } from './selectiveAck.ts'
import type { SentPackets } from './sentPackets.ts'

/** So many packets behind one that is missing must have arrived before it is taken for lost. */
const PACKETS_PAST_HOLE = 3
/** On a path on which packets turned out to overtake each other it is up to so many, and half of those under way at most. */
const MOST_PAST_HOLE = 64

/** What it takes to judge what is missing. */
export interface LossDetectorHost {
  readonly sent: SentPackets
  readonly rtt: RttEstimator
}

/**
 * Tells which packets are lost: those that so many sent later have passed (BEP 29). How many, the path teaches: a packet
 * that was given up and came after all shows that they overtake each other. It judges; to mark packets, send them again
 * and pay for the loss is the sender's.
 */
export class LossDetector {
  private duplicateAcks = 0
  /** How many packets overtake another on this path, as far as it is known. */
  private packetsPastHole = PACKETS_PAST_HOLE
  /** When the latest of the packets that arrived was sent. */
  private newestArrivalSentAt: Millis = 0
  /** Of the ack being read: a packet sent twice arrived too soon for the second. */
  private tellsOfOvertaking = false

  constructor(private readonly host: LossDetectorHost) {}

  /** An ack is about to be read. */
  beginAck(): void {
    this.tellsOfOvertaking = false
  }

  /** Whatever the ack being read acknowledges. */
  arrived(packet: OutPacket, now: Millis): void {
    const { rtt } = this.host
    if (packet.sentAt > this.newestArrivalSentAt) this.newestArrivalSentAt = packet.sentAt
    // No answer comes as soon: it is the first one that arrived, late.
    if (packet.transmissions > 1 && rtt.isKnown && now - packet.sentAt < rtt.minimum / 2) this.tellsOfOvertaking = true
  }

  /** An ack without a selective one. True when it is the one too many that says the same: the first packet is lost. */
  plainAck(isNew: boolean, isBare: boolean): boolean {
    if (isNew) this.duplicateAcks = 0
    else if (isBare) return ++this.duplicateAcks === PACKETS_PAST_HOLE
    return false
  }

  /**
   * How many of the packets under way the bits of a selective ack show to be lost, unless they arrived: all before this
   * offset.
   * @param first the packet that bit 0 stands for.
   * @param bits how many of the bits stand for a packet that was sent.
   * @param isLast nothing more is on its way to tell.
   */
  lostBefore(packet: Uint8Array, at: number, bits: number, first: number, isLast: boolean): number {
    const { span } = this.host.sent
    // Of the last packets fewer arrivals do.
    const isEnd = isLast && span <= this.packetsPastHole
    let needed = isEnd ? Math.min(this.patience, Math.max(1, span - first)) : this.patience
    for (let bit = bits - 1; bit >= 0; bit--) {
      if (hasSackBit(packet, at, bit) && --needed <= 0) return first + bit
    }
    return 0
  }

  /** Whether a packet that later ones have passed is lost. */
  isLost(packet: OutPacket): boolean {
    if (packet.isLost) return false
    // Sent again already: lost once more only if one arrived that was sent after it by more than packets overtake another.
    return packet.transmissions === 1 || packet.sentAt + this.host.rtt.smoothed / 4 < this.newestArrivalSentAt
  }

  /** The ack is read. After a timeout, what seems to have been overtaken tells of a pause. */
  endAck(hasTimedOut: boolean): void {
    if (!this.tellsOfOvertaking || hasTimedOut) return
    this.packetsPastHole = Math.min(MOST_PAST_HOLE, this.packetsPastHole * 2)
  }

  /** All that is under way is taken for lost, and what is known of the path with it. */
  timedOut(): void {
    this.duplicateAcks = 0
    this.packetsPastHole = PACKETS_PAST_HOLE
  }

  /** Arrivals behind a missing packet that tell that it is lost. */
  private get patience(): number {
    return Math.max(PACKETS_PAST_HOLE, Math.min(this.packetsPastHole, this.host.sent.span >> 1))
  }
}
