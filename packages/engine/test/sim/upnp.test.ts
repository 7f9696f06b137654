import { expect } from 'vitest'
import { SimRouter } from '../../sim/simRouter.ts'
import { PortmapClient } from './portmapClient.ts'
import { scenario } from './scenario.ts'

const FORWARD = 'tcp 6881 -> 192.168.1.2:6881'
const UPNP_ONLY = { speaks: [] }

/** Stops the mapper and lets the time pass that it needs. */
function end(client: PortmapClient, world: { run(duration: { seconds: number }): void }): void {
  let done = 0
  client.mapper.stop(() => done++)
  world.run({ seconds: 4 })
  expect(done).toBe(1)
}

scenario('a router is found, maps two ports, tells its address and model, and forgets all at the end', (world) => {
  const router = new SimRouter(world, { ...UPNP_ONLY, model: 'Acme 3000' })
  const client = new PortmapClient(world, { userAgent: 'ours & <theirs>' })
  client.mapper.startUpnp()
  expect(client.mapper.addMapping('tcp', 6881, 6881)).toBe(0)
  expect(client.mapper.addMapping('udp', 6881, 6882)).toBe(1)
  world.run({ seconds: 10 })
  expect(router.forwards).toEqual([FORWARD, 'udp 6881 -> 192.168.1.2:6882'])
  expect(router.mappings[0]).toMatchObject({ lifetime: 3600, description: 'ours &amp; &lt;theirs&gt;' })
  expect(client.reports).toEqual(['upnp 0: 6881', 'upnp 1: 6881'])
  expect(client.mapped[0]).toMatchObject({ externalAddress: '203.0.113.5', localAddress: '192.168.1.2' })
  expect(client.addresses).toEqual(['203.0.113.5 by 192.168.1.1'])
  expect(client.mapper.routerModel).toBe('Acme 3000')
  end(client, world)
  expect(router.forwards).toEqual([])
  expect(client.failures).toEqual([])
})

scenario('mappings are renewed before they expire, for days, and reported once', (world) => {
  const router = new SimRouter(world, UPNP_ONLY)
  const client = new PortmapClient(world, { upnpLeaseDuration: 1200 })
  client.mapper.addMapping('tcp', 6881, 6881)
  client.mapper.startUpnp()
  world.run({ seconds: 10 })
  for (let minute = 0; minute < 2 * 24 * 60; minute += 5) {
    expect(router.forwards).toEqual([FORWARD])
    world.run({ minutes: 5 })
  }
  expect(client.reports).toEqual(['upnp 0: 6881'])
  end(client, world)
})

scenario('one mapping is removed, the other stays', (world) => {
  const router = new SimRouter(world, UPNP_ONLY)
  const client = new PortmapClient(world)
  client.mapper.startUpnp()
  const first = client.mapper.addMapping('tcp', 6881, 6881)
  client.mapper.addMapping('udp', 6881, 6881)
  world.run({ seconds: 10 })
  client.mapper.deleteMapping(first)
  client.mapper.deleteMapping(17)
  world.run({ seconds: 10 })
  expect(router.forwards).toEqual(['udp 6881 -> 192.168.1.2:6881'])
  // Its index is free again.
  expect(client.mapper.addMapping('tcp', 7000, 7000)).toBe(first)
  world.run({ seconds: 10 })
  expect(router.forwards).toHaveLength(2)
  end(client, world)
})

scenario('a mapping removed while it is being asked for does not stay at the router', (world) => {
  const router = new SimRouter(world, UPNP_ONLY)
  const client = new PortmapClient(world)
  client.mapper.startUpnp()
  const index = client.mapper.addMapping('tcp', 6881, 6881)
  world.runUntil(() => router.forwards.length === 1)
  client.mapper.deleteMapping(index)
  world.run({ seconds: 10 })
  expect(router.forwards).toEqual([])
  expect(client.reports).toEqual([])
  end(client, world)
})

scenario('a router that knows only mappings for ever gets those', (world) => {
  const router = new SimRouter(world, { ...UPNP_ONLY, permanentOnly: true })
  const client = new PortmapClient(world)
  client.mapper.startUpnp()
  client.mapper.addMapping('tcp', 6881, 6881)
  world.run({ seconds: 10 })
  expect(router.mappings).toMatchObject([{ lifetime: 0 }])
  expect(client.reports).toEqual(['upnp 0: 6881'])
  end(client, world)
  expect(router.forwards).toEqual([])
})

