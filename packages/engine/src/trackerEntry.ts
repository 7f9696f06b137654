/** `libtorrent-ts/tracker`: a BitTorrent tracker to run in a program of one's own. Start with `TrackerServer`. */

export {
  type TrackerAnnounce,
  TrackerServer,
  type TrackerServerEvents,
  type TrackerServerWorld,
} from './api/trackerServer.ts'
export type { AnnounceEvent } from './trackerServer/announceQuery.ts'
export type { IpParameter, TrackerServerOptions } from './trackerServer/trackerServerOptions.ts'
export type { TrackerStats } from './trackerServer/trackerStats.ts'
