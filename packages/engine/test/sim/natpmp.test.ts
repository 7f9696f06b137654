import { expect } from 'vitest'
import { SimProcess } from '../../sim/simProcess.ts'
import { SimRouter } from '../../sim/simRouter.ts'
import { SimUdp } from '../../sim/simUdp.ts'
import { PortmapClient } from './portmapClient.ts'
import { scenario } from './scenario.ts'

const FORWARD = 'tcp 6881 -> 192.168.1.2:6881'
const PCP = { igd: null, speaks: ['pcp'] } as const
const NATPMP = { igd: null, speaks: ['natpmp'] } as const

function end(client: PortmapClient, world: { run(duration: { seconds: number }): void }): void {
  let done = 0
  client.mapper.stop(() => done++)
  world.run({ seconds: 4 })
  expect(done).toBe(1)
}

for (const [name, options] of [
  ['PCP', PCP],
  ['NAT-PMP', NATPMP],
  ['NAT-PMP that drops what it does not know', { ...NATPMP, dropsUnknownVersions: true }],
  ['both', { igd: null }],
] as const) {
  scenario(
    `a router that speaks ${name} maps two ports, renews them for days, and forgets them at the end`,
    (world) => {
      const router = new SimRouter(world, options)
      const client = new PortmapClient(world, { natpmpLeaseDuration: 1200 })
      client.mapper.addMapping('tcp', 6881, 6881)
      client.mapper.startNatpmp()
      client.mapper.addMapping('udp', 6881, 6882)
      world.run({ seconds: 10 })
      for (let minute = 0; minute < 24 * 60; minute += 5) {
        expect(router.forwards).toEqual([FORWARD, 'udp 6881 -> 192.168.1.2:6882'])
        world.run({ minutes: 5 })
      }
      expect(client.reports).toEqual(['natpmp 0: 6881', 'natpmp 1: 6881'])
      expect(client.addresses).toEqual(['203.0.113.5 by 192.168.1.1'])
      expect(client.mapped[1].externalAddress).toBe('203.0.113.5')
      client.mapper.deleteMapping(0)
      world.run({ seconds: 1 })
      expect(router.forwards).toEqual(['udp 6881 -> 192.168.1.2:6882'])
      end(client, world)
      expect(router.forwards).toEqual([])
      expect(client.failures).toEqual([])
    },
  )
}

scenario('PCP is used when the router speaks both', (world) => {
  const router = new SimRouter(world, { igd: null })
  const client = new PortmapClient(world)
  client.mapper.addMapping('tcp', 6881, 6881)
  client.mapper.startNatpmp()
  world.run({ seconds: 1 })
  expect(router.requests).toEqual(['pcp map tcp 6881'])
  end(client, world)
})

for (const options of [PCP, NATPMP]) {
  scenario(`${options.speaks}: renewals ask for the port that was given instead of a taken one`, (world) => {
    const router = new SimRouter(world, { ...options, taken: ['tcp 6881'] })
    const client = new PortmapClient(world)
    client.mapper.addMapping('tcp', 6881, 6881)
    client.mapper.startNatpmp()
    world.run({ hours: 5 })
    expect(client.reports).toEqual(['natpmp 0: 6882'])
    expect(router.requests.filter((each) => each.includes('map')).slice(1)).not.toContain(
      `${options.speaks} map tcp 6881`,
    )
    end(client, world)
  })

  scenario(`${options.speaks}: mappings are renewed at half of their life`, (world) => {
    const router = new SimRouter(world, options)
    const client = new PortmapClient(world, { natpmpLeaseDuration: 1000 })
    client.mapper.addMapping('tcp', 6881, 6881)
    client.mapper.startNatpmp()
    const renewals = () => router.requests.filter((each) => each.includes('map')).length
    world.run({ seconds: 499 })
    expect(renewals()).toBe(1)
    world.run({ seconds: 2 })
    expect(renewals()).toBe(2)
    end(client, world)
  })

  scenario(`${options.speaks}: a router that announces its restart is given the mappings within seconds`, (world) => {
    const router = new SimRouter(world, options)
    const client = new PortmapClient(world)
    client.mapper.addMapping('tcp', 6881, 6881)
    client.mapper.startNatpmp()
    world.run({ minutes: 10 })
    router.switchOff()
    world.run({ minutes: 1 })
    router.switchOn(true)
    expect(router.forwards).toEqual([])
    world.run({ seconds: 6 })
    expect(router.forwards).toEqual([FORWARD])
    end(client, world)
  })

  scenario(
    `${options.speaks}: a silent restart is noticed by the clock in the next answer, and all is mapped anew`,
    (world) => {
      const router = new SimRouter(world, options)
      const client = new PortmapClient(world)
      client.mapper.addMapping('tcp', 6881, 6881)
      client.mapper.startNatpmp()
      world.run({ minutes: 20 })
      client.mapper.addMapping('udp', 6881, 6881)
      world.run({ minutes: 5 })
      router.switchOff()
      router.switchOn()
      // The first is renewed after 30 minutes; the second would be after 50.
      world.run({ minutes: 6 })
      expect(router.forwards).toEqual([FORWARD, 'udp 6881 -> 192.168.1.2:6881'])
      expect(client.failures).toEqual([])
      end(client, world)
    },
  )

  scenario(`${options.speaks}: lost packets are repaired`, (world) => {
    const router = new SimRouter(world, options)
    const client = new PortmapClient(world)
    client.host.loss = 0.3
    for (let port = 6881; port < 6889; port++) client.mapper.addMapping('tcp', port, port)
    client.mapper.startNatpmp()
    world.run({ minutes: 30 })
    expect(router.forwards).toHaveLength(8)
    client.host.loss = 0
    end(client, world)
  })
}

