import type { Settings } from 'libtorrent-ts'
import type { CertificateFiles } from '../options/certificate.ts'
import type { HostAndPort } from '../options/hostAndPort.ts'

/** What `lt download` and `lt seed` were asked to do. */
export interface TransferOptions {
  /** `seed` gives what is there and never writes. */
  readonly role: 'download' | 'seed'
  /** Where the content is or will be. */
  readonly savePath: string
  /** Null for the default ports. */
  readonly port: number | null
  /** Addresses and devices to use; empty: all. */
  readonly interfaces: readonly string[]
  /** For an SSL torrent. */
  readonly certificate: CertificateFiles | null
  readonly peers: readonly HostAndPort[]
  /** Of the session: where else peers may come from, and what --set says. */
  readonly settings: Partial<Settings>
  /** The DHT is the public one, and not one of `--dht-router`: its nodes are remembered. */
  readonly isPublicDht: boolean
  /** Besides those of the torrent. */
  readonly trackers: readonly string[]
  /** Files with addresses to have nothing to do with. */
  readonly ipFilters: readonly string[]
  /** Patterns of the files wanted; empty for all. */
  readonly select: readonly string[]
  readonly sequential: boolean
  /** Leave as soon as the content is complete. */
  readonly noSeed: boolean
  /** Stop seeding when this many times the wanted size was uploaded; null for never. */
  readonly seedRatio: number | null
  /** Seconds to seed; null for ever. */
  readonly seedTime: number | null
}
