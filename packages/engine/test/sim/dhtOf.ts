import type { SimWorld } from '../../sim/simWorld.ts'
import type { Settings } from '../../src/settings/settings.ts'

/** Nodes of this small world are neighbours; in the real one that would be suspicious. */
export const DHT = { enableDht: true, dhtRestrictRoutingIps: false, dhtRestrictSearchIps: false }

/** Machines that take part in the DHT and know one another by the first of them. */
export function dhtOf(world: SimWorld, size: number, more: Partial<Settings> = {}) {
  const first = world.host('router', { address: '60.0.0.1' })
  const settings = { ...DHT, ...more, dhtBootstrapNodes: '60.0.0.1:6881' }
  const router = world.session(first, { settings: { ...DHT, ...more } })
  const others = Array.from({ length: size - 1 }, (_, i) =>
    world.session(world.host(`node${i}`, { address: `60.0.${i + 1}.1` }), { settings }),
  )
  world.run({ seconds: 30 })
  return { settings, sessions: [router, ...others] }
}
