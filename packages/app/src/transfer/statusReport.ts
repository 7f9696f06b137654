import {
  type LibtorrentError,
  type Session,
  StatusFlags,
  type TorrentHandle,
  type TorrentState,
  type TorrentStatus,
} from 'libtorrent-ts'
import { reasonOf } from '../cliError.ts'
import type { Output, OutputEvent } from '../output/output.ts'
import type { Progress } from '../output/progressLine.ts'

const ACTIVITIES: Readonly<Record<TorrentState, string>> = {
  checkingResumeData: 'checking',
  queuedForChecking: 'checking',
  checkingFiles: 'checking',
  downloadingMetadata: 'fetching metadata',
  allocating: 'allocating',
  downloading: '',
  finished: 'seeding',
  seeding: 'seeding',
}

const SSRF_ADVICE =
  ': a tracker on this machine has a path that begins with /announce, and brings no parameters of its own'

/** Reports how far a torrent is, as often as the output wants to know. */
export class StatusReport {
  private timer: NodeJS.Timeout | null = null

  constructor(
    private readonly handle: TorrentHandle,
    private readonly output: Output,
  ) {}

  start(): void {
    this.timer = setInterval(() => this.report(), this.output.progressInterval)
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer)
    this.output.clearProgress()
  }

  report(): void {
    if (!this.handle.isValid) return
    const wantsPieces = this.output.mode === 'terminal' ? StatusFlags.queryPieces : 0
    const status = this.handle.status(StatusFlags.queryAccurateDownloadCounters | wantsPieces)
    this.output.progress(eventOf(status), progressOf(status))
  }
}

function isChecking(state: TorrentState): boolean {
  return state === 'checkingResumeData' || state === 'queuedForChecking' || state === 'checkingFiles'
}

/** Share of the wanted bytes that is had. */
function contentShare(status: TorrentStatus): number {
  if (status.isFinished) return 1
  return status.totalWanted === 0 ? 0 : Math.min(1, status.totalWantedDone / status.totalWanted)
}

function etaOf(status: TorrentStatus): number | null {
  if (status.state !== 'downloading' || status.downloadPayloadRate < 1) return null
  return Math.ceil((status.totalWanted - status.totalWantedDone) / status.downloadPayloadRate)
}

function eventOf(status: TorrentStatus): OutputEvent {
  return {
    type: 'progress',
    state: status.state,
    progress: contentShare(status),
    ...(isChecking(status.state) && { checked: status.progress }),
    done: status.totalWantedDone,
    total: status.totalWanted,
    downloaded: status.totalPayloadDownload,
    uploaded: status.totalPayloadUpload,
    wasted: status.totalFailedBytes + status.totalRedundantBytes,
    downloadRate: Math.round(status.downloadPayloadRate),
    uploadRate: Math.round(status.uploadPayloadRate),
    peers: status.numPeers,
    seeds: status.numSeeds,
    pieces: status.numPieces,
    eta: etaOf(status),
  }
}

function progressOf(status: TorrentStatus): Progress {
  const checking = isChecking(status.state)
  const fetching = status.state === 'downloadingMetadata'
  return {
    activity: ACTIVITIES[status.state],
    fraction: checking || fetching ? status.progress : contentShare(status),
    pieces: status.pieces,
    downloadRate: checking || status.isFinished ? null : status.downloadPayloadRate,
    uploadRate: checking || fetching ? null : status.uploadPayloadRate,
    peers: checking ? null : status.numPeers,
    eta: etaOf(status),
  }
}

/** No WebSocket tracker can be used until something is installed. */
function isPackageMissing(error: LibtorrentError): boolean {
  return error.is('unsupportedUrlProtocol') && error.message.includes('npm install')
}

const I2P_ROUTER_MISSING =
  'Trackers in I2P take a router there: name its SAM bridge with --i2p, such as --i2p 127.0.0.1.'
const I2P_SESSION_COMING =
  'The I2P router is making a session for us, which takes a while. Trackers in I2P are asked then.'

/** There is a router, but no session with it yet. */
function isSessionComing(error: LibtorrentError): boolean {
  return error.message.includes('not there yet')
}

/** Warns of what goes wrong and is tried again: each tracker's complaint once. */
export function reportTrackers(session: Session, output: Output): void {
  const said = new Set<string>()
  const warnOnce = (url: string, text: string, line = `Tracker ${url}: ${text}`) => {
    if (said.has(line)) return
    said.add(line)
    output.warn(line, { tracker: url })
  }
  session.on('trackerError', ({ url, error, msg }) => {
    const advice = error.is('ssrfMitigation') ? SSRF_ADVICE : ''
    const text = `${msg === '' ? reasonOf(error) : msg}${advice}`
    // What is missing is missing for all of them.
    if (error.is('noI2pRouter')) warnOnce(url, text, isSessionComing(error) ? I2P_SESSION_COMING : I2P_ROUTER_MISSING)
    else warnOnce(url, text, isPackageMissing(error) ? text : undefined)
  })
  session.on('trackerWarning', ({ url, msg }) => warnOnce(url, msg))
}
