import type { LocalWay } from './localWay.ts'
import type { TrackerLocation } from './trackerLocation.ts'
import type { AnnounceReply, ScrapeReply, TrackerFailure, TrackerQuery, TrackerRequest } from './trackerRequest.ts'

/** Speaks to WebSocket trackers, which introduce WebRTC peers to each other. Its peers come another way: see `rtc/`. */
export interface WebTrackerClient {
  /** False: WebSocket trackers are not to be used now. */
  readonly isOn: boolean
  /** `done` is called once, later, unless the returned function is called before. `sending`: the tracker was reached. */
  announce(
    tracker: TrackerLocation,
    request: TrackerRequest,
    way: LocalWay,
    done: (result: AnnounceReply | TrackerFailure) => void,
    sending: () => void,
  ): () => void
  /** As `announce`. */
  scrape(
    tracker: TrackerLocation,
    query: TrackerQuery,
    way: LocalWay,
    done: (result: ScrapeReply | TrackerFailure) => void,
  ): () => void
  /** A torrent does not announce any more: to nobody, or not to `url`. Peers are not introduced to it any more. */
  leave(infoHash: Uint8Array, url?: string): void
}
