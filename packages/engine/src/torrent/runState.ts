import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { Millis } from '../util/flavored.ts'
import type { Content } from './content.ts'
import type { PeerDiscovery } from './peerDiscovery.ts'
import type { Swarm } from './swarm.ts'
import type { TorrentAnnouncer } from './torrentAnnouncer.ts'
import type { TorrentCounters } from './torrentCounters.ts'
import type { TorrentHost } from './torrentHost.ts'
import type { TorrentNews } from './torrentNews.ts'
import type { WebSeeds } from './webSeeds.ts'

export interface RunStateHost {
  readonly session: Pick<TorrentHost, 'isPaused'>
  readonly counters: TorrentCounters
  readonly news: TorrentNews
  readonly swarm: Swarm
  readonly announcer: TorrentAnnouncer
  readonly discovery: PeerDiscovery
  readonly webSeeds: WebSeeds
  readonly content: Content | null
  /** There is something to talk to peers about: files are checked, or the metadata is to be fetched. */
  readonly isReadyForPeers: boolean
  readonly isFinished: boolean
  readonly isSeed: boolean
  needsSaveResume: boolean
  now(): Millis
  /** Something of the status is different. */
  changed(): void
}

type State =
  /** To run, as soon as files and session let it. */
  | { readonly name: 'waiting' }
  /** Trackers are told, peers are connected. */
  | { readonly name: 'online' }
  /** Online, and paused when the blocks that were asked for are there. */
  | { readonly name: 'pausing' }
  | { readonly name: 'paused' }
  /** Paused by an error. `wasPaused`: it is not to run when that is cleared, either. */
  | { readonly name: 'failed'; readonly error: LibtorrentError; readonly wasPaused: boolean }
  /** It leaves its session. */
  | { readonly name: 'aborted' }

const WAITING: State = { name: 'waiting' }
const ONLINE: State = { name: 'online' }
const PAUSING: State = { name: 'pausing' }
const PAUSED: State = { name: 'paused' }
const ABORTED: State = { name: 'aborted' }

/** Whether a torrent runs, and why not; what it is busy with when it does is its `TorrentState`. */
export class RunState {
  private state: State
  /** What `torrentPaused` or `torrentResumed` said last. */
  private saidPaused = false

  constructor(
    private readonly host: RunStateHost,
    paused: boolean,
  ) {
    this.state = paused ? PAUSED : WAITING
  }

  /** The torrent itself is paused, by somebody or by an error, whatever the session is. */
  get isTorrentPaused(): boolean {
    return this.state.name === 'paused' || this.state.name === 'failed'
  }

  /** Paused, by itself or with its session. */
  get isPaused(): boolean {
    return this.isTorrentPaused || this.host.session.isPaused
  }

  /**
   * Somebody wants it paused: what resume data says. An error is no wish: the next session tries again, where libtorrent
   * would leave the torrent paused without a word of why.
   */
  get wantsPause(): boolean {
    const { state } = this
    return state.name === 'paused' || state.name === 'pausing' || (state.name === 'failed' && state.wasPaused)
  }

  /** What is on its way is still received, nothing more is asked for. */
  get isPausing(): boolean {
    return this.state.name === 'pausing'
  }

  get isAborted(): boolean {
    return this.state.name === 'aborted'
  }

  /** What stopped the torrent; null while all is well. */
  get error(): LibtorrentError | null {
    return this.state.name === 'failed' ? this.state.error : null
  }

  /** Peers are connected, and let in. */
  get isTakingPeers(): boolean {
    const { name } = this.state
    return (name === 'online' || name === 'waiting') && this.mayBeOnline
  }

  private get mayBeOnline(): boolean {
    return !this.host.session.isPaused && this.host.isReadyForPeers
  }

  /** Paused or not, as resume data says; before `start`. */
  restore(paused: boolean): void {
    this.state = paused ? PAUSED : WAITING
  }

  /** From here on changes are told. */
  start(): void {
    this.saidPaused = this.isPaused
  }

