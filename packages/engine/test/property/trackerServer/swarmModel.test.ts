import fc from 'fast-check'
import { expect, test } from 'vitest'
import { infoHash, peersIn, TrackerScene } from '../../unit/trackerServer/scene.ts'

/** Peers by "torrent/address", with what the tracker should know of them. */
type Model = Map<string, { readonly seed: boolean; readonly at: number }>

const TIMEOUT_S = 90

test('a tracker agrees with a plain list of who announced what, whatever they do', () => {
  const step = fc.record({
    torrent: fc.nat(2),
    peer: fc.nat(40),
    v6: fc.boolean(),
    seed: fc.boolean(),
    event: fc.constantFrom('none', 'started', 'completed', 'stopped'),
    numWant: fc.nat(60),
    pause: fc.nat(20),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
      const scene = new TrackerScene({ interval: 30, minInterval: 1, peerTimeout: TIMEOUT_S })
      const model: Model = new Map()
      for (const { torrent, peer, v6, seed, event, numWant, pause } of steps) {
        scene.pass(pause)
        for (const [key, { at }] of model) if (scene.now - at >= TIMEOUT_S * 1000) model.delete(key)
        const from = v6 ? `2001:db8::${peer + 1}` : `9.0.0.${peer + 1}`
        const left = seed ? 0 : 1
        const answer = scene.udpAnnounce({ from, infoHash: infoHash(torrent), left, event, numWant })
        const own = `${torrent}/${from}:6881`
        if (event === 'stopped') model.delete(own)
        else model.set(own, { seed, at: scene.now })
        const swarm = [...model].filter(([key]) => key.startsWith(`${torrent}/`))
        const seeds = swarm.filter(([, known]) => known.seed).length
        expect(answer).toMatchObject({ complete: seeds, incomplete: swarm.length - seeds })
        const reachable = swarm.filter(([key]) => key !== own && key.includes('::') === v6)
        const downloaders = reachable.filter(([, known]) => !known.seed)
        const wantsSeeds = !seed || (event === 'started' && downloaders.length === 0)
        const others = (wantsSeeds ? reachable : downloaders).map(([key]) => key.slice(key.indexOf('/') + 1))
        const told = peersIn(answer)
        expect(told).toHaveLength(event === 'stopped' ? 0 : Math.min(numWant, others.length))
        expect(new Set(told).size).toBe(told.length)
        for (const endpoint of told) expect(others).toContain(endpoint)
      }
      expect(scene.core.stats().peers).toBe(model.size)
    }),
    { numRuns: 60 },
  )
})