scenario('a port that belongs to somebody else is exchanged for another', (world) => {
  const router = new SimRouter(world, { ...UPNP_ONLY, taken: ['tcp 6881'] })
  const client = new PortmapClient(world)
  client.mapper.startUpnp()
  client.mapper.addMapping('tcp', 6881, 6881)
  world.run({ seconds: 10 })
  const [{ externalPort }] = client.mapped
  expect(externalPort).toBeGreaterThanOrEqual(40_000)
  expect(externalPort).toBeLessThan(50_000)
  expect(router.forwards).toEqual([`tcp ${externalPort} -> 192.168.1.2:6881`])
  end(client, world)
  expect(router.forwards).toEqual([])
})

scenario('a gateway of version 2 chooses a free port itself', (world) => {
  const router = new SimRouter(world, { ...UPNP_ONLY, igd: 2, taken: ['tcp 6881'] })
  const client = new PortmapClient(world, { upnpLeaseDuration: 600 })
  client.mapper.startUpnp()
  client.mapper.addMapping('tcp', 6881, 6881)
  world.run({ hours: 1 })
  expect(client.reports).toEqual(['upnp 0: 6882'])
  expect(router.requests.filter((each) => each.startsWith('Add')).slice(0, 2)).toEqual([
    'AddAnyPortMapping tcp 6881',
    'AddAnyPortMapping tcp 6882',
  ])
  end(client, world)
})

scenario(
  'without a router that is said once of each mapping, after all searches, and found when one appears',
  (world) => {
    const client = new PortmapClient(world)
    client.mapper.startUpnp()
    client.mapper.addMapping('tcp', 6881, 6881)
    // 12 searches, each 2 seconds later than the one before.
    world.run({ seconds: 2 * ((12 * 13) / 2) - 1 })
    expect(client.failures).toEqual([])
    world.run({ seconds: 2 })
    expect(client.failures).toEqual(['upnp 0: noRouter'])
    client.mapper.addMapping('udp', 6881, 6881)
    world.run({ hours: 5 })
    expect(client.failures).toEqual(['upnp 0: noRouter', 'upnp 1: noRouter'])
    const router = new SimRouter(world, UPNP_ONLY)
    world.run({ hours: 1 })
    expect(router.forwards).toHaveLength(2)
    end(client, world)
  },
)

scenario('a router that is switched off and on again is given its mappings anew', (world) => {
  const router = new SimRouter(world, UPNP_ONLY)
  const client = new PortmapClient(world)
  client.mapper.startUpnp()
  client.mapper.addMapping('tcp', 6881, 6881)
  world.run({ minutes: 40 })
  router.switchOff()
  // The renewal falls into its absence.
  world.run({ minutes: 10 })
  expect(client.failures).toEqual(['upnp 0: timedOut'])
  router.switchOn()
  world.run({ minutes: 60 })
  expect(router.forwards).toEqual([FORWARD])
  expect(client.reports).toEqual(['upnp 0: 6881', 'upnp 0: 6881'])
  end(client, world)
})

scenario('a short restart goes unnoticed until the next renewal, which maps anew', (world) => {
  const router = new SimRouter(world, UPNP_ONLY)
  const client = new PortmapClient(world)
  client.mapper.startUpnp()
  client.mapper.addMapping('tcp', 6881, 6881)
  world.run({ minutes: 20 })
  router.switchOff()
  world.run({ minutes: 2 })
  router.switchOn()
  world.run({ minutes: 25 })
  expect(router.forwards).toEqual([FORWARD])
  expect(client.failures).toEqual([])
  end(client, world)
})

scenario('two routers on one network are both given the mapping', (world) => {
  const routers = [new SimRouter(world, UPNP_ONLY), new SimRouter(world, { ...UPNP_ONLY, address: '192.168.1.254' })]
  const client = new PortmapClient(world)
  client.mapper.startUpnp()
  client.mapper.addMapping('tcp', 6881, 6881)
  world.run({ seconds: 10 })
  for (const router of routers) expect(router.forwards).toEqual([FORWARD])
  expect(client.reports).toEqual(['upnp 0: 6881', 'upnp 0: 6881'])
  end(client, world)
  for (const router of routers) expect(router.forwards).toEqual([])
})

