import { expect } from 'vitest'
import type { SimPeer, SimPeerConnection } from '../../sim/simPeer.ts'
import type { SimWorld } from '../../sim/simWorld.ts'
import { TestTorrent } from '../../sim/testTorrent.ts'
import type { Endpoint } from '../../src/address/endpoint.ts'
import { IpFilter } from '../../src/filter/ipFilter.ts'
import { PexFlags } from '../../src/peers/peerSource.ts'
import { ProxyType } from '../../src/settings/proxyType.ts'
import type { Settings } from '../../src/settings/settings.ts'
import { encodeUtHolepunch, HolepunchType } from '../../src/wire/utHolepunchMessage.ts'
import { encodeUtPex } from '../../src/wire/utPexMessage.ts'
import { SimClient } from './client.ts'
import { extensionPeer, theirId } from './extensionPeer.ts'
import { scenario } from './scenario.ts'

const OUR_ID = 29
const OUR_PEX_ID = 30
const MESSAGES = new Map([
  ['ut_holepunch', OUR_ID],
  ['ut_pex', OUR_PEX_ID],
])
const UTP = { enableOutgoingUtp: true, enableIncomingUtp: true }
const VICTIM = '11.22.33.44'

const content = new TestTorrent({ size: 100_000 })

function say(connection: SimPeerConnection, type: HolepunchType, endpoint: Endpoint): void {
  const payload = encodeUtHolepunch({ type, endpoint, error: 0 })
  connection.send((to) => to.extended(theirId(connection, 'ut_holepunch'), payload))
}

/** A client of ours, and a peer of it that others may believe to be a relay. */
function duped(world: SimWorld, messages = MESSAGES) {
  const client = new SimClient(world, 'client', content, { settings: UTP })
  const liar = extensionPeer(world, 'liar', content, { messages, listenPort: 6000 })
  world.network.blackHole(VICTIM)
  const connection = liar.connect(client.endpoint)
  world.run({ seconds: 2 })
  return { client, liar, connection }
}

/** How often the client tried to connect to the victim. */
function knocks(client: SimClient): number {
  return client.alerts('peerConnect').filter(({ endpoint }) => endpoint.address === VICTIM).length
}

scenario('a relay that sends us to one address again and again makes us try a few times', (world) => {
  const { client, connection } = duped(world)
  for (let minute = 0; minute < 10; minute++) {
    for (let port = 1; port <= 20; port++)
      say(connection, HolepunchType.connect, { address: VICTIM, port: 5000 + port })
    world.run({ minutes: 1 })
  }
  expect(knocks(client)).toBeGreaterThan(0)
  expect(knocks(client)).toBeLessThanOrEqual(8)
})

scenario('a relay that names a victim by peer exchange and claims to have introduced us', (world) => {
  const { client, liar, connection } = duped(world)
  const victim = { address: VICTIM, port: 5000 }
  let asked = 0
  const greet = liar.onMessage
  liar.onMessage = (message, to) => {
    greet(message, to)
    if (message.name !== 'extended' || message.body[0] !== OUR_ID) return
    asked++
    for (let i = 0; i < 5; i++) say(to, HolepunchType.connect, { address: VICTIM, port: 5000 + asked * 10 + i })
  }
  const flags = PexFlags.utp | PexFlags.holepunch
  const payload = encodeUtPex({ added: [{ ...victim, flags }], dropped: [] })
  connection.send((to) => to.extended(theirId(connection, 'ut_pex'), payload))
  const keepAlive = () => connection.send((to) => to.keepAlive())
  for (let minute = 0; minute < 120; minute++) {
    keepAlive()
    world.run({ minutes: 1 })
  }
  expect(asked).toBeGreaterThan(0)
  expect(knocks(client)).toBeLessThanOrEqual(12)
})

scenario('twenty strangers a minute at most are tried, whatever a relay says', (world) => {
  const { client, connection } = duped(world)
  for (let i = 0; i < 200; i++) {
    world.network.blackHole(`12.0.0.${i}`)
    say(connection, HolepunchType.connect, { address: `12.0.0.${i}`, port: 5000 })
  }
  world.run({ seconds: 5 })
  expect(client.alerts('peerConnect').filter(({ endpoint }) => endpoint.address.startsWith('12.'))).toHaveLength(20)
})

scenario(
  'whoever asks for thousands is answered twenty times a minute, by how many connections he may ask',
  (world) => {
    const { client, liar } = duped(world)
    const answers = () =>
      liar.connections.flatMap((each) => each.received('extended')).filter(({ body }) => body[0] === OUR_ID).length
    for (let round = 0; round < 4; round++) {
      const again = liar.connection
      for (let i = 0; i < 1000; i++) {
        say(again, HolepunchType.rendezvous, { address: `13.0.${i >> 8}.${i & 255}`, port: 5000 })
      }
      world.run({ seconds: 2 })
      again.close()
      world.run({ seconds: 1 })
      liar.connect(client.endpoint)
      world.run({ seconds: 3 })
    }
    expect(answers()).toBe(20)
  },
)

scenario('many strangers do not lead one peer anywhere more than twenty times a minute', (world) => {
  const { client, liar } = duped(world)
  const strangers: SimPeer[] = []
  for (let i = 0; i < 6; i++) {
    strangers.push(extensionPeer(world, `stranger ${i}`, content, { messages: MESSAGES, listenPort: 7000 }))
    strangers[i].connect(client.endpoint)
  }
  world.run({ seconds: 2 })
  for (const stranger of strangers) {
    for (let i = 0; i < 10; i++) {
      say(stranger.connection, HolepunchType.rendezvous, { address: liar.host.address, port: 6000 })
    }
  }
  world.run({ seconds: 2 })
  expect(liar.connection.received('extended').filter(({ body }) => body[0] === OUR_ID)).toHaveLength(20)
})

