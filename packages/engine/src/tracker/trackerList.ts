import { TrackerSource } from '../metainfo/trackerUrl.ts'
import type { Clock } from '../platform/clock.ts'
import { type Random, shuffle } from '../platform/random.ts'
import { AnnounceEntry, type TrackerSpec } from './announceEntry.ts'
import { isWebSocketScheme, parseTrackerUrl } from './trackerLocation.ts'

/** The trackers of a torrent in the order to try them: by tier, within a tier as BEP 12 has it. No URL occurs twice. */
export class TrackerList {
  private list: AnnounceEntry[] = []

  constructor(private readonly clock: Clock) {}

  /** In order. Not to be changed. */
  get entries(): readonly AnnounceEntry[] {
    return this.list
  }

  find(url: string): AnnounceEntry | null {
    return this.list.find((entry) => entry.url === url) ?? null
  }

  has(entry: AnnounceEntry): boolean {
    return this.list.includes(entry)
  }

  /**
   * Takes other trackers instead. Those that were known before keep their state. Returns the entries that are gone.
   */
  replace(specs: readonly TrackerSpec[]): AnnounceEntry[] {
    const before = new Map(this.list.map((entry) => [entry.url, entry]))
    const after = new Map<string, AnnounceEntry>()
    for (const spec of specs) {
      const fresh = new AnnounceEntry(spec, this.clock)
      if (fresh.url === '') continue
      const twin = after.get(fresh.url)
      if (twin !== undefined) {
        twin.source |= fresh.source
        continue
      }
      const kept = before.get(fresh.url)
      if (kept !== undefined) {
        kept.tier = fresh.tier
        kept.failLimit = fresh.failLimit
        kept.source |= fresh.source
        before.delete(fresh.url)
      }
      after.set(fresh.url, kept ?? withSource(fresh))
    }
    this.list = [...after.values()].sort((a, b) => a.tier - b.tier)
    return [...before.values()]
  }

  /** Puts the trackers of each tier in random order, as BEP 12 wants it done once when a torrent is loaded. */
  shuffleTiers(random: Random): void {
    const shuffled: AnnounceEntry[] = []
    for (let from = 0; from < this.list.length; ) {
      const tier = this.list.slice(from, this.endOfTier(from))
      shuffled.push(...shuffle(tier, random))
      from += tier.length
    }
    this.list = shuffled
  }

  /** Adds a tracker behind those of its tier; null when it is there already (then its source is noted) or has no URL. */
  add(spec: TrackerSpec): AnnounceEntry | null {
    const entry = withSource(new AnnounceEntry(spec, this.clock))
    if (entry.url === '') return null
    const known = this.find(entry.url)
    if (known !== null) {
      known.source |= entry.source
      return null
    }
    let at = this.list.length
    while (at > 0 && this.list[at - 1].tier > entry.tier) at--
    this.list.splice(at, 0, entry)
    return entry
  }

  /**
   * The tracker works: it becomes the first of its tier (BEP 12); but where one before it is `inUse` - by a listen
   * socket that cannot reach this one, say - that one stays before it.
   */
  moveToFront(entry: AnnounceEntry, inUse: (other: AnnounceEntry) => boolean = () => false): void {
    const from = this.list.indexOf(entry)
    if (from === -1) return
    let at = from
    while (at > 0 && this.list[at - 1].tier === entry.tier && !inUse(this.list[at - 1])) at--
    this.list.splice(from, 1)
    this.list.splice(at, 0, entry)
  }

  /** The tracker has failed: it becomes the last of its tier. */
  moveToBack(entry: AnnounceEntry): void {
    const at = this.list.indexOf(entry)
    if (at === -1) return
    const end = this.endOfTier(at)
    this.list.splice(at, 1)
    this.list.splice(end - 1, 0, entry)
  }

  /** Setting `prefer_udp_trackers`: a UDP tracker changes places with an HTTP tracker of the same host before it. */
  preferUdp(): void {
    const places = this.list.map((entry) => placeOf(entry.url))
    for (let i = 0; i < this.list.length; i++) {
      if (!places[i].udp) continue
      const j = places.findIndex(
        (place, index) => index < i && !place.udp && place.host !== '' && place.host === places[i].host,
      )
      if (j === -1) continue
      const udp = this.list[i]
      const http = this.list[j]
      this.list[j] = udp
      this.list[i] = http
      ;[udp.tier, http.tier] = [http.tier, udp.tier]
      ;[places[i], places[j]] = [places[j], places[i]]
    }
  }

  private endOfTier(from: number): number {
    let end = from
    while (end < this.list.length && this.list[end].tier === this.list[from].tier) end++
    return end
  }
}

function withSource(entry: AnnounceEntry): AnnounceEntry {
  if (entry.source === 0) entry.source = TrackerSource.client
  return entry
}

function placeOf(url: string): { readonly host: string; readonly udp: boolean } {
  const location = parseTrackerUrl(url)
  // WebSocket trackers know other peers than the rest: none of them goes before the other.
  if (!('host' in location) || isWebSocketScheme(location.scheme)) return { host: '', udp: false }
  return { host: location.host, udp: location.scheme === 'udp' }
}