scenario('with upnp_ignore_nonrouters only the default gateway is spoken to', (world) => {
  const gateway = new SimRouter(world, UPNP_ONLY)
  const other = new SimRouter(world, { ...UPNP_ONLY, address: '192.168.1.254' })
  const client = new PortmapClient(world, { upnpIgnoreNonrouters: true })
  client.mapper.startUpnp()
  client.mapper.addMapping('tcp', 6881, 6881)
  world.run({ seconds: 10 })
  expect(gateway.forwards).toEqual([FORWARD])
  expect(other.requests).toEqual([])
  end(client, world)
})

scenario('a mapping of one interface is made by the router of that interface only', (world) => {
  const first = new SimRouter(world, UPNP_ONLY)
  const second = new SimRouter(world, { ...UPNP_ONLY, address: '10.0.0.1' })
  const client = new PortmapClient(world, {}, { address: ['192.168.1.2', '10.0.0.2'], gateway: undefined })
  client.mapper.startUpnp()
  client.mapper.addMapping('tcp', 6881, 6881, { localAddress: '10.0.0.2' })
  client.mapper.addMapping('udp', 6881, 6881, { localAddress: '0.0.0.0' })
  world.run({ seconds: 20 })
  expect(first.forwards).toEqual(['udp 6881 -> 192.168.1.2:6881'])
  expect(second.forwards).toEqual(['tcp 6881 -> 10.0.0.2:6881', 'udp 6881 -> 10.0.0.2:6881'])
  end(client, world)
})

scenario(
  'a machine with two addresses before one router maps its ports once, and each by itself when told to',
  (world) => {
    const router = new SimRouter(world)
    const client = new PortmapClient(world, {}, { address: ['192.168.1.2', '192.168.1.3'] })
    client.mapper.startUpnp()
    client.mapper.startNatpmp()
    client.mapper.addMapping('tcp', 6881, 6881, { via: 1 })
    client.mapper.addMapping('udp', 6881, 6881, { via: 0 })
    client.mapper.addMapping('tcp', 7000, 7000, { localAddress: '192.168.1.3', via: 1 })
    client.mapper.addMapping('udp', 7000, 7000, { localAddress: '192.168.1.3', via: 0 })
    world.run({ seconds: 20 })
    expect(router.forwards).toEqual([
      FORWARD,
      'tcp 7000 -> 192.168.1.3:7000',
      'udp 6881 -> 192.168.1.2:6881',
      'udp 7000 -> 192.168.1.3:7000',
    ])
    end(client, world)
    expect(router.forwards).toEqual([])
  },
)

scenario(
  'stopping in the middle of anything leaves nothing behind, here or at the router',
  (world) => {
    const router = new SimRouter(world, UPNP_ONLY)
    const client = new PortmapClient(world)
    client.mapper.startUpnp()
    for (let i = 0; i < 5; i++) client.mapper.addMapping('tcp', 6881 + i, 6881 + i)
    world.run({ seconds: world.random.fraction() * 0.4 })
    end(client, world)
    expect(router.forwards).toEqual([])
  },
  { seeds: 20 },
)

scenario('a router that is gone does not keep the end waiting for more than three seconds', (world) => {
  const router = new SimRouter(world, UPNP_ONLY)
  const client = new PortmapClient(world)
  client.mapper.startUpnp()
  client.mapper.addMapping('tcp', 6881, 6881)
  world.run({ seconds: 10 })
  router.switchOff()
  end(client, world)
})

scenario('mappings are made for those added before the start, after it, and after another start', (world) => {
  const router = new SimRouter(world, UPNP_ONLY)
  const client = new PortmapClient(world)
  client.mapper.addMapping('tcp', 6881, 6881)
  client.mapper.startUpnp()
  client.mapper.startUpnp()
  world.run({ seconds: 10 })
  let stopped = false
  client.mapper.stopUpnp(() => {
    stopped = true
  })
  client.mapper.startUpnp()
  world.run({ seconds: 10 })
  expect(stopped).toBe(true)
  world.run({ seconds: 60 })
  expect(router.forwards).toEqual([FORWARD])
  end(client, world)
})
