import { isGlobal } from '../address/classify.ts'
import { LibtorrentError, libtorrentError } from '../errors/libtorrentError.ts'
import type { WebSeedEntry } from '../metainfo/trackerUrl.ts'
import type { Timer } from '../platform/clock.ts'
import type { Bitfield } from '../util/bitfield.ts'
import { BLOCK_SIZE_BYTES, type FileIndex, type Millis, type PieceIndex, type Seconds } from '../util/flavored.ts'
import { BlockAssembler } from './blockAssembler.ts'
import { Exchange, type ExchangeEnd } from './exchange.ts'
import { RedirectMemory } from './redirectMemory.ts'
import { refusedUrl } from './refusedUrl.ts'
import { headersForOthers, requestHeaders, withoutQuery } from './requestHeaders.ts'
import { retryDelay } from './retryDelay.ts'
import { blockAt, coalesceBlocks, type Segment } from './segment.ts'
import { webSeedAddressGuard } from './webSeedAddressGuard.ts'
import { WebSeedFiles } from './webSeedFiles.ts'
import type { WebSeedHost } from './webSeedHost.ts'
import { isSameOrigin, parseWebSeedUrl, type WebSeedLocation } from './webSeedLocation.ts'
import { type WebSeedProtocol, webSeedProtocols } from './webSeedProtocol.ts'

/** The next request is sent when less than this is left of those on their way: what comes during a round trip. */
const LOOK_AHEAD_BYTES = 1 << 20
/** A request is for as much as comes in this time, so that a slow server does not hold what others could send. */
const REQUEST_TIME_S = 10
/** Asked for while the rate is not known. */
const FIRST_REQUEST_BYTES = 1 << 20
/** A connection that broke after it had delivered is made again after this. */
const RECONNECT: Seconds = 1

/** Of the name a server gives itself so much is kept. */
const MAX_SOFTWARE_LENGTH = 100

/** What a web seed is doing. Requests are on their way only while it is `ready`. */
export type WebSeedState =
  | { readonly name: 'ready' }
  /** It failed, or asked for a pause. */
  | { readonly name: 'waiting'; readonly timer: Timer; readonly until: Millis }
  /** It is of no use. */
  | { readonly name: 'disabled'; readonly error: LibtorrentError }
  | { readonly name: 'closed' }

/** An exchange that did not bring what it should have; `retryAfter` if the server said when it will. */
interface Failure {
  readonly error: LibtorrentError
  readonly url: string
  readonly received: number
  readonly retryAfter: Seconds | null
}

/** Something on its way: an HTTP exchange, or zeros made here. */
interface Transfer {
  readonly segment: Segment
  /** Bytes of the segment that are there. */
  received: number
  resume(): void
  abort(): void
}

/**
 * A web server that gives the content of a torrent, file by file (BEP 19) or by a script (BEP 17).
 *
 * The torrent calls `pump` when there may be something to ask for. The seed then takes blocks from the picker, draws them
 * together to ranges, cuts those at the borders of files, and keeps one or a few requests on their way: a second one when
 * the first is nearly through, more when they are for little. What arrives is put together to blocks. When something fails
 * the blocks that are missing are given up, for others to be asked.
 */
export class WebSeed {
  state: WebSeedState
  /** What the server calls itself, empty until it has answered. A stranger's text. */
  software = ''
  private readonly protocol: WebSeedProtocol
  private readonly has: WebSeedFiles
  private readonly assembler: BlockAssembler
  private readonly location: WebSeedLocation
  private readonly headers: Readonly<Record<string, string>>
  private readonly redirects = new RedirectMemory()
  /**
   * In the order of their bytes, and only the first delivers: the others wait with what has come. So at most one block is
   * in parts, and what it waits for is first in line: seeds that hold slots cannot wait for one another.
   */
  private readonly transfers: Transfer[] = []
  private queue: Segment[] = []
  private failures = 0
  /** Bytes a second, of the answers so far. */
  private rate = 0
  private isPumping = false
  /** Its own address, before any redirect, is not one of the internet. */
  private isOnPrivateNetwork = false

