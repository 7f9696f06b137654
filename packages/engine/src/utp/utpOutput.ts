import type { Endpoint } from '../address/endpoint.ts'
import type { Millis } from '../util/flavored.ts'
import type { AckDebt } from './ackDebt.ts'
import type { DelayMeter } from './delayMeter.ts'
import { SACK_EXTENSION_BYTES, writeSack } from './selectiveAck.ts'
import type { UtpCounters } from './utpCounters.ts'
import { HEADER_BYTES, PacketType, stampHeader, writeHeader } from './utpHeader.ts'
import { RECEIVE_CAPACITY_BYTES, type UtpReceiver } from './utpReceiver.ts'

/** A window that was smaller than this when we told it last is told anew when it has grown by as much. */
const WINDOW_STEP_BYTES = RECEIVE_CAPACITY_BYTES / 4

/** What packets of a connection are made of. */
export interface UtpOutputHost {
  readonly remote: Endpoint
  readonly sendId: number
  readonly receiveId: number
  /** The number of the SYN that began the connection. */
  readonly synSeq: number
  /** The number of our next packet. */
  readonly nextSeq: number
  /** Null until the other side has answered. */
  readonly receiver: UtpReceiver | null
  readonly delays: DelayMeter
  /** Paid by each packet. */
  readonly ack: AckDebt
}

/** Where packets go. */
export interface UtpOutputSink {
  readonly counters: UtpCounters
  now(): Millis
  send(packet: Uint8Array, to: Endpoint): void
}

/** Everything a connection sends leaves here: each packet tells the time, acknowledges, and says how much we take. */
export class UtpOutput {
  private advertised = RECEIVE_CAPACITY_BYTES
  private sentAt: Millis

  constructor(
    private readonly connection: UtpOutputHost,
    private readonly sink: UtpOutputSink,
  ) {
    this.sentAt = sink.now()
  }

  /** When a packet left last; at the beginning, now. */
  get lastSentAt(): Millis {
    return this.sentAt
  }

  /** A window told as too small is told again when there is room: nobody would ask otherwise. */
  mustTellWindow(receiver: UtpReceiver): boolean {
    return this.advertised < WINDOW_STEP_BYTES && receiver.window >= this.advertised + WINDOW_STEP_BYTES
  }

  /** Asks for a connection. */
  syn(): void {
    const { receiveId, synSeq } = this.connection
    const packet = new Uint8Array(HEADER_BYTES)
    writeHeader(packet, PacketType.syn, receiveId, synSeq)
    this.send(packet, packet)
  }

  /** Says that there is no connection any more. */
  reset(): void {
    const { sendId, nextSeq } = this.connection
    const packet = new Uint8Array(HEADER_BYTES)
    writeHeader(packet, PacketType.reset, sendId, nextSeq)
    this.send(packet, packet)
  }

  /** An ack by itself, of all that has come. */
  state(receiver: UtpReceiver): void {
    const { sendId, nextSeq } = this.connection
    writeHeader(stateBuffer, PacketType.state, sendId, nextSeq)
    const size = HEADER_BYTES + writeSack(stateBuffer, HEADER_BYTES, receiver.held)
    this.send(stateBuffer, size === HEADER_BYTES ? bareState : stateBuffer.subarray(0, size))
  }

  /**
   * An ack of the packet before the last one: the same ack once more would count as a sign of loss for who has something
   * under way, an older one means nothing to anybody (libutp).
   */
  keepAlive(): void {
    const { sendId, nextSeq, receiver } = this.connection
    writeHeader(stateBuffer, PacketType.state, sendId, nextSeq)
    this.send(stateBuffer, bareState, ((receiver?.ack ?? 0) - 1) & 0xffff)
  }

  /** Sends `bytes`, the beginning of `buffer`, with the times and the ack of now in its header. */
  send(buffer: Uint8Array, bytes: Uint8Array, ack = this.connection.receiver?.ack ?? 0): void {
    const { sink, connection } = this
    const now = sink.now()
    this.sentAt = now
    this.advertised = connection.receiver?.window ?? RECEIVE_CAPACITY_BYTES
    stampHeader(buffer, (now * 1000) >>> 0, connection.delays.replyMicros, this.advertised, ack)
    connection.ack.pay()
    sink.counters.packetsOut++
    sink.send(bytes, connection.remote)
  }
}

/** Acks are built here, one after the other: sending copies them. */
const stateBuffer = new Uint8Array(HEADER_BYTES + SACK_EXTENSION_BYTES)
const bareState = stateBuffer.subarray(0, HEADER_BYTES)
