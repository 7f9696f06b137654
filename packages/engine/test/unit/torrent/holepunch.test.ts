import { describe, expect, test } from 'vitest'
import type { Endpoint } from '../../../src/address/endpoint.ts'
import type { PeerConnection } from '../../../src/peer/peerConnection.ts'
import { Holepunch, type HolepunchHost } from '../../../src/torrent/holepunch.ts'
import {
  decodeUtHolepunch,
  encodeUtHolepunch,
  type HolepunchMessage,
  HolepunchType,
} from '../../../src/wire/utHolepunchMessage.ts'

const MOST_ASKED = 50

/** A torrent of which one peer, the relay, knows everybody. */
function scene({ isSslTorrent = false } = {}) {
  /** What the relay was told, and whom we went to; `wanted` is who we asked to meet. */
  const told: HolepunchMessage[] = []
  const punched: { readonly address: string; readonly wanted: unknown }[] = []
  const relay = {
    remote: { address: '60.0.0.1', port: 6881 },
    isRtc: false,
    isI2p: false,
    isReady: true,
    isOutgoing: true,
    extensions: { remoteId: () => 4, listenPort: 0 },
    sendExtended: (_: string, payload: Uint8Array) => told.push(decodeUtHolepunch(payload) as HolepunchMessage),
  } as unknown as PeerConnection
  let now = 0
  const host = {
    session: { canBeIntroduced: true },
    settings: { enableOutgoingUtp: true },
    info: { priv: false },
    ssl: { isSslTorrent },
    swarm: {
      connections: new Set([relay]),
      punch: ({ address }: Endpoint, wanted: unknown) => punched.push({ address, wanted }),
    },
    exchange: { introducerOf: () => relay },
    now: () => now++,
  }
  const holepunch = new Holepunch(host as unknown as HolepunchHost)
  const endpointOf = (n: number) => ({ address: `11.22.${n >> 8}.${n & 255}`, port: 5000 })
  return {
    holepunch,
    relay,
    told,
    punched,
    /** The `n`th peer could not be reached. */
    unreachable(n: number): void {
      const entry = { n, supportsHolepunch: true }
      holepunch.onUnreachable({ entry, remote: endpointOf(n) } as unknown as PeerConnection)
    },
    /** The relay sends us to the `n`th peer. Who is wanted there, as we remember. */
    introduced(n: number): unknown {
      const payload = encodeUtHolepunch({ type: HolepunchType.connect, endpoint: endpointOf(n), error: 0 })
      holepunch.onMessage(relay, payload)
      return punched.at(-1)?.wanted
    },
  }
}

describe('introductions asked for', () => {
  test(`are remembered, the last ${MOST_ASKED} of them`, () => {
    const { unreachable, introduced, told, punched } = scene()
    for (let n = 0; n <= MOST_ASKED; n++) unreachable(n)
    expect(told.length).toBe(MOST_ASKED + 1)
    expect(introduced(0)).toBe(null)
    expect(introduced(1)).toMatchObject({ n: 1 })
    expect(introduced(MOST_ASKED)).toMatchObject({ n: MOST_ASKED })
    expect(punched.length).toBe(3)
  })

  test('again take no second place, and are as new', () => {
    const { unreachable, introduced } = scene()
    for (let n = 0; n < MOST_ASKED; n++) unreachable(n)
    unreachable(25)
    expect(introduced(0)).toMatchObject({ n: 0 })
    for (let n = 100; n < 126; n++) unreachable(n)
    // Of the fifty there were, 1 to 24 and 26 have gone by now.
    expect(introduced(26)).toBe(null)
    expect(introduced(25)).toMatchObject({ n: 25 })
  })
})

test('peers of an SSL torrent, who speak TLS, are neither asked for an introduction nor listened to about one', () => {
  const { holepunch, relay, unreachable, introduced, told, punched } = scene({ isSslTorrent: true })
  expect(holepunch.isAllowed).toBe(false)
  unreachable(1)
  introduced(1)
  const payload = encodeUtHolepunch({ type: HolepunchType.rendezvous, endpoint: relay.remote, error: 0 })
  holepunch.onMessage(relay, payload)
  expect([told, punched]).toEqual([[], []])
})
