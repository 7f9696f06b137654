import { makePeerId } from '../peers/peerId.ts'
import type { Random } from '../platform/random.ts'
import type { Settings } from '../settings/settings.ts'
import type { TorrentHost } from './torrentHost.ts'

export interface TorrentIdentityHost {
  readonly session: Pick<TorrentHost, 'peerId' | 'trackerKey'>
  readonly settings: Readonly<Pick<Settings, 'anonymousMode'>>
  readonly random: Random
  /** A torrent of I2P. */
  readonly isI2p: boolean
}

/**
 * Whom a torrent's peers and trackers take us for: the session, or in anonymous mode somebody who has nothing to do with
 * our other torrents and runs no client that could be named. So it is in I2P, where our id would tell who we are outside.
 */
export class TorrentIdentity {
  private alias: { readonly peerId: Uint8Array; readonly trackerKey: number } | null = null

  constructor(private readonly host: TorrentIdentityHost) {}

  /** 20 bytes. */
  get peerId(): Uint8Array {
    return this.present.peerId
  }

  /** Sent to trackers so that they know us after a change of address. */
  get trackerKey(): number {
    return this.present.trackerKey
  }

  private get present(): { readonly peerId: Uint8Array; readonly trackerKey: number } {
    const { session, settings, random, isI2p } = this.host
    if (!settings.anonymousMode && !isI2p) return session
    this.alias ??= { peerId: makePeerId('', random), trackerKey: random.u32() }
    return this.alias
  }
}