  /** any -> paused. `graceful`: online -> pausing, if blocks are on their way. */
  pause(graceful: boolean): void {
    const { state } = this
    if (state.name === 'paused' || state.name === 'aborted') return
    this.host.needsSaveResume = true
    if (state.name === 'failed') this.state = { ...state, wasPaused: true }
    else if (graceful && isOnline(state) && this.awaitsBlocks()) this.state = PAUSING
    else this.enter(PAUSED)
  }

  /** pausing -> online; paused -> waiting or online. One that has failed will run when its error is cleared. */
  resume(): void {
    const { state } = this
    if (!this.wantsPause) return
    this.host.needsSaveResume = true
    if (state.name === 'failed') this.state = { ...state, wasPaused: false }
    else if (state.name === 'pausing') this.state = ONLINE
    else this.enter(this.mayBeOnline ? ONLINE : WAITING)
  }

  /** any -> failed */
  fail(error: LibtorrentError): void {
    const before = this.state
    if (before.name === 'aborted') return
    this.state = { name: 'failed', error, wasPaused: this.wantsPause }
    this.host.news.failed(error)
    this.follow(before)
  }

  /** failed -> paused or waiting; `update` must follow. False when all was well. */
  clearError(): boolean {
    const { state } = this
    if (state.name !== 'failed') return false
    this.state = state.wasPaused ? PAUSED : WAITING
    return true
  }

  /** waiting <-> online, and pausing -> paused, as session and files demand. Called when those have changed. */
  update(): void {
    const { name } = this.state
    if (name === 'aborted') return
    if (name === 'waiting' || name === 'online') this.enter(this.mayBeOnline ? ONLINE : WAITING)
    else this.enter(name === 'pausing' && !this.mayBeOnline ? PAUSED : this.state)
  }

  /** any -> aborted. False when it was that already. Ending what is going on is the torrent's. */
  abort(): boolean {
    if (this.isAborted) return false
    this.state = ABORTED
    this.runStopwatches()
    return true
  }

  /** Once a second: pausing -> paused */
  tick(): void {
    if (this.isPausing && !this.awaitsBlocks()) this.pause(false)
  }

  /** What counts the time is set going or stopped: what the torrent does has changed. */
  runStopwatches(): void {
    const { counters, isFinished, isSeed } = this.host
    const now = this.host.now()
    const running = !this.isPaused && !this.isAborted
    counters.activeTime.run(running, now)
    counters.finishedTime.run(running && isFinished, now)
    counters.seedingTime.run(running && isSeed, now)
  }

  private enter(state: State): void {
    const before = this.state
    this.state = state
    this.follow(before)
  }

  /** Does what the step from `before` to the present state takes. */
  private follow(before: State): void {
    const { host, state } = this
    this.runStopwatches()
    host.content?.updateCheckingTurn()
    if (isOnline(before) !== isOnline(state)) {
      if (isOnline(state)) this.goOnline()
      else this.goOffline()
      host.changed()
    }
    if (this.isPaused !== this.saidPaused) this.sayPaused(this.isPaused)
  }

  private goOnline(): void {
    this.host.announcer.start()
    this.host.discovery.goOnline()
    this.host.swarm.wantConnections()
    this.host.webSeeds.update()
  }

  private goOffline(): void {
    const { swarm, announcer, discovery, content } = this.host
    swarm.stop('torrentPaused')
    this.host.webSeeds.stop()
    discovery.goOffline()
    announcer.trackers.stop()
    if (!this.isPaused) content?.storage.releaseFiles(() => {})
  }

  /** `torrentPaused` comes when the files are closed, whatever the torrent was doing. */
  private sayPaused(paused: boolean): void {
    const { host } = this
    const { news, content } = host
    this.saidPaused = paused
    host.changed()
    if (!paused) news.resumed()
    else if (content === null) news.paused()
    else {
      content.storage.releaseFiles(() => {
        if (!this.isAborted) news.paused()
      })
    }
  }

  /** Blocks are on their way, but for those of peers that have been silent for `request_timeout`. */
  private awaitsBlocks(): boolean {
    for (const { download } of this.host.swarm.connections) {
      if (download.requests.length > 0 && !download.isSnubbed) return true
    }
    return this.host.webSeeds.isAwaited
  }
}

function isOnline(state: State): boolean {
  return state.name === 'online' || state.name === 'pausing'
}
