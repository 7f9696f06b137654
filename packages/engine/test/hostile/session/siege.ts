import { expect } from 'vitest'
import type { SimPeer, SimPeerConnection, SimPeerOptions } from '../../../sim/simPeer.ts'
import type { SimWorld } from '../../../sim/simWorld.ts'
import { TestTorrent } from '../../../sim/testTorrent.ts'
import type { TorrentHandle } from '../../../src/api/torrentHandle.ts'
import { encodeReserved } from '../../../src/wire/reservedBits.ts'
import { type ClientOptions, SAVE, SimClient } from '../../sim/client.ts'

export const BLOCK = 16_384
export const FAST_AND_EXTENDED = encodeReserved({ supportsFast: true, supportsExtensions: true })

/**
 * A session in the middle of two downloads, each from an honest seed: one torrent will be attacked, the other must not
 * notice. Half of the attacked one is there from the start, so that it has something to give.
 */
export class Siege {
  readonly torrent = new TestTorrent({ name: 'attacked', size: 40 * 2 * BLOCK })
  readonly client: SimClient
  readonly honest: SimPeer
  readonly others: SimPeer
  readonly otherTorrent = new TestTorrent({ name: 'bystander', size: 1_000_000, seed: 2 })
  private readonly bystander: TorrentHandle
  private attackers = 0

  constructor(
    readonly world: SimWorld,
    options: ClientOptions = {},
  ) {
    this.client = new SimClient(world, 'client', this.torrent, { has: (piece) => piece % 2 === 0, ...options })
    this.bystander = this.client.session.addTorrent({
      ti: this.otherTorrent.info(),
      savePath: SAVE,
      autoManaged: false,
    })
    world.run({ seconds: 1 })
    // Slow enough that both downloads go on while the attack lasts.
    this.honest = world.peer('honest', { torrent: this.torrent, has: 'all', serves: true, up: 30_000 })
    this.others = world.peer('others', { torrent: this.otherTorrent, has: 'all', serves: true, up: 40_000 })
    this.client.torrent.connectPeer(this.honest.listen())
    this.bystander.connectPeer(this.others.listen())
    world.run({ seconds: 1 })
  }

  /** Somebody connects who is up to no good. */
  attacker(options: Partial<SimPeerOptions> = {}): SimPeerConnection {
    const peer = this.world.peer(`attacker${this.attackers++}`, {
      torrent: this.torrent,
      reserved: FAST_AND_EXTENDED,
      ...options,
    })
    const connection = peer.connect(this.client.endpoint)
    this.world.run({ seconds: 1 })
    return connection
  }

  /** How the connections that were not honest ended. */
  get verdicts(): string[] {
    const honest = [this.honest.host.address, this.others.host.address]
    return this.client.endings.filter(({ address }) => !honest.includes(address)).map(({ code }) => code)
  }

  /** Both downloads complete, neither honest peer was blamed for anything, and none of the pool is held. */
  survive(): void {
    const { client, world } = this
    world.runUntil(() => client.torrent.isSeed && this.bystander.isSeed, { minutes: 3 })
    expect(this.torrent.isOn(world.filesOf(client.host), SAVE)).toBe(true)
    expect(this.otherTorrent.isOn(world.filesOf(client.host), SAVE)).toBe(true)
    const blamed = client.endings.filter(
      ({ address, code }) =>
        [this.honest.host.address, this.others.host.address].includes(address) && code !== 'uploadUploadConnection',
    )
    expect(blamed).toEqual([])
    expect(client.alerts('peerBan').filter(({ endpoint }) => endpoint.address === this.honest.host.address)).toEqual([])
  }
}

/** Bytes as hexadecimal digits; spaces do not count. */
export function hex(digits: string): Uint8Array {
  return Buffer.from(digits.replaceAll(' ', ''), 'hex')
}
