/** What happened on one UDP socket since the beginning (libtorrent's `utp_status`). */
export class UtpCounters {
  packetsIn = 0
  packetsOut = 0
  /** Of these with payload. */
  payloadPacketsIn = 0
  payloadPacketsOut = 0
  /** Packets taken for lost because later ones arrived. */
  packetLoss = 0
  /** Times that no ack came for too long. */
  timeout = 0
  /** Packets sent again, for either reason. */
  packetResend = 0
  /** Packets sent again because later ones arrived. */
  fastRetransmit = 0
  /** Delays measured above and below `utp_target_delay`. */
  samplesAboveTarget = 0
  samplesBelowTarget = 0
  /** Packets that are no valid uTP, or belong to no connection. */
  invalidPacketsIn = 0
  /** Packets that say nothing new, or acknowledge what was not sent. */
  redundantPacketsIn = 0
  /** Resets sent to strangers. */
  resetsOut = 0
  /** Connections not taken because there are too many sockets. */
  refusedSyns = 0

  /** Counts what `other` counted as well. */
  add(other: UtpCounters): void {
    for (const name of Object.keys(other) as (keyof UtpCounters)[]) {
      if (name !== 'add') this[name] += other[name]
    }
  }
}
