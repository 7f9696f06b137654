import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { Platform } from '../platform/platform.ts'
import type { Stream } from '../platform/tcp.ts'
import type { TrackerSettings } from '../tracker/trackerSettings.ts'
import type { Millis, Seconds } from '../util/flavored.ts'

/** The settings WebRTC goes by, under the names of the settings table. */
export interface RtcSettings extends TrackerSettings {
  readonly webtorrentStunServer: string
  readonly webtorrentConnectionTimeout: Seconds
  readonly maxWebtorrentOffers: number
}

/** What WebRTC needs of the session. Info-hashes are texts with one character per byte. */
export interface RtcHost {
  readonly platform: Pick<Platform, 'clock' | 'timers' | 'random' | 'resolver' | 'webRtc'>
  readonly settings: Readonly<RtcSettings>
  /** Ours, 20 bytes. */
  readonly peerId: Uint8Array
  /** The one address connections may come from; undefined: the system chooses. */
  readonly boundAddress: string | undefined
  /** Our addresses are to stay unknown: nothing of WebRTC may be used. */
  readonly isHiding: boolean
  /** Whether a torrent would take one more connection. `isOutgoing`: one that we offer. */
  wantsPeer(infoHash: string, isOutgoing: boolean): boolean
  /** A torrent is connected to a peer that has this id; one character per byte. */
  hasPeer(infoHash: string, peerId: string): boolean
  /** The IP filter's judgement of a tracker's address; asked only when it applies to trackers and to the torrent. */
  checkTrackerAddress(address: string): LibtorrentError | null
  /** The IP filter lets the torrent have a peer at this address. */
  acceptsPeer(infoHash: string, address: string): boolean
  /** A connection stands; whoever gets the stream owns it. `isOutgoing`: it was our offer. */
  onStream(infoHash: string, stream: Stream, isOutgoing: boolean): void
  /** The connection to a tracker that knew this torrent broke: it is to be told anew after about `delay` ms. */
  onTrackerLost(infoHash: string, url: string, delay: Millis): void
}
