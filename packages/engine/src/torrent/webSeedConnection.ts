import { addressToBytes } from '../address/addressBytes.ts'
import { isLocal } from '../address/classify.ts'
import { type Endpoint, isV6 } from '../address/endpoint.ts'
import type { BandwidthChannel } from '../bandwidth/bandwidthChannel.ts'
import { BandwidthUser, type BandwidthUserHost } from '../bandwidth/bandwidthUser.ts'
import type { RateLimits } from '../bandwidth/rateLimits.ts'
import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { FileStorage } from '../metainfo/fileStorage.ts'
import type { PieceLayout } from '../metainfo/pieceLayout.ts'
import type { TorrentInfo } from '../metainfo/torrentInfo.ts'
import type { WebSeedEntry } from '../metainfo/trackerUrl.ts'
import type { TorrentPeer } from '../peers/torrentPeer.ts'
import { PieceState } from '../picker/downloadingPiece.ts'
import { PickerFlags, pickerFlags } from '../picker/pickerFlags.ts'
import type { PiecePicker } from '../picker/piecePicker.ts'
import type { Clock, Timers } from '../platform/clock.ts'
import type { BlockPool } from '../platform/disk.ts'
import type { HttpStreamClient } from '../platform/httpStream.ts'
import type { Resolver } from '../platform/resolver.ts'
import { SocketType } from '../platform/socketType.ts'
import type { TlsContext } from '../platform/tls.ts'
import type { Settings } from '../settings/settings.ts'
import type { Millis, PieceIndex, SlotIndex } from '../util/flavored.ts'
import { TransferStats } from '../util/transferStats.ts'
import { WebSeed } from '../webseed/webSeed.ts'
import type { WebSeedHost, WebSeedTrouble } from '../webseed/webSeedHost.ts'
import type { BlockSource } from './blockSource.ts'
import type { PeerFilter } from './peerFilter.ts'
import type { PieceReceiver } from './pieceReceiver.ts'
import type { Swarm } from './swarm.ts'
import type { TorrentCounters } from './torrentCounters.ts'
import type { BandwidthConnection, SlotWaiter, TorrentHost } from './torrentHost.ts'
import type { TorrentSsl } from './torrentSsl.ts'

export interface WebSeedConnectionHost {
  readonly session: Pick<
    TorrentHost,
    'bandwidth' | 'clock' | 'timers' | 'pool' | 'isDiskCongested' | 'httpStreams' | 'resolver'
  >
  readonly settings: Readonly<Settings>
  /** 20 bytes. */
  readonly infoHashBytes: Uint8Array
  readonly info: TorrentInfo
  readonly picker: PiecePicker<TorrentPeer> | null
  readonly receiver: PieceReceiver | null
  readonly counters: TorrentCounters
  readonly limits: RateLimits
  readonly bandwidthPriority: number
  readonly isSequentialDownload: boolean
  readonly swarm: Swarm
  readonly peerFilter: PeerFilter
  readonly ssl: TorrentSsl
  waitForSlot(reader: SlotWaiter): void
}

/** What a connection asks of the part that holds all of them. */
export interface WebSeedConnectionOwner {
  /** It may ask for something now. */
  mayAsk(connection: WebSeedConnection): boolean
  /** Something was asked for. */
  onAsked(): void
  /** Blocks it was to bring are free for others. */
  onBlocksFree(): void
  onTrouble(connection: WebSeedConnection, trouble: WebSeedTrouble): void
}

/** Quota is asked for ahead for so long at the present rate. */
const QUOTA_AHEAD_S = 0.2

const NO_PEER_ID = new Uint8Array(20)

