import { StatusFlags, type TorrentHandle } from 'libtorrent-ts'

/** When seeding has gone on long enough. */
export class SeedGoal {
  constructor(
    /** Uploaded bytes for each wanted byte; null for no limit. */
    private readonly ratio: number | null,
    /** Seconds; null for no limit. */
    private readonly time: number | null,
  ) {}

  /** Why to stop, `seconds` after seeding began; null to go on. What earlier runs uploaded counts for the ratio. */
  reached(handle: TorrentHandle, seconds: number): 'seedRatio' | 'seedTime' | null {
    if (this.time !== null && seconds >= this.time) return 'seedTime'
    if (this.ratio === null) return null
    const { allTimeUpload, totalWanted } = handle.status(StatusFlags.queryName)
    return allTimeUpload >= this.ratio * totalWanted ? 'seedRatio' : null
  }
}