  /** A URL that cannot be used leaves it `disabled`. */
  constructor(
    private readonly host: WebSeedHost,
    readonly entry: WebSeedEntry,
  ) {
    this.protocol = webSeedProtocols[entry.type]
    this.has = new WebSeedFiles(host.files)
    this.assembler = new BlockAssembler(host)
    const parsed = parseWebSeedUrl(entry.url)
    const location = parsed instanceof LibtorrentError ? parsed : (refusedUrl(parsed.url, host) ?? parsed)
    const isUsable = !(location instanceof LibtorrentError)
    this.state = isUsable ? { name: 'ready' } : { name: 'disabled', error: location }
    this.location = isUsable ? location : { url: '', authorization: null }
    this.headers = requestHeaders(entry, this.location, host.settings)
  }

  /** Pieces it is believed to have. */
  get pieces(): Bitfield {
    return this.has.pieces
  }

  /** Its URL without credentials. */
  get url(): string {
    return this.location.url
  }

  /** Blocks asked for that have not come. */
  get outstanding(): number {
    return this.assembler.outstanding
  }

  /** Whether it was asked for this block, and has not given it. */
  isAsked(blockId: number): boolean {
    return this.assembler.has(blockId)
  }

  /** Asks for more, if there is something to ask for. Harmless at any time. */
  pump(): void {
    if (this.isPumping) return
    this.isPumping = true
    while (this.state.name === 'ready' && this.hasRoom()) {
      const segment = this.queue.shift() ?? this.plan()
      if (segment === null) break
      this.start(segment)
    }
    this.isPumping = false
  }

  /** There are free slots again. */
  resume(): void {
    this.transfers[0]?.resume()
  }

  /** A piece that it alone has sent was not what it should be (`ban_web_seeds`). */
  pieceFailed(piece: PieceIndex, error: LibtorrentError): void {
    if (this.state.name === 'closed') return
    if (this.host.files.numFiles > 1) this.lose(this.has.loseWrongPiece(piece))
    if (this.host.files.numFiles === 1 ? this.host.settings.banWebSeeds : this.has.hasNothing)
      this.disable(error, this.url)
  }

  /** Ends everything, silently: its blocks are given up. */
  close(): void {
    this.stopWaiting()
    this.state = { name: 'closed' }
    this.abortAll()
  }

  // --- asking ---------------------------------------------------------------------------------------------------

  private hasRoom(): boolean {
    if (this.transfers.length >= Math.max(1, this.host.settings.urlseedPipelineSize)) return false
    let left = 0
    for (const { segment, received } of this.transfers) left += segment.length - received
    return left < LOOK_AHEAD_BYTES
  }

  /** Takes blocks from the picker; the first request for them, or null when there are none. */
  private plan(): Segment | null {
    const { host } = this
    const most = host.settings.urlseedMaxRequestBytes
    const wish = this.rate === 0 ? FIRST_REQUEST_BYTES : this.rate * REQUEST_TIME_S
    const bytes = Math.max(BLOCK_SIZE_BYTES, Math.min(most, Math.max(wish, host.layout.pieceLength)))
    const blocks = host.pickBlocks(this, Math.floor(bytes / BLOCK_SIZE_BYTES))
    for (const block of blocks) this.assembler.expect(block)
    const ranges = coalesceBlocks(blocks, host.layout, Math.max(most, BLOCK_SIZE_BYTES))
    this.queue.push(...ranges.flatMap((range) => this.protocol.segments(range, host)))
    return this.queue.shift() ?? null
  }

  /** Begins to get a segment, at `place` in the line. */
  private start(segment: Segment, place = this.transfers.length): void {
    if (segment.source.kind === 'zeros') return this.fillZeros(segment)
    const { host, protocol } = this
    const file = segment.source.kind === 'file' ? segment.source.file : 0
    const own = protocol.url(this.location.url, segment, host)
    const url = segment.source.kind === 'file' ? this.redirects.lookUp(file, own) : own
    const begin = host.clock.now()
    const rules = {
      ssrfMitigation: host.settings.ssrfMitigation,
      checkAddress: (address: string) => host.checkAddress(address),
    }
    // What a name stood for when the redirect was followed it may not stand for now.
    const guard = webSeedAddressGuard(rules, url !== own && !this.isOnPrivateNetwork)
    const headers = { ...this.headers, ...protocol.headers(segment) }
    const exchange = new Exchange(
      {
        http: host.http,
        request: (target) => ({
          url: target,
          receiveTimeout: host.settings.urlseedTimeout * 1000,
          validateCertificate: host.validateCertificate,
          tls: host.tls,
          resolver: host.resolver,
          localAddress: host.localAddress,
          checkAddress: (address) => {
            if (target === own) this.isOnPrivateNetwork ||= !isGlobal(address)
            const refusal = guard(address, target === own ? this.judgedUrl(own) : target)
            if (refusal !== null) host.onAddressRefused?.(address, refusal)
            return refusal
          },
        }),
        refusesTarget: (target) => refusedUrl(target, host),
        judge: (head) => {
          this.software = (head.headers.server ?? '').slice(0, MAX_SOFTWARE_LENGTH)
          return protocol.judge(head, segment, host, host.clock.unixTime())
        },
        onBytes: (received, chunk) => this.onBytes(transfer, received, chunk),
        onEnd: (end) => this.onEnd(transfer, end, { own, asked: url, begin }),
      },
      url,
      isSameOrigin(own, url) ? headers : headersForOthers(headers),
    )
    const transfer: Transfer = {
      segment,
      received: 0,
      resume: () => exchange.resume(),
      abort: () => exchange.abort(),
    }
    this.transfers.splice(place, 0, transfer)
    exchange.start()
  }

