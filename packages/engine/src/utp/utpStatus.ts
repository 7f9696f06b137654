import { UtpCounters } from './utpCounters.ts'
import type { UtpSockets } from './utpSockets.ts'

/** What uTP did since the session began, and where its connections stand (1.0 manual, utp_status). */
export interface UtpStatus {
  /** Strangers that asked to connect and have said nothing since. */
  readonly numIdle: number
  /** We asked to connect and were not answered yet. */
  readonly numSynSent: number
  readonly numConnected: number
  /** We have said all, and the other side has not acknowledged it yet. */
  readonly numFinSent: number
  /** All is said; kept for a moment for what is repeated. */
  readonly numCloseWait: number
  /** Packets taken for lost because later ones arrived. */
  readonly packetLoss: number
  /** Times that no acknowledgement came for too long. */
  readonly timeout: number
  readonly packetsIn: number
  readonly packetsOut: number
  /** Packets sent again because later ones arrived; of `packetResend`. */
  readonly fastRetransmit: number
  readonly packetResend: number
  /** Delays measured above and below `utpTargetDelay`. */
  readonly samplesAboveTarget: number
  readonly samplesBelowTarget: number
  /** Of the packets, those with payload. */
  readonly payloadPktsIn: number
  readonly payloadPktsOut: number
  /** No valid uTP, or of no connection. */
  readonly invalidPktsIn: number
  /** They said nothing new, or acknowledged what was not sent. */
  readonly redundantPktsIn: number
}

/** @param past counters of sockets that were closed. */
export function utpStatus(open: Iterable<UtpSockets>, past: UtpCounters): UtpStatus {
  const total = new UtpCounters()
  total.add(past)
  const states = { synSent: 0, connected: 0, ending: 0, lingering: 0, timeWait: 0, closed: 0 }
  let numIdle = 0
  for (const sockets of open) {
    total.add(sockets.counters)
    numIdle += sockets.halfOpenCount
    for (const name of sockets.stateNames()) states[name]++
  }
  return {
    numIdle,
    numSynSent: states.synSent,
    numConnected: states.connected,
    numFinSent: states.ending + states.lingering,
    numCloseWait: states.timeWait,
    packetLoss: total.packetLoss,
    timeout: total.timeout,
    packetsIn: total.packetsIn,
    packetsOut: total.packetsOut,
    fastRetransmit: total.fastRetransmit,
    packetResend: total.packetResend,
    samplesAboveTarget: total.samplesAboveTarget,
    samplesBelowTarget: total.samplesBelowTarget,
    payloadPktsIn: total.payloadPacketsIn,
    payloadPktsOut: total.payloadPacketsOut,
    invalidPktsIn: total.invalidPacketsIn,
    redundantPktsIn: total.redundantPacketsIn,
  }
}