/** A web seed in use, with what makes it a peer among others: its statistics, its pieces, its name in the picker. */
export class WebSeedConnection implements WebSeedHost, BlockSource, SlotWaiter, BandwidthUserHost, BandwidthConnection {
  readonly stats = new TransferStats()
  readonly peerId = NO_PEER_ID
  readonly entry: TorrentPeer
  /** Where the server was connected to last; `0.0.0.0` before, if the URL has a name. */
  remote: Endpoint
  readonly http: HttpStreamClient
  readonly files: FileStorage
  readonly settings: Readonly<Settings>
  readonly seed: WebSeed
  readonly bandwidth: BandwidthUser
  readonly socketType = SocketType.tcp
  /** The highest payload rate, bytes a second. */
  downloadRatePeak = 0
  private readonly picked: number[] = []
  /** Its pieces are among those the picker counts. */
  private isCounted = false

  constructor(
    private readonly host: WebSeedConnectionHost,
    private readonly owner: WebSeedConnectionOwner,
    readonly layout: PieceLayout,
    listed: { readonly entry: WebSeedEntry; readonly peer: TorrentPeer },
  ) {
    this.settings = host.settings
    this.files = host.info.origFiles()
    this.http = host.session.httpStreams.newClient(host.settings.urlseedPipelineSize)
    this.bandwidth = new BandwidthUser(host.session.bandwidth.download, this)
    this.seed = new WebSeed(this, listed.entry)
    this.remote = endpointOf(this.seed.url)
    this.entry = listed.peer
  }

  /** It can be asked at any time: it neither waits after a failure nor is it of no use. */
  get isReady(): boolean {
    return this.seed.state.name === 'ready'
  }

  /** It has given something, and can be asked for more. */
  get isConnected(): boolean {
    return this.isReady && this.stats.totalPayloadDownload > 0
  }

  get isSeed(): boolean {
    return this.seed.pieces.isAllSet
  }

  pump(): void {
    this.seed.pump()
  }

  /** There may be a free slot again. */
  resumeInput(): void {
    this.seed.resume()
  }

  /** Once a second, after the torrent and the session have added up what came. */
  tick(elapsed: Millis): void {
    const received = this.stats.downloadPayload.counter
    this.stats.tick(elapsed)
    this.downloadRatePeak = Math.max(this.downloadRatePeak, this.stats.downloadPayloadRate)
    if (received > 0) this.stats.transceivedIpPackets(received, isV6(this.remote.address))
    if (this.settings.rateLimitIpOverhead) this.bandwidth.charge(this.stats.downloadIpProtocol.counter)
  }

  /** Ends everything: blocks that were asked for are free, connections close. */
  close(): void {
    this.seed.close()
    this.bandwidth.leave()
    this.countPieces(false)
    this.http.close()
  }

  // --- the limits -----------------------------------------------------------------------------------------------

  get isLocal(): boolean {
    return isLocal(this.remote.address)
  }

  get bandwidthPriority(): number {
    return this.host.bandwidthPriority
  }

  get bandwidthAhead(): number {
    return this.isReady ? this.stats.downloadPayloadRate * QUOTA_AHEAD_S : 0
  }

  collectChannels(into: BandwidthChannel[]): void {
    this.host.session.bandwidth.collectChannels(this, this.host.limits, 'download', into)
  }

  onQuota(): void {
    this.seed.resume()
  }

  takeQuota(bytes: number): number {
    return this.bandwidth.take(bytes)
  }

  giveBackQuota(bytes: number): void {
    this.bandwidth.giveBack(bytes)
  }

  // --- what `seed` needs ----------------------------------------------------------------------------------------

  get clock(): Clock {
    return this.host.session.clock
  }

  get timers(): Timers {
    return this.host.session.timers
  }

  get pool(): BlockPool {
    return this.host.session.pool
  }

  get resolver(): Resolver {
    return this.host.session.resolver
  }

  get isDiskCongested(): boolean {
    return this.host.session.isDiskCongested
  }

  get infoHash(): Uint8Array {
    return this.host.infoHashBytes
  }

  get validateCertificate(): boolean {
    return this.host.settings.validateHttpsTrackers
  }

  get tls(): TlsContext | undefined {
    return this.host.ssl.serverTls
  }

  /** Where it leads is remembered. */
  checkAddress(address: string): LibtorrentError | null {
    const refusal = this.host.peerFilter.refusal(address)
    if (refusal === null && address !== this.remote.address) this.remote = { address, port: this.remote.port }
    return refusal
  }