  /** Without the query that asks an HTTP seed for a piece: that is ours, not the torrent's. */
  private judgedUrl(url: string): string {
    return this.entry.type === 'httpSeed' ? this.location.url : url
  }

  private fillZeros(segment: Segment): void {
    const transfer: Transfer = {
      segment,
      received: 0,
      resume: () => {
        const { offset, length } = segment
        transfer.received += this.assembler.zeros(offset + transfer.received, length - transfer.received)
        if (transfer.received < length) return this.onNotTaken()
        this.leave(transfer)
        this.transfers[0]?.resume()
        this.pump()
      },
      abort: () => {},
    }
    this.transfers.push(transfer)
    if (this.transfers[0] === transfer) transfer.resume()
  }

  /** The transfer is over: the next one's turn. Gives the place it had. */
  private leave(transfer: Transfer): number {
    const place = this.transfers.indexOf(transfer)
    if (place !== -1) this.transfers.splice(place, 1)
    return place
  }

  // --- answers --------------------------------------------------------------------------------------------------

  private onBytes(transfer: Transfer, received: number, chunk: Uint8Array): number {
    if (this.transfers[0] !== transfer) return 0
    const allowed = this.host.takeQuota?.(chunk.length) ?? chunk.length
    const passing = allowed < chunk.length ? chunk.subarray(0, allowed) : chunk
    const taken = this.assembler.bytes(transfer.segment.offset + received, passing)
    transfer.received = received + taken
    if (taken > 0) this.host.onReceived(this, taken)
    if (taken < allowed) {
      this.host.giveBackQuota?.(allowed - taken)
      this.onNotTaken()
    }
    // The end of what is on its way may be near.
    else if (this.transfers.length === 1) this.pump()
    return taken
  }

  private onNotTaken(): void {
    if (this.state.name === 'ready') this.host.onStalled(this)
  }

  private onEnd(transfer: Transfer, end: ExchangeEnd, request: { own: string; asked: string; begin: Millis }): void {
    const place = this.leave(transfer)
    const { segment } = transfer
    const { source } = segment
    if (end.kind === 'complete') {
      // A server may give less than it was asked for, but not so little that we would never be done.
      if (end.received < Math.min(segment.length, BLOCK_SIZE_BYTES)) {
        return this.onFailed({ ...end, error: libtorrentError('invalidRange'), retryAfter: null })
      }
      this.failures = 0
      this.measure(end.received, this.host.clock.now() - request.begin)
      if (source.kind === 'file' && end.redirected) this.rememberRedirect(source.file, request.own, end.url)
      if (end.received < segment.length) this.start(rest(segment, end.received), place)
      else this.transfers[0]?.resume()
      return this.pump()
    }
    if (source.kind === 'file' && request.asked !== request.own && end.kind !== 'failed') {
      // Where it was moved to it is not any more: once more from the start.
      this.redirects.forget(source.file)
      return this.start(segment, place)
    }
    if (source.kind === 'file') this.redirects.forget(source.file)
    if (end.kind === 'missing') this.onMissing(segment, end.error, end.url)
    else if (end.kind === 'refused') this.disable(end.error, end.url)
    else this.onFailed(end.kind === 'failed' ? { ...end, retryAfter: null } : end)
  }