scenario('a peer that did not say that it speaks it sends us nowhere', (world) => {
  const { client, connection } = duped(world, new Map())
  say(connection, HolepunchType.connect, { address: VICTIM, port: 5000 })
  world.run({ seconds: 5 })
  expect(knocks(client)).toBe(0)
})

scenario('a peer on the internet sends us to no address of our own network', (world) => {
  const { client, connection } = duped(world)
  say(connection, HolepunchType.connect, { address: '192.168.1.1', port: 5000 })
  world.run({ seconds: 5 })
  expect(client.alerts('peerConnect')).toEqual([])
})

/** The id under which a client with `settings` wants to be sent `ut_holepunch`; 0: not at all. */
function offered(world: SimWorld, settings: Partial<Settings>, torrent = content): number {
  const client = new SimClient(world, 'client', torrent, { settings: { ...UTP, ...settings } })
  const peer = extensionPeer(world, 'peer', torrent, { messages: MESSAGES })
  peer.listen(6881)
  world.run({ seconds: 2 })
  client.torrent.connectPeer({ address: peer.host.address, port: 6881 })
  world.runUntil(() => peer.connections.some((each) => each.received('extended').length > 0), { minutes: 1 })
  return theirId(peer.connection, 'ut_holepunch')
}

scenario('hole punching is offered, in anonymous mode and without outgoing uTP, too', (world) => {
  expect(offered(world, { anonymousMode: true, enableOutgoingUtp: false })).not.toBe(0)
})

scenario('hole punching is not offered in private torrents', (world) => {
  expect(offered(world, {}, new TestTorrent({ size: 100_000, private: true }))).toBe(0)
})

for (const kind of ['http', 'socks5'] as const) {
  scenario(`hole punching is not offered when peers are reached through a proxy (${kind})`, (world) => {
    const proxy = world.proxy('proxy', { kind })
    const proxied = { proxyType: ProxyType[kind], proxyHostname: proxy.host.address, proxyPort: proxy.port }
    expect(offered(world, proxied)).toBe(0)
  })
}

scenario('nobody on the internet is introduced to a neighbour of the relay, nor the other way round', (world) => {
  const relay = new SimClient(world, 'relay', content, { settings: UTP })
  const peerAt = (name: string, address: string) =>
    extensionPeer(world, name, content, { messages: MESSAGES, listenPort: 7000 }, { address })
  const peers = [peerAt('stranger', '80.0.0.1'), peerAt('neighbour', '192.168.1.5')]
  for (const peer of peers) peer.connect(relay.endpoint)
  world.run({ seconds: 2 })
  for (const [asking, target] of [peers, [...peers].reverse()]) {
    say(asking.connection, HolepunchType.rendezvous, { address: target.host.address, port: 7000 })
  }
  world.run({ seconds: 2 })
  for (const { connection } of peers) {
    expect(connection.received('extended').filter(({ body }) => body[0] === OUR_ID)).toEqual([])
  }
})

scenario('a relay sends us to nobody whom the IP filter keeps out', (world) => {
  const { client, connection } = duped(world)
  const filter = new IpFilter()
  filter.addRule(VICTIM, VICTIM, IpFilter.blocked)
  client.session.setIpFilter(filter)
  say(connection, HolepunchType.connect, { address: VICTIM, port: 5000 })
  world.run({ seconds: 5 })
  expect(knocks(client)).toBe(0)
})

/**
 * The client has tried the victim in vain, and asked `connection` twelve seconds ago to be introduced. Since then somebody
 * it did not ask has led it there, in vain as well: for a minute it goes there for no stranger.
 */
function unanswered(world: SimWorld) {
  const { client, connection } = duped(world)
  const other = extensionPeer(world, 'other', content, { messages: MESSAGES, listenPort: 6000 })
  const stranger = other.connect(client.endpoint)
  const flags = PexFlags.utp | PexFlags.holepunch
  const payload = encodeUtPex({ added: [{ address: VICTIM, port: 5000, flags }], dropped: [] })
  connection.send((to) => to.extended(theirId(connection, 'ut_pex'), payload))
  const wasAsked = () => connection.received('extended').some(({ body }) => body[0] === OUR_ID)
  world.runUntil(wasAsked, { minutes: 5 })
  say(stranger, HolepunchType.connect, { address: VICTIM, port: 5000 })
  world.run({ seconds: 12 })
  return { client, connection, stranger }
}

/** How often the client tries when `relay` sends it to five ports of the victim. */
function led(world: SimWorld, client: SimClient, relay: SimPeerConnection): number {
  const before = knocks(client)
  for (let port = 5001; port <= 5005; port++) say(relay, HolepunchType.connect, { address: VICTIM, port })
  world.run({ seconds: 11 })
  return knocks(client) - before
}

scenario('who is asked for an introduction leads us to one port, once', (world) => {
  const { client, connection } = unanswered(world)
  expect(led(world, client, connection)).toBe(1)
  expect(led(world, client, connection)).toBe(0)
})

scenario('who was not asked for an introduction cannot answer in the place of who was', (world) => {
  const { client, stranger } = unanswered(world)
  expect(led(world, client, stranger)).toBe(0)
})

scenario('an introduction that comes half a minute late is none that we asked for', (world) => {
  const { client, connection } = unanswered(world)
  world.run({ seconds: 20 })
  expect(led(world, client, connection)).toBe(0)
})
