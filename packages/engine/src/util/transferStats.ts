import type { Millis } from './flavored.ts'
import { StatChannel } from './statChannel.ts'

const MTU = 1500
const TCP_HEADER = 20
const IPV4_HEADER = 20
const IPV6_HEADER = 40

/**
 * What a peer, a torrent or the session transferred: payload (blocks), protocol (everything else on the stream)
 * and the estimated IP and TCP headers, in both directions. libtorrent's `stat`. Updates allocate nothing.
 *
 * Each second the torrent adds its peers with `accumulate`, before each of them gets its `tick`.
 */
export class TransferStats {
  readonly uploadPayload = new StatChannel()
  readonly uploadProtocol = new StatChannel()
  readonly uploadIpProtocol = new StatChannel()
  readonly downloadPayload = new StatChannel()
  readonly downloadProtocol = new StatChannel()
  readonly downloadIpProtocol = new StatChannel()

  sentPayload(bytes: number): void {
    this.uploadPayload.add(bytes)
  }

  sentProtocol(bytes: number): void {
    this.uploadProtocol.add(bytes)
  }

  receivedPayload(bytes: number): void {
    this.downloadPayload.add(bytes)
  }

  receivedProtocol(bytes: number): void {
    this.downloadProtocol.add(bytes)
  }

  /** Headers of the packets that carried `bytes` one way, and of their acknowledgements the other way. */
  transceivedIpPackets(bytes: number, isV6: boolean): void {
    const header = TCP_HEADER + (isV6 ? IPV6_HEADER : IPV4_HEADER)
    const overhead = Math.max(1, Math.ceil(bytes / (MTU - header))) * header
    this.uploadIpProtocol.add(overhead)
    this.downloadIpProtocol.add(overhead)
  }

  sentSyn(isV6: boolean): void {
    this.uploadIpProtocol.add(TCP_HEADER + (isV6 ? IPV6_HEADER : IPV4_HEADER))
  }

  /** The other side's SYN-ACK, and our ACK. */
  receivedSynAck(isV6: boolean): void {
    const header = TCP_HEADER + (isV6 ? IPV6_HEADER : IPV4_HEADER)
    this.downloadIpProtocol.add(header)
    this.uploadIpProtocol.add(header)
  }

  /** Adds what `other` transferred since its last tick. */
  accumulate(other: TransferStats): void {
    this.uploadPayload.add(other.uploadPayload.counter)
    this.uploadProtocol.add(other.uploadProtocol.counter)
    this.uploadIpProtocol.add(other.uploadIpProtocol.counter)
    this.downloadPayload.add(other.downloadPayload.counter)
    this.downloadProtocol.add(other.downloadProtocol.counter)
    this.downloadIpProtocol.add(other.downloadIpProtocol.counter)
  }

  /** Payload of earlier connections, or earlier sessions: counts in the totals, not in the rates. */
  addStat(downloaded: number, uploaded: number): void {
    this.downloadPayload.offset(downloaded)
    this.uploadPayload.offset(uploaded)
  }

  /** To be called once a second; `elapsed` is the time since the last call. */
  tick(elapsed: Millis): void {
    this.uploadPayload.tick(elapsed)
    this.uploadProtocol.tick(elapsed)
    this.uploadIpProtocol.tick(elapsed)
    this.downloadPayload.tick(elapsed)
    this.downloadProtocol.tick(elapsed)
    this.downloadIpProtocol.tick(elapsed)
  }

  clear(): void {
    this.uploadPayload.clear()
    this.uploadProtocol.clear()
    this.uploadIpProtocol.clear()
    this.downloadPayload.clear()
    this.downloadProtocol.clear()
    this.downloadIpProtocol.clear()
  }

  /** Bytes a second, payload, protocol and headers. */
  get uploadRate(): number {
    return this.uploadPayload.rate + this.uploadProtocol.rate + this.uploadIpProtocol.rate
  }

  get downloadRate(): number {
    return this.downloadPayload.rate + this.downloadProtocol.rate + this.downloadIpProtocol.rate
  }

  get uploadPayloadRate(): number {
    return this.uploadPayload.rate
  }

  get downloadPayloadRate(): number {
    return this.downloadPayload.rate
  }

  /** Bytes in total, payload, protocol and headers. */
  get totalUpload(): number {
    return this.uploadPayload.total + this.uploadProtocol.total + this.uploadIpProtocol.total
  }

  get totalDownload(): number {
    return this.downloadPayload.total + this.downloadProtocol.total + this.downloadIpProtocol.total
  }

  get totalPayloadUpload(): number {
    return this.uploadPayload.total
  }

  get totalPayloadDownload(): number {
    return this.downloadPayload.total
  }

  get totalProtocolUpload(): number {
    return this.uploadProtocol.total
  }

  get totalProtocolDownload(): number {
    return this.downloadProtocol.total
  }
}
