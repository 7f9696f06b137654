import { expect } from 'vitest'
import type { SimPeer, SimPeerConnection } from '../../sim/simPeer.ts'
import type { SimWorld } from '../../sim/simWorld.ts'
import { TestTorrent } from '../../sim/testTorrent.ts'
import type { Endpoint } from '../../src/address/endpoint.ts'
import {
  decodeUtHolepunch,
  encodeUtHolepunch,
  HolepunchError,
  type HolepunchMessage,
  HolepunchType,
} from '../../src/wire/utHolepunchMessage.ts'
import { SimClient } from './client.ts'
import { extensionPeer, theirId } from './extensionPeer.ts'
import { scenario } from './scenario.ts'

const OUR_ID = 29
const MESSAGES = new Map([['ut_holepunch', OUR_ID]])
const NOBODY = { address: '11.22.33.44', port: 4444 }

const content = new TestTorrent({ size: 100_000 })

function ask(connection: SimPeerConnection, endpoint: Endpoint): void {
  const payload = encodeUtHolepunch({ type: HolepunchType.rendezvous, endpoint, error: 0 })
  connection.send((to) => to.extended(theirId(connection, 'ut_holepunch'), payload))
}

/** What a peer was told by `ut_holepunch`. */
function toldTo(peer: SimPeer): (HolepunchMessage | null)[] {
  return peer.connection
    .received('extended')
    .filter(({ body }) => body[0] === OUR_ID)
    .map(({ body }) => decodeUtHolepunch(body.subarray(1)))
}

/** A relay of ours, and two peers of it. */
function meeting(world: SimWorld, options: { readonly targetSpeaks?: boolean; readonly targetPort?: number } = {}) {
  const { targetSpeaks = true, targetPort = 7000 } = options
  const relay = new SimClient(world, 'relay', content)
  const asking = extensionPeer(world, 'asking', content, { messages: MESSAGES, listenPort: 6000 })
  const target = extensionPeer(world, 'target', content, {
    messages: targetSpeaks ? MESSAGES : new Map(),
    listenPort: targetPort,
  })
  const connection = asking.connect(relay.endpoint)
  target.connect(relay.endpoint)
  world.run({ seconds: 2 })
  const at = (peer: SimPeer, port: number) => ({ address: peer.host.address, port })
  return { relay, asking, target, connection, askingAt: at(asking, 6000), targetAt: at(target, targetPort) }
}

scenario('a peer that is to be introduced to another is told to connect to it, and the other to the peer', (world) => {
  const { asking, target, connection, askingAt, targetAt } = meeting(world)
  ask(connection, targetAt)
  world.run({ seconds: 1 })
  expect(toldTo(asking)).toEqual([{ type: HolepunchType.connect, endpoint: targetAt, error: 0 }])
  expect(toldTo(target)).toEqual([{ type: HolepunchType.connect, endpoint: askingAt, error: 0 }])
})

scenario('whoever cannot be introduced is told why', (world) => {
  const { asking, target, connection, askingAt, targetAt } = meeting(world, { targetSpeaks: false })
  for (const endpoint of [NOBODY, targetAt, askingAt]) ask(connection, endpoint)
  world.run({ seconds: 1 })
  expect(toldTo(asking)).toEqual([
    { type: HolepunchType.failed, endpoint: NOBODY, error: HolepunchError.notConnected },
    { type: HolepunchType.failed, endpoint: targetAt, error: HolepunchError.noSupport },
    { type: HolepunchType.failed, endpoint: askingAt, error: HolepunchError.noSelf },
  ])
  expect(toldTo(target)).toEqual([])
})

scenario('whoever asks for an endpoint at which nobody can be is told that there is no such peer', (world) => {
  const { asking, connection } = meeting(world)
  const nobodies = [
    { address: '11.22.33.44', port: 0 },
    { address: '0.0.0.0', port: 5000 },
    { address: '224.0.0.1', port: 5000 },
    { address: '::', port: 5000 },
    { address: 'ff02::1', port: 5000 },
  ]
  for (const endpoint of nobodies) ask(connection, endpoint)
  world.run({ seconds: 1 })
  const told = asking.connection
    .received('extended')
    .filter(({ body }) => body[0] === OUR_ID)
    .map(({ body }) => body.subarray(1))
  // As in the question, but for kind and reason.
  expect(told).toEqual(
    nobodies.map((endpoint) =>
      encodeUtHolepunch({ type: HolepunchType.failed, endpoint, error: HolepunchError.noSuchPeer }),
    ),
  )
})

scenario('one peer has us introduce it twenty times a minute at most', (world) => {
  const { asking, target, connection, targetAt } = meeting(world)
  for (let i = 0; i < 500; i++) ask(connection, targetAt)
  world.run({ seconds: 1 })
  expect(toldTo(asking)).toHaveLength(20)
  expect(toldTo(target)).toHaveLength(20)
  world.run({ seconds: 61 })
  ask(connection, targetAt)
  world.run({ seconds: 1 })
  expect(toldTo(target)).toHaveLength(21)
})

scenario('a peer that does not speak it is not answered', (world) => {
  const relay = new SimClient(world, 'relay', content)
  const peer = extensionPeer(world, 'peer', content, { messages: new Map() })
  const connection = peer.connect(relay.endpoint)
  world.run({ seconds: 2 })
  ask(connection, NOBODY)
  world.run({ seconds: 1 })
  expect(connection.received('extended').filter(({ body }) => body[0] !== 0)).toEqual([])
})