for (const [result, code] of [
  [2, 'natpmpNotAuthorized'],
  [3, 'networkFailure'],
  [4, 'noResources'],
  [5, 'unsupportedOpcode'],
] as const) {
  scenario(`NAT-PMP result ${result} is ${code}, said once`, (world) => {
    new SimRouter(world, { ...NATPMP, result })
    const client = new PortmapClient(world)
    client.mapper.addMapping('tcp', 6881, 6881)
    client.mapper.startNatpmp()
    world.run({ hours: 12 })
    expect(client.failures).toEqual([`natpmp 0: ${code}`])
    expect(client.failed[0].error.value).toBe(119 + result)
    end(client, world)
  })
}

for (const [result, code] of [
  [2, 'natpmpNotAuthorized'],
  [3, 'unsupportedOpcode'],
  [7, 'networkFailure'],
  [8, 'noResources'],
  [10, 'noResources'],
  [11, 'noResources'],
  [12, 'networkFailure'],
  [200, 'networkFailure'],
] as const) {
  scenario(`PCP result ${result} is ${code}, said once`, (world) => {
    new SimRouter(world, { ...PCP, result })
    const client = new PortmapClient(world)
    client.mapper.addMapping('tcp', 6881, 6881)
    client.mapper.startNatpmp()
    world.run({ hours: 12 })
    expect(client.failures).toEqual([`natpmp 0: ${code}`])
    end(client, world)
  })
}

scenario(
  'a gateway that speaks none of them is asked nine times, with growing pauses, then left alone for two hours',
  (world) => {
    const client = new PortmapClient(world)
    const gateway = world.host('gateway', { address: '192.168.1.1', latency: 1 })
    const asked: number[] = []
    const process = new SimProcess(world.network, gateway)
    const handler = { onPacket: () => asked.push(world.time.elapsed), onError() {} }
    new SimUdp(process).bind({ address: '192.168.1.1', port: 5351 }, handler, () => {})
    for (let port = 6881; port < 6886; port++) client.mapper.addMapping('tcp', port, port)
    client.mapper.startNatpmp()
    world.run({ minutes: 100 })
    const pauses = asked.slice(1).map((at, i) => Math.round(at - asked[i]))
    expect(pauses).toEqual([250, 500, 1000, 2000, 4000, 8000, 16_000, 32_000])
    expect(client.failures).toEqual([])
    world.run({ minutes: 30 })
    expect(asked.length).toBeGreaterThan(9)
    end(client, world)
  },
)

scenario('a router that goes away for good is missed when its mappings expire', (world) => {
  const router = new SimRouter(world, PCP)
  const client = new PortmapClient(world)
  client.mapper.addMapping('tcp', 6881, 6881)
  client.mapper.startNatpmp()
  world.run({ minutes: 10 })
  router.switchOff()
  world.run({ minutes: 49 })
  expect(client.failures).toEqual([])
  world.run({ minutes: 15 })
  expect(client.failures).toEqual(['natpmp 0: timedOut'])
  router.switchOn()
  world.run({ hours: 3 })
  expect(client.reports).toEqual(['natpmp 0: 6881', 'natpmp 0: 6881'])
  end(client, world)
})

scenario(
  'stopping in the middle of anything leaves nothing behind, here or at the router',
  (world) => {
    const router = new SimRouter(world, world.random.chance(0.5) ? PCP : NATPMP)
    const client = new PortmapClient(world)
    for (let i = 0; i < 5; i++) client.mapper.addMapping('tcp', 6881 + i, 6881 + i)
    client.mapper.startNatpmp()
    world.run({ seconds: world.random.fraction() * 0.05 })
    end(client, world)
    expect(router.forwards).toEqual([])
  },
  { seeds: 30 },
)

scenario('natpmp_gateway is asked in place of the default gateway', (world) => {
  const other = new SimRouter(world, { ...PCP, address: '192.168.1.77' })
  const gateway = new SimRouter(world, PCP)
  const client = new PortmapClient(world, { natpmpGateway: '192.168.1.77' })
  client.mapper.addMapping('tcp', 6881, 6881)
  client.mapper.startNatpmp()
  world.run({ seconds: 10 })
  expect(gateway.requests).toEqual([])
  expect(other.forwards).toEqual([FORWARD])
  end(client, world)
})

scenario('both ways at once: each reports its own, and a mapping may be of one way only', (world) => {
  const router = new SimRouter(world)
  const client = new PortmapClient(world)
  client.mapper.startUpnp()
  client.mapper.startNatpmp()
  client.mapper.addMapping('tcp', 6881, 6881, { via: 0 })
  client.mapper.addMapping('udp', 6881, 6881, { via: 1 })
  world.run({ seconds: 10 })
  expect([...client.reports].sort()).toEqual(['natpmp 0: 6881', 'upnp 1: 6881'])
  expect(router.forwards).toHaveLength(2)
  end(client, world)
  expect(router.forwards).toEqual([])
})

scenario('the network changes: the old gateway is forgotten, the new one given the mappings', (world) => {
  const home = new SimRouter(world)
  const office = new SimRouter(world, { address: '10.0.0.1' })
  const client = new PortmapClient(world, {}, { address: ['192.168.1.2', '10.0.0.2'] })
  client.mapper.startUpnp()
  client.mapper.startNatpmp()
  client.mapper.addMapping('tcp', 6881, 6881, { via: 0 })
  client.mapper.addMapping('udp', 6881, 6881, { via: 1 })
  world.run({ seconds: 10 })
  expect([home.forwards.length, office.forwards.length]).toEqual([2, 0])
  client.host.gateway = '10.0.0.1'
  client.mapper.networkChanged()
  world.run({ seconds: 10 })
  expect(office.forwards).toHaveLength(2)
  end(client, world)
})
