import type { SimHost } from '../../sim/simHost.ts'
import type { SimWorld, WorldHostOptions } from '../../sim/simWorld.ts'
import type { TestTorrent } from '../../sim/testTorrent.ts'
import type { Endpoint } from '../../src/address/endpoint.ts'
import { AlertCategory } from '../../src/alerts/alert.ts'
import type { AlertFor, SessionAlert, SessionEvent } from '../../src/api/alertingSession.ts'
import type { Session } from '../../src/api/session.ts'
import type { TorrentHandle } from '../../src/api/torrentHandle.ts'
import type { Settings } from '../../src/settings/settings.ts'
import type { AddTorrentParams } from '../../src/torrent/addTorrentParams.ts'
import type { Millis, PieceIndex } from '../../src/util/flavored.ts'

export const SAVE = '/save'
const PORT = 6881
/** Scripted peers speak TCP: being tried by uTP first would only delay every scene. Those about uTP turn it on. */
const NO_UTP = { enableOutgoingUtp: false, enableIncomingUtp: false }

export interface ClientOptions extends WorldHostOptions {
  /** What is on its disk at the start. Default `none`. */
  readonly has?: 'all' | 'none' | ((piece: PieceIndex) => boolean)
  readonly settings?: Partial<Settings>
  /** Further parameters of its torrent. */
  readonly add?: Partial<AddTorrentParams>
  /** Adds the torrent by its info-hash only. */
  readonly magnet?: boolean
}

/** An alert, and when it was posted since the simulation began. */
interface Posted {
  readonly alert: SessionAlert
  readonly at: Millis
}

export interface Ending {
  readonly address: string
  readonly code: string
  /** Whole seconds since the simulation began. */
  readonly second: number
}

const faults = new WeakMap<SimWorld, string[]>()

/** Texts of the `sessionError` alerts of all clients of a world: bugs of ours. */
export function faultsOf(world: SimWorld): string[] {
  const list = faults.get(world) ?? []
  faults.set(world, list)
  return list
}

/** One of our sessions on a machine of its own, with one torrent, and everything it said. */
export class SimClient {
  readonly host: SimHost
  readonly session: Session
  readonly torrent: TorrentHandle
  private readonly posted: Posted[] = []

  constructor(
    readonly world: SimWorld,
    /** A name for a new machine, or the machine of an earlier client, to start again on. */
    where: string | SimHost,
    content: TestTorrent,
    options: ClientOptions = {},
  ) {
    const { has = 'none', settings, add, magnet = false, ...line } = options
    this.host = typeof where === 'string' ? world.host(where, line) : where
    if (has !== 'none') content.putOn(world.filesOf(this.host), SAVE, has === 'all' ? undefined : has)
    this.session = world.session(this.host, {
      settings: { alertMask: AlertCategory.all, ...NO_UTP, ...settings },
    })
    this.session.setAlertDispatch((alert) => {
      this.posted.push({ alert, at: world.time.elapsed })
      if (alert.type === 'sessionError') faultsOf(world).push(`${this.host.name}: ${alert.message()}`)
    })
    const which = magnet ? { infoHash: content.infoHash } : { ti: content.info() }
    this.torrent = this.session.addTorrent({ ...which, savePath: SAVE, autoManaged: false, ...add })
  }

  get endpoint(): Endpoint {
    return { address: this.host.address, port: PORT }
  }

  /** Alerts of one kind, first to last. */
  alerts<Event extends Exclude<SessionEvent, 'alert'>>(type: Event): AlertFor<Event>[] {
    return this.posted.filter(({ alert }) => alert.type === type).map(({ alert }) => alert as AlertFor<Event>)
  }

  /** Forgets all alerts so far. */
  forget(): void {
    this.posted.length = 0
  }

  /** When alerts of one kind were posted, whole seconds. */
  secondsOf(type: SessionEvent): number[] {
    return this.posted.filter(({ alert }) => alert.type === type).map(({ at }) => Math.floor(at / 1000))
  }

  /** How its connections ended, first to last. */
  get endings(): Ending[] {
    return this.posted.flatMap(({ alert, at }) => {
      if (alert.type !== 'peerDisconnected' && alert.type !== 'peerError') return []
      return [{ address: alert.endpoint.address, code: alert.error.code, second: Math.floor(at / 1000) }]
    })
  }

  /** The codes of `endings`. */
  get endCodes(): string[] {
    return this.endings.map(({ code }) => code)
  }

  get numPeers(): number {
    return this.torrent.getPeerInfo().length
  }
}

/** A client that has everything, once it has found that out. */
export function seedOf(world: SimWorld, content: TestTorrent, options: ClientOptions = {}): SimClient {
  const seed = new SimClient(world, 'seed', content, { has: 'all', ...options })
  world.runUntil(() => seed.torrent.isSeed, { minutes: 5 })
  return seed
}
