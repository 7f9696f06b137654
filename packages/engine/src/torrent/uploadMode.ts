import type { PeerConnection } from '../peer/peerConnection.ts'
import type { TorrentPeer } from '../peers/torrentPeer.ts'
import type { PiecePicker } from '../picker/piecePicker.ts'
import type { Millis } from '../util/flavored.ts'
import type { BlockRequester } from './blockRequester.ts'
import type { Interest } from './interest.ts'
import type { Swarm } from './swarm.ts'
import type { WebSeeds } from './webSeeds.ts'

export interface UploadModeHost {
  readonly swarm: Swarm
  readonly interest: Interest
  readonly requester: BlockRequester
  readonly webSeeds: WebSeeds
  readonly picker: PiecePicker<TorrentPeer> | null
  now(): Millis
  /** Something of the status is different. */
  changed(): void
}

type State =
  | { readonly name: 'off' }
  /** Somebody asked for it. */
  | { readonly name: 'asked' }
  /** The disk refused to write, the last time at `since`. */
  | { readonly name: 'byError'; readonly since: Millis }

const OFF: State = { name: 'off' }
const ASKED: State = { name: 'asked' }

/** Whether anything is downloaded at all (manual, `set_upload_mode`). */
export class UploadMode {
  private state: State

  constructor(
    private readonly host: UploadModeHost,
    on: boolean,
  ) {
    this.state = on ? ASKED : OFF
  }

  get isOn(): boolean {
    return this.state.name !== 'off'
  }

  get isByError(): boolean {
    return this.state.name === 'byError'
  }

  /** On or off, as resume data says; before there are peers. */
  restore(on: boolean): void {
    this.state = on ? ASKED : OFF
  }

  /** off -> asked; asked or byError -> off */
  set(on: boolean): void {
    if (on !== this.isOn) this.enter(on ? ASKED : OFF)
  }

  /** off -> byError. One that was asked for stays what it is. */
  onWriteError(): void {
    if (this.state.name === 'asked') return
    const wasOn = this.isOn
    this.state = { name: 'byError', since: this.host.now() }
    if (!wasOn) this.tellPeers()
  }

  /** byError -> off, `delay` after the disk refused last: it may have room again. */
  retry(now: Millis, delay: Millis): void {
    if (this.state.name === 'byError' && now - this.state.since >= delay) this.enter(OFF)
  }

  /** byError -> off: the error was cleared. */
  clearError(): void {
    if (this.isByError) this.enter(OFF)
  }

  private enter(state: State): void {
    this.state = state
    this.tellPeers()
  }

  private tellPeers(): void {
    const { host, isOn } = this
    host.changed()
    for (const peer of [...host.swarm.connections]) {
      host.interest.update(peer)
      if (isOn) this.cancelAll(peer)
      else host.requester.requestMore(peer)
    }
    host.webSeeds.update()
  }

  private cancelAll(peer: PeerConnection): void {
    const { picker } = this.host
    for (const id of peer.download.requests.ids()) {
      if (peer.entry !== null) picker?.abortDownload(id, peer.entry)
      peer.cancel(id)
    }
  }
}