  private onMissing(segment: Segment, error: LibtorrentError, url: string): void {
    const { source } = segment
    this.lose(source.kind === 'file' ? this.has.loseFile(source.file) : this.piecesOf(segment))
    if (this.state.name !== 'ready') return
    if (this.has.hasNothing) return this.disable(error, url)
    this.host.onTrouble(this, { error, url: withoutQuery(url), retryIn: null })
    if (this.state.name === 'ready') this.transfers[0]?.resume()
    this.pump()
  }

  private onFailed(end: Failure): void {
    const delivered = end.received >= BLOCK_SIZE_BYTES
    this.failures = delivered ? 0 : this.failures + 1
    const { urlseedWaitRetry, webSeedNameLookupRetry } = this.host.settings
    const isNameUnknown = end.error.operation === 'hostnameLookup'
    const delay = delivered
      ? RECONNECT
      : retryDelay(this.failures, urlseedWaitRetry, isNameUnknown ? webSeedNameLookupRetry : end.retryAfter)
    this.wait(delay)
    this.host.onTrouble(this, { error: end.error, url: withoutQuery(end.url), retryIn: delay })
  }

  // --- transitions ----------------------------------------------------------------------------------------------

  /** ready -> waiting. */
  private wait(delay: Seconds): void {
    const { clock, timers } = this.host
    this.stopWaiting()
    const timer = timers.after(delay * 1000, () => {
      this.state = { name: 'ready' }
      this.pump()
    })
    this.state = { name: 'waiting', timer, until: clock.now() + delay * 1000 }
    this.abortAll()
  }

  /** Any but closed -> disabled. */
  private disable(error: LibtorrentError, url: string): void {
    this.stopWaiting()
    this.state = { name: 'disabled', error }
    this.abortAll()
    this.host.onTrouble(this, { error, url: withoutQuery(url), retryIn: null })
  }

  private stopWaiting(): void {
    if (this.state.name === 'waiting') this.state.timer.cancel()
  }

  private abortAll(): void {
    for (const transfer of this.transfers.splice(0)) transfer.abort()
    this.queue = []
    const blocks = this.assembler.giveUpAll()
    if (blocks.length > 0) this.host.onBlocksGivenUp(this, blocks)
  }

  /** What it does not have it is not asked for any more, and blocks of it that were asked for do not come. */
  private lose(pieces: readonly PieceIndex[]): void {
    if (pieces.length === 0) return
    const { layout } = this.host
    const lost = new Set(pieces)
    const blocks: number[] = []
    for (const piece of pieces) {
      for (let block = 0; block < layout.blocksInPiece(piece); block++) {
        const blockId = layout.blockId(piece, block)
        if (!this.assembler.has(blockId)) continue
        this.assembler.giveUp(blockId)
        blocks.push(blockId)
      }
    }
    this.queue = this.queue.filter((segment) => !this.piecesOf(segment).every((piece) => lost.has(piece)))
    for (const transfer of [...this.transfers]) {
      if (!this.piecesOf(transfer.segment).every((piece) => lost.has(piece))) continue
      transfer.abort()
      this.leave(transfer)
    }
    this.host.onPiecesLost(this, pieces)
    if (blocks.length > 0) this.host.onBlocksGivenUp(this, blocks)
    if (this.state.name === 'ready') this.transfers[0]?.resume()
  }

  private piecesOf({ offset, length }: Segment): PieceIndex[] {
    const { layout } = this.host
    const first = layout.pieceOf(blockAt(layout, offset))
    const last = layout.pieceOf(blockAt(layout, offset + length - 1))
    return Array.from({ length: last - first + 1 }, (_, i) => first + i)
  }

  private rememberRedirect(file: FileIndex, own: string, target: string): void {
    const { files } = this.host
    const isDirectory = this.location.url.endsWith('/')
    const root = files.numFiles === 1 || isDirectory ? this.location.url : `${this.location.url}/`
    this.redirects.remember(file, own, target, root)
  }

  private measure(bytes: number, took: Millis): void {
    const rate = (bytes * 1000) / Math.max(took, 1)
    // Half of what is new: one slow answer says little.
    this.rate = this.rate === 0 ? rate : (this.rate + rate) / 2
  }
}

function rest(segment: Segment, received: number): Segment {
  const { offset, length, source } = segment
  return {
    offset: offset + received,
    length: length - received,
    source: source.kind === 'zeros' ? source : { ...source, offset: source.offset + received },
  }
}