  isPortBlocked(port: number): boolean {
    return this.host.peerFilter.isPortBlocked(port)
  }

  onAddressRefused(address: string, error: LibtorrentError): void {
    this.host.peerFilter.onServerRefused(address, error)
  }

  pickBlocks(seed: WebSeed, count: number): readonly number[] {
    const { host, picked, entry } = this
    const { picker, settings } = host
    if (picker === null || !this.owner.mayAsk(this)) return []
    this.countPieces(true)
    const onParole = entry.onParole && settings.useParoleMode
    const flags = pickerFlags({
      sequentialDownload: host.isSequentialDownload,
      numHave: picker.numHave,
      initialPickerThreshold: settings.initialPickerThreshold,
      snubbed: false,
      onParole,
      prioritizePartialPieces: settings.prioritizePartialPieces,
      pieceExtentAffinity: settings.pieceExtentAffinity,
    })
    // What is next to each other comes in one answer.
    picker.pickPieces(seed.pieces, picked, count, {
      peer: entry,
      flags,
      preferContiguousBlocks: Math.max(count, this.layout.blocksPerPiece),
      numPeers: host.swarm.connections.size + 1,
      speed: PieceState.fast,
      strictEndGameMode: settings.strictEndGameMode,
      outstandingRequests: seed.outstanding,
    })
    const mark = { onParole: (flags & PickerFlags.onParole) !== 0, speed: PieceState.fast }
    const blocks: number[] = []
    for (const blockId of picked) {
      if (blocks.length >= Math.max(count, this.layout.blocksPerPiece)) break
      // One it still owes us from before the piece was judged: its bytes are on their way.
      if (seed.isAsked(blockId)) continue
      if (picker.markAsDownloading(blockId, entry, mark)) blocks.push(blockId)
    }
    if (blocks.length > 0) this.owner.onAsked()
    return blocks
  }

  wantsBlock(blockId: number): boolean {
    const { picker, receiver } = this.host
    return picker !== null && receiver !== null && !picker.isDownloaded(blockId)
  }

  onBlock(blockId: number, slot: SlotIndex): void {
    const { receiver } = this.host
    if (receiver === null) this.pool.release(slot)
    else receiver.onBlock(this, blockId, slot)
  }

  onRedundantBytes(length: number): void {
    this.host.counters.redundantBytes += length
  }

  onReceived(_seed: WebSeed, length: number): void {
    this.stats.receivedPayload(length)
  }

  onStalled(): void {
    this.host.waitForSlot(this)
  }

  onBlocksGivenUp(_seed: WebSeed, blocks: readonly number[]): void {
    const { picker } = this.host
    if (picker === null) return
    for (const blockId of blocks) {
      if (picker.isRequestedFrom(blockId, this.entry)) picker.abortDownload(blockId, this.entry)
    }
    this.owner.onBlocksFree()
  }

  onPiecesLost(_seed: WebSeed, pieces: readonly PieceIndex[]): void {
    if (this.isCounted) for (const piece of pieces) this.host.picker?.decRefcount(piece)
  }

  onTrouble(_seed: WebSeed, trouble: WebSeedTrouble): void {
    if (!this.isReady) this.countPieces(false)
    this.owner.onTrouble(this, trouble)
  }

  private countPieces(counted: boolean): void {
    const { picker } = this.host
    if (this.isCounted === counted) return
    this.isCounted = counted
    if (counted) picker?.incRefcountBits(this.seed.pieces)
    else picker?.decRefcountBits(this.seed.pieces)
  }
}

function endpointOf(url: string): Endpoint {
  if (!URL.canParse(url)) return { address: '0.0.0.0', port: 0 }
  const { hostname, port, protocol } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  const isLiteral = addressToBytes(host) !== null
  return { address: isLiteral ? host : '0.0.0.0', port: Number(port) || (protocol === 'https:' ? 443 : 80) }
}
