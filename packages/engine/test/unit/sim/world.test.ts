import { describe, expect, test } from 'vitest'
import { runScenario } from '../../../sim/runScenario.ts'
import { SimWorld } from '../../../sim/simWorld.ts'
import { TestTorrent } from '../../../sim/testTorrent.ts'
import { cpuTime } from '../../cpuTime.ts'
import { Acceptor, dial } from './wire.ts'

describe('a world', () => {
  test('knows what programs have not given back, and forgives those that were killed', () => {
    const world = new SimWorld()
    const host = world.host('a')
    const platform = world.platformOf(host)
    platform.timers.after(1000, () => {})
    platform.udp.bind({ address: '0.0.0.0', port: 7 }, { onPacket: () => {}, onError: () => {} }, () => {})
    new Acceptor(platform, { address: '0.0.0.0', port: 7 })
    dial(platform, { address: host.address, port: 7 })
    platform.resolver.resolve('x.example', () => {})
    expect(world.leftovers().length).toBe(5)
    expect(() => world.assertNothingLeft()).toThrow(/a: timer of 1000 ms/)
    world.kill(host)
    world.assertNothingLeft()
  })

  test('a killed program gets no callback any more, its successor starts afresh', () => {
    const world = new SimWorld()
    const host = world.host('a')
    const first = world.programOn(host)
    first.platform.timers.after(10, () => expect.unreachable())
    first.platform.resolver.resolve('x.example', () => expect.unreachable())
    new Acceptor(first.platform, { address: '0.0.0.0', port: 7 })
    first.kill()
    const second = world.programOn(host)
    expect(second).not.toBe(first)
    const again = new Acceptor(second.platform, { address: '0.0.0.0', port: 7 })
    world.run({ minutes: 1 })
    expect(again.listener).not.toBeNull()
    expect(second.platform.random.u32()).not.toBe(first.platform.random.u32())
  })

  test('two programs run side by side on one machine', () => {
    const world = new SimWorld()
    const host = world.host('a')
    const one = world.start(host)
    const two = world.start(host)
    new Acceptor(one.platform, { address: '0.0.0.0', port: 7 })
    const clash = new Acceptor(two.platform, { address: '0.0.0.0', port: 7 })
    world.run(0)
    expect(clash.error?.code).toBe('EADDRINUSE')
    one.kill()
    expect(two.process.isAlive).toBe(true)
  })

  test('settle lets time pass for code that waits for promises', async () => {
    const world = new SimWorld()
    const { timers } = world.platformOf(world.host('a'))
    const wait = (ms: number) => new Promise<void>((resolve) => timers.after(ms, resolve))
    const work = async () => {
      for (let i = 0; i < 10; i++) await wait(1000)
      return world.time.elapsed
    }
    expect(await world.settle(work())).toBe(10_000)
    await expect(world.settle(Promise.reject(new Error('no')))).rejects.toThrow('no')
    await expect(world.settle(new Promise(() => {}))).rejects.toThrow(/nothing more happens/)
    const later = work()
    await world.pass({ seconds: 5 })
    expect(world.time.elapsed).toBe(15_000)
    expect(await world.settle(later)).toBe(20_000)
  })

  test('a failing scenario names its seed and the last events', async () => {
    const scenario = runScenario(
      (world) => {
        world.log.add('something happened')
        world.runUntil(() => false, { seconds: 3 })
      },
      { seed: 42 },
    )
    await expect(scenario).rejects.toThrow(/after 3 s still not[\s\S]*seed 42, 3000 ms[\s\S]*something happened/)
    await expect(
      runScenario((world) => void world.platformOf(world.host('a')).timers.after(1, () => {})),
    ).rejects.toThrow(/left over/)
    await runScenario(async (world) => world.run({ days: 1 }))
  })

  test('fifty hosts that all talk to each other take little real time', () => {
    const world = new SimWorld()
    const hosts = Array.from({ length: 50 }, (_, i) => world.host(`h${i}`, { up: 100_000, down: 1_000_000 }))
    const acceptors = hosts.map((host) => new Acceptor(world.platformOf(host), { address: '0.0.0.0', port: 1 }))
    const bytes = new Uint8Array(16_384)
    for (const from of hosts) {
      for (const to of hosts) {
        if (from !== to) dial(world.platformOf(from), { address: to.address, port: 1 }).stream.write(bytes)
      }
    }
    const started = cpuTime()
    world.run({ minutes: 1 })
    const received = acceptors.flatMap((acceptor) => acceptor.accepted.map((recorder) => recorder.receivedBytes))
    expect(received).toEqual(Array(50 * 49).fill(16_384))
    expect(cpuTime() - started).toBeLessThan(5000)
  })
})

describe('a test torrent', () => {
  test('depends on its seed only', () => {
    const torrent = new TestTorrent({ seed: 4, size: 100_000 })
    expect(new TestTorrent({ seed: 4, size: 100_000 }).torrentFile).toEqual(torrent.torrentFile)
    expect(new TestTorrent({ seed: 5, size: 100_000 }).infoHash.equals(torrent.infoHash)).toBe(false)
    expect(torrent.pieceCount).toBe(4)
    expect(torrent.piece(3).length).toBe(100_000 - 3 * 32_768)
  })

  test('is put on a disk whole or in part', () => {
    const world = new SimWorld()
    const files = world.filesOf(world.host('a'))
    const torrent = new TestTorrent({
      pieceLength: 16_384,
      files: [
        { path: 'a', size: 20_000 },
        { path: 'd/b', size: 30_000 },
      ],
    })
    torrent.putOn(files, '/s', (piece) => piece !== 1)
    expect(torrent.isOn(files, '/s')).toBe(false)
    const a = files.readFile('/s/content/a') as Uint8Array
    expect(a.slice(0, 16_384)).toEqual(torrent.content.slice(0, 16_384))
    expect(a.slice(16_384).every((byte) => byte === 0)).toBe(true)
    const b = files.readFile('/s/content/d/b') as Uint8Array
    expect(b.findIndex((byte) => byte !== 0)).toBeGreaterThanOrEqual(2 * 16_384 - 20_000)
    torrent.putOn(files, '/s')
    expect(torrent.isOn(files, '/s')).toBe(true)
  })
})
